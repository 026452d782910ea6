/** `value[index]` of Python's own containers; arrays and native types answer through their hooks. */
import { add, anonymous, type Dim, isKnown, lowerBound, sub, symbol } from '../../../engine/src/dims/dim';
import { OpenShape, RowVariable } from '../../../engine/src/dims/shape';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import type { Evaluator } from './evaluator';
import { onGuess } from './guess';
import { args } from './interpreter';
import { rangeLength } from './iteration';
import { anotherOf } from './join';
import {
  type DictValue,
  freshId,
  int,
  keyOf,
  type ListValue,
  list,
  openList,
  openTuple,
  type RangeValue,
  type SliceValue,
  str,
  type TupleValue,
  tuple,
  unknown,
  type Value,
} from './values';

export function getItem(ev: Evaluator, value: Value, index: Value): Value {
  const i = ev.settled(index);
  let v = ev.settled(value);
  if (v.kind === 'parameter' && isArrayIndex(i)) v = ev.settleAs(v, 'array');
  if (v.kind === 'parameter' && i.kind === 'str') v = ev.settleAs(v, 'dict');
  switch (v.kind) {
    case 'array': {
      const read = () => ev.arrayType.getItem?.(ev, v, i) ?? unknown('is an item of an array');
      return v.guessed ? onGuess(read) : read();
    }
    case 'native':
      return v.type.getItem?.(ev, v, i) ?? unknown(`is an item of a ${v.type.name}`);
    case 'tuple':
    case 'list':
      return i.kind === 'slice' ? slice(ev, v, i) : element(ev, v, i);
    case 'str': {
      if (v.value !== null && i.kind === 'int' && isKnown(i.value)) {
        const at = i.value < 0 ? i.value + v.value.length : i.value;
        return at >= 0 && at < v.value.length
          ? str(v.value[at])
          : ev.raised('IndexError', 'is past the end of a string');
      }
      if (v.value !== null && i.kind === 'slice') {
        const [from, to, step] = bounds(ev, i);
        if (from !== undefined && to !== undefined && step)
          return str(
            step === 1 ? v.value.slice(from ?? 0, to ?? undefined) : pick([...v.value], from, to, step).join(''),
          );
      }
      return str(null);
    }
    case 'dict': {
      const key = keyOf(i);
      const entry = key === null ? undefined : v.entries.get(key);
      if (entry) return entry.value;
      if (key !== null && v.factory) {
        const made = ev.callWith(v.factory);
        ev.heap.setDictEntry(v, key, { key: i, value: made });
        return made;
      }
      if (v.rest?.kind === 'parameter' && i.kind === 'str' && i.value !== null) {
        // A dict that configures: what it holds is known by its keys.
        const made: Value = { kind: 'parameter', name: i.value, settled: null };
        ev.heap.setDictEntry(v, key!, { key: i, value: made });
        return made;
      }
      if (v.rest)
        return key === null && v.entries.size > 0
          ? ev.join([v.rest, ...[...v.entries.values()].map(e => e.value)])
          : v.rest;
      if (key === null && v.entries.size > 0) return ev.join([...v.entries.values()].map(e => e.value));
      return key === null ? unknown('is not a key of the dict') : ev.raised('KeyError', 'is not a key of the dict');
    }
    case 'range': {
      if (i.kind === 'slice') return rangeSlice(ev, v, i);
      if (i.kind === 'int' && isKnown(i.value) && isKnown(v.start) && isKnown(v.step)) {
        const n = rangeLength(v);
        if (isKnown(n)) return int(v.start + (i.value < 0 ? i.value + n : i.value) * v.step);
      }
      return int(anonymous());
    }
    case 'class': {
      // Optional[X], list[int]: a type, worth itself; an Enum's member by name.
      const own = v.attributes.get('__class_getitem__');
      if (own) return ev.call(own, args([i]));
      if (i.kind === 'str' && i.value !== null) return ev.getAttribute(v, i.value) ?? v;
      return v;
    }
    case 'instance': {
      const found = ev.getAttribute(v, '__getitem__');
      return found ? ev.call(found, args([i])) : unknown(`is an item of a ${v.cls.name}`);
    }
    case 'union': {
      const options = v.options.filter(o => o.kind !== 'none');
      return ev.join(options.map(o => getItem(ev, o, i)));
    }
    case 'unknown':
      return unknown(v.reason);
    case 'builtin':
      return v; // Callable[...] and the like
    default:
      return unknown('is an item of something unknown');
  }
}

/** Part of a range; its numbers as a tuple, which iterates alike. */
function rangeSlice(ev: Evaluator, v: RangeValue, i: SliceValue): Value {
  const { items, element: one, length } = ev.iterate(v);
  return slice(ev, items ? tuple(items) : openTuple(one, length), i);
}

