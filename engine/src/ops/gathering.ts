/**
 * Reading and writing by arrays of indices: take, take_along_axis, put_along_axis, and slices that start where an array
 * says (`mx.slice`, `mx.slice_update`).
 */
import { type Dim, isKnown, product, showDim } from '../dims/dim';
import { Facts } from '../dims/facts';
import { OpenShape, showShape } from '../dims/shape';
import { kindOf } from '../dtype';
import { type ArrayType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { elementCount, type Tensor } from '../tensor';
import { normalizeAxes, normalizeAxis } from './axes';
import { broadcastShapes } from './broadcast';
import { expandTo } from './expand';
import { requireInside, requireIntegers } from './indexing';
import { readBox, reshaped, steps, stridesOf, sums, takeAt } from './positions';
import { extendTail } from './rank';
import { writeAt } from './write_at';

type AxisAttrs = { readonly axis: number | null };

/** Without an axis the array is read as one row. */
const flat = (type: RankedType, axis: number | null): RankedType =>
  axis === null ? { shape: [product(type.shape)], dtype: type.dtype } : type;

/** Kernels ask the shape rules too; of numbers there is nothing to learn. */
const NOTHING_LEARNT = new Facts();

/** An index counted from the front. MLX reads stray memory beyond the axis; here the nearest element stands for it. */
const inside = (i: number, length: number): number => Math.max(0, Math.min(i < 0 ? i + length : i, length - 1));

// ---- take -------------------------------------------------------------------------------------------------------------

defineOp<AxisAttrs>({
  name: 'take',
  infer(facts, [type, indices], { axis }) {
    const from = flat(type, axis);
    const at = normalizeAxis('take', from, axis ?? 0);
    requireIntegers(indices, 'The indices of take');
    if (facts.equal(from.shape[at], 0) === 'yes' && facts.equal(product(indices.shape), 0) === 'no')
      throw new Refusal('gather', `take finds nothing on the empty axis ${at} of ${showType(type)}`, { axis: at });
    return { shape: from.shape.toSpliced(at, 1, ...indices.shape), dtype: type.dtype };
  },
  inferOpen(facts, [type, indices], { axis }) {
    const { dtype } = type;
    requireIntegers(indices, 'The indices of take');
    if (axis === null) return { shape: indices.shape, dtype };
    if (axis === 0 && Array.isArray(type.shape) && indices.shape instanceof OpenShape) {
      const { lead, tail } = indices.shape;
      return { shape: new OpenShape(lead, [...tail, ...(type.shape as readonly Dim[]).slice(1)]), dtype };
    }
    if (!(type.shape instanceof OpenShape) || axis >= 0 || !Array.isArray(indices.shape)) return { shape: null, dtype };
    const open = extendTail(facts, type.shape, -axis);
    if (!(open instanceof OpenShape)) return { shape: null, dtype };
    const at = open.tail.length + axis;
    return { shape: new OpenShape(open.lead, open.tail.toSpliced(at, 1, ...(indices.shape as readonly Dim[]))), dtype };
  },
  kernel([x, indices], { axis }, [out]) {
    const from = axis === null ? reshaped(x, [elementCount(x.shape)]) : x;
    const at = normalizeAxis('take', from, axis ?? 0);
    const strides = stridesOf(from.shape);
    const length = from.shape[at];
    const chosen = Array.from(indices.data as ArrayLike<number | bigint>, i => inside(Number(i), length) * strides[at]);
    const lists = from.shape.map((n, i) => (i === at ? chosen : steps(n, strides[i])));
    return takeAt(from, sums(lists), out.shape);
  },
});

/** One element along an axis, by a Python int: `[at : at + 1]`, which must not be empty. */
defineOp<AxisAttrs & { readonly at: Dim }>({
  name: 'take_at',
  infer(facts, [type], { at, axis }) {
    const from = flat(type, axis);
    const along = normalizeAxis('take', from, axis ?? 0);
    requireInside(facts, from, along, at);
    return { shape: from.shape.toSpliced(along, 1), dtype: type.dtype };
  },
  inferOpen: (_, [{ dtype }], { axis }) => ({ shape: axis === null ? [] : null, dtype }),
  kernel([x], { at, axis }, [out]) {
    const from = axis === null ? reshaped(x, [elementCount(x.shape)]) : x;
    const along = normalizeAxis('take', from, axis ?? 0);
    const strides = stridesOf(from.shape);
    const start = inside(Number(at), from.shape[along]) * strides[along];
    return readBox(from, out.shape, strides.toSpliced(along, 1), start);
  },
});

// ---- along an axis ----------------------------------------------------------------------------------------------------

/** The shapes that array and indices have after broadcasting all axes but the one they are read along. */
interface Along {
  readonly at: number;
  readonly array: readonly Dim[];
  readonly indices: readonly Dim[];
}

function along(facts: Facts, op: string, type: RankedType, indices: RankedType, axis: number | null): Along {
  const from = flat(type, axis);
  const at = normalizeAxis(op, from, axis ?? 0);
  if (indices.shape.length !== from.shape.length)
    throw new Refusal(
      'gather',
      `${op} needs indices with as many axes as the array, ${from.shape.length}: ${showType(indices)} for ${showType(type)}`,
      { input: 1, expected: from.shape.length, actual: indices.shape.length },
    );
  const rest = broadcastShapes(facts, from.shape.with(at, 1), indices.shape.with(at, 1), () => {
    return new Refusal(
      'gather',
      `${op} along axis ${axis ?? 0}: all other axes of the indices must match the array: ${showType(indices)} for ${showType(type)}`,
      { input: 1 },
    );
  });
  return { at, array: rest.with(at, from.shape[at]), indices: rest.with(at, indices.shape[at]) };
}

/** The positions in an array of shape `array` that indices of shape `indices` name. */
function positionsAlong(indices: Tensor, { at, array, indices: shape }: Along): Int32Array {
  const lengths = array as readonly number[];
  const strides = stridesOf(lengths);
  const expanded = expandTo(indices, shape as readonly number[]).data;
  const positions = sums((shape as readonly number[]).map((n, i) => steps(n, i === at ? 0 : strides[i])));
  return positions.map((base, i) => base + inside(Number(expanded[i]), lengths[at]) * strides[at]);
}

const rowOf = (x: Tensor, axis: number | null): Tensor => (axis === null ? reshaped(x, [elementCount(x.shape)]) : x);

defineOp<AxisAttrs>({
  name: 'take_along_axis',
  infer(facts, [type, indices], { axis }) {
    return { shape: along(facts, 'take_along_axis', type, indices, axis).indices, dtype: type.dtype };
  },
  inferOpen(facts, [type, indices], { axis }) {
    const full = sameRank(facts, type, indices, axis);
    if (full === null) return { shape: null, dtype: type.dtype };
    return { shape: along(facts, 'take_along_axis', ...full, axis).indices, dtype: type.dtype };
  },
  kernel([x, indices], { axis }, [out]) {
    const from = rowOf(x, axis);
    const shapes = along(NOTHING_LEARNT, 'take_along_axis', from, indices, axis);
    return takeAt(expandTo(from, shapes.array as readonly number[]), positionsAlong(indices, shapes), out.shape);
  },
});

/** Array and indices with the rank of whichever is known. */
function sameRank(
  facts: Facts,
  type: ArrayType,
  indices: ArrayType,
  axis: number | null,
): [RankedType, RankedType] | null {
  if (axis === null) return null;
  const [a, b] = [type.shape, indices.shape];
  const rank = Array.isArray(a) ? a.length : Array.isArray(b) ? b.length : null;
  if (rank === null) return null;
  const full = [a, b].map(s => (s instanceof OpenShape ? facts.refineRank(s, rank) : (s as readonly Dim[] | null)));
  if (full[0] === null || full[1] === null) return null;
  return [
    { shape: full[0], dtype: type.dtype },
    { shape: full[1], dtype: indices.dtype },
  ];
}

defineOp<AxisAttrs>({
  name: 'put_along_axis',
  infer(facts, [type, indices, values], { axis }) {
    const shapes = along(facts, 'put_along_axis', type, indices, axis);
    broadcastShapes(facts, shapes.indices, values.shape, () => {
      return new Refusal(
        'gather',
        `put_along_axis needs values that fit the indices: ${showType(values)} for ${showType(indices)}`,
        { input: 2 },
      );
    });
    return type;
  },
  inferOpen: (_, [type]) => type,
  kernel([x, indices, values], { axis }) {
    const from = rowOf(x, axis);
    const shapes = along(NOTHING_LEARNT, 'put_along_axis', from, indices, axis);
    const to = expandTo(from, shapes.array as readonly number[]);
    const put = expandTo(squeezed(cast(values, x.dtype), shapes.indices.length), shapes.indices as readonly number[]);
    return reshaped(writeAt(to, put, positionsAlong(indices, shapes), 'set'), axis === null ? x.shape : to.shape);
  },
});

/** Without leading axes of length 1 beyond `rank`. */
const squeezed = (x: Tensor, rank: number): Tensor => reshaped(x, x.shape.slice(Math.max(0, x.shape.length - rank)));

// ---- slices that start where an array says ----------------------------------------------------------------------------

type SliceAttrs = { readonly axes: readonly number[]; readonly sizes: readonly Dim[] };

/** @throws Refusal where the start indices are no ints, or not as many as axes */
function requireStarts(op: string, type: RankedType, starts: RankedType, axes: readonly number[]): readonly number[] {
  if (starts.dtype !== null && !['signed', 'unsigned'].includes(kindOf(starts.dtype)))
    throw new Refusal('index-dtype', `${op} starts at integers, not at ${showType(starts)}`, { input: 1 });
  if (starts.shape.length > 1)
    throw new Refusal('gather', `${op} takes its start indices as one row, not as ${showType(starts)}`, { input: 1 });
  const count = starts.shape.length === 0 ? 1 : starts.shape[0];
  if (isKnown(count) && count !== axes.length)
    throw new Refusal('gather', `${op} is given ${count} start indices for ${axes.length} axes`, { input: 1 });
  return normalizeAxes(op, type, axes);
}

/** The position of the first element, moved back where the slice would run over the end. */
function firstPosition(x: Tensor, starts: Tensor, axes: readonly number[], sizes: readonly number[]): number {
  const strides = stridesOf(x.shape);
  return axes.reduce((sum, axis, i) => {
    const start = Math.max(0, Math.min(Number(starts.data[i]), x.shape[axis] - sizes[axis]));
    return sum + start * strides[axis];
  }, 0);
}

const box = (x: Tensor, sizes: readonly number[], first: number): Int32Array => {
  const strides = stridesOf(x.shape);
  return sums(
    sizes.map((n, axis) => steps(n, strides[axis])),
    first,
  );
};

defineOp<SliceAttrs>({
  name: 'dynamic_slice',
  infer(facts, [type, starts], { axes, sizes }) {
    requireStarts('slice', type, starts, axes);
    const refuse = () =>
      new Refusal('gather', `slice cannot take ${showShape(sizes)} out of ${showType(type)}`, { input: 0 });
    if (sizes.length !== type.shape.length) throw refuse();
    for (const [axis, size] of sizes.entries()) if (facts.less(type.shape[axis], size) === 'yes') throw refuse();
    return { shape: sizes, dtype: type.dtype };
  },
  inferOpen: (_, [{ dtype }], { sizes }) => ({ shape: sizes, dtype }),
  kernel([x, starts], { axes }, [out]) {
    const first = firstPosition(x, starts, normalizeAxes('slice', x, axes), out.shape);
    return takeAt(x, box(x, out.shape, first), out.shape);
  },
});

/** Inputs: the array, the update and the start indices. */
defineOp<{ readonly axes: readonly number[] }>({
  name: 'dynamic_slice_update',
  infer(facts, [type, update, starts], { axes }) {
    const at = requireStarts('slice_update', type, starts, axes);
    // MLX does not look at updates of another rank
    if (update.shape.length !== type.shape.length) return type;
    for (const [axis, size] of update.shape.entries()) {
      const refuse = () =>
        new Refusal(
          'broadcast',
          `slice_update cannot put ${showType(update)} into ${showType(type)}: axis ${axis} is ${showDim(size)} long`,
          { input: 1, axis },
        );
      if (facts.equal(size, 1) !== 'no') continue;
      if (at.includes(axis)) {
        if (facts.less(type.shape[axis], size) === 'yes') throw refuse();
      } else facts.require(size, type.shape[axis], refuse);
    }
    return type;
  },
  inferOpen: (_, [type]) => type,
  kernel([x, update, starts], { axes }) {
    const at = normalizeAxes('slice_update', x, axes);
    const lead = Array<number>(x.shape.length - update.shape.length).fill(1);
    const own = [...lead, ...update.shape];
    // axes that the update lacks are written in full, those of length 1 that it has only once
    const sizes = own.map((n, axis) => (axis < lead.length && !at.includes(axis) ? x.shape[axis] : n));
    const values = expandTo(cast(update, x.dtype), sizes);
    return writeAt(x, values, box(x, sizes, firstPosition(x, starts, at, sizes)), 'set');
  },
});
