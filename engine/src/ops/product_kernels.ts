/**
 * Matrix products, computed plainly in the order of MLX's CPU build.
 *
 * A sum runs over k in sequence from zero, product and addition each rounded to float32, or to float64 for arrays of
 * it. Half precision is summed in float32 and rounded once; complex numbers by parts.
 */
import { type DType, isFloating } from '../dtype';
import { type ConcreteType, opNamed } from '../graph/op';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { allocate, elementCount, type Tensor } from '../tensor';
import { expandIndex } from './expand';
import { readBox, reshaped, stridesOf } from './positions';

const { fround } = Math;

/** The dtype in which products of arrays of `dtype` are summed. */
export const accumulator = (dtype: DType): DType => (dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype);

/**
 * For each i: matrix indexA[i] of a [..., m, k] times matrix indexB[i] of b [..., k, n], both of dtype `out.dtype`.
 * The results, one behind the other, are an array of shape `out.shape`.
 */
export function matrixProduct(a: Tensor, b: Tensor, indexA: Int32Array, indexB: Int32Array, out: ConcreteType): Tensor {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const data = allocate(out.dtype, elementCount(out.shape)) as Float32Array;
  const lanes = out.dtype === 'complex64' ? 2 : 1;
  const left = a.data as Float32Array;
  const right = b.data as Float32Array;
  const row = addRow(out.dtype, n);
  for (let i = 0; i < indexA.length; i++) {
    const [ofA, ofB, ofOut] = [indexA[i] * m * k * lanes, indexB[i] * k * n * lanes, i * m * n * lanes];
    for (let r = 0; r < m; r++)
      row(
        left.subarray(ofA + r * k * lanes, ofA + (r + 1) * k * lanes),
        right.subarray(ofB, ofB + k * n * lanes),
        data.subarray(ofOut + r * n * lanes, ofOut + (r + 1) * n * lanes),
      );
  }
  return { shape: out.shape, dtype: out.dtype as 'float32', data: data as Float32Array<ArrayBuffer> };
}

/** Writes x [k] times w [k, n] to a row of n, in which the sums grow side by side. */
type AddRow = (x: Float32Array, w: Float32Array, out: Float32Array) => void;

function addRow(dtype: DType, n: number): AddRow {
  if (dtype === 'complex64') return complexRow(n);
  const product = dtype === 'float64' ? (x: number) => x : fround;
  const sums = dtype === 'float64' ? new Float64Array(n) : new Float32Array(n); // storing rounds
  const round = rounder(dtype);
  return (x, w, out) => {
    sums.fill(0);
    for (let k = 0; k < x.length; k++) {
      const value = x[k];
      const start = k * n;
      for (let j = 0; j < n; j++) sums[j] += product(value * w[start + j]);
    }
    for (let j = 0; j < n; j++) out[j] = round(sums[j]);
  };
}

const complexRow =
  (n: number): AddRow =>
  (x, w, out) => {
    for (let k = 0; k < x.length; k += 2)
      for (let j = 0; j < 2 * n; j += 2) {
        const at = k * n + j;
        out[j] += fround(fround(x[k] * w[at]) - fround(x[k + 1] * w[at + 1]));
        out[j + 1] += fround(fround(x[k] * w[at + 1]) + fround(x[k + 1] * w[at]));
      }
  };

/** a @ b with leading axes broadcast and vectors taken as a row and a column; `shape` is that of the result. */
export function multiplyMatrices(a: Tensor, b: Tensor, { shape, dtype }: ConcreteType): Tensor {
  const left = a.shape.length === 1 ? [1, a.shape[0]] : a.shape;
  const right = b.shape.length === 1 ? [b.shape[0], 1] : b.shape;
  const kept = Number(a.shape.length > 1) + Number(b.shape.length > 1);
  const batch = shape.slice(0, shape.length - kept);
  return matrixProduct(
    reshaped(cast(a, dtype), left),
    reshaped(cast(b, dtype), right),
    expandIndex(left.slice(0, -2), batch),
    expandIndex(right.slice(0, -2), batch),
    { shape, dtype },
  );
}

/** The sum over axes of both, paired in order: the remaining axes of a, then those of b. */
export function contract(
  a: Tensor,
  b: Tensor,
  axesA: readonly number[],
  axesB: readonly number[],
  out: ConcreteType,
): Tensor {
  const freeA = a.shape.map((_, i) => i).filter(i => !axesA.includes(i));
  const freeB = b.shape.map((_, i) => i).filter(i => !axesB.includes(i));
  const count = (x: Tensor, axes: readonly number[]) => axes.reduce((n, axis) => n * x.shape[axis], 1);
  const k = count(a, axesA);
  const left = reshaped(transposed(cast(a, out.dtype), [...freeA, ...axesA]), [count(a, freeA), k]);
  const right = reshaped(transposed(cast(b, out.dtype), [...axesB, ...freeB]), [k, count(b, freeB)]);
  const one = Int32Array.of(0);
  return matrixProduct(left, right, one, one, out);
}

function transposed(x: Tensor, order: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return readBox(
    x,
    order.map(axis => x.shape[axis]),
    order.map(axis => strides[axis]),
  );
}

/** a · b element by element, broadcast, in dtype `out.dtype`. */
export const multiply = (a: Tensor, b: Tensor, out: ConcreteType): Tensor =>
  opNamed('multiply').kernel!([a, b], {}, [out]) as Tensor;

/** alpha · sum + beta · c, where `sum` has not been rounded to half precision yet and c broadcasts to `out`. */
export function addScaled(sum: Tensor, c: Tensor, alpha: number, beta: number, out: ConcreteType): Tensor {
  const x = cast(sum, accumulator(out.dtype)).data as Float32Array;
  const y = cast(cast(c, out.dtype), accumulator(out.dtype)).data as Float32Array;
  const data = allocate(out.dtype, elementCount(out.shape)) as Float32Array<ArrayBuffer>;
  const step = rounder(accumulator(out.dtype));
  const round = rounder(out.dtype);
  const lanes = isFloating(out.dtype) ? 1 : 2;
  const at = expandIndex(sum.shape, out.shape);
  const ofC = expandIndex(c.shape, out.shape);
  const [a, b] = [fround(alpha), fround(beta)];
  for (let i = 0; i < at.length; i++)
    for (let lane = 0; lane < lanes; lane++)
      data[i * lanes + lane] = round(step(a * x[at[i] * lanes + lane]) + step(b * y[ofC[i] * lanes + lane]));
  return { shape: out.shape, dtype: out.dtype as 'float32', data };
}
