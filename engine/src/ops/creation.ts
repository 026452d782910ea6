/**
 * Arrays made from numbers: filled, counted, and the matrices and windows that are known by name.
 */
import { anonymous, ceilDiv, type Dim, isKnown, max, sub } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape, showShape } from '../dims/shape';
import { type DType, isInteger } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { elementCount, type Tensor, type TensorData } from '../tensor';
import { cannotBroadcast } from './elementwise';
import { expandTo } from './expand';
import { extendTail } from './rank';

/** @throws Refusal of kind 'value' for a length that is certainly negative */
function checkLengths(facts: Facts, name: string, shape: readonly Dim[]): void {
  if (shape.some(d => facts.less(d, 0) === 'yes'))
    throw new Refusal('value', `${name} cannot make an array of shape ${showShape(shape)}: a length is negative`);
}

// ---- filled -----------------------------------------------------------------------------------------------------------

type Full = { readonly shape: readonly Dim[]; readonly dtype: DType | null };

/** @throws Refusal where `value` does not broadcast to exactly `shape` */
function checkFits(facts: Facts, name: string, value: RankedType, shape: readonly Dim[]): void {
  const refuse = cannotBroadcast(name, value, { shape, dtype: null });
  const offset = shape.length - value.shape.length;
  if (offset < 0) throw refuse();
  for (const [axis, d] of value.shape.entries())
    if (facts.equal(d, 1) === 'no' && facts.equal(d, shape[axis + offset]) === 'no') throw refuse();
}

/** `shape` filled with a value, or with copies of an array that broadcasts to it; `dtype` null keeps the value's. */
defineOp<Full>({
  name: 'full',
  infer(facts, [value], { shape, dtype }) {
    checkLengths(facts, 'full', shape);
    checkFits(facts, 'full', value, shape);
    return { shape, dtype: dtype ?? value.dtype };
  },
  inferOpen: (_, [value], { shape, dtype }) => ({ shape, dtype: dtype ?? value.dtype }),
  kernel: ([value], _attrs, [out]) => expandTo(cast(value, out.dtype), out.shape),
});

type FullLike = { readonly dtype: DType | null };

/** The first input's shape filled with the second; `dtype` null keeps the first's. */
defineOp<FullLike>({
  name: 'full_like',
  infer(facts, [like, value], { dtype }) {
    checkFits(facts, 'full_like', value, like.shape);
    return { shape: like.shape, dtype: dtype ?? like.dtype };
  },
  inferOpen: (_, [like], { dtype }) => ({ shape: like.shape, dtype: dtype ?? like.dtype }),
  kernel: ([, value], _attrs, [out]) => expandTo(cast(value, out.dtype), out.shape),
});

// ---- counted ----------------------------------------------------------------------------------------------------------

type Range = { readonly start: Dim; readonly stop: Dim; readonly step: Dim; readonly dtype: DType };

/** The number of values from `start` up to and without `stop`. */
function rangeLength({ start, stop, step }: Range): Dim | null {
  if (isKnown(start) && isKnown(stop) && isKnown(step)) return Math.max(0, Math.ceil((stop - start) / step));
  if (!isKnown(step) || !Number.isInteger(step)) return null;
  return max(0, ceilDiv(sub(stop, start), step));
}

/** Numbers that are not whole stand for Python floats; symbols are whole. */
defineOp<Range>({
  name: 'arange',
  infer(facts, _inputs, attrs) {
    const { step, dtype } = attrs;
    if (dtype === 'bool') throw new Refusal('dtype', 'arange cannot count in booleans');
    if (facts.equal(step, 0) === 'yes') throw new Refusal('value', 'arange: the step must not be 0');
    const length = rangeLength({ ...attrs, start: facts.resolve(attrs.start), stop: facts.resolve(attrs.stop) });
    if (length === null) return { shape: [anonymous()], dtype };
    if (isKnown(length) && !(length <= MOST_ELEMENTS))
      throw new Refusal('value', `arange would have ${length} elements; MLX counts them in 31 bits`);
    return { shape: [length], dtype };
  },
  kernel(_inputs, { start, step }, [out]) {
    const count = out.shape[0];
    const [first, by] = [start as number, step as number];
    // In an integer dtype the first two values are cut to integers and set the pace.
    const whole = isInteger(out.dtype);
    const base = whole ? Math.trunc(first) : first;
    const pace = whole ? Math.trunc(first + by) - base : by;
    return fromNumbers(out, i => base + i * pace, count);
  },
});

const MOST_ELEMENTS = 2 ** 31 - 1;

/** A tensor whose i-th element is `at(i)`, rounded to its dtype. */
function fromNumbers(out: ConcreteType, at: (i: number) => number, count = elementCount(out.shape)): Tensor {
  const data = Float64Array.from({ length: count }, (_, i) => at(i));
  return cast({ shape: out.shape, dtype: 'float64', data }, out.dtype);
}

