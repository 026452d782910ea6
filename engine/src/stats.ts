/**
 * What is worth knowing of an array's values at a glance: range, moments, what is not finite, a histogram, some values.
 */
import { isInexact } from './dtype';
import type { Tensor } from './tensor';

export interface Histogram {
  /** Edges of the first and the last bin. */
  readonly from: number;
  readonly to: number;
  readonly counts: readonly number[];
}

/** Of the finite values; null where there are none. Of complex numbers, of their magnitudes. */
export interface Statistics {
  /** Elements, finite or not. */
  readonly count: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  /** Over all of them (ddof 0), as `mx.std`. */
  readonly std: number | null;
  readonly nanCount: number;
  /** Infinite ones of either sign. */
  readonly infCount: number;
  readonly histogram: Histogram | null;
}

/** The i-th element as a number: the magnitude of a complex one, 0 or 1 for a bool. */
function numberReader({ dtype, data }: Tensor): (i: number) => number {
  if (dtype === 'complex64') return i => Math.hypot(data[2 * i] as number, data[2 * i + 1] as number);
  if (dtype === 'int64' || dtype === 'uint64') return i => Number(data[i]);
  return i => data[i] as number;
}

/** Statistics over all elements, with a histogram of `bins` equal bins. */
export function statistics(x: Tensor, bins = 40): Statistics {
  const count = x.dtype === 'complex64' ? x.data.length / 2 : x.data.length;
  const read = numberReader(x);
  let [nanCount, infCount, finite] = [0, 0, 0];
  let [min, max] = [Infinity, -Infinity];
  // Welford's recurrence: stable for values far from zero, where sums of squares cancel
  let [mean, squares] = [0, 0];
  for (let i = 0; i < count; i++) {
    const value = read(i);
    if (Number.isNaN(value)) nanCount++;
    else if (value === Infinity || value === -Infinity) infCount++;
    else {
      finite++;
      if (value < min) min = value;
      if (value > max) max = value;
      const step = value - mean;
      mean += step / finite;
      squares += step * (value - mean);
    }
  }
  if (finite === 0) return { count, min: null, max: null, mean: null, std: null, nanCount, infCount, histogram: null };
  const std = Math.sqrt(squares / finite);
  return { count, min, max, mean, std, nanCount, infCount, histogram: histogram(read, count, min, max, bins) };
}

/** A single value gets a range around it, of width 1 unless that were nothing beside it. */
function histogram(read: (i: number) => number, count: number, min: number, max: number, bins: number): Histogram {
  const reach = Math.max(0.5, Math.abs(min) * 2 ** -20);
  const [from, to] =
    min < max ? [min, max] : [Math.max(-Number.MAX_VALUE, min - reach), Math.min(Number.MAX_VALUE, max + reach)];
  const counts = new Array<number>(bins).fill(0);
  // halved first: the width of the full float64 range is not finite
  const width = to / 2 - from / 2;
  for (let i = 0; i < count; i++) {
    const value = read(i);
    if (!Number.isFinite(value)) continue;
    counts[Math.min(bins - 1, Math.floor(((value / 2 - from / 2) / width) * bins))]++;
  }
  return { from, to, counts };
}

/** A nested list as `tolist()` would give it; `…` where it was cut. */
export type Preview = number | boolean | string | readonly Preview[];

const CUT = '…';

/**
 * The first and last `edge` entries along each axis, nested; at most some 1,000 elements whatever the rank. 64-bit
 * integers beyond 2^53 and complex numbers are text, what is not finite too: so it survives JSON.
 */
export function preview(x: Tensor, edge = 3): Preview {
  const room = Math.max(1, Math.min(edge, Math.floor(1000 ** (1 / Math.max(1, x.shape.length)) / 2)));
  const build = (axis: number, offset: number): Preview => {
    if (axis === x.shape.length) return element(x, offset);
    const length = x.shape[axis];
    const stride = x.shape.slice(axis + 1).reduce((n, d) => n * d, 1);
    const entry = (i: number): Preview => build(axis + 1, offset + i * stride);
    const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => entry(from + i));
    return length <= 2 * room ? range(0, length) : [...range(0, room), CUT, ...range(length - room, length)];
  };
  return build(0, 0);
}

function element({ dtype, data }: Tensor, i: number): number | boolean | string {
  if (dtype === 'complex64') {
    const [re, im] = [data[2 * i] as number, data[2 * i + 1] as number];
    return `${re}${im < 0 || Object.is(im, -0) ? '' : '+'}${Object.is(im, -0) ? '-0' : im}j`;
  }
  const value = data[i];
  if (dtype === 'bool') return value !== 0;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  return isInexact(dtype) && !Number.isFinite(value)
    ? Number.isNaN(value)
      ? 'nan'
      : value > 0
        ? 'inf'
        : '-inf'
    : value;
}

/** Up to `limit` values in row-major order, from element `start`. */
export function slice(x: Tensor, start = 0, limit = 1000): (number | boolean | string)[] {
  const count = x.dtype === 'complex64' ? x.data.length / 2 : x.data.length;
  const length = Math.max(0, Math.min(limit, count - start));
  return Array.from({ length }, (_, i) => element(x, start + i));
}
