/**
 * Affine quantization as MLX's CPU build does it: w ≈ scale · code + bias, with codes of 1 to 8 bits.
 *
 * The edge of a group that is larger in magnitude is represented exactly, and so is zero where it lies between the
 * edges. Scale and bias take part in float32 and are rounded to the dtype of the weights only when stored.
 */
import type { DType } from '../dtype';
import { fround, rint } from '../numeric/float';
import { rounder } from '../numeric/round';

export interface AffineCodes {
  /** One code an element. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** One a group, values of the weights' dtype. */
  readonly scales: Float32Array<ArrayBuffer>;
  readonly biases: Float32Array<ArrayBuffer>;
}

const LEAST_SCALE = fround(1e-7);

/** Quantizes consecutive groups of `groupSize` values of dtype `dtype`; their number must be whole. */
export function affineQuantize(w: Float32Array, groupSize: number, bits: number, dtype: DType): AffineCodes {
  const round = rounder(dtype);
  const groups = w.length / groupSize;
  const codes = new Uint8Array(w.length);
  const scales = new Float32Array(groups);
  const biases = new Float32Array(groups);
  const largest = 2 ** bits - 1;
  for (let group = 0; group < groups; group++) {
    const start = group * groupSize;
    const { scale, bias } = fitGroup(w.subarray(start, start + groupSize), bits, largest);
    for (let i = start; i < start + groupSize; i++) {
      const code = rint(fround(fround(w[i] - bias) / scale));
      codes[i] = Math.max(0, Math.min(code, largest)); // NaN is stored as 0
    }
    scales[group] = round(scale);
    biases[group] = round(bias);
  }
  return { codes, scales, biases };
}

/** Scale and bias of a group, in float32. */
function fitGroup(w: Float32Array, bits: number, largest: number): { scale: number; bias: number } {
  let min = Infinity;
  let max = -Infinity;
  for (const value of w) {
    if (value > max) max = value;
    if (value < min) min = value; // NaN takes no part
  }
  const range = fround(max - min);
  if (bits === 1) return { scale: atLeast(LEAST_SCALE, range), bias: min };
  const step = atLeast(LEAST_SCALE, fround(range / largest));
  const fromMin = Math.abs(min) > Math.abs(max);
  const scale = fromMin ? step : -step;
  const edge = fromMin ? min : max;
  const edgeCode = rint(fround(edge / scale));
  return edgeCode === 0 ? { scale, bias: 0 } : { scale: fround(edge / edgeCode), bias: edge };
}

/** The greater; NaN stays NaN. */
const atLeast = (least: number, x: number): number => Math.max(least, x);

/** The values of codes, in `dtype`: the product and the sum are rounded to it. */
export function affineDequantize(
  { codes, scales, biases }: AffineCodes,
  groupSize: number,
  dtype: DType,
): Float32Array<ArrayBuffer> {
  const round = rounder(dtype);
  const out = new Float32Array(codes.length);
  for (let group = 0; group < scales.length; group++) {
    const scale = scales[group];
    const bias = biases[group];
    const end = (group + 1) * groupSize;
    for (let i = group * groupSize; i < end; i++) out[i] = round(round(codes[i] * scale) + bias);
  }
  return out;
}
