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

/** The value of each lane's e2m1 code (4 bits), by table: twice its magnitude, then its sign. */
@inline
function fp4(codes: v128): v128 {
  const twice = i8x16(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  // the other bytes of a lane select entry 0, which is 0; then the sign is spread
  const found = i32x4.shr_s(i32x4.shl(i8x16.swizzle(twice, codes), 24), 24);
  return f32x4.mul(f32x4.convert_i32x4_s(found), f32x4.splat(0.5));
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

@inline
function value(codes: v128, bits: i32): v128 {
  return bits == 4 ? fp4(codes) : fp8(codes);
}

@inline
function fourRows(w: usize, stride: usize, rows: usize, kc: usize, bits: i32, out: usize): void {
  const last = rows - 1;
  let w0 = w, w1 = w + min(1, last) * stride, w2 = w + min(2, last) * stride, w3 = w + min(3, last) * stride;
  const second = secondHalf(bits);
  for (let k: usize = 0; k < kc; k += 8) {
    const low = gather(w0, w1, w2, w3);
    const high = fitsOneWord(bits) ? low : gather(w0 + second, w1 + second, w2 + second, w3 + second);
    v128.store(out, value(code(low, high, 0, bits), bits));
    v128.store(out, value(code(low, high, 1, bits), bits), 32);
    v128.store(out, value(code(low, high, 2, bits), bits), 64);
    v128.store(out, value(code(low, high, 3, bits), bits), 96);
    v128.store(out, value(code(low, high, 4, bits), bits), 128);
    v128.store(out, value(code(low, high, 5, bits), bits), 160);
    v128.store(out, value(code(low, high, 6, bits), bits), 192);
    v128.store(out, value(code(low, high, 7, bits), bits), 224);
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
      f32x4.mul(scale, value(neighbours(w, bits, 0), bits)),
      f32x4.mul(scale, value(neighbours(w + second, bits, (4 * bits) & 7), bits)),
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
