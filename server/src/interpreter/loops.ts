/**
 * Loops: known ones run, others reach a fixed point.
 *
 * A loop of unknown length is walked until nothing that it changes is news; what still changes after `MOST_PASSES` is
 * widened to its kind.
 */
import { isKnown, lowerBound, Poly } from '../../../engine/src/dims/dim';
import { collect, type Flow, fork, isEntry, isValue } from './branches';
import type { Evaluator } from './evaluator';
import type { Change, Mark } from './heap';
import { sameKnowledge, widen } from './join';
import { type Iteration, int, type Value } from './values';

const MOST_PASSES = 3;
const MOST_ITEMS = 1024;

export function loop(
  ev: Evaluator,
  over: Iteration,
  bind: (item: Value) => void,
  body: () => Flow,
  orelse: () => Flow,
): Flow {
  const { frame } = ev;
  const pending = frame.pending.length;
  if (over.items && over.items.length <= MOST_ITEMS) {
    for (const item of over.items) {
      bind(item);
      const flow = body();
      collect(ev, frame, ['continue'], pending, flow === null);
      if (flow?.kind === 'break') {
        collect(ev, frame, ['break'], pending, true);
        return null;
      }
      if (flow && flow.kind !== 'continue') {
        // Some path may have left the loop before this one returned.
        if (!frame.pending.slice(pending).some(p => p.flow.kind === 'break')) return flow;
        return leaveBoth(ev, flow, pending);
      }
    }
    const end = orelse();
    collect(ev, frame, ['break'], pending, end === null);
    return end;
  }
  const flow = fixedPoint(ev, over, bind, body, pending);
  if (flow) return flow;
  return orelse();
}

/** One path returned, another broke out: go on with the latter while the former waits. */
function leaveBoth(ev: Evaluator, flow: NonNullable<Flow>, pending: number): Flow {
  const { frame } = ev;
  const broke = frame.pending.findIndex((p, i) => i >= pending && p.flow.kind === 'break');
  const [p] = frame.pending.splice(broke, 1);
  const result = fork(ev, [
    () => flow,
    () => {
      for (const places of p.delta.values())
        for (const { change, value } of places.values()) ev.heap.assign(change, value);
      return null;
    },
  ]);
  ev.heap.close(p.mark);
  return result;
}

function fixedPoint(
  ev: Evaluator,
  over: Iteration,
  bind: (item: Value) => void,
  body: () => Flow,
  pending: number,
): Flow {
  const { frame } = ev;
  const certain = lowerBound(over.length) >= 1 || (isKnown(over.length) && over.length > 0);
  const round = (): Flow => {
    bind(over.items ? ev.join(over.items) : over.element);
    const flow = body();
    collect(ev, frame, ['continue'], pending, flow === null);
    return flow?.kind === 'continue' ? null : flow;
  };
  for (let pass = 0; pass <= MOST_PASSES; pass++) {
    const mark = ev.heap.fork();
    // A round stands for all of them at once: good for shapes, no proof of a refusal.
    ev.muted++;
    let left: Flow = null;
    // After the first round of a loop that certainly runs, not entering it is no path.
    const flow = pass === 0 && certain ? (left = round()) : fork(ev, [() => (left = round()), () => null]);
    ev.muted--;
    const news = newsSince(ev, mark);
    if (pass === MOST_PASSES)
      for (const change of news) {
        const now = change.read();
        if (isValue(now)) ev.heap.assign(change, widen(now));
        else if (isEntry(now)) ev.heap.assign(change, { key: now.key, value: widen(now.value) });
      }
    ev.heap.close(mark);
    collect(ev, frame, ['break'], pending, flow === null);
    if (flow && flow.kind !== 'break') return flow;
    if (news.length === 0 || flow?.kind === 'break' || left !== null) break;
  }
  return null;
}

/** Whether anything has changed since a mark to something that says more, or less. */
export const hasNews = (ev: Evaluator, mark: Mark): boolean => newsSince(ev, mark).length > 0;

const newsSince = (ev: Evaluator, mark: Mark): Change[] =>
  ev.heap.changesSince(mark).filter(c => !same(ev, c.before, c.read()));

/** Whether a place holds nothing new. */
function same(ev: Evaluator, a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isValue(a) && isValue(b)) return sameKnowledge(ev.facts, a, b);
  if (isEntry(a) && isEntry(b)) return sameKnowledge(ev.facts, a.value, b.value);
  return a instanceof Poly && b instanceof Poly && sameKnowledge(ev.facts, int(a), int(b));
}
