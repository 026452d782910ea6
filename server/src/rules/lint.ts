/**
 * Rules over what was seen of a file, beside those that judge refusals: code that MLX takes and that is wrong.
 *
 * Such a rule looks at the syntax tree together with the values seen at its nodes, and speaks where every one of them
 * shows the fault.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { FileAnalysis, Observation, SiteKind, SourceFile } from '../analysis/types';
import type { Expr, Node } from '../python/ast';
import { children } from '../python/walk';
import type { Diagnostic, Fix, RelatedPlace, Rule } from './diagnostic';

export type Lint = (seen: Seen) => Iterable<Diagnostic>;

/** What was seen of one file, by node. */
export class Seen {
  readonly source: SourceFile;
  private table: Map<string, Observation[]> | null = null;

  constructor(readonly analysis: FileAnalysis) {
    this.source = analysis.source;
  }

  private get byPlace(): Map<string, Observation[]> {
    if (this.table) return this.table;
    this.table = new Map();
    for (const o of this.analysis.observations) {
      const key = keyOf(o.kind, o);
      const site = this.table.get(key);
      if (site) site.push(o);
      else this.table.set(key, [o]);
    }
    return this.table;
  }

  /** What was seen at a node. */
  at(kind: SiteKind, node: { start: number; end: number }): readonly Observation[] {
    return this.byPlace.get(keyOf(kind, node)) ?? [];
  }

  /** The types that an expression had: null where it was not reached, or was once no array. */
  types(e: Expr): readonly ArrayType[] | null {
    const seen = this.at('expr', e);
    return seen.length > 0 && seen.every(o => o.type) ? seen.map(o => o.type!) : null;
  }

  /** The arrays that an expression had, as the graph has them; null as with `types`. */
  arrays(e: Expr): readonly ArrayNode[] | null {
    const seen = this.at('expr', e);
    const nodes = seen.flatMap(o => (o.value.kind === 'array' ? [o.value.node] : []));
    return nodes.length > 0 && nodes.length === seen.length ? nodes : null;
  }

  /** Whether MLX refuses something there. */
  isRefused({ start, end }: { start: number; end: number }): boolean {
    return this.analysis.findings.some(f => f.file === this.source.path && f.start < end && start < f.end);
  }

  text({ start, end }: { start: number; end: number }): string {
    return this.source.text.slice(start, end);
  }

  found(
    rule: Rule,
    { start, end }: { start: number; end: number },
    message: string,
    { fixes = [], related = [] }: { fixes?: readonly Fix[]; related?: readonly RelatedPlace[] } = {},
  ): Diagnostic {
    const file = this.source.path;
    return { file, start, end, rule, message, related, fixes, companion: null, detail: {} };
  }

  /** A fix of one edit in this file. */
  fix(title: string, { start, end }: { start: number; end: number }, newText: string): Fix {
    return { title, edits: [{ file: this.source.path, start, end, newText }] };
  }
}

const keyOf = (kind: SiteKind, { start, end }: { start: number; end: number }): string => `${kind}:${start}:${end}`;

/** Visits every node with those around it, outermost first. */
export function walkWithPath(node: Node, visit: (node: Node, path: readonly Node[]) => void): void {
  const path: Node[] = [];
  const go = (n: Node): void => {
    visit(n, path);
    path.push(n);
    for (const child of children(n)) go(child);
    path.pop();
  };
  go(node);
}

/** `mx.softmax` → softmax, `softmax` → softmax: the last part of what is called. */
export const calledName = (func: Expr): string | null =>
  func.kind === 'Attribute' ? func.attr : func.kind === 'Name' ? func.id : null;