/** Indices that only arrays take: slices in tuples, None, `...`. */
function isArrayIndex(i: Value): boolean {
  if (i.kind === 'tuple')
    return i.items?.some(x => x.kind === 'slice' || x.kind === 'none' || x.kind === 'ellipsis') ?? false;
  return i.kind === 'ellipsis' || i.kind === 'none';
}

/** Start, end and step of a slice; a step that is left out is 1. */
function bounds(
  ev: Evaluator,
  i: SliceValue,
): readonly [number | null | undefined, number | null | undefined, number | undefined] {
  const step = bound(ev.settled(i.step));
  return [bound(ev.settled(i.lower)), bound(ev.settled(i.upper)), step === null ? 1 : step];
}

/** A slice bound: a number, null for none, undefined when not known. */
function bound(v: Value): number | null | undefined {
  if (v.kind === 'none') return null;
  if (v.kind === 'int' && isKnown(v.value)) return v.value;
  return undefined;
}

function element(ev: Evaluator, v: TupleValue | ListValue, i: Value): Value {
  const at =
    i.kind === 'int' ? ev.facts.resolve(i.value) : i.kind === 'bool' && i.value !== null ? Number(i.value) : null;
  if (v.items) {
    if (at !== null && isKnown(at)) {
      const item = v.items[at < 0 ? at + v.items.length : at];
      if (item) return item;
      if (v.kind === 'tuple' && v.shapeOf) throw noAxis(v.shapeOf, at);
      return ev.raised('IndexError', 'is past the end of the sequence');
    }
    return v.items.length ? ev.join(v.items) : unknown('the sequence is empty');
  }
  if (v.kind === 'tuple' && v.shapeOf && at !== null && isKnown(at)) return axisOf(ev, v, at);
  const any = anotherOf(ev.facts, v.element!);
  if (any.kind === 'parameter' && !any.settled) return { ...any }; // each item is what its own use tells
  return any.kind === 'list' ? { ...any, id: freshId(), oneOf: [any] } : any;
}

/** `x.shape[-1]` of an array of unknown rank: the axis from the end gets a name. */
function axisOf(ev: Evaluator, v: TupleValue, at: number): Value {
  const node = v.shapeOf!;
  const shape = ev.facts.shape(node.shape);
  if (shape === null) return int(anonymous());
  if (!(shape instanceof OpenShape)) {
    const dim = shape[at < 0 ? at + shape.length : at];
    return dim === undefined ? unknown('the array has fewer axes') : int(dim);
  }
  if (at >= 0) return int(anonymous());
  const { tail, lead } = shape;
  if (-at <= tail.length) return int(tail[tail.length + at]);
  const more = Array.from({ length: -at - tail.length }, (_, k) =>
    symbol(`${lead.name}.shape[${at + k}]`, { flexible: true }),
  );
  ev.facts.bindRow(lead, new OpenShape(new RowVariable(lead.name), more));
  return int(more[0]);
}

function slice(ev: Evaluator, v: TupleValue | ListValue, i: SliceValue): Value {
  const [from, to, step] = bounds(ev, i);
  const { items } = v;
  if (items && from !== undefined && to !== undefined && step) {
    const picked = pick(items, from, to, step);
    return v.kind === 'list' ? list(picked) : tuple(picked);
  }
  if (v.kind === 'tuple' && !items && v.shapeOf) {
    const known = tailOf(ev, v, from, to, step);
    if (known) return known;
  }
  const parts = items ? items : [v.element!];
  const inside = parts.length ? ev.join(parts) : unknown('the sequence is empty');
  const length: Dim = from === null && to === null && step === 1 ? v.length : sliceLength(v.length, i);
  return v.kind === 'list' ? openList(inside, length) : openTuple(inside, length);
}

/** `x.shape[-2:]` of an array of unknown rank. */
function tailOf(
  ev: Evaluator,
  v: TupleValue,
  from: number | null | undefined,
  to: number | null | undefined,
  step: number | null | undefined,
): Value | null {
  if (
    from === null ||
    from === undefined ||
    from >= 0 ||
    step !== null ||
    (to !== null && (to === undefined || to >= 0))
  )
    return null;
  axisOf(ev, v, from);
  const shape = ev.facts.shape(v.shapeOf!.shape);
  const axes = shape instanceof OpenShape ? shape.tail : shape;
  return axes ? tuple(axes.slice(from, to ?? undefined).map(d => int(d))) : null;
}

function sliceLength(length: Dim, i: SliceValue): Dim {
  const lower = i.lower.kind === 'none' ? 0 : i.lower.kind === 'int' ? i.lower.value : null;
  const upper = i.upper.kind === 'none' ? length : i.upper.kind === 'int' ? i.upper.value : null;
  if (i.step.kind !== 'none' || lower === null || upper === null) return anonymous();
  if (isKnown(lower) && lower >= 0 && i.upper.kind === 'none' && lowerBound(sub(length, lower)) >= 0)
    return sub(length, lower);
  if (isKnown(upper) && upper < 0 && lower === 0 && lowerBound(add(length, upper)) >= 0) return add(length, upper);
  return anonymous();
}