type Linspace = { readonly num: Dim; readonly endpoint: boolean; readonly dtype: DType };

/** `num` values evenly from the first input to the second, or up to it without `endpoint`. */
defineOp<Linspace>({
  name: 'linspace',
  infer: (facts, [start, stop], attrs) => linspaceType(facts, start, stop, attrs),
  inferOpen: (facts, [start, stop], attrs) => linspaceType(facts, start, stop, attrs),
  kernel([start, stop], { num, endpoint }, [out]) {
    const [from, to] = [Number(start.data[0]), Number(stop.data[0])];
    const parts = (num as number) - (endpoint ? 1 : 0);
    if (parts <= 0) return fromNumbers(out, () => from);
    return fromNumbers(out, i => from * (1 - i / parts) + to * (i / parts));
  },
});

function linspaceType(facts: Facts, start: ArrayType, stop: ArrayType, { num, dtype }: Linspace): ArrayType {
  if (facts.less(num, 0) === 'yes') throw new Refusal('value', `linspace cannot make ${num} samples`);
  for (const end of [start, stop])
    if (Array.isArray(end.shape) && end.shape.length > 0)
      throw new Refusal('value', `linspace goes from a number to a number, not ${showType(end)}`);
  return { shape: [num], dtype };
}

// ---- matrices by name -------------------------------------------------------------------------------------------------

type Diagonal = { readonly n: Dim; readonly m: Dim; readonly k: Dim; readonly dtype: DType };

function fillMatrix(out: ConcreteType, inside: (row: number, column: number) => boolean): Tensor {
  const columns = out.shape[1];
  return fromNumbers(out, i => (inside(Math.floor(i / columns), i % columns) ? 1 : 0));
}

/** n × m, with ones on the k-th diagonal. */
defineOp<Diagonal>({
  name: 'eye',
  infer(facts, _inputs, { n, m, dtype }) {
    checkLengths(facts, 'eye', [n, m]);
    return { shape: [n, m], dtype };
  },
  kernel: (_inputs, { k }, [out]) => fillMatrix(out, (row, column) => column === row + (k as number)),
});

/** n × m, with ones on the k-th diagonal and below; a negative length counts as 0. */
defineOp<Diagonal>({
  name: 'tri',
  infer: (_facts, _inputs, { n, m, dtype }) => ({ shape: [max(0, n), max(0, m)], dtype }),
  kernel: (_inputs, { k }, [out]) => fillMatrix(out, (row, column) => column <= row + (k as number)),
});

type Triangle = { readonly k: Dim };

function defineTriangle(name: 'tril' | 'triu', keeps: (distance: number, k: number) => boolean): void {
  defineOp<Triangle>({
    name,
    infer(_, [x]) {
      if (x.shape.length < 2) throw new Refusal('value', `${name} needs at least two axes, not ${showType(x)}`);
      return x;
    },
    inferOpen: (facts, [x]) => (x.shape instanceof OpenShape ? { ...x, shape: extendTail(facts, x.shape, 2) } : x),
    kernel([x], { k }, [out]) {
      const [rows, columns] = out.shape.slice(-2);
      const data = x.data.slice() as TensorData;
      const lanes = x.dtype === 'complex64' ? 2 : 1;
      for (let i = 0; i < elementCount(out.shape); i++) {
        const distance = (i % columns) - (Math.floor(i / columns) % rows);
        if (!keeps(distance, k as number)) data.fill(0 as never, i * lanes, (i + 1) * lanes);
      }
      return { shape: out.shape, dtype: out.dtype, data };
    },
  });
}
defineTriangle('tril', (distance, k) => distance <= k);
defineTriangle('triu', (distance, k) => distance >= k);

// ---- windows ----------------------------------------------------------------------------------------------------------

const cosine = (i: number, size: number, times = 1) => Math.cos((2 * Math.PI * times * i) / (size - 1));

const WINDOWS: Record<string, (i: number, size: number) => number> = {
  bartlett: (i, size) => 1 - Math.abs((2 * i) / (size - 1) - 1),
  hanning: (i, size) => 0.5 - 0.5 * cosine(i, size),
  hamming: (i, size) => 0.54 - 0.46 * cosine(i, size),
  blackman: (i, size) => 0.42 - 0.5 * cosine(i, size) + 0.08 * cosine(i, size, 2),
};

type Window = { readonly size: Dim };

for (const [name, at] of Object.entries(WINDOWS))
  defineOp<Window>({
    name,
    infer: (_facts, _inputs, { size }) => ({ shape: [max(0, size)], dtype: 'float32' }),
    kernel: (_inputs, { size }, [out]) => fromNumbers(out, i => (size === 1 ? 1 : at(i, size as number))),
  });
