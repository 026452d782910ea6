/**
 * Operations that give the same elements in another shape: reshape, flatten, squeeze, expand_dims, broadcast_to, …
 */
import { anonymous, type Dim, isKnown, product, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape, showShape } from '../dims/shape';
import { type ArrayType, defineOp, type OpDef, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { normalizeAxes, normalizeAxis } from './axes';
import { broadcastAll } from './broadcast';
import { inferAxis, requireSameCount } from './element_count';
import { expandTo } from './expand';
import { readBox, reshaped, stridesOf } from './positions';
import { extendTail } from './rank';

/** The kernel of all that only renames axes. */
const relabel: OpDef['kernel'] = ([x], _, [out]) => reshaped(x, out.shape);

/** A shape argument as written, -1 included. */
type Shaped = { readonly shape: readonly Dim[] };

/** Where a shape argument holds its one -1, or -1. @throws Refusal for several, or for other negative numbers */
function inferredAt(name: string, shape: readonly Dim[]): number {
  const refuse = (problem: string) => new Refusal('reshape', `${name}: ${problem} ${showShape(shape)}`);
  const at = shape.indexOf(-1);
  if (at !== shape.lastIndexOf(-1)) throw refuse('only one axis can be -1, not');
  return at;
}

/** MLX looks at the product alone: two negative lengths pass, one would make the inferred length negative. */
function requireInferable(facts: Facts, from: readonly Dim[], known: readonly Dim[], refuse: () => Refusal): void {
  const isNegative = known.filter(d => isKnown(d) && d < 0).length % 2 === 1;
  if (isNegative && !from.some(d => facts.resolve(d) === 0)) throw refuse();
}

defineOp<Shaped>({
  name: 'reshape',
  infer(facts, [type], { shape }) {
    const refuse = () => {
      const size = type.shape.every(isKnown) && type.shape.length !== 1 ? `, ${product(type.shape)} elements,` : '';
      return new Refusal('reshape', `reshape cannot turn ${showType(type)}${size} into ${showShape(shape)}`, {
        input: 0,
      });
    };
    const at = inferredAt('reshape', shape);
    if (at < 0) {
      requireSameCount(facts, type.shape, shape, refuse);
      return { shape, dtype: type.dtype };
    }
    const known = shape.toSpliced(at, 1);
    requireInferable(facts, type.shape, known, refuse);
    return { shape: shape.with(at, inferAxis(facts, type.shape, known, refuse)), dtype: type.dtype };
  },
  inferOpen: (_, [type], { shape }) => ({
    shape: inferredAt('reshape', shape) < 0 ? shape : shape.map(d => (d === -1 ? anonymous() : d)),
    dtype: type.dtype,
  }),
  kernel: relabel,
});

type AxisRange = { readonly start: number; readonly end: number };

defineOp<AxisRange>({
  name: 'flatten',
  infer(_, [type], { start, end }) {
    const rank = type.shape.length;
    if (rank === 0) return { shape: [1], dtype: type.dtype };
    const first = Math.max(0, start < 0 ? start + rank : start);
    const last = Math.min(rank - 1, end < 0 ? end + rank : end);
    if (last < first)
      throw new Refusal('axis', `flatten has no axes from ${start} to ${end} in ${showType(type)}`, { axis: start });
    const merged = product(type.shape.slice(first, last + 1));
    return { shape: type.shape.toSpliced(first, last + 1 - first, merged), dtype: type.dtype };
  },
  inferOpen(facts, [{ shape, dtype }], { start, end }) {
    if (start === 0 && end === -1) return { shape: [anonymous()], dtype };
    if (!(shape instanceof OpenShape) || start >= 0 || end >= 0) return { shape: null, dtype };
    const open = extendTail(facts, shape, -start);
    if (!(open instanceof OpenShape)) return { shape: null, dtype };
    const from = open.tail.length + start;
    const count = end - start + 1;
    const merged = product(open.tail.slice(from, from + count));
    return { shape: new OpenShape(open.lead, open.tail.toSpliced(from, count, merged)), dtype };
  },
  kernel: relabel,
});

type Unflatten = Shaped & { readonly axis: number };

defineOp<Unflatten>({
  name: 'unflatten',
  infer(facts, [type], { axis, shape }) {
    const at = normalizeAxis('unflatten', type, axis);
    return {
      shape: type.shape.toSpliced(at, 1, ...split(facts, type, type.shape[at], axis, shape)),
      dtype: type.dtype,
    };
  },
  inferOpen(facts, [type], { axis, shape }) {
    if (!(type.shape instanceof OpenShape) || axis >= 0) return { shape: null, dtype: type.dtype };
    const open = extendTail(facts, type.shape, -axis);
    if (!(open instanceof OpenShape)) return { shape: null, dtype: type.dtype };
    const at = open.tail.length + axis;
    const axes = split(facts, type, open.tail[at], axis, shape);
    return { shape: new OpenShape(open.lead, open.tail.toSpliced(at, 1, ...axes)), dtype: type.dtype };
  },
  kernel: relabel,
});

/** The axes that one axis is unflattened into. */
function split(facts: Facts, type: ArrayType, length: Dim, axis: number, shape: readonly Dim[]): readonly Dim[] {
  const refuse = () =>
    new Refusal(
      'reshape',
      `unflatten cannot turn axis ${axis} of ${showType(type)} into ${showShape(shape)}: it has length ${length}`,
      { input: 0, axis },
    );
  if (shape.length === 0) throw new Refusal('reshape', 'unflatten needs at least one axis to turn the old one into');
  const at = inferredAt('unflatten', shape);
  if (at >= 0) {
    const known = shape.toSpliced(at, 1);
    requireInferable(facts, [length], known, refuse);
    return shape.with(at, inferAxis(facts, [length], known, refuse));
  }
  requireSameCount(facts, [length], shape, refuse);
  return shape;
}

type Axes = { readonly axes: readonly number[] };

defineOp<Axes>({
  name: 'expand_dims',
  infer: (_, [type], { axes }) => ({ shape: withAxes(type, axes), dtype: type.dtype }),
  inferOpen(facts, [{ shape, dtype }], { axes }) {
    if (!(shape instanceof OpenShape) || axes.some(a => a >= 0)) return { shape: null, dtype };
    const deepest = -Math.min(...axes, 0);
    const open = extendTail(facts, shape, deepest - axes.length);
    if (!(open instanceof OpenShape)) return { shape: null, dtype };
    return { shape: new OpenShape(open.lead, withAxes({ shape: open.tail, dtype }, axes)), dtype };
  },
  kernel: relabel,
});

function withAxes(type: RankedType, axes: readonly number[]): readonly Dim[] {
  const rank = type.shape.length + axes.length;
  const places = axes.map(axis => {
    if (axis < -rank || axis >= rank)
      throw new Refusal(
        'axis',
        `expand_dims cannot put an axis at ${axis}: ${showType(type)} becomes ${rank}-dimensional, so ${-rank} to ${rank - 1} are possible`,
        { axis },
        'IndexError',
      );
    return axis < 0 ? axis + rank : axis;
  });
  if (new Set(places).size < places.length)
    throw new Refusal('axis', `expand_dims is given the same axis twice: ${showShape(axes)}`);
  const old = type.shape[Symbol.iterator]();
  return Array.from({ length: rank }, (_, i) => (places.includes(i) ? 1 : old.next().value!));
}

type MaybeAxes = { readonly axes: readonly number[] | null };

defineOp<MaybeAxes>({
  name: 'squeeze',
  infer(facts, [type], { axes }) {
    if (axes === null)
      // which axes go depends on their values
      return type.shape.every(d => isKnown(d) || facts.equal(d, 1) !== 'unknown')
        ? { shape: type.shape.filter(d => facts.equal(d, 1) === 'no'), dtype: type.dtype }
        : { shape: null, dtype: type.dtype };
    const gone = normalizeAxes('squeeze', type, axes);
    for (const axis of gone) requireOne(facts, type, type.shape[axis], axis);
    return { shape: type.shape.filter((_, i) => !gone.includes(i)), dtype: type.dtype };
  },
  inferOpen(facts, [type], { axes }) {
    if (!(type.shape instanceof OpenShape) || axes === null || axes.some(a => a >= 0))
      return { shape: null, dtype: type.dtype };
    const open = extendTail(facts, type.shape, -Math.min(...axes, 0));
    if (!(open instanceof OpenShape)) return { shape: null, dtype: type.dtype };
    const gone = axes.map(a => a + open.tail.length);
    for (const axis of gone) requireOne(facts, type, open.tail[axis], axis - open.tail.length);
    return {
      shape: new OpenShape(
        open.lead,
        open.tail.filter((_, i) => !gone.includes(i)),
      ),
      dtype: type.dtype,
    };
  },
  kernel: relabel,
});

const requireOne = (facts: Facts, type: ArrayType, length: Dim, axis: number): void =>
  facts.require(
    length,
    1,
    () =>
      new Refusal(
        'squeeze',
        `squeeze can only remove axes of length 1; axis ${axis} of ${showType(type)} has length ${length}`,
        {
          input: 0,
          axis,
          expected: 1,
          actual: length,
        },
      ),
  );

defineOp<Shaped>({
  name: 'broadcast_to',
  infer(facts, [type], { shape }) {
    const refuse = () =>
      new Refusal('broadcast', `broadcast_to cannot turn ${showType(type)} into ${showShape(shape)}`, { input: 0 });
    if (type.shape.length > shape.length || shape.some(d => isKnown(d) && d < 0)) throw refuse();
    const offset = shape.length - type.shape.length;
    for (const [i, d] of type.shape.entries()) {
      if (facts.equal(d, 1) !== 'no') continue;
      facts.require(d, shape[i + offset], refuse);
    }
    return { shape, dtype: type.dtype };
  },
  inferOpen: (_, [type], { shape }) => ({ shape, dtype: type.dtype }),
  kernel: ([x], _, [out]) => expandTo(x, out.shape),
});

defineOp({
  name: 'broadcast_arrays',
  infer(facts, types) {
    const refuse = () => new Refusal('broadcast', `broadcast_arrays cannot combine ${types.map(showType).join(', ')}`);
    const shape = broadcastAll(
      facts,
      types.map(t => t.shape),
      refuse,
    );
    return types.map(({ dtype }) => ({ shape, dtype }));
  },
  inferOpen: (_, types) => types.map(({ dtype }) => ({ shape: null, dtype })),
  kernel: (inputs, _, out) => inputs.map((x, i) => expandTo(x, out[i].shape)),
});

defineOp<{ readonly rank: 1 | 2 | 3 }>({
  name: 'atleast_nd',
  infer(_, [type], { rank }) {
    const { shape, dtype } = type;
    if (shape.length >= rank) return type;
    if (shape.length === 0) return { shape: Array<Dim>(rank).fill(1), dtype };
    if (rank === 2) return { shape: [1, ...shape], dtype };
    return { shape: shape.length === 1 ? [1, shape[0], 1] : [...shape, 1], dtype };
  },
  inferOpen: (_, [{ dtype }]) => ({ shape: null, dtype }),
  kernel: relabel,
});

defineOp({
  name: 'contiguous',
  infer: (_, [type]) => type,
  inferOpen: (_, [type]) => type,
  kernel: ([x]) => x,
});

type Strided = {
  readonly shape: readonly Dim[] | null;
  readonly strides: readonly number[] | null;
  readonly offset: number;
};

defineOp<Strided>({
  name: 'as_strided',
  infer(facts, [type], { shape, offset }) {
    const negative = shape?.find(d => facts.less(d, 0) === 'yes');
    if (negative !== undefined)
      throw new Refusal('value', `as_strided cannot make an axis of length ${showDim(negative)}`);
    if (facts.less(offset, 0) === 'yes')
      throw new Refusal('signature', 'as_strided: the offset cannot be negative', {}, 'TypeError');
    return { shape: shape ?? type.shape, dtype: type.dtype };
  },
  inferOpen: (_, [type], { shape }) => ({ shape: shape ?? type.shape, dtype: type.dtype }),
  kernel: ([x], { strides, offset }, [out]) => readBox(x, out.shape, strides ?? stridesOf(out.shape), offset),
});
