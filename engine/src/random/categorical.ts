/**
 * Sampling from logits. MLX has two ways, which draw different numbers: the largest of logit + Gumbel noise, and, where
 * one distribution is sampled into a shape, inversion of its cumulative sum.
 */
import { promote } from '../dtype';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { expf } from '../numeric/transcendental';
import { reader } from '../ops/expand';
import { elementCount, type Tensor } from '../tensor';
import { gumbel, uniform } from './distributions';
import type { Key } from './threefry';

/**
 * Indices along `axis` of `logits`, one for each element of `shape`, to which the other axes of the logits broadcast.
 * @throws Error for complex logits, whose order MLX does not define.
 */
export function categorical(key: Key, logits: Tensor, axis: number, shape: readonly number[]): Tensor<'uint32'> {
  if (logits.dtype === 'complex64') throw new Error('categorical: complex logits have no order');
  const count = logits.shape[axis];
  if (count > 0 && elementCount(logits.shape) === count && shape.length > 0)
    return inverseCdf(key, logits, count, shape);

  const at = axis + shape.length - logits.shape.length + 1;
  const full = [...shape.slice(0, at), count, ...shape.slice(at)];
  const noise = gumbel(key, full).data as Float32Array;
  const logit = reader(logits, full);
  const round = rounder(promote('float32', logits.dtype)!);
  const inner = elementCount(shape.slice(at));
  const data = new Uint32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const start = Math.floor(i / inner) * inner * count + (i % inner);
    let best = -Infinity;
    for (let j = 0; j < count; j++) {
      const k = start + j * inner;
      const value = round(noise[k] + logit(k));
      if (value > best) {
        best = value;
        data[i] = j;
      }
    }
  }
  return { shape, dtype: 'uint32', data };
}

function inverseCdf(key: Key, logits: Tensor, count: number, shape: readonly number[]): Tensor<'uint32'> {
  const dtype = promote('float32', logits.dtype)!;
  const round = rounder(dtype);
  const exp = dtype === 'float64' ? Math.exp : expf;
  const x = cast(logits, dtype).data as Float32Array;
  let largest = -Infinity;
  for (const value of x) if (value > largest || Number.isNaN(value)) largest = value;
  const before = new Float64Array(count);
  let total = 0;
  for (let j = 0; j < count; j++) {
    before[j] = total;
    // with an infinite maximum the maximal entries are equally likely
    const weight = Math.abs(largest) === Infinity ? Number(x[j] === largest) : exp(round(x[j] - largest));
    total = round(total + weight);
  }
  const draws = uniform(key, shape).data as Float32Array;
  const data = new Uint32Array(draws.length);
  for (let i = 0; i < data.length; i++) data[i] = countUpTo(before, round(draws[i] * total)) - 1;
  return { shape, dtype: 'uint32', data };
}

/** How many of the sorted numbers are at most `x`. */
function countUpTo(sorted: Float64Array, x: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
