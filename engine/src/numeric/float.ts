/**
 * The bits of single-precision floats, and C's rounding, which JavaScript's differs from.
 *
 * Every float32 step of a computation must pass through `fround`; a double result kept for one step longer is a
 * different number.
 */

export const fround = Math.fround;

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The 32 bits of `x` as float32, as an unsigned number. */
export function floatBits(x: number): number {
  float[0] = x;
  return word[0];
}

/** The float32 that has these 32 bits. */
export function fromFloatBits(bits: number): number {
  word[0] = bits;
  return float[0];
}

/** C's `rint` in the default mode: to the nearest whole number, ties to the even one; keeps the sign of zero. */
export function rint(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  if (rest === 0 || Number.isNaN(rest)) return x; // whole already, infinite or NaN
  const rounded = rest < 0.5 ? low : rest > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1;
  return rounded === 0 && x < 0 ? -0 : rounded;
}

/** C's `(int)x` as x86 does it: towards zero; NaN and what does not fit give the least int. */
export const toInt32 = (x: number): number => (x > -2147483649 && x < 2147483648 ? Math.trunc(x) : -2147483648);

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/**
 * C's `fmaf(a, b, c)` for float32 values: a·b + c rounded once.
 *
 * The product of two float32s is exact in a double. Where the sum is not, it is rounded to odd (the lost part goes into
 * the last bit) so that the rounding to float32 that follows is the only one that counts.
 */
export function fmaf(a: number, b: number, c: number): number {
  const product = a * b;
  const sum = product + c;
  if (!Number.isFinite(sum)) return fround(sum);
  const part = sum - product;
  const lost = product - (sum - part) + (c - part);
  if (lost === 0) return fround(sum);
  double[0] = sum;
  if ((halves[0] & 1) === 0) {
    if (lost > 0 === sum > 0) halves[0] += 1;
    else {
      if (halves[0] === 0) halves[1] -= 1;
      halves[0] -= 1;
    }
  }
  return fround(double[0]);
}
