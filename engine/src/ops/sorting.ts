/**
 * Ordering elements along an axis, and finding places in what is ordered.
 */
import { anonymous, type Dim } from '../dims/dim';
import { OpenShape } from '../dims/shape';
import type { DType } from '../dtype';
import { promote } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { allocate, elementCount, type Tensor, type TensorData } from '../tensor';
import { normalizeAxis } from './axes';
import { groupsOf } from './groups';
import { type Elements, stridesOf, width } from './positions';
import { atLeastRank } from './reductions';

// ---- ordering ---------------------------------------------------------------------------------------------------------

/** Compares two elements by their places in the storage: NaN comes last, complex numbers by real then imaginary part. */
function comparer(x: Tensor): (i: number, j: number) => number {
  const { data } = x;
  const compare = (a: number | bigint, b: number | bigint): number => {
    if (a < b) return -1;
    if (a > b) return 1;
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  };
  if (x.dtype === 'complex64')
    return (i, j) => compare(data[2 * i], data[2 * j]) || compare(data[2 * i + 1], data[2 * j + 1]);
  return (i, j) => compare(data[i], data[j]);
}

/** The order of the elements of each line along an axis, as positions on the axis. */
function ordered(
  x: Tensor,
  axis: number,
  visit: (start: number, stride: number, order: readonly number[]) => void,
): void {
  const compare = comparer(x);
  const stride = stridesOf(x.shape)[axis];
  const { starts } = groupsOf(x.shape, [axis]);
  for (const start of starts) {
    const order = Array.from({ length: x.shape[axis] }, (_, i) => i);
    order.sort((a, b) => compare(start + a * stride, start + b * stride)); // stable, as MLX's sort is
    visit(start, stride, order);
  }
}

function copyElement(from: TensorData, i: number, to: TensorData, j: number, lanes: number): void {
  for (let lane = 0; lane < lanes; lane++) (to as Elements)[j * lanes + lane] = from[i * lanes + lane];
}

function sortValues(x: Tensor, axis: number): Tensor {
  const data = allocate(x.dtype, elementCount(x.shape));
  ordered(x, axis, (start, stride, order) => {
    for (const [to, from] of order.entries())
      copyElement(x.data, start + from * stride, data, start + to * stride, width(x));
  });
  return { shape: x.shape, dtype: x.dtype, data };
}

function sortPositions(x: Tensor, axis: number): Tensor {
  const data = allocate('uint32', elementCount(x.shape));
  ordered(x, axis, (start, stride, order) => {
    for (const [to, from] of order.entries()) data[start + to * stride] = from;
  });
  return { shape: x.shape, dtype: 'uint32', data };
}

// ---- sort, partition --------------------------------------------------------------------------------------------------

type Along = { readonly axis: number };
type Kth = Along & { readonly kth: number };

/** A sort is a partition at every place, so the two share kernels. */
function defineOrdering(name: string, positions: boolean, partition: boolean): void {
  const dtypeOf = (x: ArrayType): DType | null => (positions ? 'uint32' : x.dtype);
  defineOp<Kth>({
    name,
    infer(facts, [x], { axis, kth }) {
      const length = x.shape[normalizeAxis(name, x, axis)];
      if (partition) {
        const place = kth < 0 ? -kth : kth + 1;
        if (facts.less(length, place) === 'yes')
          throw new Refusal('value', `${name} at ${kth} along axis ${axis} of ${showType(x)}: the axis is shorter`);
      }
      return { shape: x.shape, dtype: dtypeOf(x) };
    },
    inferOpen: (facts, [x], { axis }) => ({ shape: atLeastRank(facts, x, [axis]).shape, dtype: dtypeOf(x) }),
    kernel([x], { axis }) {
      const along = normalizeAxis(name, { shape: x.shape, dtype: x.dtype }, axis);
      return positions ? sortPositions(x, along) : sortValues(x, along);
    },
  });
}
defineOrdering('sort', false, false);
defineOrdering('argsort', true, false);
defineOrdering('partition', false, true);
defineOrdering('argpartition', true, true);

// ---- topk -------------------------------------------------------------------------------------------------------------

type TopK = Along & { readonly k: Dim };

const withLength = (shape: readonly Dim[], axis: number, length: Dim): Dim[] =>
  shape.map((d, i) => (i === axis ? length : d));

