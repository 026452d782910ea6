/** Lowers the patterns of `match` statements. */

import type {
  ErrorNode,
  PatternAsNode,
  PatternAtomNode,
  PatternMappingNode,
  PatternSequenceNode,
} from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type { Expr, Pattern } from '../ast';
import { lowerExpr } from './expressions';
import { endOf, errorExpr, extendOver, type Source, spanOf, tokenAt, tokenIndexBefore, tokenIndexFrom } from './source';
import { NodeType, Tok } from './tree';

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
      return lowerSequence(source, node);
    case NodeType.PatternClass: {
      const positional = node.d.args.filter(arg => !arg.d.name);
      return {
        kind: 'MatchClass',
        start: span.start,
        end: afterCall(source, span.end),
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
      return lowerError(source, node);
  }
}

/** Pyright's range of `C(pattern,)` may end before the comma and the parentheses. */
function afterCall(source: Source, end: number): number {
  for (let i = tokenIndexFrom(source, end); ; i++) {
    const token = tokenAt(source, i);
    if (token?.type === Tok.CloseParenthesis) return endOf(token);
    if (token?.type !== Tok.OpenParenthesis && token?.type !== Tok.Comma) return end;
  }
}

function lowerSequence(source: Source, node: PatternSequenceNode): Pattern {
  const { start, end } = spanOf(node);
  const { entries } = node.d;
  const isOpen = entries.length > 0 && entries[0].start === start;
  return {
    kind: 'MatchSequence',
    start,
    end: isOpen ? extendOver(source, end, Tok.Comma) : end,
    patterns: entries.map(entry => lowerPattern(source, entry)),
  };
}

/** The pattern `{}` arrives as an error at its closing brace. */
function lowerError(source: Source, node: ErrorNode): Pattern {
  const { start, end } = spanOf(node);
  const before = tokenAt(source, tokenIndexBefore(source, start));
  if (source.text.slice(start, end) === '}' && before?.type === Tok.OpenCurlyBrace) {
    return { kind: 'MatchMapping', start: before.start, end, keys: [], patterns: [], rest: null };
  }
  return { kind: 'MatchError', start, end };
}

/** Pyright wraps every pattern in one of these; only `|` and `as` make it a node of its own. */
function lowerAs(source: Source, node: PatternAsNode): Pattern {
  const { orPatterns, target } = node.d;
  const patterns = orPatterns.map(pattern => lowerPattern(source, pattern));
  // Parentheses around the pattern widen the node, but not its alternatives.
  const start = Math.min(orPatterns[0].start, patterns[0].start);
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
