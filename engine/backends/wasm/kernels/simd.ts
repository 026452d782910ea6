/**
 * The few vector helpers every kernel shares (AssemblyScript, not TypeScript: see scripts/build-wasm.mjs).
 *
 * One source gives two builds. `exact` rounds every product and every sum, as MLX's CPU build does, so its results are
 * MLX's to the last bit; `fast` fuses each pair into one relaxed-SIMD instruction, which is up to twice as fast and
 * differs in the last bits.
 */

/** a * b + c: ASC_FEATURE_RELAXED_SIMD is a compile-time constant, so the other branch disappears. */
@inline
export function multiplyAdd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/** Four 32-bit values from four places, one a lane. */
@inline
export function gather(p0: usize, p1: usize, p2: usize, p3: usize): v128 {
  let v = v128.load32_zero(p0);
  v = v128.load32_lane(p1, v, 1);
  v = v128.load32_lane(p2, v, 2);
  return v128.load32_lane(p3, v, 3);
}

/** Eight floats at `p`. */
@inline
export function storePair(p: usize, low: v128, high: v128): void {
  v128.store(p, low);
  v128.store(p, high, 16);
}
