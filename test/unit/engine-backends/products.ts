/**
 * Plain products to compare kernels with: every step rounded to float32, in the order of k.
 */
import { FP4_VALUES, FP8_VALUES } from '../../../engine/src/numeric/minifloat';

export const { fround } = Math;

/** Reproducible values in -1..1. */
export function values(count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state / 2147483648 - 1;
  }
  return out;
}

export const words = (count: number, seed: number): Uint32Array =>
  Uint32Array.from(values(count, seed), v => Math.floor((v + 1) * 2147483648));

/** The transpose of a [rows, columns]. */
export function transposed(a: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(a.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  return out;
}

/** x [m, k] @ w [k, n]; the sums start from `seed`. */
export function product(x: Float32Array, w: Float32Array, m: number, k: number, n: number, seed?: Float32Array) {
  const y = new Float32Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let sum = seed ? seed[i * n + j] : 0;
      for (let p = 0; p < k; p++) sum = fround(sum + fround(x[i * k + p] * w[p * n + j]));
      y[i * n + j] = sum;
    }
  return y;
}

/** Code i of a stream of `bits` bits each. */
export function codeAt(stream: Uint32Array, i: number, bits: number): number {
  const bytes = new Uint8Array(stream.buffer, stream.byteOffset, stream.byteLength);
  const bit = i * bits;
  const pair = bytes[bit >> 3] | ((bytes[(bit >> 3) + 1] ?? 0) << 8);
  return (pair >> (bit & 7)) & ((1 << bits) - 1);
}

export interface Coded {
  codes: Uint32Array;
  scales: Float32Array;
  biases: Float32Array;
  groupSize: number;
  bits: number;
}

/** Random codes and parameters for `count` values. */
export function randomCodes(count: number, groupSize: number, bits: number, seed: number): Coded {
  const groups = count / groupSize;
  return {
    codes: words((count * bits) / 32, seed),
    scales: values(groups, seed + 1),
    biases: values(groups, seed + 2),
    groupSize,
    bits,
  };
}

export function affineValues({ codes, scales, biases, groupSize, bits }: Coded, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const g = Math.floor(i / groupSize);
    return fround(fround(scales[g] * codeAt(codes, i, bits)) + biases[g]);
  });
}

/** The unscaled values of e2m1 or e4m3 codes. */
export const codeValues = ({ codes, bits }: Coded, count: number): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => (bits === 4 ? FP4_VALUES : FP8_VALUES)[codeAt(codes, i, bits)]);

/** x [m, k] @ w [n, k]^T, a group at a time: the sum of a group is scaled as a whole, as MLX's CPU build does. */
export function groupedProduct(x: Float32Array, w: Coded, m: number, k: number, n: number): Float32Array {
  const y = new Float32Array(m * n);
  const raw = codeValues(w, n * k);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let total = 0;
      for (let g = 0; g < k / w.groupSize; g++) {
        let sum = 0;
        for (let p = g * w.groupSize; p < (g + 1) * w.groupSize; p++)
          sum = fround(sum + fround(x[i * k + p] * raw[j * k + p]));
        total = fround(total + fround(w.scales[(j * k) / w.groupSize + g] * sum));
      }
      y[i * n + j] = total;
    }
  return y;
}
