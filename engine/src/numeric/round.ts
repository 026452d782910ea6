/**
 * Rounding to a floating dtype: what stands between two steps of a computation in that dtype.
 */
import type { DType } from '../dtype';
import { roundToBfloat16, roundToFloat16 } from './half';

const ROUNDERS: Partial<Record<DType, (x: number) => number>> = {
  float16: roundToFloat16,
  bfloat16: roundToBfloat16,
  float32: Math.fround,
  complex64: Math.fround,
  float64: x => x,
};

/**
 * The function that rounds to `dtype`, for loops. Half precision rounds from float32, as MLX does: a double is first
 * rounded to float32.
 * @throws Error when `dtype` is not floating or complex (where it rounds each part).
 */
export function rounder(dtype: DType): (x: number) => number {
  const round = ROUNDERS[dtype];
  if (!round) throw new Error(`no rounding to ${dtype}`);
  return round;
}

/** `x` rounded to `dtype`. */
export const roundTo = (dtype: DType, x: number): number => rounder(dtype)(x);
