/**
 * Rounding to the half types, which are held as float32: to nearest, ties to even.
 */

export const FLOAT32: i32 = 0;
export const BFLOAT16: i32 = 1;
export const FLOAT16: i32 = 2;

/** To nearest, ties to even, at bit `drop` of float32: half an ulp, less one bit where the kept part is even. */
@inline
function dropBits(x: v128, drop: i32): v128 {
  const odd = v128.and(i32x4.shr_u(x, drop), i32x4.splat(1));
  const up = i32x4.add(i32x4.add(x, i32x4.splat((1 << (drop - 1)) - 1)), odd);
  return v128.and(up, i32x4.splat(-(1 << drop)));
}

/** `dtype` is BFLOAT16 or FLOAT16, a constant after inlining. A NaN of a half type stays one: its low bits are 0. */
@inline
export function round(x: v128, dtype: i32): v128 {
  if (dtype == BFLOAT16) return dropBits(x, 16);
  const size = f32x4.abs(x);
  const sign = v128.and(x, i32x4.splat(0x80000000));
  let rounded = dropBits(size, 13);
  // below 2^-14 the spacing stays 2^-24, which is what float32 has next to 0.5
  const half = f32x4.splat(0.5);
  const small = f32x4.sub(f32x4.add(size, half), half);
  rounded = v128.bitselect(small, rounded, f32x4.lt(size, f32x4.splat(0.00006103515625)));
  // 65504 is the largest; what rounds to 65536 is infinite. NaN compares false and passes through.
  rounded = v128.bitselect(f32x4.splat(f32(Infinity)), rounded, f32x4.ge(rounded, f32x4.splat(65536)));
  return v128.or(rounded, sign);
}

/** NaN of float32 may carry low bits that rounding would turn into infinity or a number: all become the plain one. */
@inline
function quiet(x: v128): v128 {
  return v128.bitselect(x, i32x4.splat(0x7fc00000), f32x4.eq(x, x));
}

/** Rounds `count` floats in place, reading and writing up to three beyond them. */
export function roundAll(x: usize, count: usize, dtype: i32): void {
  const end = x + count * 4;
  if (dtype == BFLOAT16) for (; x < end; x += 16) v128.store(x, round(quiet(v128.load(x)), BFLOAT16));
  else if (dtype == FLOAT16) for (; x < end; x += 16) v128.store(x, round(quiet(v128.load(x)), FLOAT16));
}
