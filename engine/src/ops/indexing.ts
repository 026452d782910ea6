/**
 * Reading and writing parts of an array: `x[index]`, `x[index] = y`, `x.at[index].add(y)`, `x[mask] = y`.
 *
 * An int beyond its axis is silent in MLX where it is gathered (`x[7]`), and refused where it is sliced (`x[:, 7]`).
 */
import { type Dim, isKnown } from '../dims/dim';
import { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type DType, isInexact, promote } from '../dtype';
import { type ArrayType, type Attrs, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { elementCount, type Tensor } from '../tensor';
import { broadcastAll } from './broadcast';
import { toInexact } from './elementwise';
import { expandTo } from './expand';
import { consumed, type Group, type IndexItem, type Placed, place, readPlan, writePlan } from './index_plan';
import { reshaped, steps, stridesOf, sums, takeAt, width } from './positions';
import { extendTail } from './rank';
import { selection, sliceLength } from './slices';
import { type UpdateMode, writeAt } from './write_at';

export type IndexAttrs = Attrs & {
  readonly items: readonly IndexItem[];
  /** Whether the index was written without a tuple around it. */
  readonly lone: boolean;
};

// ---- shapes -----------------------------------------------------------------------------------------------------------

/** @throws Refusal of kind 'index-dtype' for an index array that is not of integers */
export function requireIntegers(index: ArrayType, what = 'An index array'): void {
  if (index.dtype === 'bool')
    throw new Refusal(
      'index-dtype',
      `${what} must hold integers, this one is ${showType(index)}: MLX cannot read by a boolean mask, use mx.where`,
    );
  if (index.dtype !== null && isInexact(index.dtype))
    throw new Refusal('index-dtype', `${what} must hold integers, this one is ${showType(index)}`);
}

/** As `requireIntegers` for arrays that index together: 64-bit unsigned beside signed ones become floats. */
export function requireIndices(arrays: readonly ArrayType[]): void {
  for (const array of arrays) requireIntegers(array);
  if (arrays.length < 2 || arrays.some(a => a.dtype === null)) return;
  const together = arrays.map(a => a.dtype).reduce(promote)!;
  if (isInexact(together))
    throw new Refusal(
      'index-dtype',
      `Index arrays of ${arrays.map(a => a.dtype).join(' and ')} become ${together} together: make them of one dtype`,
    );
}

/** @throws Refusal of kind 'gather' where the index arrays do not broadcast with each other */
const gatheredShape = (facts: Facts, arrays: readonly RankedType[]): readonly Dim[] =>
  broadcastAll(
    facts,
    arrays.map(a => a.shape),
    () =>
      new Refusal('gather', `The index arrays do not broadcast with each other: ${arrays.map(showType).join(', ')}`),
  );

const shapeOf = (facts: Facts, type: RankedType, groups: readonly Group[], gathered: readonly Dim[]): Dim[] =>
  groups.flatMap(group => {
    if (group.kind === 'new') return [1];
    if (group.kind === 'gather') return gathered;
    return [sliceLength(facts, type.shape[group.axis], group.bounds)];
  });

/** An int in a tuple without arrays selects `[at : at + 1]`, which must not be empty. @throws Refusal where it is */
export function requireInside(facts: Facts, type: RankedType, axis: number, at: Dim): void {
  const index = facts.resolve(at);
  const length = facts.resolve(type.shape[axis]);
  if (!isKnown(index) || !isKnown(length)) return;
  const start = index < 0 ? index + length : index;
  if (selection(length, start, start + 1, 1).count !== 1)
    throw new Refusal(
      'index-rank',
      `Index ${index} is out of bounds for axis ${axis} of ${showType(type)}, which has length ${length}`,
      { input: 0, axis, actual: index, expected: length },
    );
}

/**
 * Nothing can be gathered from an empty axis. Through a lone index other empty axes do not matter; in a tuple they do,
 * unless what each index selects is empty itself.
 * @throws Refusal of kind 'gather'
 */
function requireSomething(
  facts: Facts,
  type: RankedType,
  placed: readonly Placed[],
  gathered: readonly Dim[],
  lone: boolean,
): void {
  const isEmpty = (d: Dim) => facts.equal(d, 0) === 'yes';
  const gathers = lone || placed.some(p => p.kind === 'array');
  const indexed = placed.filter(p => p.kind === 'array' || (gathers && p.kind === 'int'));
  if (indexed.length === 0 || !gathered.every(d => facts.equal(d, 0) === 'no')) return;
  const axes = new Set(indexed.map(p => (p as { axis: number }).axis));
  const rest = type.shape.filter((_, axis) => !axes.has(axis));
  if (![...axes].some(axis => isEmpty(type.shape[axis])) || (!lone && rest.some(isEmpty))) return;
  throw new Refusal('gather', `Nothing can be gathered from an empty axis of ${showType(type)}`, { input: 0 });
}

defineOp<IndexAttrs>({
  name: 'index',
  infer(facts, [type, ...arrays], { items, lone }) {
    if (items.some(item => item.kind === 'unknown')) return { shape: null, dtype: type.dtype };
    const placed = place(type, items, 0);
    requireIndices(arrays);
    if (arrays.length === 0 && !lone)
      for (const p of placed) if (p.kind === 'int') requireInside(facts, type, p.axis, p.at);
    const gathered = gatheredShape(facts, arrays);
    requireSomething(facts, type, placed, gathered, lone);
    return { shape: shapeOf(facts, type, readPlan(placed), gathered), dtype: type.dtype };
  },
  inferOpen(facts, [type, ...arrays], { items }) {
    for (const array of arrays) requireIntegers(array);
    return { shape: openRead(facts, type, arrays, items), dtype: type.dtype };
  },
  kernel([x, ...arrays], { items }, [out]) {
    const placed = place(x, items, 0);
    return takeAt(x, positions(x, readPlan(placed), placed, arrays), out.shape);
  },
});

/** What can be told of `x[items]` when the rank of x, or of an index array, is not known. */
function openRead(
  facts: Facts,
  type: ArrayType,
  arrays: readonly ArrayType[],
  items: readonly IndexItem[],
): readonly Dim[] | OpenShape | null {
  // A table looked up by indices of unknown rank: their axes, then those of its rows.
  if (
    Array.isArray(type.shape) &&
    items.length === 1 &&
    items[0].kind === 'array' &&
    arrays[0].shape instanceof OpenShape
  ) {
    const { lead, tail } = arrays[0].shape;
    return new OpenShape(lead, [...tail, ...(type.shape as readonly Dim[]).slice(1)]);
  }
  if (!(type.shape instanceof OpenShape) || items.some(item => item.kind === 'unknown')) return null;
  const ranked = arrays.filter((a): a is RankedType => Array.isArray(a.shape));
  if (ranked.length < arrays.length) return null;
  const count = consumed(items);
  // Who ends an index with a written-out `:` has named every axis.
  const last = items[items.length - 1];
  if (items.length > 1 && last?.kind === 'slice' && isWhole(last) && !items.some(item => item.kind === 'ellipsis')) {
    const shape = facts.refineRank(type.shape, count);
    if (shape === null) return null;
    const full = { shape, dtype: type.dtype };
    return shapeOf(facts, full, readPlan(place(full, items, 0)), gatheredShape(facts, ranked));
  }
  // `x[..., i, :]` is about the last axes alone.
  if (items[0]?.kind !== 'ellipsis') return null;
  const open = extendTail(facts, type.shape, count);
  if (!(open instanceof OpenShape)) return null;
  const kept = open.tail.length - count;
  const tail = { shape: open.tail.slice(kept), dtype: type.dtype };
  const plan = readPlan(place(tail, items.slice(1), 0));
  if (plan[0]?.kind === 'gather' && gatherGoesFirst(items)) return null;
  return new OpenShape(open.lead, [
    ...open.tail.slice(0, kept),
    ...shapeOf(facts, tail, plan, gatheredShape(facts, ranked)),
  ]);
}

const isWhole = (item: IndexItem): boolean =>
  item.kind === 'slice' && item.start === null && item.stop === null && item.step === 1;

/** Whether the gathered axes come before everything else, those of the ellipsis included. */
function gatherGoesFirst(items: readonly IndexItem[]): boolean {
  const gathered = items.map(item => item.kind === 'array' || item.kind === 'int');
  return gathered.slice(gathered.indexOf(true), gathered.lastIndexOf(true)).includes(false);
}

// ---- writing ----------------------------------------------------------------------------------------------------------

type UpdateAttrs = IndexAttrs & { readonly mode: UpdateMode };

/** The groups that an update must broadcast to, and the update's own axes in their order. */
interface Target {
  readonly groups: readonly Group[];
  /** The shape the update is seen with: leading ones gone, ints' axes put in, new axes taken out. */
  readonly shape: readonly Dim[];
}

function target(facts: Facts, type: RankedType, update: RankedType, placed: readonly Placed[], lone: boolean): Target {
  if (placed.some(p => p.kind === 'array')) return { groups: writePlan(placed), shape: withoutLeadingOnes(update, 1) };
  const groups = placed
    .filter(p => p.kind !== 'new')
    .map((p): Group => {
      if (p.kind === 'int') return { kind: 'slice', axis: p.axis, bounds: { start: p.at, stop: null, step: 1 } };
      return p as Group & Placed;
    });
  const shape = [...withoutLeadingOnes(update, type.shape.length)];
  if (lone) return { groups, shape };
  let position = 1; // counted from the last axis
  for (const p of [...placed].reverse()) {
    if (p.kind === 'new') {
      if (shape.length < position) continue;
      const [length] = shape.splice(shape.length - position, 1);
      facts.require(
        length,
        1,
        () =>
          new Refusal(
            'broadcast',
            `The new axis of the index needs an axis of length 1 in the value, ${showType(update)} has ${length} there`,
            { input: 1, axis: -position, expected: 1, actual: length },
          ),
      );
    } else {
      if (p.kind === 'int' && shape.length >= position - 1) shape.splice(shape.length - position + 1, 0, 1);
      position++;
    }
  }
  return { groups, shape };
}

/** The shape without leading axes of length 1, down to `rank` axes. */
function withoutLeadingOnes({ shape }: RankedType, rank: number): readonly Dim[] {
  let first = 0;
  while (shape.length - first > rank && shape[first] === 1) first++;
  return shape.slice(first);
}

/** The shape that an update is broadcast to. An int stands for one element. */
const targetShape = (
  facts: Facts,
  type: RankedType,
  groups: readonly Group[],
  placed: readonly Placed[],
  gathered: readonly Dim[],
): readonly Dim[] => {
  const ints = new Set(placed.flatMap(p => (p.kind === 'int' ? [p.axis] : [])));
  return groups.flatMap(group =>
    group.kind === 'slice' && ints.has(group.axis) ? [1] : shapeOf(facts, type, [group], gathered),
  );
};

function requireFits(
  facts: Facts,
  from: readonly Dim[],
  to: readonly Dim[],
  update: RankedType,
  type: RankedType,
): void {
  const refuse = () =>
    new Refusal(
      'broadcast',
      `A value of type ${showType(update)} does not fit the part of ${showType(type)} it is written to, which is ${showType({ shape: to, dtype: null })}`,
      { input: 1 },
    );
  if (from.length > to.length) throw refuse();
  for (let i = 1; i <= from.length; i++) {
    const [have, want] = [from[from.length - i], to[to.length - i]];
    if (have === 1) continue;
    if (facts.equal(have, want) === 'no' && facts.equal(have, 1) === 'no') throw refuse();
    if (facts.equal(have, 1) === 'no') facts.require(have, want, refuse);
  }
}

/**
 * Through a lone `...` or `None` MLX writes nothing: it broadcasts the value, or computes with the whole array, so that
 * the result has another dtype than the array had.
 */
const isWhollyNew = ({ items, lone }: IndexAttrs): boolean =>
  lone && (items[0]?.kind === 'new' || items[0]?.kind === 'ellipsis');

function newDType(type: ArrayType, update: ArrayType, mode: UpdateMode): DType | null {
  if (mode === 'set') return update.dtype;
  const dtype = promote(type.dtype, update.dtype);
  return mode === 'divide' && dtype !== null ? toInexact(dtype) : dtype;
}

defineOp<UpdateAttrs>({
  name: 'index_update',
  infer(facts, [type, update, ...arrays], attrs) {
    const { items, lone, mode } = attrs;
    if (items.some(item => item.kind === 'unknown')) return { shape: type.shape, dtype: null };
    if (isWhollyNew(attrs)) {
      const shape = items[0].kind === 'ellipsis' ? withoutLeadingOnes(update, type.shape.length) : update.shape;
      requireFits(facts, shape, type.shape, update, type);
      return { shape: type.shape, dtype: newDType(type, update, mode) };
    }
    const placed = place(type, items, 0);
    requireIndices(arrays);
    const gathered = gatheredShape(facts, arrays);
    const isEmpty = (d: Dim) => facts.equal(d, 0) === 'yes';
    if (arrays.length > 0 && type.shape.some(isEmpty) && gathered.every(d => facts.equal(d, 0) === 'no'))
      throw new Refusal('gather', `Nothing can be written through indices to ${showType(type)}, which is empty`);
    const { groups, shape } = target(facts, type, update, placed, lone);
    requireFits(facts, shape, targetShape(facts, type, groups, placed, gathered), update, type);
    return type;
  },
  inferOpen(_, [type, , ...arrays]) {
    for (const array of arrays) requireIntegers(array);
    return type;
  },
  kernel([array, update, ...arrays], attrs, [out]) {
    const { items, lone, mode } = attrs;
    const x = cast(array, out.dtype);
    const placed = isWhollyNew(attrs) ? place(x, [], 0) : place(x, items, 0);
    const { groups, shape } = target(NO_FACTS, x, update, placed, lone);
    const to = targetShape(NO_FACTS, x, groups, placed, gatheredShape(NO_FACTS, arrays)) as readonly number[];
    const values = expandTo(reshaped(cast(update, x.dtype), shape as readonly number[]), to);
    return writeAt(x, values, positions(x, groups, placed, arrays), mode);
  },
});

// ---- kernels ----------------------------------------------------------------------------------------------------------

/** Kernels ask the shape rules too; of numbers there is nothing to learn. */
const NO_FACTS = new Facts();

/** The positions in `x` of the elements that the groups select, in row-major order. */
function positions(
  x: Tensor,
  groups: readonly Group[],
  placed: readonly Placed[],
  arrays: readonly Tensor[],
): Int32Array {
  const strides = stridesOf(x.shape);
  const gather = groups.some(g => g.kind === 'gather');
  const ints = new Map(
    placed.flatMap(p => (p.kind === 'int' ? [[p.axis, inside(Number(p.at), x.shape[p.axis])]] : [])),
  );
  const base = [...ints].reduce((sum, [axis, at]) => sum + at * strides[axis], 0);
  const lists = groups.map(group => {
    if (group.kind === 'new') return [0];
    if (group.kind === 'slice') {
      if (ints.has(group.axis)) return [0];
      const { start, stop, step } = group.bounds as { start: number | null; stop: number | null; step: number };
      const part = selection(x.shape[group.axis], start, stop, step);
      return steps(part.count, part.step * strides[group.axis], part.start * strides[group.axis]);
    }
    return gatheredPositions(x, placed, arrays, strides);
  });
  return gather && elementCount(x.shape) === 0 ? new Int32Array(0) : sums(lists, base);
}

function gatheredPositions(
  x: Tensor,
  placed: readonly Placed[],
  arrays: readonly Tensor[],
  strides: readonly number[],
): Int32Array {
  const shape = gatheredShape(NO_FACTS, arrays) as readonly number[];
  const result = new Int32Array(elementCount(shape));
  for (const p of placed) {
    if (p.kind !== 'array') continue;
    const { data } = expandTo(arrays[p.input], shape);
    for (let i = 0; i < result.length; i++) result[i] += inside(Number(data[i]), x.shape[p.axis]) * strides[p.axis];
  }
  return result;
}

/** An index counted from the front. MLX reads stray memory beyond the axis; here the nearest element stands for it. */
const inside = (i: number, length: number): number => Math.max(0, Math.min(i < 0 ? i + length : i, length - 1));

// ---- masks ------------------------------------------------------------------------------------------------------------

defineOp({
  name: 'mask_update',
  /** Inputs: the array, a boolean mask over its first axes, and the values, of which the first ones go to the True places. */
  infer(facts, [type, mask, values]) {
    const rest = type.shape.slice(mask.shape.length);
    const refuseMask = () =>
      new Refusal(
        'broadcast',
        `A mask must have the shape of the first axes of what it is written to: ${showType(mask)} over ${showType(type)}`,
        { input: 1 },
      );
    if (mask.shape.length > type.shape.length) throw refuseMask();
    for (const [axis, d] of mask.shape.entries()) facts.require(d, type.shape[axis], refuseMask);
    const refuseValues = () =>
      new Refusal(
        'broadcast',
        `Values written through the mask ${showType(mask)} are rows of ${showType({ shape: rest, dtype: null })}, not ${showType(values)}`,
        { input: 2 },
      );
    if (values.shape.length > rest.length + 1) throw refuseValues();
    const rows = values.shape.slice(Math.max(0, values.shape.length - rest.length));
    requireFits(facts, rows, rest, values, type);
    return type;
  },
  inferOpen: (_, [type]) => type,
  kernel([x, mask, values]) {
    const rest = x.shape.slice(mask.shape.length);
    const size = elementCount(rest);
    const places = [...mask.data].flatMap((set, i) => (Number(set) ? [i] : []));
    const counted = values.shape.length > rest.length;
    const rows = expandTo(cast(values, x.dtype), [counted ? values.shape[0] : Math.max(places.length, 1), ...rest]);
    if (counted && rows.shape[0] < places.length)
      throw new Error(`the mask selects ${places.length} places, there are ${rows.shape[0]} values`);
    const chosen = reshaped({ ...rows, data: rows.data.slice(0, places.length * size * width(x)) } as Tensor, [
      places.length,
      ...rest,
    ]);
    return writeAt(x, chosen, sums([places.map(i => i * size), steps(size, 1)]), 'set');
  },
});
