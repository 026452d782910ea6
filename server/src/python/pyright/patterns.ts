/** Lowers the patterns of `match` statements. */

import type {
  ErrorNode,
  PatternAsNode,
  PatternAtomNode,
  PatternMappingNode,
} from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type { Expr, Pattern } from '../ast';
import { lowerExpr } from './expressions';
import { endOf, errorExpr, type Source, spanOf } from './source';
import { NodeType } from './tree';

export function lowerPattern(source: Source, node: PatternAtomNode): Pattern {
  const span = spanOf(node);
  switch (node.nodeType) {
    case NodeType.PatternAs:
      return lowerAs(source, node);
    case NodeType.PatternLiteral:
    case NodeType.PatternValue:
      return { kind: 'MatchValue', ...span, value: lowerExpr(source, node.d.expr) };
    case NodeType.PatternCapture: {
      const name = node.d.isWildcard ? null : node.d.target.d.value;
      return node.d.isStar
        ? { kind: 'MatchStar', ...span, name: node.d.target.d.value === '_' ? null : name }
        : { kind: 'MatchAs', ...span, pattern: null, name };
    }
    case NodeType.PatternSequence:
      return { kind: 'MatchSequence', ...span, patterns: node.d.entries.map(entry => lowerPattern(source, entry)) };
    case NodeType.PatternClass: {
      const positional = node.d.args.filter(arg => !arg.d.name);
      return {
        kind: 'MatchClass',
        ...span,
        cls: lowerExpr(source, node.d.className),
        patterns: positional.map(arg => lowerPattern(source, arg.d.pattern)),
        keywords: node.d.args.flatMap(({ d: { name, pattern } }) =>
          name ? [{ name: name.d.value, pattern: lowerPattern(source, pattern) }] : [],
        ),
      };
    }
    case NodeType.PatternMapping:
      return lowerMapping(source, node);
    default:
      return { kind: 'MatchError', ...span };
  }
}

/** Pyright wraps every pattern in one of these; only `|` and `as` make it a node of its own. */
function lowerAs(source: Source, node: PatternAsNode): Pattern {
  const { orPatterns, target } = node.d;
  // Parentheses around the pattern widen the node, but not its alternatives.
  const start = orPatterns[0].start;
  const patterns = orPatterns.map(pattern => lowerPattern(source, pattern));
  const pattern: Pattern =
    patterns.length === 1
      ? patterns[0]
      : { kind: 'MatchOr', start, end: endOf(orPatterns[orPatterns.length - 1]), patterns };
  return target ? { kind: 'MatchAs', start, end: endOf(target), pattern, name: target.d.value } : pattern;
}

function lowerMapping(source: Source, node: PatternMappingNode): Pattern {
  const keys: Expr[] = [];
  const patterns: Pattern[] = [];
  let rest: string | null = null;
  // After an error an entry can be an error node, whatever the declared type says.
  for (const entry of node.d.entries as (PatternMappingNode['d']['entries'][number] | ErrorNode)[]) {
    if (entry.nodeType === NodeType.PatternMappingExpandEntry) rest = entry.d.target.d.value;
    if (entry.nodeType !== NodeType.PatternMappingKeyEntry) continue;
    const { keyPattern, valuePattern } = entry.d;
    keys.push(
      keyPattern.nodeType === NodeType.Error ? errorExpr(spanOf(keyPattern), []) : lowerExpr(source, keyPattern.d.expr),
    );
    patterns.push(lowerPattern(source, valuePattern));
  }
  return { kind: 'MatchMapping', ...spanOf(node), keys, patterns, rest };
}
