/**
 * The distributions of mx.random, bit-identical to MLX's CPU build.
 *
 * Each takes the key first. Arguments that MLX broadcasts (bounds, means) are tensors; shapes have been checked by the
 * rules in ../ops/random. Every intermediate result is rounded to the dtype it has in MLX.
 */
import type { DType } from '../dtype';
import { cast } from '../numeric/cast';
import { fromFloatBits, fround } from '../numeric/float';
import { fromBfloat16Bits, fromFloat16Bits } from '../numeric/half';
import { rounder } from '../numeric/round';
import { erf, erfinv, log1pf, logf } from '../numeric/transcendental';
import { expandTo, reader } from '../ops/expand';
import { allocate, elementCount, type Tensor, tensor } from '../tensor';
import { type Key, randomWords } from './threefry';

type Shape = readonly number[];

const scalar = (value: number, dtype: DType = 'float32'): Tensor => {
  const x = tensor(dtype, []);
  (x.data as Float32Array)[0] = value;
  return x;
};

/** The largest number below 1. */
export const BELOW_ONE: Partial<Record<DType, number>> = {
  float32: fromFloatBits(0x3f7fffff),
  float16: fromFloat16Bits(0x3bff),
  bfloat16: fromBfloat16Bits(0x3f7f),
};
const ZERO = scalar(0);
const ONE = scalar(1);
/** The least bound of the uniform numbers that normal ones are made of. */
export const ABOVE_MINUS_ONE = scalar(fromFloatBits(0xbf7fffff));

/** Random bits as unsigned integers of `width` bytes. */
export function bits(key: Key, shape: Shape, width: 1 | 2 | 4 = 4): Tensor {
  const count = elementCount(shape);
  const words = randomWords(key, Math.ceil((count * width) / 4));
  if (width === 4) return { shape, dtype: 'uint32', data: words };
  if (width === 2) return { shape, dtype: 'uint16', data: new Uint16Array(words.buffer, 0, count) };
  return { shape, dtype: 'uint8', data: new Uint8Array(words.buffer, 0, count) };
}

/** Uniform in [low, high), in float32, float16 or bfloat16. */
export function uniform(
  key: Key,
  shape: Shape,
  low: Tensor = ZERO,
  high: Tensor = ONE,
  dtype: DType = 'float32',
): Tensor {
  const round = rounder(dtype);
  const from = reader(cast(low, dtype), shape);
  const to = reader(cast(high, dtype), shape);
  const top = BELOW_ONE[dtype]!;
  const words = randomWords(key, elementCount(shape));
  const data = new Float32Array(words.length);
  for (let i = 0; i < words.length; i++) {
    const unit = Math.min(fround(words[i]) / 2 ** 32, top);
    const start = from(i);
    data[i] = round(round(round(to(i) - start) * round(unit)) + start);
  }
  return { shape, dtype: dtype as 'float32', data };
}

/** erfinv of uniform numbers in (-1, 1): normal numbers over √2. Float32 whatever the dtype of what is made of them. */
function unscaledNormal(key: Key, shape: Shape): Float32Array {
  const { data } = uniform(key, shape, ABOVE_MINUS_ONE, ONE) as Tensor<'float32'>;
  for (let i = 0; i < data.length; i++) data[i] = erfinv(data[i]);
  return data;
}

/**
 * Normal with the given mean and standard deviation, which may be left out (then they take no part in the rounding).
 * `shape` is that of the result; `drawn` that of the random numbers, where `loc` or `scale` have more axes.
 */
export function normal(
  key: Key,
  shape: Shape,
  dtype: DType = 'float32',
  loc?: Tensor,
  scale?: Tensor,
  drawn: Shape = shape,
): Tensor {
  if (dtype === 'complex64') return complexNormal(key, shape, loc, scale, drawn);
  const round = rounder(dtype);
  const samples = reader({ shape: drawn, dtype: 'float32', data: unscaledNormal(key, drawn) }, shape);
  const root = round(Math.SQRT2);
  const spread = scale && reader(cast(scale, dtype), shape);
  const mean = loc && reader(cast(loc, dtype), shape);
  const data = allocate(dtype, elementCount(shape)) as Float32Array;
  for (let i = 0; i < data.length; i++) {
    let value = round((spread ? round(root * spread(i)) : root) * round(samples(i)));
    if (mean) value = round(mean(i) + value);
    data[i] = value;
  }
  return { shape, dtype: dtype as 'float32', data };
}

function complexNormal(
  key: Key,
  shape: Shape,
  loc: Tensor | undefined,
  scale: Tensor | undefined,
  drawn: Shape,
): Tensor {
  const samples = expandTo({ shape: drawn, dtype: 'complex64', data: unscaledNormal(key, [...drawn, 2]) }, shape)
    .data as Float32Array;
  const factors = scale && (expandTo(cast(scale, 'complex64'), shape).data as Float32Array);
  const means = loc && (expandTo(cast(loc, 'complex64'), shape).data as Float32Array);
  const data = new Float32Array(2 * elementCount(shape));
  for (let i = 0; i < data.length; i += 2) {
    let re = samples[i];
    let im = samples[i + 1];
    if (factors) {
      const [a, b] = [factors[i], factors[i + 1]];
      [re, im] = [fround(fround(a * re) - fround(b * im)), fround(fround(a * im) + fround(b * re))];
    }
    data[i] = means ? fround(means[i] + re) : re;
    data[i + 1] = means ? fround(means[i + 1] + im) : im;
  }
  return { shape, dtype: 'complex64', data };
}

