/**
 * Walking more than one path, and joining what they did.
 *
 * A fork costs what it changes: each path runs on the same heap, its changes are noted and taken back, and at the end
 * only the places that some path changed are joined. A path that leaves early (return, break, continue) waits as
 * `Pending` until the construct that it leaves for ends.
 */
import type { Learnt } from '../../../engine/src/dims/facts';
import { type Evaluator, type Frame, PythonRaise } from './evaluator';
import type { Change, Mark } from './heap';
import type { DictEntry, ListValue, Value } from './values';
import { openList } from './values';

/** How a block ended: null when it ran to its end. */
export type Flow =
  | null
  | { readonly kind: 'return'; readonly value: Value }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' }
  | { readonly kind: 'raise'; readonly raised: PythonRaise };

type Delta = Map<object, Map<string, { change: Change; value: unknown }>>;

/** A path that left early: its flow, and its state as changes to what the heap was at `mark`. */
export interface Pending {
  readonly flow: NonNullable<Flow>;
  mark: Mark;
  delta: Delta;
}

function deltaSince(ev: Evaluator, mark: Mark): Delta {
  const delta: Delta = new Map();
  for (const change of ev.heap.changesSince(mark)) put(delta, change, change.read());
  return delta;
}

function put(delta: Delta, change: Change, value: unknown): void {
  let places = delta.get(change.target);
  if (!places) delta.set(change.target, (places = new Map()));
  places.set(change.key, { change, value });
}

const lookup = (delta: Delta, change: Change) => delta.get(change.target)?.get(change.key);

/** Makes pendings that began inside a fork relative to its start, before the fork is undone. */
function rebase(ev: Evaluator, pending: readonly Pending[], mark: Mark): void {
  for (const p of pending) {
    if (p.mark === mark) continue;
    const delta: Delta = new Map();
    for (const change of ev.heap.changesSince(mark)) put(delta, change, ev.heap.valueAt(change, p.mark));
    for (const places of p.delta.values()) for (const { change, value } of places.values()) put(delta, change, value);
    p.delta = delta;
    ev.heap.hold(mark, p.mark.age);
    ev.heap.close(p.mark);
    p.mark = mark;
  }
}

/** Runs a path and turns what it raises into a flow. */
export function attempt(run: () => Flow): Flow {
  try {
    return run();
  } catch (e) {
    if (e instanceof PythonRaise) return { kind: 'raise', raised: e };
    throw e;
  }
}

/**
 * Walks every path from the same state and leaves the heap as their join. Paths that raise end there and say nothing,
 * unless all do. Answers how the whole ended.
 */
export function fork(ev: Evaluator, paths: readonly (() => Flow)[]): Flow {
  const { frame } = ev;
  const mark = ev.heap.fork();
  const results: { flow: Flow; delta: Delta; learnt: readonly Learnt[] }[] = [];
  for (const path of paths) {
    const factsMark = ev.facts.mark();
    const pendingMark = frame.pending.length;
    let flow: Flow;
    try {
      flow = attempt(path);
    } catch (e) {
      takeBack(ev, frame, mark, factsMark, pendingMark);
      throw e;
    }
    rebase(ev, frame.pending.slice(pendingMark), mark);
    const delta = deltaSince(ev, mark);
    ev.heap.undo(mark);
    results.push({ flow, delta, learnt: ev.facts.undo(factsMark) });
  }
  const alive = results.filter(r => r.flow?.kind !== 'raise');
  const normal = alive.filter(r => r.flow === null);
  const left = alive.filter(r => r.flow !== null);
  let flow: Flow = null;
  let going = normal;
  if (alive.length === 0) {
    going = results.slice(0, 1);
    flow = results[0].flow;
  } else if (normal.length === 0) {
    const kinds = new Set(left.map(r => r.flow!.kind));
    if (kinds.size === 1) {
      going = left;
      flow = left[0].flow;
    } else {
      going = left.slice(-1);
      flow = going[0].flow;
      wait(ev, frame, left.slice(0, -1), mark);
    }
  } else wait(ev, frame, left, mark);
  ev.heap.close(mark);
  // What all paths learnt tells what their values have in common.
  ev.facts.redoCommon(going.map(r => r.learnt));
  applyJoin(
    ev,
    going.map(r => r.delta),
  );
  if (flow?.kind !== 'return') return flow;
  return { kind: 'return', value: ev.join(going.map(r => (r.flow as { value: Value }).value)) };
}

/** Ends a fork as if it had not begun. */
function takeBack(ev: Evaluator, frame: Frame, mark: Mark, factsMark: number, pendingMark: number): void {
  frame.pending.length = pendingMark;
  ev.heap.undo(mark);
  ev.facts.undo(factsMark);
  ev.heap.close(mark);
}

function wait(ev: Evaluator, frame: Frame, left: readonly { flow: Flow; delta: Delta }[], mark: Mark): void {
  for (const { flow, delta } of left) {
    ev.heap.hold(mark);
    frame.pending.push({ flow: flow!, mark, delta });
  }
}

