/**
 * Random words, uniform and normal numbers, bit for bit those of engine/src/random: four or two lanes at a time.
 *
 * The constants of the logarithm are in a table that the host passes (see ../random.ts), so that they stand once.
 */
import { BFLOAT16, FLOAT16, round } from './round';

const PARITY: u32 = 0x1bd11bda;

@inline
function turn(x: v128, y: v128, by: i32): v128 {
  return v128.xor(v128.or(i32x4.shl(y, by), i32x4.shr_u(y, 32 - by)), x);
}

let x: v128 = i32x4.splat(0);
let y: v128 = i32x4.splat(0);

/** Threefry2x32 with 20 rounds of four counter pairs; the hashes are left in x and y. */
@inline
function hash(k0: u32, k1: u32, c0: v128, c1: v128): void {
  const k2 = k0 ^ k1 ^ PARITY;
  const keys0 = i32x4.splat(k0), keys1 = i32x4.splat(k1), keys2 = i32x4.splat(k2);
  let a = i32x4.add(c0, keys0);
  let b = i32x4.add(c1, keys1);
  for (let r = 0; r < 5; r++) {
    if ((r & 1) == 0) {
      a = i32x4.add(a, b); b = turn(a, b, 13);
      a = i32x4.add(a, b); b = turn(a, b, 15);
      a = i32x4.add(a, b); b = turn(a, b, 26);
      a = i32x4.add(a, b); b = turn(a, b, 6);
    } else {
      a = i32x4.add(a, b); b = turn(a, b, 17);
      a = i32x4.add(a, b); b = turn(a, b, 29);
      a = i32x4.add(a, b); b = turn(a, b, 16);
      a = i32x4.add(a, b); b = turn(a, b, 24);
    }
    const phase = r % 3;
    a = i32x4.add(a, phase == 0 ? keys1 : phase == 1 ? keys2 : keys0);
    b = i32x4.add(i32x4.add(b, phase == 0 ? keys2 : phase == 1 ? keys0 : keys1), i32x4.splat(r + 1));
  }
  x = a;
  y = b;
}

/**
 * Words of a result of `count`, which the hashes `from` to `to` give: two each, one for each half. There are
 * (count + 1) / 2 hashes; `from` is a multiple of 4.
 */
export function randomWords(k0: u32, k1: u32, count: usize, out: usize, from: usize, to: usize): void {
  const half = count >> 1;
  const second = count - half;
  const end = min(half, to);
  const lanes = i32x4(0, 1, 2, 3);
  let i = from;
  for (; i + 4 <= end; i += 4) {
    const c = i32x4.add(i32x4.splat(<i32>i), lanes);
    hash(k0, k1, c, i32x4.add(c, i32x4.splat(<i32>second)));
    v128.store(out + i * 4, x);
    v128.store(out + (second + i) * 4, y);
  }
  for (; i < end; i++) {
    hash(k0, k1, i32x4.splat(<i32>i), i32x4.splat(<i32>(second + i)));
    store<u32>(out + i * 4, i32x4.extract_lane(x, 0));
    store<u32>(out + (second + i) * 4, i32x4.extract_lane(y, 0));
  }
  if (second > half && to > half) {
    hash(k0, k1, i32x4.splat(<i32>half), i32x4.splat(0));
    store<u32>(out + half * 4, i32x4.extract_lane(x, 0));
  }
}

/** Words to numbers in [low, low + range), in place; `top` is the largest number below 1 of the dtype. */
export function uniforms(p: usize, count: usize, low: f32, range: f32, top: f32, dtype: i32): void {
  if (dtype == BFLOAT16) uniformsOf(p, count, low, range, top, BFLOAT16);
  else if (dtype == FLOAT16) uniformsOf(p, count, low, range, top, FLOAT16);
  else uniformsOf(p, count, low, range, top, 0);
}

@inline
function rounded(v: v128, dtype: i32): v128 {
  return dtype == 0 ? v : round(v, dtype);
}

@inline
function uniformsOf(p: usize, count: usize, low: f32, range: f32, top: f32, dtype: i32): void {
  const end = p + count * 4;
  const lows = f32x4.splat(low), ranges = f32x4.splat(range), tops = f32x4.splat(top);
  const unit = f32x4.splat(<f32>(1.0 / 4294967296.0));
  for (; p < end; p += 16) {
    const u = f32x4.pmin(tops, f32x4.mul(f32x4.convert_i32x4_u(v128.load(p)), unit));
    const scaled = rounded(f32x4.mul(ranges, rounded(u, dtype)), dtype);
    v128.store(p, rounded(f32x4.add(scaled, lows), dtype));
  }
}

// ---- normal numbers ---------------------------------------------------------------------------------------------------

/** Two products and sums of float32 values held as float64, rounded once to float32 (and held as float64 again). */
@inline
function fused(a: v128, b: v128, c: v128): v128 {
  const product = f64x2.mul(a, b);
  const sum = f64x2.add(product, c);
  // Rounding twice differs from rounding once only where the first lands half way between two float32.
  const tie = i64x2.eq(v128.and(sum, i64x2.splat(0x1fffffff)), i64x2.splat(0x10000000));
  if (v128.any_true(tie)) return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(toOdd(product, c, sum)));
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(sum));
}