function pick<T>(items: readonly T[], from: number | null, to: number | null, step: number): T[] {
  const n = items.length;
  const clamp = (x: number, low: number, high: number) => Math.min(high, Math.max(low, x < 0 ? x + n : x));
  const picked: T[] = [];
  if (step > 0) {
    const end = to === null ? n : clamp(to, 0, n);
    for (let k = from === null ? 0 : clamp(from, 0, n); k < end; k += step) picked.push(items[k]);
  } else {
    const end = to === null ? -1 : clamp(to, -1, n - 1);
    for (let k = from === null ? n - 1 : clamp(from, -1, n - 1); k > end; k += step) picked.push(items[k]);
  }
  return picked;
}

export function setItem(ev: Evaluator, value: Value, index: Value, to: Value): void {
  const v = ev.settled(value);
  const i = ev.settled(index);
  switch (v.kind) {
    case 'dict':
      setKey(ev, v, i, to);
      return;
    case 'list': {
      const at = i.kind === 'int' ? ev.facts.resolve(i.value) : null;
      if (v.items && at !== null && isKnown(at)) {
        const k = at < 0 ? at + v.items.length : at;
        if (k >= 0 && k < v.items.length) ev.heap.setItems(v, v.items.with(k, to));
      } else if (v.items && i.kind === 'slice') {
        const over = ev.iterate(to);
        const made = over.items && replaced(ev, v.items, i, over.items);
        if (made) ev.heap.setItems(v, made);
        else ev.heap.openList(v, ev.join([...v.items, ...(over.items ?? [over.element])]), anonymous());
      } else if (v.items)
        ev.heap.setItems(
          v,
          v.items.map(x => ev.join([x, to])),
        );
      else ev.heap.openList(v, ev.join([v.element!, to]), v.length);
      return;
    }
    case 'instance': {
      const found = ev.getAttribute(v, '__setitem__');
      if (found && found.kind !== 'unknown') ev.call(found, args([i, to]));
      return;
    }
    case 'union':
      for (const o of v.options) setItem(ev, o, i, to);
      return;
    default:
      return;
  }
}

/** A list with `values` in the place of a slice; null where it is not known, or of another length than its steps. */
function replaced(
  ev: Evaluator,
  items: readonly Value[],
  i: SliceValue,
  values: readonly Value[],
): readonly Value[] | null {
  const [from, to, step] = bounds(ev, i);
  if (from === undefined || to === undefined || !step) return null;
  const places = pick([...items.keys()], from, to, step);
  if (step === 1) {
    const at = places[0] ?? pick([...items.keys(), items.length], from, null, 1)[0] ?? items.length;
    return items.toSpliced(at, places.length, ...values);
  }
  if (places.length !== values.length) return null;
  const made = [...items];
  for (const [k, place] of places.entries()) made[place] = values[k];
  return made;
}

export function setKey(ev: Evaluator, d: DictValue, key: Value, to: Value): void {
  const id = keyOf(key);
  if (id !== null) ev.heap.setDictEntry(d, id, { key, value: to });
  else {
    // Any entry may be the one that was set.
    for (const [k, e] of d.entries) ev.heap.setDictEntry(d, k, { key: e.key, value: ev.join([e.value, to]) });
    ev.heap.setDictRest(d, d.rest ? ev.join([d.rest, to]) : to);
  }
}

export function deleteItem(ev: Evaluator, value: Value, index: Value): void {
  const v = ev.settled(value);
  const i = ev.settled(index);
  if (v.kind === 'dict') {
    const id = keyOf(i);
    if (id !== null) ev.heap.setDictEntry(v, id, undefined);
  } else if (v.kind === 'list' && v.items) {
    const at = i.kind === 'int' && isKnown(i.value) ? i.value : null;
    const [from, to, step] = i.kind === 'slice' ? bounds(ev, i) : [];
    if (i.kind === 'slice' && from !== undefined && to !== undefined && step) {
      const gone = new Set(pick([...v.items.keys()], from, to, step));
      ev.heap.setItems(
        v,
        v.items.filter((_, k) => !gone.has(k)),
      );
    } else if (at === null)
      ev.heap.openList(v, v.items.length ? ev.join(v.items) : unknown('nothing is there'), anonymous());
    else ev.heap.setItems(v, v.items.toSpliced(at < 0 ? at + v.items.length : at, 1));
  } else if (v.kind === 'instance') {
    const found = ev.getAttribute(v, '__delitem__');
    if (found && found.kind !== 'unknown') ev.call(found, args([i]));
  }
}

const noAxis = (node: ArrayNode, axis: number): Refusal =>
  new Refusal('index-rank', `The shape of ${showType(node)} has no item ${axis}`, { axis }, 'IndexError');
