/**
 * Affine-quantized weights into panels of eight columns (./tile): w = scale * code + bias.
 *
 * Codes are read as ./codes describes: a load may reach a few bytes beyond the last one, which the caller pads.
 */
import { code, fitsOneWord, neighbours, secondHalf } from './codes';
import { gather, multiplyAdd, storePair } from './simd';
import { COLUMNS } from './tile';

const STEP: usize = COLUMNS * 4;

@inline
function value(codes: v128, scale: v128, bias: v128): v128 {
  return multiplyAdd(scale, f32x4.convert_i32x4_s(codes), bias); // the unsigned conversion takes eight instructions
}

/** Columns are rows of w, packed along k: four of them a vector, `stride` bytes apart. */
@inline
function fourRows(
  w: usize, stride: usize, scales: usize, biases: usize, groups: usize,
  rows: usize, kc: usize, groupSize: usize, bits: i32, out: usize,
): void {
  const last = rows - 1;
  const i1 = min(1, last), i2 = min(2, last), i3 = min(3, last);
  let w0 = w, w1 = w + i1 * stride, w2 = w + i2 * stride, w3 = w + i3 * stride;
  const g1 = i1 * groups * 4, g2 = i2 * groups * 4, g3 = i3 * groups * 4;
  const second = secondHalf(bits);
  for (let k: usize = 0; k < kc; k += groupSize) {
    const scale = gather(scales, scales + g1, scales + g2, scales + g3);
    const bias = gather(biases, biases + g1, biases + g2, biases + g3);
    scales += 4;
    biases += 4;
    for (let i: usize = 0; i < groupSize; i += 8) {
      const low = gather(w0, w1, w2, w3);
      const high = fitsOneWord(bits) ? low : gather(w0 + second, w1 + second, w2 + second, w3 + second);
      v128.store(out, value(code(low, high, 0, bits), scale, bias));
      v128.store(out, value(code(low, high, 1, bits), scale, bias), 32);
      v128.store(out, value(code(low, high, 2, bits), scale, bias), 64);
      v128.store(out, value(code(low, high, 3, bits), scale, bias), 96);
      v128.store(out, value(code(low, high, 4, bits), scale, bias), 128);
      v128.store(out, value(code(low, high, 5, bits), scale, bias), 160);
      v128.store(out, value(code(low, high, 6, bits), scale, bias), 192);
      v128.store(out, value(code(low, high, 7, bits), scale, bias), 224);
      w0 += bits; w1 += bits; w2 += bits; w3 += bits;
      out += 8 * STEP;
    }
  }
}

@inline
function eightRows(
  w: usize, stride: usize, scales: usize, biases: usize, groups: usize,
  columns: usize, kc: usize, groupSize: usize, bits: i32, panel: usize,
): void {
  const low = min(columns, 4);
  fourRows(w, stride, scales, biases, groups, low, kc, groupSize, bits, panel);
  const upper = columns > 4 ? <usize>4 : 0; // a narrow panel repeats its columns: never stored
  fourRows(
    w + upper * stride, stride, scales + upper * groups * 4, biases + upper * groups * 4, groups,
    columns > 4 ? min(columns - 4, 4) : low, kc, groupSize, bits, panel + 16,
  );
}

/**
 * A panel from codes [N, K] with scales and biases [N, groups]: all pointers stand at the panel's first column and k,
 * which begins a group. `kc` is a multiple of `groupSize`.
 */
export function affinePanelOfRows(
  w: usize, stride: usize, scales: usize, biases: usize, groups: usize,
  columns: usize, kc: usize, groupSize: usize, bits: i32, panel: usize,
): void {
  switch (bits) { // one specialised copy a width: shifts become constants
    case 1: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 1, panel);
    case 2: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 2, panel);
    case 3: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 3, panel);
    case 4: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 4, panel);
    case 5: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 5, panel);
    case 6: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 6, panel);
    default: return eightRows(w, stride, scales, biases, groups, columns, kc, groupSize, 8, panel);
  }
}

@inline
function oneRow(w: usize, stride: usize, scales: usize, biases: usize, groups: usize, kc: usize, bits: i32, panel: usize): void {
  const second = secondHalf(bits);
  const skip = (4 * bits) & 7;
  for (let k: usize = 0; k < kc; k++) {
    const scale = v128.load32_splat(scales);
    const bias = v128.load32_splat(biases);
    storePair(
      panel,
      value(neighbours(w, bits, 0), scale, bias),
      value(neighbours(w + second, bits, skip), scale, bias),
    );
    w += stride;
    scales += groups * 4;
    biases += groups * 4;
    panel += STEP;
  }
}

/** A panel from codes [K, N] that are packed along N, with scales and biases [K, groups]: eight columns share a group. */
export function affinePanelOfColumns(
  w: usize, stride: usize, scales: usize, biases: usize, groups: usize, kc: usize, bits: i32, panel: usize,
): void {
  switch (bits) {
    case 1: return oneRow(w, stride, scales, biases, groups, kc, 1, panel);
    case 2: return oneRow(w, stride, scales, biases, groups, kc, 2, panel);
    case 3: return oneRow(w, stride, scales, biases, groups, kc, 3, panel);
    case 4: return oneRow(w, stride, scales, biases, groups, kc, 4, panel);
    case 5: return oneRow(w, stride, scales, biases, groups, kc, 5, panel);
    case 6: return oneRow(w, stride, scales, biases, groups, kc, 6, panel);
    default: return oneRow(w, stride, scales, biases, groups, kc, 8, panel);
  }
}

