/**
 * How far two results of the same computation are apart: what the panels show beside a GPU result, and what tests
 * measure backends by.
 */
import type { Tensor } from '../src/tensor';

export interface Parity {
  /** The largest |a - b|; NaN where only one of the two is a number. */
  readonly absolute: number;
  /** The largest |a - b| / |b| over elements where b is not 0. */
  readonly relative: number;
  /** Where the absolute difference is largest: a position in the flattened arrays, -1 where there is none. */
  readonly at: number;
  /** The largest finite |b|, to judge the absolute difference by. */
  readonly scale: number;
}

/**
 * Compares `a` with `b`, which is taken as right. Equal infinities and two NaN are no difference.
 * @throws Error for different shapes or dtypes
 */
export function parity(a: Tensor, b: Tensor): Parity {
  if (a.dtype !== b.dtype || a.shape.join() !== b.shape.join())
    throw new Error(`${a.dtype}[${a.shape}] and ${b.dtype}[${b.shape}] cannot be compared`);
  let absolute = 0;
  let relative = 0;
  let at = -1;
  let scale = 0;
  for (let i = 0; i < b.data.length; i++) {
    const [x, y] = [Number(a.data[i]), Number(b.data[i])];
    if (Number.isFinite(y)) scale = Math.max(scale, Math.abs(y));
    if (Object.is(x, y) || x === y) continue;
    const difference = Math.abs(x - y);
    if (!(difference <= absolute) && !Number.isNaN(absolute)) [absolute, at] = [difference, i];
    if (y !== 0) relative = Math.max(relative, difference / Math.abs(y));
  }
  return { absolute, relative, at, scale };
}