/** The k largest values along an axis, in no promised order (here ascending, as MLX's CPU build has them). */
defineOp<TopK>({
  name: 'topk',
  infer(facts, [x], { axis, k }) {
    const along = normalizeAxis('topk', x, axis);
    const length = x.shape[along];
    if (facts.less(length, k) === 'yes' || facts.less(k, 0) === 'yes')
      throw new Refusal('value', `topk of ${k} along axis ${axis} of ${showType(x)}: the axis has ${length} elements`, {
        axis,
        actual: length,
      });
    return { shape: withLength(x.shape, along, k), dtype: x.dtype };
  },
  inferOpen(facts, [x], { axis, k }) {
    const { shape } = atLeastRank(facts, x, [axis]);
    if (!(shape instanceof OpenShape) || axis >= 0) return { shape: null, dtype: x.dtype };
    return {
      shape: new OpenShape(shape.lead, withLength(shape.tail, shape.tail.length + axis, k)),
      dtype: x.dtype,
    };
  },
  kernel([x], { axis }, [out]) {
    const along = normalizeAxis('topk', { shape: x.shape, dtype: x.dtype }, axis);
    const sorted = sortValues(x, along);
    const [k, length] = [out.shape[along], x.shape[along]];
    const from = groupsOf(x.shape, [along]).starts;
    const to = groupsOf(out.shape, [along]).starts;
    const [fromStride, toStride] = [x.shape, out.shape].map(s => stridesOf(s)[along]);
    const data = allocate(out.dtype, elementCount(out.shape));
    for (let line = 0; line < to.length; line++)
      for (let i = 0; i < k; i++)
        copyElement(sorted.data, from[line] + (length - k + i) * fromStride, data, to[line] + i * toStride, width(x));
    return { shape: out.shape, dtype: out.dtype, data };
  },
});

// ---- searchsorted -----------------------------------------------------------------------------------------------------

type Search = { readonly right: boolean };

/** Where each value would be inserted to keep a sorted 1-d sequence sorted: before equal ones, or after with `right`. */
defineOp<Search>({
  name: 'searchsorted',
  infer(_, [sequence, values]) {
    if (sequence.shape.length !== 1)
      throw new Refusal('value', `searchsorted: the sorted sequence must have one axis, not ${showType(sequence)}`);
    return { shape: values.shape, dtype: 'uint32' };
  },
  inferOpen: (_, [, values]) => ({ shape: values.shape, dtype: 'uint32' }),
  kernel([sequence, values], { right }, [out]) {
    const dtype = promote(sequence.dtype, values.dtype)!;
    const sorted = cast(sequence, dtype).data;
    const wanted = cast(values, dtype).data;
    const data = allocate('uint32', elementCount(out.shape));
    for (let i = 0; i < data.length; i++) {
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if (right ? wanted[i] < sorted[middle] : wanted[i] <= sorted[middle]) high = middle;
        else low = middle + 1;
      }
      data[i] = low;
    }
    return { shape: out.shape, dtype: 'uint32', data };
  },
});

// ---- unique -----------------------------------------------------------------------------------------------------------

type Unique = { readonly size: Dim; readonly fill: boolean };

/**
 * The different values in ascending order, cut or filled to `size` (with the optional second input, else with the least),
 * then the first place of each, the position of every element's value among them, and how often each occurs.
 */
defineOp<Unique>({
  name: 'unique',
  infer(facts, [x], { size, fill }) {
    if (facts.less(size, 0) === 'yes') throw new Refusal('value', `unique cannot give ${size} values`);
    if (!fill && x.shape.some(d => facts.equal(d, 0) === 'yes') && facts.less(0, size) === 'yes')
      throw new Refusal('value', `unique of ${showType(x)}: an empty array needs a fill_value`);
    return uniqueTypes(x, size);
  },
  inferOpen: (_, [x], { size }) => uniqueTypes(x, size),
  kernel([x, fill], _attrs, out) {
    const flat: Tensor = { ...x, shape: [elementCount(x.shape)] };
    const places = sortPositions(flat, 0).data;
    const compare = comparer(x);
    const first: number[] = [];
    const counts: number[] = [];
    const inverse = allocate('uint32', flat.shape[0]);
    for (const place of places) {
      const at = place as number;
      if (first.length === 0 || compare(first[first.length - 1], at) !== 0) {
        first.push(at);
        counts.push(0);
      }
      counts[counts.length - 1]++;
      inverse[at] = first.length - 1;
    }
    const size = out[0].shape[0];
    const data = allocate(x.dtype, size);
    for (let i = 0; i < size; i++) {
      if (i >= first.length && fill) copyElement(cast(fill, x.dtype).data, 0, data, i, width(x));
      else copyElement(x.data, first[i] ?? first[0], data, i, width(x));
    }
    const padded = (values: readonly number[], rest: number) =>
      Array.from({ length: size }, (_, i) => values[i] ?? rest);
    const results: Tensor[] = [
      { ...(out[0] as ConcreteType), data },
      { ...(out[1] as ConcreteType), data: Uint32Array.from(padded(first, first[0])) },
      { ...(out[2] as ConcreteType), data: inverse },
      { ...(out[3] as ConcreteType), data: Int32Array.from(padded(counts, 0)) },
    ];
    return results;
  },
});

const uniqueTypes = (x: ArrayType, size: Dim): readonly ArrayType[] => [
  { shape: [size], dtype: x.dtype },
  { shape: [size], dtype: 'uint32' },
  { shape: x.shape ?? [anonymous()], dtype: 'uint32' },
  { shape: [size], dtype: 'int32' },
];
