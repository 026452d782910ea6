/**
 * Single-precision functions that agree with MLX's CPU build to the last bit.
 *
 * `fround(Math.log(x))` does not: the C library's logf rounds some last bits the other way, and erfinv, which normal
 * numbers are made with, amplifies the difference. MLX computes exp, erf and erfinv itself, by polynomials.
 */
import { floatBits, fmaf, fromFloatBits, fround, toInt32 } from './float';

/**
 * Constants of the single-precision logarithm in ARM's Optimized Routines, which glibc uses ("16 intervals, degree 3"):
 * 1/c and log c for 16 points c, and the polynomial. As [mantissa, exponent] of doubles, mantissa × 2^(exponent − 52).
 *
 * Copyright (c) 2017-2018, Arm Limited. SPDX-License-Identifier: MIT
 */
const LOG_POINTS = (
  [
    [0x1661ec79f8f3be, 0, -0x157bf7808caade, -2],
    [0x1571ed4aaf883d, 0, -0x12bef0a7c06ddb, -2],
    [0x149539f0f010b0, 0, -0x101eae7f513a67, -2],
    [0x13c995b0b80385, 0, -0x1b31d8a68224e9, -3],
    [0x130d190c8864a5, 0, -0x16574f0ac07758, -3],
    [0x125e227b0b8ea0, 0, -0x11aa2bc79c8100, -3],
    [0x11bb4a4a1a343f, 0, -0x1a4e76ce8c0e5e, -4],
    [0x112358f08ae5ba, 0, -0x11973c5a611ccc, -4],
    [0x10953f419900a7, 0, -0x1252f438e10c1e, -5],
    [0x10000000000000, 0, 0, 0],
    [0x1e608cfd9a47ac, -1, 0x1aa5aa5df25984, -5],
    [0x1ca4b31f026aa0, -1, 0x1c5e53aa362eb4, -4],
    [0x1b2036576afce6, -1, 0x1526e57720db08, -3],
    [0x19c2d163a1aa2d, -1, 0x1bc2860d224770, -3],
    [0x1886e6037841ed, -1, 0x11058bc8a07ee1, -2],
    [0x1767dcf5534862, -1, 0x14043057b6ee09, -2],
  ] as const
).map(([inverse, inverseExponent, log, logExponent]) => ({
  inverse: inverse * 2 ** (inverseExponent - 52),
  log: log * 2 ** (logExponent - 52),
}));
const LN2 = 0x162e42fefa39ef * 2 ** -53;
const LOG_POLYNOMIAL = [-0x100ea348b88334 * 2 ** -54, 0x15575b0be00b6a * 2 ** -54, -0x1ffffef20a4123 * 2 ** -54];

const LEAST_NORMAL_BITS = 0x00800000;
/** Bits of the float from which an octave is counted, so that each lies around one power of two. */
const OCTAVE_START = 0x3f330000;

/** The natural logarithm of a float32, as glibc's `logf`. */
export function logf(x: number): number {
  if (x === 1) return 0;
  if (x === 0) return -Infinity;
  if (!(x > 0)) return NaN;
  if (x === Infinity) return Infinity;
  let bits = floatBits(x);
  if (bits < LEAST_NORMAL_BITS) bits = floatBits(fround(x * 2 ** 23)) - (23 << 23);
  // x = z · 2^octave with z near one of the 16 points
  const offset = (bits - OCTAVE_START) | 0;
  const octave = offset >> 23;
  const point = LOG_POINTS[(offset >>> 19) & 15];
  const z = fromFloatBits(bits - (offset & 0xff800000));
  const r = z * point.inverse - 1;
  const r2 = r * r;
  const [a, b, c] = LOG_POLYNOMIAL;
  return fround((a * r2 + (b * r + c)) * r2 + (point.log + octave * LN2 + r));
}

/** A polynomial at x with the highest coefficient first, fused at every step. */
function horner(coefficients: Float32Array, x: number): number {
  let value = coefficients[0];
  for (let i = 1; i < coefficients.length; i++) value = fmaf(value, x, coefficients[i]);
  return value;
}

// In powers of log(1 - a²): far from and near to zero.
const ERFINV_TAIL = Float32Array.of(
  3.03697567e-10,
  2.93243101e-8,
  1.22150334e-6,
  2.84108955e-5,
  3.93552968e-4,
  3.02698812e-3,
  4.83185798e-3,
  -2.64646143e-1,
  8.40016484e-1,
);
const ERFINV_MIDDLE = Float32Array.of(
  5.43877832e-9,
  1.43285448e-7,
  1.22774793e-6,
  1.12963626e-7,
  -5.6153076e-5,
  -1.47697632e-4,
  2.31468678e-3,
  1.15392581e-2,
  -2.32015476e-1,
  8.86226892e-1,
);

/**
 * What kernels elsewhere compute `erfinv` with, in one table: 16 pairs of 1/c and log c, log 2, the three coefficients of
 * the logarithm, those of erfinv far from zero and near it.
 */
