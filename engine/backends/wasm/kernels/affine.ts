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
