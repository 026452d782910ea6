/**
 * Weights of mxfp4, mxfp8 and nvfp4 into panels of eight columns (./tile): codes are tiny floats, and a group of them
 * shares a scale, which the caller has decoded to float32.
 *
 * MLX sums code * x over a group first and scales the sum, so a panel whose groups run along k holds the unscaled codes
 * and the scales come apart; where groups run along the columns each value is scaled.
 */
import { code, fitsOneWord, neighbours, secondHalf } from './codes';
import { gather, storePair } from './simd';
import { COLUMNS } from './tile';

const STEP: usize = COLUMNS * 4;

/** The value of each lane's e2m1 code, which stands in the lowest bits of its top byte: twice the value by table. */
@inline
function fp4(codes: v128): v128 {
  const twice = i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  // the other bytes of a lane select entry 0, which is 0, so a lane is now twice the value times 2^24
  return f32x4.mul(f32x4.convert_i32x4_s(i8x16.swizzle(twice, codes)), f32x4.splat(<f32>(0.5 / 16777216.0)));
}

/** The value of each lane's e4m3 code (8 bits); 0x7f and 0xff are NaN. */
@inline
function fp8(codes: v128): v128 {
  const magnitude = v128.and(codes, i32x4.splat(0x7f));
  // as if it were a float32 with a bias of 7 instead of 127
  const normal = i32x4.add(i32x4.shl(magnitude, 20), i32x4.splat(120 << 23));
  // without a leading one: (1 + m/8) 2^-7 has to become m/8 2^-6
  const small = f32x4.mul(f32x4.sub(normal, f32x4.splat(0.0078125)), f32x4.splat(2));
  let value = v128.bitselect(small, normal, i32x4.lt_s(magnitude, i32x4.splat(8)));
  value = v128.or(value, v128.and(i32x4.eq(magnitude, i32x4.splat(0x7f)), i32x4.splat(0x7fc00000)));
  return v128.or(value, i32x4.shl(v128.and(codes, i32x4.splat(0x80)), 24));
}

/** Code i of four rows as a number. */
@inline
function value(low: v128, high: v128, i: i32, bits: i32): v128 {
  if (bits == 8) return fp8(code(low, high, i, 8));
  // to the lowest bits of the top byte
  const moved = i < 6 ? i32x4.shl(low, 24 - 4 * i) : i == 6 ? low : i32x4.shr_u(low, 4);
  return fp4(v128.and(moved, i32x4.splat(0x0f000000)));
}

/** The same of four neighbouring codes of one row. */
@inline
function neighbourValues(p: usize, bits: i32, skip: i32): v128 {
  const codes = neighbours(p, bits, skip);
  return bits == 8 ? fp8(codes) : fp4(i32x4.shl(codes, 24));
}

@inline
function fourRows(w: usize, stride: usize, rows: usize, kc: usize, bits: i32, out: usize): void {
  const last = rows - 1;
  let w0 = w, w1 = w + min(1, last) * stride, w2 = w + min(2, last) * stride, w3 = w + min(3, last) * stride;
  const second = secondHalf(bits);
  for (let k: usize = 0; k < kc; k += 8) {
    const low = gather(w0, w1, w2, w3);
    const high = fitsOneWord(bits) ? low : gather(w0 + second, w1 + second, w2 + second, w3 + second);
    v128.store(out, value(low, high, 0, bits));
    v128.store(out, value(low, high, 1, bits), 32);
    v128.store(out, value(low, high, 2, bits), 64);
    v128.store(out, value(low, high, 3, bits), 96);
    v128.store(out, value(low, high, 4, bits), 128);
    v128.store(out, value(low, high, 5, bits), 160);
    v128.store(out, value(low, high, 6, bits), 192);
    v128.store(out, value(low, high, 7, bits), 224);
    w0 += bits; w1 += bits; w2 += bits; w3 += bits;
    out += 8 * STEP;
  }
}

@inline
function eightRows(w: usize, stride: usize, columns: usize, kc: usize, bits: i32, panel: usize): void {
  const low = min(columns, 4);
  fourRows(w, stride, low, kc, bits, panel);
  // a narrow panel repeats its columns: never stored
  fourRows(columns > 4 ? w + 4 * stride : w, stride, columns > 4 ? min(columns - 4, 4) : low, kc, bits, panel + 16);
}

/** A panel of unscaled values from codes [N, K]; `kc` is a multiple of 8. */
export function codePanelOfRows(w: usize, stride: usize, columns: usize, kc: usize, bits: i32, panel: usize): void {
  if (bits == 4) eightRows(w, stride, columns, kc, 4, panel);
  else eightRows(w, stride, columns, kc, 8, panel);
}

/** The scales of a panel's columns, out[count][8], from scales [N, groups]. */
export function scalePanel(scales: usize, groups: usize, columns: usize, count: usize, out: usize): void {
  for (let g: usize = 0; g < count; g++)
    for (let j: usize = 0; j < COLUMNS; j++)
      store<f32>(out + (g * COLUMNS + j) * 4, load<f32>(scales + (min(j, columns - 1) * groups + g) * 4));
}

@inline
function oneRow(w: usize, stride: usize, scales: usize, groups: usize, kc: usize, bits: i32, panel: usize): void {
  const second = secondHalf(bits);
  for (let k: usize = 0; k < kc; k++) {
    const scale = v128.load32_splat(scales);
    storePair(
      panel,
      f32x4.mul(scale, neighbourValues(w, bits, 0)),
      f32x4.mul(scale, neighbourValues(w + second, bits, (4 * bits) & 7)),
    );
    w += stride;
    scales += groups * 4;
    panel += STEP;
  }
}

/** A panel of scaled values from codes [K, N] with scales [K, groups]. */
export function codePanelOfColumns(
  w: usize, stride: usize, scales: usize, groups: usize, kc: usize, bits: i32, panel: usize,
): void {
  if (bits == 4) oneRow(w, stride, scales, groups, kc, 4, panel);
  else oneRow(w, stride, scales, groups, kc, 8, panel);
}
