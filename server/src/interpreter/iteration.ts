/** What loops go over, and the lengths of things. */
import { add, anonymous, type Dim, floorDiv, isKnown, max, min, sub } from '../../../engine/src/dims/dim';
import { fork } from './branches';
import { type Evaluator, PythonRaise } from './evaluator';
import { asGuess } from './guess';
import { type InstanceValue, type Iteration, int, type RangeValue, str, tuple, unknown, type Value } from './values';

const LONGEST = 4096;
/** Items asked of a `__getitem__` that does not end. */
const MOST_TRIED = 64;

export const known = (items: readonly Value[]): Iteration => ({
  items,
  element: unknown('is an element of a known sequence'),
  length: items.length,
});

const open = (element: Value, length: Dim = anonymous()): Iteration => ({ items: null, element, length });

/** The number of values of a range. */
export function rangeLength(r: RangeValue): Dim {
  if (isKnown(r.start) && isKnown(r.stop) && isKnown(r.step))
    return r.step === 0 ? 0 : Math.max(0, Math.ceil((r.stop - r.start) / r.step));
  if (!isKnown(r.step) || r.step === 0) return anonymous();
  const span = r.step > 0 ? sub(r.stop, r.start) : sub(r.start, r.stop);
  const step = Math.abs(r.step);
  return max(0, floorDiv(add(span, step - 1), step));
}

export function iterate(ev: Evaluator, value: Value): Iteration {
  const v = ev.settled(value);
  switch (v.kind) {
    case 'tuple':
    case 'list':
      return v.items ? known(v.items) : open(v.element!, v.length);
    case 'iterator': {
      if (!v.items) return open(v.element!, v.length);
      const rest = v.items.slice(v.position);
      ev.heap.advance(v, v.items.length);
      return known(rest);
    }
    case 'range': {
      const length = ev.facts.resolve(rangeLength(v));
      if (isKnown(length) && isKnown(v.start) && isKnown(v.step) && length <= LONGEST) {
        const { start, step } = v;
        return known(Array.from({ length }, (_, i) => int(start + i * step)));
      }
      return open(int(anonymous()), length);
    }
    case 'dict':
      if (v.rest) return open(ev.join([...[...v.entries.values()].map(e => e.key), str(null)]));
      return known([...v.entries.values()].map(e => e.key));
    case 'set':
      return v.open ? open(unknown('is a member of a set')) : known([...v.entries.values()]);
    case 'str':
      return v.value === null ? open(str(null)) : known([...v.value].map(str));
    case 'array': {
      const over = ev.arrayType.iterate?.(ev, v) ?? open(unknown('comes from an array'));
      if (!v.guessed) return over;
      return { ...over, items: over.items?.map(asGuess) ?? null, element: asGuess(over.element) };
    }
    case 'native':
      return v.type.iterate?.(ev, v) ?? open(unknown(`comes from a ${v.type.name}`));
    case 'union': {
      const all = v.options.map(o => iterate(ev, o));
      const lengths = new Set(all.map(i => i.items?.length ?? -1));
      if (lengths.size === 1 && !lengths.has(-1))
        return known(all[0].items!.map((_, i) => ev.join(all.map(a => a.items![i]))));
      const elements = all.flatMap(i => i.items ?? [i.element]);
      return open(elements.length ? ev.join(elements) : unknown('nothing is there'));
    }
    case 'instance': {
      const iter = ev.getAttribute(v, '__iter__');
      if (iter && iter.kind !== 'unknown') {
        const over = ev.settled(ev.callWith(iter));
        return over.kind === 'instance' ? byNext(ev, over) : iterate(ev, over);
      }
      const length = ev.getAttribute(v, '__len__');
      const item = ev.getAttribute(v, '__getitem__');
      if (item && item.kind !== 'unknown') {
        const n = length && length.kind !== 'unknown' ? ev.settled(ev.callWith(length)) : null;
        if (n?.kind === 'int' && isKnown(n.value) && n.value <= LONGEST)
          return known(Array.from({ length: n.value }, (_, i) => ev.callWith(item, int(i))));
        return untilIndexError(ev, item);
      }
      return open(unknown(`iterates over a ${v.cls.name}`));
    }
    case 'unknown':
      return open(unknown(v.reason));
    default:
      return open(unknown('is iterated over'));
  }
}

/** What an object with a `__next__` gives: it may be asked any number of times. */
function byNext(ev: Evaluator, iterator: InstanceValue): Iteration {
  const next = ev.getAttribute(iterator, '__next__');
  let element: Value = unknown(`comes from a ${iterator.cls.name}`);
  if (!next || next.kind === 'unknown') return open(element);
  ev.muted++;
  try {
    fork(ev, [
      () => {
        element = ev.callWith(next);
        return null;
      },
      () => null,
    ]);
  } finally {
    ev.muted--;
  }
  return open(element);
}

/** Items 0, 1, … until one raises IndexError: how Python iterates over what has no more than `__getitem__`. */
function untilIndexError(ev: Evaluator, getItem: Value): Iteration {
  const items: Value[] = [];
  ev.catching++;
  try {
    while (items.length < MOST_TRIED) items.push(ev.callWith(getItem, int(items.length)));
  } catch (e) {
    if (!(e instanceof PythonRaise)) throw e;
    if (e.value.kind === 'str' && e.value.value === 'IndexError') return known(items);
    if (!e.refusal || !e.place || ev.catching > 1) throw e;
    ev.reportRaised(e.refusal, e.place);
    return open(unknown('was refused'));
  } finally {
    ev.catching--;
  }
  return open(ev.join(items));
}

export function lengthOf(ev: Evaluator, value: Value): Dim | null {
  const v = ev.settled(value);
  switch (v.kind) {
    case 'tuple':
    case 'list':
      return v.length;
    case 'iterator':
      return v.items ? v.items.length - v.position : v.length;
    case 'range':
      return rangeLength(v);
    case 'dict':
      return v.rest ? null : v.entries.size;
    case 'set':
      return v.open ? null : v.entries.size;
    case 'str':
      return v.value === null ? null : v.value.length;
    case 'array':
      return ev.arrayType.length?.(ev, v) ?? null;
    case 'native':
      return v.type.length?.(ev, v) ?? null;
    case 'instance': {
      const method = ev.getAttribute(v, '__len__');
      if (!method || method.kind === 'unknown') return null;
      const n = ev.settled(ev.callWith(method));
      return n.kind === 'int' ? n.value : null;
    }
    default:
      return null;
  }
}

/** Several sequences side by side: as long as the shortest. */
export function zip(ev: Evaluator, sequences: readonly Iteration[]): Iteration {
  if (sequences.every(s => s.items)) {
    const length = Math.min(...sequences.map(s => s.items!.length));
    if (sequences.length === 0) return known([]);
    return known(Array.from({ length }, (_, i) => tuple(sequences.map(s => s.items![i]))));
  }
  const one = (s: Iteration): Value =>
    s.items ? (s.items.length ? ev.join(s.items) : unknown('nothing is there')) : s.element;
  return {
    items: null,
    element: tuple(sequences.map(one)),
    length: sequences.map(s => s.length).reduce((a, b) => min(a, b)),
  };
}
