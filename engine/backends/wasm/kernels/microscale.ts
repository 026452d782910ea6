/**
 * Quantization to the microscaled formats, once the host has chosen each group's scale: bit for bit as
 * engine/src/quantize/microscaling encodes.
 */
import { BFLOAT16, FLOAT16, round } from './round';

/** The largest magnitude of each group; NaN where a value is. `groupSize` is a multiple of 4. */
export function groupMaxima(w: usize, out: usize, groups: usize, groupSize: usize): void {
  for (let g: usize = 0; g < groups; g++) {
    let most = f32x4.splat(0);
    for (let i: usize = 0; i < groupSize; i += 4, w += 16) most = f32x4.max(most, f32x4.abs(v128.load(w)));
    most = f32x4.max(most, v128.shuffle<i64>(most, most, 1, 0));
    most = f32x4.max(most, v128.shuffle<i32>(most, most, 1, 0, 3, 2));
    store<f32>(out + g * 4, f32x4.extract_lane(most, 0));
  }
}

@inline
function quotient(w: usize, divisor: v128, dtype: i32): v128 {
  const q = f32x4.div(v128.load(w), divisor);
  if (dtype == 0) return q;
  // rounding leaves one NaN, without a sign
  return v128.bitselect(round(q, dtype), i32x4.splat(0x7fc00000), f32x4.eq(q, q));
}

/** Four e4m3 codes, one a lane: to nearest, ties to even; 448 and more, and NaN, are 448. */
@inline
function fp8(x: v128): v128 {
  const sign = v128.and(i32x4.shr_u(x, 24), i32x4.splat(0x80));
  const size = f32x4.abs(x);
  const odd = v128.and(i32x4.shr_u(size, 20), i32x4.splat(1));
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(size, i32x4.splat(0x7ffff)), odd), 20);
  const normal = i32x4.sub(rounded, i32x4.splat(120 << 3));
  const small = i32x4.trunc_sat_f32x4_s(f32x4.nearest(f32x4.mul(size, f32x4.splat(512))));
  let code = v128.bitselect(small, normal, f32x4.lt(size, f32x4.splat(0.015625)));
  code = v128.bitselect(code, i32x4.splat(0x7e), f32x4.lt(size, f32x4.splat(448)));
  return v128.or(code, sign);
}

@inline
function encode(w: usize, out: usize, divisors: usize, groups: usize, groupSize: usize, dtype: i32): void {
  for (let g: usize = 0; g < groups; g++) {
    const divisor = v128.load32_splat(divisors + g * 4);
    for (let i: usize = 0; i < groupSize; i += 16, w += 64, out += 16) {
      const low = i16x8.narrow_i32x4_u(fp8(quotient(w, divisor, dtype)), fp8(quotient(w + 16, divisor, dtype)));
      const high = i16x8.narrow_i32x4_u(fp8(quotient(w + 32, divisor, dtype)), fp8(quotient(w + 48, divisor, dtype)));
      v128.store(out, i8x16.narrow_i16x8_u(low, high));
    }
  }
}

/** e4m3 codes of each value over its group's divisor, a byte each. `groupSize` is a multiple of 16. */
export function encodeFp8(w: usize, out: usize, divisors: usize, groups: usize, groupSize: usize, dtype: i32): void {
  if (dtype == BFLOAT16) encode(w, out, divisors, groups, groupSize, BFLOAT16);
  else if (dtype == FLOAT16) encode(w, out, divisors, groups, groupSize, FLOAT16);
  else encode(w, out, divisors, groups, groupSize, 0);
}
