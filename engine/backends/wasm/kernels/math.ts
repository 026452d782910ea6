/**
 * Functions of four float32 at a time. exp and erf are MLX's own polynomials, step by step; sigmoid and tanh rest on exp.
 */
import { multiplyAdd } from './simd';

/** a * b + c rounded once, as a fused instruction does it; in the exact build through float64. */
@inline
export function fusedOnce(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return multiplyAdd(a, b, c);
  return v128.shuffle<i64>(fusedPair(a, b, c), fusedPair(upper(a), upper(b), upper(c)), 0, 2);
}

@inline
function upper(x: v128): v128 {
  return v128.shuffle<i64>(x, x, 1, 0);
}

/** The two lower lanes. The product is exact; the sum rounded twice is off only half way between two float32. */
@inline
function fusedPair(a: v128, b: v128, c: v128): v128 {
  const product = f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b));
  return f32x4.demote_f64x2_zero(f64x2.add(product, f64x2.promote_low_f32x4(c)));
}

/** e^x: 0 below -88, infinite above 88. */
@inline
export function exp4(x: v128): v128 {
  const y = f32x4.mul(x, f32x4.splat(1.44269504088896341));
  const whole = f32x4.floor(f32x4.add(y, f32x4.splat(0.5)));
  const rest = f32x4.sub(y, whole);
  let p = fusedOnce(f32x4.splat(1.5353361883195e-4), rest, f32x4.splat(1.339887440266574e-3));
  p = fusedOnce(p, rest, f32x4.splat(9.61843735767464e-3));
  p = fusedOnce(p, rest, f32x4.splat(5.550332471162809e-2));
  p = fusedOnce(p, rest, f32x4.splat(2.402264791363012e-1));
  p = fusedOnce(p, rest, f32x4.splat(6.931472028550421e-1));
  p = fusedOnce(p, rest, f32x4.splat(1));
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(whole), i32x4.splat(127)), 23);
  let result = f32x4.mul(power, p);
  result = v128.bitselect(f32x4.splat(f32(Infinity)), result, f32x4.gt(x, f32x4.splat(88)));
  result = v128.andnot(result, f32x4.lt(x, f32x4.splat(-88)));
  return v128.bitselect(result, x, f32x4.eq(x, x));
}

@inline
export function sigmoid4(x: v128): v128 {
  return f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), exp4(f32x4.neg(x))));
}

/** By an odd polynomial near zero, where the difference of exponentials would lose digits. */
@inline
export function tanh4(x: v128): v128 {
  const size = f32x4.abs(x);
  const square = f32x4.mul(x, x);
  let p = f32x4.splat(-5.70498872745e-3);
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(2.06390887954e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-5.37397155531e-2));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(1.33314422036e-1));
  p = f32x4.add(f32x4.mul(p, square), f32x4.splat(-3.33332819422e-1));
  const near = f32x4.add(f32x4.mul(f32x4.mul(p, square), x), x);
  const e = exp4(f32x4.add(size, size));
  const far = f32x4.sub(f32x4.splat(1), f32x4.div(f32x4.splat(2), f32x4.add(e, f32x4.splat(1))));
  const signed = v128.or(far, v128.and(x, i32x4.splat(0x80000000)));
  const result = v128.bitselect(near, signed, f32x4.lt(size, f32x4.splat(0.625)));
  return v128.bitselect(result, x, f32x4.eq(x, x));
}

/** Abramowitz and Stegun 7.1.26. */
@inline
export function erf4(x: v128): v128 {
  const t = f32x4.div(f32x4.splat(1), fusedOnce(f32x4.splat(0.3275911), f32x4.abs(x), f32x4.splat(1)));
  let p = fusedOnce(f32x4.splat(1.061405429), t, f32x4.splat(-1.453152027));
  p = fusedOnce(p, t, f32x4.splat(1.421413741));
  p = fusedOnce(p, t, f32x4.splat(-0.284496736));
  p = fusedOnce(p, t, f32x4.splat(0.254829592));
  const tail = f32x4.mul(f32x4.neg(exp4(f32x4.neg(f32x4.mul(x, x)))), t);
  const value = fusedOnce(tail, p, f32x4.splat(1));
  return v128.bitselect(value, f32x4.neg(value), f32x4.gt(x, f32x4.splat(0)));
}

@inline
function each(x: v128, f: i32): v128 {
  let y = f32x4.splat(single(f32x4.extract_lane(x, 0), f));
  y = f32x4.replace_lane(y, 1, single(f32x4.extract_lane(x, 1), f));
  y = f32x4.replace_lane(y, 2, single(f32x4.extract_lane(x, 2), f));
  return f32x4.replace_lane(y, 3, single(f32x4.extract_lane(x, 3), f));
}

const LOG: i32 = 0;
const LOG2: i32 = 1;
const LOG10: i32 = 2;
const LOG1P: i32 = 3;
const EXPM1: i32 = 4;
const SIN: i32 = 5;
const COS: i32 = 6;

@inline
function single(x: f32, f: i32): f32 {
  if (f == LOG) return Mathf.log(x);
  if (f == LOG2) return Mathf.log2(x);
  if (f == LOG10) return Mathf.log10(x);
  if (f == LOG1P) return Mathf.log1p(x);
  if (f == EXPM1) return Mathf.expm1(x);
  if (f == SIN) return <f32>Math.sin(<f64>x);
  return <f32>Math.cos(<f64>x);
}

@inline
export function log4(x: v128): v128 { return each(x, LOG); }
@inline
export function log2x4(x: v128): v128 { return each(x, LOG2); }
@inline
export function log10x4(x: v128): v128 { return each(x, LOG10); }
@inline
export function log1p4(x: v128): v128 { return each(x, LOG1P); }
@inline
export function expm1x4(x: v128): v128 { return each(x, EXPM1); }
@inline
export function sin4(x: v128): v128 { return each(x, SIN); }
@inline
export function cos4(x: v128): v128 { return each(x, COS); }

@inline
function power(x: f32, y: f32): f32 {
  return <f32>Math.pow(<f64>x, <f64>y);
}

@inline
export function pow4(x: v128, y: v128): v128 {
  let z = f32x4.splat(power(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0)));
  z = f32x4.replace_lane(z, 1, power(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1)));
  z = f32x4.replace_lane(z, 2, power(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2)));
  return f32x4.replace_lane(z, 3, power(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3)));
}
