/**
 * Writing elements into a copy of an array, over what is there or combined with it.
 */
import { type DType, isFloating, isInteger } from '../dtype';
import { rounder } from '../numeric/round';
import type { Tensor } from '../tensor';
import { type Elements, width } from './positions';

/** What becomes of the old element; `divide` multiplies by the reciprocal, as MLX does. */
export type UpdateMode = 'set' | 'add' | 'subtract' | 'multiply' | 'divide' | 'maximum' | 'minimum';

/** `x` with `values` put at `positions` in order, or combined with what is there. */
export function writeAt(x: Tensor, values: Tensor, positions: Int32Array, mode: UpdateMode): Tensor {
  const data = x.data.slice() as Tensor['data'];
  const lanes = width(x);
  const [to, from] = [data as Elements, values.data as Elements];
  if (lanes === 2 && (mode === 'multiply' || mode === 'divide')) {
    multiplyComplex(data as Float32Array, values.data as Float32Array, positions, mode === 'divide');
    return { ...x, data };
  }
  const combine = mode === 'divide' && isInteger(x.dtype) ? divideWhole : COMBINE[mode];
  const round = roundTo(x.dtype);
  for (let i = 0; i < positions.length; i++)
    for (let lane = 0; lane < lanes; lane++) {
      const at = positions[i] * lanes + lane;
      to[at] = round(combine(to[at] as number, from[i * lanes + lane] as number));
    }
  return { ...x, data };
}

/** The operations work alike on numbers and on the bigints of 64-bit integers; their types do not say so. */
const COMBINE: Record<UpdateMode, (a: number, b: number) => number> = {
  set: (_, b) => b,
  add: (a, b) => a + b,
  subtract: (a, b) => a - b,
  multiply: (a, b) => a * b,
  divide: (a, b) => a * (1 / b),
  maximum: (a, b) => (less(a, b) ? b : a),
  minimum: (a, b) => (less(b, a) ? b : a),
};

const less = (a: number, b: number): boolean => a < b;
/** Whole numbers have whole reciprocals: that of anything but 1 and -1 is 0. */
const divideWhole = (a: number, b: number): number => {
  const whole = Number(b) === 1 || Number(b) === -1;
  return whole ? a * b : a - a;
};

function roundTo(dtype: DType): (x: number) => number {
  if (isFloating(dtype)) return rounder(dtype);
  if (dtype === 'bool') return x => Number(x !== 0);
  return dtype === 'int64' || dtype === 'uint64' || dtype === 'complex64' ? x => x : Math.trunc;
}

function multiplyComplex(x: Float32Array, values: Float32Array, positions: Int32Array, divide: boolean): void {
  for (let i = 0; i < positions.length; i++) {
    const at = 2 * positions[i];
    const [re, im] = [x[at], x[at + 1]];
    let [byRe, byIm] = [values[2 * i], values[2 * i + 1]];
    if (divide) {
      const size = byRe * byRe + byIm * byIm;
      [byRe, byIm] = [byRe / size, -byIm / size];
    }
    x[at] = re * byRe - im * byIm;
    x[at + 1] = re * byIm + im * byRe;
  }
}