/** Writes the join of several paths over the state they all started from. */
function applyJoin(ev: Evaluator, deltas: readonly Delta[]): void {
  const places = new Map<object, Map<string, Change>>();
  for (const delta of deltas)
    for (const [target, keys] of delta) {
      let known = places.get(target);
      if (!known) places.set(target, (known = new Map()));
      for (const [key, { change }] of keys) known.set(key, change);
    }
  for (const [target, changes] of places)
    joinTarget(
      ev,
      target,
      [...changes.values()],
      deltas.map(delta => change => {
        const found = lookup(delta, change);
        return found ? found.value : change.read();
      }),
    );
}

/** Joins the changed places of one object; `states` say what each path has there. */
function joinTarget(
  ev: Evaluator,
  target: object,
  changes: readonly Change[],
  states: readonly ((c: Change) => unknown)[],
): void {
  if ((target as { kind?: string }).kind === 'list' && changes.some(c => c.key === 'items')) {
    const field = (key: string, state: (c: Change) => unknown) => {
      const change = changes.find(c => c.key === key);
      return change ? state(change) : (target as Record<string, unknown>)[key];
    };
    const versions = states.map(
      state =>
        ({
          ...target,
          items: field('items', state),
          element: field('element', state),
          length: field('length', state),
        }) as ListValue,
    );
    const joined = ev.join(versions);
    const now: Pick<ListValue, 'items' | 'element' | 'length'> =
      joined.kind === 'list' ? joined : openList(joined, versions[0].length);
    for (const change of changes) ev.heap.assign(change, now[change.key as 'items' | 'element' | 'length']);
    return;
  }
  for (const change of changes)
    ev.heap.assign(
      change,
      joinContents(
        ev,
        change,
        states.map(s => s(change)),
      ),
    );
}

/** What a place holds when paths left different things there. */
function joinContents(ev: Evaluator, change: Change, contents: readonly unknown[]): unknown {
  const first = contents[0];
  if (contents.every(c => c === first)) return first;
  // Set on some paths only: were it unset, what reads it next would raise.
  const present = contents.filter(c => c !== undefined);
  if (change.key === 'settled' && contents.includes(null)) return null;
  const held = present.filter(c => c !== null);
  if (held.every(c => typeof c === 'boolean')) return held.some(Boolean);
  if (held.every(c => typeof c === 'number')) return Math.max(...(held as number[]));
  if (held.every(isValue)) return ev.join(held as Value[]);
  if (held.every(isEntry))
    return { key: (held[0] as DictEntry).key, value: ev.join((held as DictEntry[]).map(e => e.value)) };
  return held[held.length - 1];
}

export const isValue = (x: unknown): x is Value => typeof x === 'object' && x !== null && 'kind' in x;
export const isEntry = (x: unknown): x is DictEntry =>
  typeof x === 'object' && x !== null && 'key' in x && 'value' in x;

/**
 * Joins the waiting paths whose flow is of one of `kinds` into the current state. `alive` says whether the current path
 * goes on; where it does not, the waiting ones alone make the state. Answers their flows.
 */
export function collect(ev: Evaluator, frame: Frame, kinds: readonly string[], from: number, alive: boolean): Flow[] {
  const flows: Flow[] = [];
  let going = alive;
  for (let i = frame.pending.length - 1; i >= from; i--) {
    const p = frame.pending[i];
    if (!kinds.includes(p.flow.kind)) continue;
    frame.pending.splice(i, 1);
    flows.push(p.flow);
    const before: Delta = new Map();
    const targets = new Map<object, Map<string, Change>>();
    const meet = (change: Change): void => {
      let known = targets.get(change.target);
      if (!known) targets.set(change.target, (known = new Map()));
      known.set(change.key, change);
    };
    for (const change of ev.heap.changesSince(p.mark)) {
      put(before, change, change.before);
      meet(change);
    }
    for (const places of p.delta.values()) for (const { change } of places.values()) meet(change);
    const waiting = (change: Change) => {
      const own = lookup(p.delta, change);
      if (own) return own.value;
      const base = lookup(before, change);
      return base ? base.value : change.read();
    };
    const now = (change: Change) => change.read();
    for (const [target, changes] of targets)
      joinTarget(ev, target, [...changes.values()], going ? [now, waiting] : [waiting]);
    going = true;
    ev.heap.close(p.mark);
  }
  return flows;
}

/** From here on nothing stays: where that began, and how to take back what was done since. */
export function tentatively(ev: Evaluator): { began: Mark; takeBack: () => void } {
  const { frame } = ev;
  const mark = ev.heap.fork();
  const factsMark = ev.facts.mark();
  const pendingMark = frame.pending.length;
  return { began: mark, takeBack: () => takeBack(ev, frame, mark, factsMark, pendingMark) };
}

/** Walks a path only to see what it does: nothing is reported, nothing stays. `path` is given where it began. */
export function glance(ev: Evaluator, path: (began: Mark) => void): void {
  const { began, takeBack: back } = tentatively(ev);
  ev.muted++;
  try {
    path(began);
  } catch (e) {
    if (!(e instanceof PythonRaise)) throw e;
  } finally {
    ev.muted--;
    back();
  }
}