/** The sum with what rounding it lost put into its last bit, so that no tie is false. */
function toOdd(product: v128, c: v128, sum: v128): v128 {
  const part = f64x2.sub(sum, product);
  const lost = f64x2.add(f64x2.sub(product, f64x2.sub(sum, part)), f64x2.sub(c, part));
  const zero = f64x2.splat(0);
  const even = i64x2.eq(v128.and(sum, i64x2.splat(1)), i64x2.splat(0));
  const inexact = v128.and(f64x2.ne(lost, zero), even);
  const outward = i64x2.eq(f64x2.gt(lost, zero), f64x2.gt(sum, zero));
  const step = v128.bitselect(i64x2.splat(1), i64x2.splat(-1), outward);
  return i64x2.add(sum, v128.and(step, inexact));
}

/** Where the host put, as float64: 16 pairs of 1/c and log c, log 2, three coefficients; then both polynomials. */
let table: usize = 0;
const LN2: usize = 32 * 8;
const POLYNOMIAL: usize = 33 * 8;
const TAIL: usize = 36 * 8;
const TAIL_TERMS: usize = 9;
const MIDDLE: usize = 45 * 8;
const MIDDLE_TERMS: usize = 10;

/** log of two normal float32 in (0, 1], rounded to float32, as glibc's logf. */
@inline
function logarithms(values: v128): v128 {
  const singles = f32x4.demote_f64x2_zero(values);
  const bits = v128.and(singles, i32x4(-1, -1, 0, 0));
  const offsets = i32x4.sub(bits, i32x4.splat(0x3f330000));
  const octaves = f64x2.convert_low_i32x4_s(i32x4.shr_s(offsets, 23));
  const z = f64x2.promote_low_f32x4(i32x4.sub(bits, v128.and(offsets, i32x4.splat(0xff800000))));
  const first = table + <usize>((i32x4.extract_lane(offsets, 0) >>> 19) & 15) * 16;
  const second = table + <usize>((i32x4.extract_lane(offsets, 1) >>> 19) & 15) * 16;
  const one = v128.load(first), two = v128.load(second);
  const inverse = v128.shuffle<i64>(one, two, 0, 2);
  const log = v128.shuffle<i64>(one, two, 1, 3);
  const r = f64x2.sub(f64x2.mul(z, inverse), f64x2.splat(1));
  const r2 = f64x2.mul(r, r);
  const a = v128.load64_splat(table + POLYNOMIAL);
  const b = v128.load64_splat(table + POLYNOMIAL + 8);
  const c = v128.load64_splat(table + POLYNOMIAL + 16);
  const high = f64x2.mul(f64x2.add(f64x2.mul(a, r2), f64x2.add(f64x2.mul(b, r), c)), r2);
  const low = f64x2.add(f64x2.add(log, f64x2.mul(octaves, v128.load64_splat(table + LN2))), r);
  return f64x2.promote_low_f32x4(f32x4.demote_f64x2_zero(f64x2.add(high, low)));
}

@inline
function polynomial(coefficients: usize, terms: usize, t: v128): v128 {
  let value = v128.load64_splat(coefficients);
  for (let i: usize = 1; i < terms; i++) value = fused(value, t, v128.load64_splat(coefficients + i * 8));
  return value;
}

/** The inverse error function of two float32 in (-1, 1), held as float64, rounded to float32. */
@inline
function inverseErrors(a: v128): v128 {
  const t = logarithms(fused(a, f64x2.neg(a), f64x2.splat(1)));
  let value = polynomial(table + MIDDLE, MIDDLE_TERMS, t);
  const far = f64x2.gt(f64x2.abs(t), f64x2.splat(6.125));
  if (v128.any_true(far)) value = v128.bitselect(polynomial(table + TAIL, TAIL_TERMS, t), value, far);
  return f32x4.demote_f64x2_zero(f64x2.mul(a, value));
}

/**
 * Uniform float32 in (-1, 1) to root times the inverse error function, plus the mean where `moved`, in place; `constants`
 * is the table above.
 */
export function normals(p: usize, count: usize, root: f32, mean: f32, moved: bool, dtype: i32, constants: usize): void {
  table = constants;
  if (dtype == BFLOAT16) normalsOf(p, count, root, mean, moved, BFLOAT16);
  else if (dtype == FLOAT16) normalsOf(p, count, root, mean, moved, FLOAT16);
  else normalsOf(p, count, root, mean, moved, 0);
}

@inline
function normalsOf(p: usize, count: usize, root: f32, mean: f32, moved: bool, dtype: i32): void {
  const end = p + count * 4;
  const roots = f32x4.splat(root), means = f32x4.splat(mean);
  for (; p < end; p += 16) {
    const v = v128.load(p);
    const low = inverseErrors(f64x2.promote_low_f32x4(v));
    const high = inverseErrors(f64x2.promote_low_f32x4(v128.shuffle<i64>(v, v, 1, 0)));
    const both = v128.shuffle<i64>(low, high, 0, 2);
    const value = rounded(f32x4.mul(roots, rounded(both, dtype)), dtype);
    v128.store(p, moved ? rounded(f32x4.add(means, value), dtype) : value);
  }
}
