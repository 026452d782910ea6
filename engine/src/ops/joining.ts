/**
 * Operations that put arrays together, or copies of one: concatenate, stack, repeat, tile, kron, meshgrid.
 */
import { anonymous, type Dim, isKnown, mul, product, sum } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape, type RowVariable, showShape } from '../dims/shape';
import { promote } from '../dtype';
import { type ArrayType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { elementCount, type Tensor, tensor } from '../tensor';
import { normalizeAxis } from './axes';
import { expandTo } from './expand';
import { type Elements, reshaped, steps, stridesOf, sums, takeAt, width } from './positions';
import { extendTail } from './rank';

const dtypeOf = (types: readonly ArrayType[]): ArrayType['dtype'] =>
  types.slice(1).reduce((all, t) => promote(all, t.dtype), types[0].dtype);

const showTypes = (types: readonly ArrayType[]): string => types.map(showType).join(', ');

/** Arrays of one rank, known or not: all their axes, or the last ones behind the same leading axes. */
type Alike =
  | { readonly lead: null; readonly shapes: readonly (readonly Dim[])[] }
  | { readonly lead: RowVariable; readonly shapes: readonly (readonly Dim[])[] };

/** Arrays that must have one rank: those of unknown rank take it from the others. Null where nothing tells. */
function alike(facts: Facts, types: readonly ArrayType[]): Alike | null {
  const shapes = types.map(t => facts.shape(t.shape));
  const ranked = shapes.find((s): s is readonly Dim[] => Array.isArray(s));
  if (ranked) {
    const full = shapes.map(s => (s instanceof OpenShape ? facts.refineRank(s, ranked.length) : (s as readonly Dim[])));
    return full.includes(null) ? null : { lead: null, shapes: full as readonly (readonly Dim[])[] };
  }
  const [first] = shapes;
  const open = shapes.filter((s): s is OpenShape => s instanceof OpenShape && s.lead === (first as OpenShape)?.lead);
  if (open.length < shapes.length || open.some(s => s.tail.length !== open[0].tail.length)) return null;
  return { lead: open[0].lead, shapes: open.map(s => s.tail) };
}

// ---- concatenate ------------------------------------------------------------------------------------------------------

type JoinAttrs = { readonly axis: number | null };

/** @throws Refusal of kind 'concatenate' where ranks, or axes other than `at`, differ */
function joinedShape(
  facts: Facts,
  types: readonly ArrayType[],
  shapes: readonly (readonly Dim[])[],
  at: number,
): Dim[] {
  const [first, ...others] = shapes;
  for (const shape of others)
    for (const [axis, d] of shape.entries())
      if (axis !== at)
        facts.require(
          d,
          first[axis],
          () =>
            new Refusal(
              'concatenate',
              `concatenate along axis ${at} needs equal lengths on all other axes, axis ${axis} differs: ${showTypes(types)}`,
              { axis },
            ),
        );
  return first.map((d, axis) => (axis === at ? sum(shapes.map(s => s[axis])) : d));
}

defineOp<JoinAttrs>({
  name: 'concatenate',
  infer(facts, types, { axis }) {
    const dtype = dtypeOf(types);
    if (axis === null) return { shape: [sum(types.map(t => product(t.shape)))], dtype };
    if (types.length === 1) return types[0];
    const rank = types[0].shape.length;
    if (types.some(t => t.shape.length !== rank))
      throw new Refusal('concatenate', `concatenate needs arrays with equally many axes: ${showTypes(types)}`);
    const at = normalizeAxis('concatenate', types[0], axis);
    const shape = joinedShape(
      facts,
      types,
      types.map(t => t.shape),
      at,
    );
    return { shape, dtype };
  },
  inferOpen(facts, types, { axis }) {
    const dtype = dtypeOf(types);
    if (axis === null) return { shape: [anonymous()], dtype };
    const tailed = axis < 0 ? types.map(t => withTail(facts, t, -axis)) : types;
    const same = alike(facts, tailed);
    if (same === null) return { shape: null, dtype };
    const [first] = same.shapes;
    if (same.lead === null) {
      const at = normalizeAxis('concatenate', { shape: first, dtype }, axis);
      return { shape: joinedShape(facts, types, same.shapes, at), dtype };
    }
    if (axis >= 0 || -axis > first.length) return { shape: null, dtype };
    return { shape: new OpenShape(same.lead, joinedShape(facts, types, same.shapes, first.length + axis)), dtype };
  },
  kernel(inputs, { axis }, [out]) {
    const parts = inputs.map(x => cast(x, out.dtype));
    if (axis === null) return laid(parts, 1, out.shape);
    const at = normalizeAxis('concatenate', out, axis);
    return laid(parts, elementCount(out.shape.slice(0, at)), out.shape);
  },
});

/** The type, with at least `count` last axes of it known. */
const withTail = (facts: Facts, type: ArrayType, count: number): ArrayType =>
  type.shape instanceof OpenShape ? { ...type, shape: extendTail(facts, type.shape, count) } : type;

/** `blocks` times a piece of each part after the other. */
function laid(parts: readonly Tensor[], blocks: number, shape: readonly number[]): Tensor {
  const result = tensor(parts[0].dtype, shape);
  const pieces = parts.map(x => x.data.length / Math.max(blocks, 1));
  let at = 0;
  for (let block = 0; block < blocks; block++)
    for (const [i, x] of parts.entries()) {
      const piece = x.data.subarray(block * pieces[i], (block + 1) * pieces[i]);
      (result.data as Float32Array).set(piece as Float32Array, at);
      at += pieces[i];
    }
  return result;
}

// ---- stack ------------------------------------------------------------------------------------------------------------

defineOp<{ readonly axis: number }>({
  name: 'stack',
  infer(facts, types, { axis }) {
    if (types.some(t => t.shape.length !== types[0].shape.length)) throw unequal(types);
    return stacked(facts, types, { lead: null, shapes: types.map(t => t.shape) }, axis);
  },
  inferOpen(facts, types, { axis }) {
    const same = alike(facts, axis < 0 ? types.map(t => withTail(facts, t, -axis - 1)) : types);
    return same === null ? { shape: null, dtype: dtypeOf(types) } : stacked(facts, types, same, axis);
  },
  kernel(inputs, { axis }, [out]) {
    const at = normalizeAxis('stack', out, axis);
    return laid(
      inputs.map(x => cast(x, out.dtype)),
      elementCount(out.shape.slice(0, at)),
      out.shape,
    );
  },
});

const unequal = (types: readonly ArrayType[]): Refusal =>
  new Refusal('concatenate', `stack needs arrays of one shape: ${showTypes(types)}`);

function stacked(facts: Facts, types: readonly ArrayType[], { lead, shapes }: Alike, axis: number): ArrayType {
  const dtype = dtypeOf(types);
  const [first, ...others] = shapes;
  for (const shape of others) for (const [i, d] of shape.entries()) facts.require(d, first[i], () => unequal(types));
  if (lead === null) {
    const at = normalizeAxis('stack', { shape: [...first, 1], dtype }, axis);
    return { shape: first.toSpliced(at, 0, types.length), dtype };
  }
  const at = first.length + 1 + axis;
  if (axis >= 0 || at < 0) return { shape: null, dtype };
  return { shape: new OpenShape(lead, first.toSpliced(at, 0, types.length)), dtype };
}

// ---- copies -----------------------------------------------------------------------------------------------------------

type RepeatAttrs = { readonly repeats: Dim; readonly axis: number | null };

defineOp<RepeatAttrs>({
  name: 'repeat',
  infer(_, [type], { repeats, axis }) {
    if (isKnown(repeats) && repeats < 0) throw new Refusal('value', `repeat cannot repeat ${repeats} times`);
    if (axis === null) return { shape: [mul(product(type.shape), repeats)], dtype: type.dtype };
    const at = normalizeAxis('repeat', type, axis);
    return { shape: type.shape.with(at, mul(type.shape[at], repeats)), dtype: type.dtype };
  },
  inferOpen(facts, [{ shape, dtype }], { repeats, axis }) {
    if (axis === null) return { shape: [anonymous()], dtype };
    if (!(shape instanceof OpenShape) || axis >= 0) return { shape: null, dtype };
    const open = extendTail(facts, shape, -axis);
    if (!(open instanceof OpenShape)) return { shape: null, dtype };
    const at = open.tail.length + axis;
    return { shape: new OpenShape(open.lead, open.tail.with(at, mul(open.tail[at], repeats))), dtype };
  },
  kernel([x], { repeats, axis }, [out]) {
    const flat = axis === null ? reshaped(x, [elementCount(x.shape)]) : x;
    const at = axis === null ? 0 : normalizeAxis('repeat', x, axis);
    const strides = stridesOf(flat.shape);
    const lists = flat.shape.map((n, i) =>
      i === at
        ? Array.from({ length: n * Number(repeats) }, (_, j) => Math.floor(j / Number(repeats)) * strides[i])
        : steps(n, strides[i]),
    );
    return takeAt(flat, sums(lists), out.shape);
  },
});

defineOp<{ readonly reps: readonly Dim[] }>({
  name: 'tile',
  infer(_, [type], { reps }) {
    if (reps.some(d => isKnown(d) && d < 0)) throw new Refusal('value', `tile cannot repeat ${showShape(reps)} times`);
    const rank = Math.max(reps.length, type.shape.length);
    const lengths = padFront(type.shape, rank);
    const times = padFront(reps, rank);
    return { shape: lengths.map((d, i) => mul(d, times[i])), dtype: type.dtype };
  },
  inferOpen(facts, [{ shape, dtype }], { reps }) {
    if (!(shape instanceof OpenShape)) return { shape: null, dtype };
    if (reps.length > shape.tail.length) return { shape: null, dtype };
    const times = padFront(reps, shape.tail.length);
    return {
      shape: new OpenShape(
        shape.lead,
        shape.tail.map((d, i) => facts.resolve(mul(d, times[i]))),
      ),
      dtype,
    };
  },
  kernel([x], _, [out]) {
    const lengths = padFront(x.shape, out.shape.length) as readonly number[];
    const strides = stridesOf(lengths);
    const lists = out.shape.map((n, i) => Array.from({ length: n }, (_, j) => (j % lengths[i]) * strides[i]));
    return takeAt(x, sums(lists), out.shape);
  },
});

const padFront = (dims: readonly Dim[], rank: number): readonly Dim[] => [
  ...Array<Dim>(rank - dims.length).fill(1),
  ...dims,
];

// ---- products of positions --------------------------------------------------------------------------------------------

defineOp({
  name: 'kron',
  infer(facts, [a, b]) {
    if ([...a.shape, ...b.shape].some(d => facts.equal(d, 0) === 'yes'))
      throw new Refusal('value', `kron cannot take empty arrays: ${showTypes([a, b])}`);
    const rank = Math.max(a.shape.length, b.shape.length);
    const [left, right] = [padFront(a.shape, rank), padFront(b.shape, rank)];
    return { shape: left.map((d, i) => mul(d, right[i])), dtype: promote(a.dtype, b.dtype) };
  },
  inferOpen: (_, types) => ({ shape: null, dtype: dtypeOf(types) }),
  kernel([a, b], _, [out]) {
    const spread = (x: Tensor, source: (i: number, axis: number) => number): Tensor => {
      const shape = padFront(x.shape, out.shape.length) as readonly number[];
      const strides = stridesOf(shape);
      const lists = out.shape.map((n, axis) => Array.from({ length: n }, (_, i) => source(i, axis) * strides[axis]));
      return takeAt(cast(x, out.dtype), sums(lists), out.shape);
    };
    const inner = padFront(b.shape, out.shape.length) as readonly number[];
    return multiplied(
      spread(a, (i, axis) => Math.floor(i / inner[axis])),
      spread(b, (i, axis) => i % inner[axis]),
    );
  },
});

/** The elementwise product of two arrays of one shape and dtype. */
function multiplied(a: Tensor, b: Tensor): Tensor {
  const result = tensor(a.dtype, a.shape);
  const to = result.data as Elements;
  if (width(a) === 2) {
    const [x, y] = [a.data as Float32Array, b.data as Float32Array];
    for (let i = 0; i < x.length; i += 2) {
      to[i] = x[i] * y[i] - x[i + 1] * y[i + 1];
      to[i + 1] = x[i] * y[i + 1] + x[i + 1] * y[i];
    }
    return result;
  }
  const [x, y] = [a.data as { [i: number]: number }, b.data as { [i: number]: number }];
  const round = typeof a.data[0] === 'bigint' ? (v: number) => v : rounder(a.dtype);
  for (let i = 0; i < a.data.length; i++) to[i] = round(x[i] * y[i]);
  return result;
}

type MeshAttrs = { readonly sparse: boolean; readonly indexing: string };

/** Which axis the i-th array runs along: with `xy` the first two change places. */
const meshAxis = (i: number, { indexing }: MeshAttrs): number => (indexing === 'xy' && i < 2 ? 1 - i : i);

defineOp<MeshAttrs>({
  name: 'meshgrid',
  infer(_, types, attrs) {
    if (attrs.indexing !== 'xy' && attrs.indexing !== 'ij')
      throw new Refusal('value', `meshgrid knows the indexing 'xy' and 'ij', not '${attrs.indexing}'`);
    return types.map(({ dtype }, i) => ({ shape: meshShape(types, attrs, i), dtype }));
  },
  inferOpen: (_, types) => types.map(({ dtype }) => ({ shape: null, dtype })),
  kernel: (inputs, attrs, out) =>
    inputs.map((x, i) => {
      const line = meshShape(inputs, { ...attrs, sparse: true }, i) as readonly number[];
      return expandTo(reshaped(x, line), out[i].shape);
    }),
});

function meshShape(types: readonly RankedType[], attrs: MeshAttrs, i: number): readonly Dim[] {
  if (types.length === 1) return [product(types[0].shape)];
  const shape = Array<Dim>(types.length).fill(1);
  for (const [j, type] of types.entries())
    if (!attrs.sparse || j === i) shape[meshAxis(j, attrs)] = product(type.shape);
  return shape;
}
