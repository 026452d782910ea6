/**
 * Conditions that a block tests again.
 *
 *     do_sort = indices.size >= 64
 *     if do_sort:
 *         x = gather_sort(x)
 *     x = self.layer(x)
 *     if do_sort:
 *         x = scatter_unsort(x)
 *
 * Joining after the first test would make four ways of two, two of which nobody takes. So where the condition is not
 * known and its name stands alone in a later test, the rest of the block is walked once for each answer.
 */
import type { Refusal } from '../../../engine/src/graph/refusal';
import type { Expr, Node, Span, Stmt } from '../python/ast';
import { walk } from '../python/walk';
import { assignedNames } from './assignment';
import { type Flow, fork } from './branches';
import type { Evaluator } from './evaluator';
import { FALSE, type Origin, TRUE, type Value } from './values';

/** How many such conditions may be open at once: each doubles the work. */
const MOST_OPEN = 3;

/** A refusal on one of the ways, to be judged when both were walked. */
export interface Held {
  readonly refusal: Refusal;
  readonly place: Origin;
  readonly chain: readonly Origin[];
  /** Where the block that forked stood. */
  readonly at: Origin;
}

/** The name or attribute of self that a test consists of. */
function subjectOf(test: Expr): { name: string; attribute: string | null } | null {
  if (test.kind === 'UnaryOp' && test.op === 'not') return subjectOf(test.operand);
  if (test.kind === 'Name') return { name: test.id, attribute: null };
  if (test.kind === 'Attribute' && test.value.kind === 'Name') return { name: test.value.id, attribute: test.attr };
  return null;
}

const sameSubject = (a: ReturnType<typeof subjectOf>, b: ReturnType<typeof subjectOf>): boolean =>
  a !== null && b !== null && a.name === b.name && a.attribute === b.attribute;

/** What follows a test in its block, as far as the choice is concerned. Made once for each `if`. */
interface Later {
  /** The same condition is tested again, and nothing in between can change it. */
  readonly isTestedAgain: boolean;
  /** The bodies that only one answer leads to. */
  readonly bodies: readonly Span[];
}
const laters = new WeakMap<Stmt, Later>();

function laterOf(body: readonly Stmt[], index: number): Later {
  const first = body[index];
  let known = laters.get(first);
  if (known) return known;
  const subject = first.kind === 'If' ? subjectOf(first.test) : null;
  const bodies: Span[] = [];
  let tests = 0;
  let changes = false;
  if (subject)
    for (const stmt of body.slice(index))
      walk(stmt, (node: Node) => {
        if (node.kind === 'If' || node.kind === 'IfExp') {
          if (!sameSubject(subjectOf(node.test), subject)) return true;
          tests++;
          const parts = node.kind === 'If' ? [...node.body, ...node.orelse] : [node.body, node.orelse];
          bodies.push(...parts);
        } else if (node.kind === 'Assign') changes ||= node.targets.some(t => assigns(t, subject));
        else if (node.kind === 'AugAssign' || node.kind === 'AnnAssign' || node.kind === 'For')
          changes ||= assigns(node.target, subject);
        return true;
      });
  known = { isTestedAgain: tests > 1 && !changes, bodies };
  laters.set(first, known);
  return known;
}

function assigns(target: Expr, { name, attribute }: { name: string; attribute: string | null }): boolean {
  if (target.kind === 'Tuple' || target.kind === 'List') return target.elts.some(t => assigns(t, { name, attribute }));
  if (target.kind === 'Attribute') return attribute === target.attr;
  return assignedNames(target).includes(name);
}

/** The map and key that hold the condition, if it is a truth that nothing decides. */
function placeOf(ev: Evaluator, test: Expr): { map: Map<string, Value>; key: string } | null {
  const subject = subjectOf(test)!;
  const names = ev.frame.scope.names;
  let place = { map: names, key: subject.name };
  if (subject.attribute !== null) {
    const owner = names.get(subject.name);
    const self = owner && ev.settled(owner);
    if (self?.kind !== 'instance') return null;
    place = { map: self.attributes, key: subject.attribute };
  }
  const held = place.map.get(place.key);
  return held?.kind === 'bool' && held.value === null ? place : null;
}

/** Walks `body` from the test at `index` on once for each answer; undefined where that is not called for. */
export function walkTwice(
  ev: Evaluator,
  body: readonly Stmt[],
  index: number,
  block: (rest: readonly Stmt[]) => Flow,
): Flow | undefined {
  const first = body[index];
  if (first.kind !== 'If' || ev.held.length >= MOST_OPEN) return undefined;
  const { isTestedAgain, bodies } = laterOf(body, index);
  const place = isTestedAgain ? placeOf(ev, first.test) : null;
  if (!place) return undefined;
  const rest = body.slice(index);
  const found: Held[][] = [];
  const calls = ev.frames.filter(f => f.caller).length;
  const path = (answer: Value) => (): Flow => {
    const list: Held[] = [];
    found.push(list);
    ev.held.push({ calls, list });
    try {
      ev.heap.set(place.map, place.key, answer);
      return block(rest);
    } finally {
      ev.held.pop();
    }
  };
  ev.doubts++;
  try {
    return fork(ev, [path(TRUE), path(FALSE)]);
  } finally {
    ev.doubts--;
    report(ev, found, bodies);
  }
}

/** Refusals on both ways, and those in code that only one of them leads to. */
function report(ev: Evaluator, found: readonly Held[][], bodies: Later['bodies']): void {
  const keyOf = ({ refusal, place }: Held): string => `${place.file}:${place.start}:${refusal.kind}`;
  const said = new Set<string>();
  for (const [i, list] of found.entries()) {
    const others = new Set(found.filter((_, j) => j !== i).flatMap(other => other.map(keyOf)));
    for (const held of list) {
      const key = keyOf(held);
      const isOwn = bodies.some(b => b.start <= held.at.start && held.at.end <= b.end);
      if (said.has(key) || !(isOwn || others.has(key))) continue;
      said.add(key);
      ev.report(held);
    }
  }
}