/** Normal, cut off at `lower` and `upper`. */
export function truncatedNormal(
  key: Key,
  shape: Shape,
  lower: Tensor,
  upper: Tensor,
  dtype: DType = 'float32',
): Tensor {
  const round = rounder(dtype);
  const root = round(Math.SQRT2);
  const low = cast(lower, dtype) as Tensor<'float32'>;
  const high = cast(upper, dtype) as Tensor<'float32'>;
  const cumulative = (x: Tensor<'float32'>): Tensor => ({ ...x, data: x.data.map(v => round(erf(round(v / root)))) });
  const out = uniform(key, shape, cumulative(low), cumulative(high), dtype) as Tensor<'float32'>;
  const least = reader(low, shape);
  const most = reader(high, shape);
  for (let i = 0; i < out.data.length; i++) {
    const value = round(root * round(erfinv(out.data[i])));
    out.data[i] = maximum(minimum(most(i), value), least(i));
  }
  return out;
}

/** The smaller; NaN if either is. */
const minimum = (a: number, b: number): number => (Number.isNaN(a) || a < b ? a : b);
const maximum = (a: number, b: number): number => (Number.isNaN(a) || a > b ? a : b);

/** Whole numbers in [low, high), of an integer dtype or bool. */
export function randint(key: Key, shape: Shape, low: Tensor, high: Tensor, dtype: DType = 'int32'): Tensor {
  const drawn = uniform(key, shape, low, high) as Tensor<'float32'>;
  const out = cast({ ...drawn, data: drawn.data.map(Math.floor) }, dtype);
  // the bounds may not be float32 values, so that the draw could lie outside
  const most = expandInteger(cast(minusOne(high), dtype), shape);
  const least = expandInteger(cast(low, dtype), shape);
  const data = out.data as { [i: number]: number | bigint };
  for (let i = 0; i < out.data.length; i++) {
    if (most(i) < data[i]) data[i] = most(i);
    if (data[i] < least(i)) data[i] = least(i);
  }
  return out;
}

function minusOne(x: Tensor): Tensor {
  const out = allocate(x.dtype, x.data.length);
  for (let i = 0; i < out.length; i++)
    (out as { [i: number]: number | bigint })[i] =
      typeof x.data[i] === 'bigint' ? (x.data[i] as bigint) - 1n : (x.data[i] as number) - 1;
  return { ...x, data: out } as Tensor;
}

function expandInteger(x: Tensor, shape: Shape): (i: number) => number | bigint {
  const { data } = expandTo(x, shape);
  return i => data[i];
}

/** True with probability `p`, a float array. */
export function bernoulli(key: Key, shape: Shape, p: Tensor): Tensor {
  // compared on the scale of the bits, and in float32 unless p is float64
  const round = p.dtype === 'float64' ? (x: number) => x : fround;
  const chance = reader(p, shape);
  const words = randomWords(key, elementCount(shape));
  const data = new Uint8Array(words.length);
  const upper = fromFloatBits(0x4f800001); // the float32 after 2^32, so that p = 1 is always true
  for (let i = 0; i < data.length; i++) data[i] = round(words[i]) < round(chance(i) * upper) ? 1 : 0;
  return { shape, dtype: 'bool', data };
}

/** Standard Gumbel: -log(-log u). */
export function gumbel(key: Key, shape: Shape, dtype: DType = 'float32'): Tensor {
  const round = rounder(dtype);
  const out = uniform(key, shape, ZERO, ONE, dtype) as Tensor<'float32'>;
  for (let i = 0; i < out.data.length; i++) out.data[i] = -round(logf(-round(logf(out.data[i]))));
  return out;
}

/** Laplace with location and scale, in any floating dtype. */
export function laplace(key: Key, shape: Shape, dtype: DType = 'float32', loc = 0, scale = 1): Tensor {
  const round = rounder(dtype);
  const { data: drawn } = uniform(key, shape, ABOVE_MINUS_ONE, ONE);
  const data = allocate(dtype, drawn.length) as Float32Array;
  for (let i = 0; i < data.length; i++) {
    const u = drawn[i] as number;
    // float64 alone widens the float32 draw before the logarithm
    const tail = dtype === 'float64' ? Math.log1p(-Math.abs(u)) : log1pf(-Math.abs(u));
    let value = round(Math.sign(u) * tail);
    if (scale !== 1) value = round(round(fround(scale)) * value);
    if (loc !== 0) value = round(round(fround(loc)) + value);
    data[i] = value;
  }
  return { shape, dtype: dtype as 'float32', data };
}

/** The numbers 0 to n - 1 in random order: the order that sorts as many random words. */
export function permutation(key: Key, n: number): Tensor<'uint32'> {
  const words = randomWords(key, n);
  const order = Uint32Array.from(words, (_, i) => i);
  order.sort((i, j) => words[i] - words[j] || i - j);
  return { shape: [n], dtype: 'uint32', data: order };
}
