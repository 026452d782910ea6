/**
 * Values of `linalg.norm`: step by step as MLX composes it, each step rounded to the dtype of the result.
 */

import type { ConcreteType } from '../graph/op';
import { rounder } from '../numeric/round';
import { singularValues } from '../numeric/singular_values';
import { allocate, elementCount, type Tensor } from '../tensor';
import { groupsOf } from './groups';

export interface NormKind {
  readonly ord: number | string | null;
  /** Counted from the front; all axes are one vector where `ord` is null. */
  readonly axes: readonly number[];
}

type Reducer = (values: Float64Array) => number;

/** Real numbers on their way: a shape and values. */
interface Numbers {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

/** @throws Error for singular values of complex matrices */
export function norm(x: Tensor, { ord, axes }: NormKind, out: ConcreteType): Tensor {
  const real = out.dtype === 'complex64' ? 'float32' : out.dtype;
  const round = rounder(real);
  const sum: Reducer = v => round(v.reduce((a, b) => a + b, 0));
  const largest: Reducer = v => v.reduce((a, b) => (Number.isNaN(a) || a > b ? a : b), Number.NEGATIVE_INFINITY);
  const smallest: Reducer = v => v.reduce((a, b) => (Number.isNaN(a) || a < b ? a : b), Number.POSITIVE_INFINITY);
  const length: Reducer = v => round(Math.sqrt(sum(v.map(a => round(a * a)))));
  const extremum = (sign: number): Reducer => (sign > 0 ? largest : smallest);

  const vector = (p: number): Reducer => {
    if (p === 2) return length;
    if (!Number.isFinite(p)) return extremum(p);
    if (p === 0) return v => v.reduce((n, a) => n + Number(a !== 0), 0);
    if (p === 1) return sum;
    return v => round(sum(v.map(a => round(a ** p))) ** (1 / p));
  };

  const magnitudes = magnitudesOf(x, round);
  if (ord === null || ord === 'f' || ord === 'fro') return filled(out, reduceOver(magnitudes, axes, length));
  if (axes.length === 1) return filled(out, reduceOver(magnitudes, axes, vector(ord as number)));
  if (ord === 'nuc' || Math.abs(ord as number) === 2) {
    if (x.dtype === 'complex64') throw new Error('singular values of complex matrices have no kernel');
    const of: Reducer = ord === 'nuc' ? sum : extremum(ord as number);
    return filled(
      out,
      spectra(numbersOf(x), axes, values => of(Float64Array.from(values, round))),
    );
  }
  // The largest or smallest sum along one axis: that of the columns for 1, of the rows for infinity.
  const [first, second] = Math.abs(ord as number) === 1 ? axes : axes.toReversed();
  const sums = reduceOver(magnitudes, [first], sum);
  return filled(out, reduceOver(sums, [second > first ? second - 1 : second], extremum(ord as number)));
}

const numbersOf = ({ shape, data }: Tensor): Numbers => ({
  shape,
  values: Float64Array.from(data as ArrayLike<number>, Number),
});

function magnitudesOf(x: Tensor, round: (value: number) => number): Numbers {
  if (x.dtype !== 'complex64') {
    const { shape, values } = numbersOf(x);
    return { shape, values: values.map(Math.abs) };
  }
  const values = Float64Array.from({ length: elementCount(x.shape) }, (_, i) =>
    round(Math.hypot(x.data[2 * i] as number, x.data[2 * i + 1] as number)),
  );
  return { shape: x.shape, values };
}

function reduceOver({ shape, values }: Numbers, axes: readonly number[], of: Reducer): Numbers {
  const { starts, members } = groupsOf(shape, axes);
  const group = (start: number) => Float64Array.from(members, m => values[start + m]);
  return {
    shape: shape.filter((_, axis) => !axes.includes(axis)),
    values: Float64Array.from(starts, s => of(group(s))),
  };
}

/** `of` the singular values of each matrix on the two axes. */
function spectra({ shape, values }: Numbers, axes: readonly number[], of: (values: number[]) => number): Numbers {
  const [rows, columns] = axes.toSorted((a, b) => a - b);
  return reduceOver({ shape, values }, [rows, columns], matrix =>
    of(singularValues(matrix, shape[rows], shape[columns])),
  );
}

function filled({ shape, dtype }: ConcreteType, { values }: Numbers): Tensor {
  const data = allocate(dtype, elementCount(shape)) as { [i: number]: number };
  const apart = dtype === 'complex64' ? 2 : 1;
  for (const [i, value] of values.entries()) data[apart * i] = value;
  return { shape, dtype, data: data as Tensor['data'] } as Tensor;
}