export const erfinvConstants = (): Float64Array<ArrayBuffer> =>
  Float64Array.from([
    ...LOG_POINTS.flatMap(({ inverse, log }) => [inverse, log]),
    LN2,
    ...LOG_POLYNOMIAL,
    ...ERFINV_TAIL,
    ...ERFINV_MIDDLE,
  ]);

/** The inverse error function of a float32 in [-1, 1]. */
export function erfinv(a: number): number {
  const t = logf(fmaf(a, -a, 1));
  return fround(a * horner(Math.abs(t) > 6.125 ? ERFINV_TAIL : ERFINV_MIDDLE, t));
}

const LOG2_E = fround(Math.LOG2E);
// 2^x on [-1/2, 1/2]
const EXP2 = Float32Array.of(
  1.5353361883195e-4,
  1.339887440266574e-3,
  9.61843735767464e-3,
  5.550332471162809e-2,
  2.402264791363012e-1,
  6.931472028550421e-1,
  1,
);

/** e^x of a float32; 0 below -88 and infinite above 88, as MLX's vectorised exp has it. */
export function expf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x > 88) return Infinity;
  if (x < -88) return 0;
  const y = fround(x * LOG2_E);
  const whole = Math.floor(fround(y + 0.5));
  return fround(fromFloatBits((toInt32(whole) + 127) << 23) * horner(EXP2, fround(y - whole)));
}

// Abramowitz and Stegun 7.1.26
const ERF = Float32Array.of(1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592);
const ERF_SCALE = fround(0.3275911);

/** The error function of a float32. */
export function erf(x: number): number {
  const t = fround(1 / fmaf(ERF_SCALE, Math.abs(x), 1));
  const value = fmaf(fround(-expf(fround(-x * x)) * t), horner(ERF, t), 1);
  return x > 0 ? value : -value;
}

// log 2 in two parts, the first exact when multiplied by an exponent, and the polynomial of fdlibm's log1pf.
const LN2_HIGH = fromFloatBits(0x3f317180);
const LN2_LOW = fromFloatBits(0x3717f7d1);
const LOG1P = Float32Array.of(
  1.479819864e-1,
  1.5313838422e-1,
  1.818357259e-1,
  2.2222198546e-1,
  2.8571429849e-1,
  4.0000000596e-1,
  6.6666668653e-1,
);
const SQRT2_MANTISSA = 0x3504f7;

/**
 * log(1 + x) of a float32, as fdlibm's `log1pf` computes it, in glibc up to 2.40 (later ones round correctly).
 *
 * Method and coefficients: Copyright (C) 1993 by Sun Microsystems, Inc. Developed at SunPro, a Sun Microsystems, Inc.
 * business. Permission to use, copy, modify, and distribute this software is freely granted, provided that this
 * notice is preserved.
 */
export function log1pf(x: number): number {
  if (!(x > -1)) return x === -1 ? -Infinity : NaN;
  if (x === Infinity) return x;
  if (Math.abs(x) < 2 ** -54) return x;
  if (Math.abs(x) < 2 ** -29) return fround(x - fround(fround(x * x) * 0.5));
  // 1 + x = 2^k · (1 + f) with 1 + f in [√½, √2]; `lost` is what rounding 1 + x to float32 lost, over 1 + x
  let k = 0;
  let f = x;
  let lost = 0;
  let exactPower = false;
  if (x < fromFloatBits(0xbe95f61f) || x >= fromFloatBits(0x3ed413d7)) {
    const u = fround(1 + x);
    const bits = floatBits(u);
    k = (bits >>> 23) - 127;
    lost = fround((k > 0 ? fround(1 - fround(u - x)) : fround(x - fround(u - 1))) / u);
    const mantissa = bits & 0x7fffff;
    if (mantissa < SQRT2_MANTISSA) {
      f = fround(fromFloatBits(mantissa | 0x3f800000) - 1);
      exactPower = mantissa === 0;
    } else {
      k += 1;
      f = fround(fromFloatBits(mantissa | 0x3f000000) - 1);
      exactPower = (0x00800000 - mantissa) >> 2 === 0;
    }
  }
  const half = fround(fround(0.5 * f) * f);
  const high = fround(k * LN2_HIGH);
  const low = fround(fround(k * LN2_LOW) + lost);
  if (exactPower) {
    if (f === 0) return fround(high + low);
    const rest = fround(half * fround(1 - fround(fround(0.6666666666666666) * f)));
    return fround(high - fround(fround(rest - low) - f));
  }
  const s = fround(f / fround(2 + f));
  const z = fround(s * s);
  let series = LOG1P[0];
  for (let i = 1; i < LOG1P.length; i++) series = fround(fround(series * z) + LOG1P[i]);
  series = fround(series * z);
  const sum = fround(s * fround(half + series));
  if (k === 0) return fround(f - fround(half - sum));
  return fround(high - fround(fround(half - fround(sum + low)) - f));
}