/** One step of eight sums: the next value of x times the weights of two vectors of rows. */
@inline
function step(x: usize, n: i32, low: v128, high: v128, bits: i32, scale: v128, bias: v128, sum: v128): v128 {
  return multiplyAdd(v128.load32_splat(x + n * 4), value(code(low, high, n, bits), scale, bias), sum);
}

@inline
function eightDots(
  x: usize, w: usize, stride: usize, scales: usize, biases: usize, groups: usize,
  columns: usize, groupSize: usize, bits: i32, y: usize,
): void {
  const last = columns - 1;
  const i1 = min(1, last), i2 = min(2, last), i3 = min(3, last), i4 = min(4, last);
  const i5 = min(5, last), i6 = min(6, last), i7 = min(7, last);
  const apart = groups * 4;
  const second = secondHalf(bits);
  let c0 = f32x4.splat(0), c1 = c0;
  for (let g: usize = 0; g < groups; g++) {
    const s = scales + g * 4, b = biases + g * 4;
    const s0 = gather(s, s + i1 * apart, s + i2 * apart, s + i3 * apart);
    const s1 = gather(s + i4 * apart, s + i5 * apart, s + i6 * apart, s + i7 * apart);
    const b0 = gather(b, b + i1 * apart, b + i2 * apart, b + i3 * apart);
    const b1 = gather(b + i4 * apart, b + i5 * apart, b + i6 * apart, b + i7 * apart);
    for (let i: usize = 0; i < groupSize; i += 8) {
      const w1 = w + i1 * stride, w2 = w + i2 * stride, w3 = w + i3 * stride, w4 = w + i4 * stride;
      const w5 = w + i5 * stride, w6 = w + i6 * stride, w7 = w + i7 * stride;
      const l0 = gather(w, w1, w2, w3), l1 = gather(w4, w5, w6, w7);
      const h0 = fitsOneWord(bits) ? l0 : gather(w + second, w1 + second, w2 + second, w3 + second);
      const h1 = fitsOneWord(bits) ? l1 : gather(w4 + second, w5 + second, w6 + second, w7 + second);
      c0 = step(x, 0, l0, h0, bits, s0, b0, c0); c1 = step(x, 0, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 1, l0, h0, bits, s0, b0, c0); c1 = step(x, 1, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 2, l0, h0, bits, s0, b0, c0); c1 = step(x, 2, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 3, l0, h0, bits, s0, b0, c0); c1 = step(x, 3, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 4, l0, h0, bits, s0, b0, c0); c1 = step(x, 4, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 5, l0, h0, bits, s0, b0, c0); c1 = step(x, 5, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 6, l0, h0, bits, s0, b0, c0); c1 = step(x, 6, l1, h1, bits, s1, b1, c1);
      c0 = step(x, 7, l0, h0, bits, s0, b0, c0); c1 = step(x, 7, l1, h1, bits, s1, b1, c1);
      w += bits;
      x += 32;
    }
  }
  if (columns == COLUMNS) return storePair(y, c0, c1);
  for (let j: usize = 0; j < columns; j++) {
    store<f32>(y + j * 4, f32x4.extract_lane(c0, 0));
    c0 = v128.shuffle<i32>(c0, c1, 1, 2, 3, 4);
    c1 = v128.shuffle<i32>(c1, c1, 1, 2, 3, 3);
  }
}

@inline
function dots(
  x: usize, w: usize, stride: usize, scales: usize, biases: usize, groups: usize, groupSize: usize, bits: i32,
  y: usize, N: usize,
): void {
  for (let j: usize = 0; j < N; j += COLUMNS) {
    const at = j * groups * 4;
    eightDots(x, w + j * stride, stride, scales + at, biases + at, groups, min(N - j, COLUMNS), groupSize, bits, y + j * 4);
  }
}

/** y[N] = x @ w transposed for one row x: codes are multiplied as they are unpacked, in the order of k. */
export function affineDots(
  x: usize, w: usize, stride: usize, scales: usize, biases: usize, groups: usize, groupSize: usize, bits: i32,
  y: usize, N: usize,
): void {
  switch (bits) {
    case 1: return dots(x, w, stride, scales, biases, groups, groupSize, 1, y, N);
    case 2: return dots(x, w, stride, scales, biases, groups, groupSize, 2, y, N);
    case 3: return dots(x, w, stride, scales, biases, groups, groupSize, 3, y, N);
    case 4: return dots(x, w, stride, scales, biases, groups, groupSize, 4, y, N);
    case 5: return dots(x, w, stride, scales, biases, groups, groupSize, 5, y, N);
    case 6: return dots(x, w, stride, scales, biases, groups, groupSize, 6, y, N);
    default: return dots(x, w, stride, scales, biases, groups, groupSize, 8, y, N);
  }
}
