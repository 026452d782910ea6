/**
 * float32 weights into panels of eight columns (./tile), and products of few rows that need no panels.
 */
import { multiplyAdd, storePair } from './simd';
import { COLUMNS } from './tile';

/**
 * Four rows of kc floats (`stride` bytes apart) into the lanes of out[kc], `step` bytes from one k to the next:
 * transposes of 4 x 4 blocks by shuffles. Where there are fewer than four rows the last one is repeated.
 */
export function interleave(source: usize, stride: usize, rows: usize, kc: usize, out: usize, step: usize): void {
  const last = rows - 1;
  let r0 = source;
  let r1 = source + min(1, last) * stride;
  let r2 = source + min(2, last) * stride;
  let r3 = source + min(3, last) * stride;
  let k: usize = 0;
  for (; k + 4 <= kc; k += 4) {
    const a = v128.load(r0), b = v128.load(r1), c = v128.load(r2), d = v128.load(r3);
    const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
    const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
    v128.store(out, v128.shuffle<i64>(ab0, cd0, 0, 2)); out += step;
    v128.store(out, v128.shuffle<i64>(ab0, cd0, 1, 3)); out += step;
    v128.store(out, v128.shuffle<i64>(ab1, cd1, 0, 2)); out += step;
    v128.store(out, v128.shuffle<i64>(ab1, cd1, 1, 3)); out += step;
    r0 += 16; r1 += 16; r2 += 16; r3 += 16;
  }
  for (; k < kc; k++) {
    store<f32>(out, load<f32>(r0));
    store<f32>(out, load<f32>(r1), 4);
    store<f32>(out, load<f32>(r2), 8);
    store<f32>(out, load<f32>(r3), 12);
    r0 += 4; r1 += 4; r2 += 4; r3 += 4;
    out += step;
  }
}

/** A panel from w[N, K]: `source` is its first element, a column of the product is a row of w. */
export function panelOfRows(source: usize, stride: usize, columns: usize, kc: usize, panel: usize): void {
  const low = min(columns, 4);
  interleave(source, stride, low, kc, panel, COLUMNS * 4);
  // the upper half of a narrow panel is never stored, but must be numbers that exist
  const upper = columns > 4 ? source + 4 * stride : source;
  interleave(upper, stride, columns > 4 ? min(columns - 4, 4) : low, kc, panel + 16, COLUMNS * 4);
}

/** A panel from w[K, N]: rows of the panel are pieces of rows of w. */
export function panelOfColumns(source: usize, stride: usize, columns: usize, kc: usize, panel: usize): void {
  if (columns >= COLUMNS) {
    for (let k: usize = 0; k < kc; k++) {
      storePair(panel, v128.load(source), v128.load(source, 16));
      source += stride;
      panel += COLUMNS * 4;
    }
    return;
  }
  for (let k: usize = 0; k < kc; k++) {
    for (let j: usize = 0; j < COLUMNS; j++) store<f32>(panel + j * 4, j < columns ? load<f32>(source + j * 4) : 0);
    source += stride;
    panel += COLUMNS * 4;
  }
}

/** Columns of y that stay in the first-level cache while rows of w stream by. */
const STRIP: usize = 4096;

/**
 * y[N] += x[K] @ w[K, N], all of it in the order of k: four rows of w are added to a strip of y at a time, so w is read
 * once and strictly forward.
 */
export function streamRow(x: usize, w: usize, y: usize, K: usize, N: usize): void {
  const stride = N * 4;
  for (let n0: usize = 0; n0 < N; n0 += STRIP) {
    const n1 = min(n0 + STRIP, N);
    let k: usize = 0;
    for (; k + 4 <= K; k += 4) {
      const r0 = w + k * stride, r1 = r0 + stride, r2 = r1 + stride, r3 = r2 + stride;
      const xk = x + k * 4;
      const a0 = v128.load32_splat(xk), a1 = v128.load32_splat(xk, 4);
      const a2 = v128.load32_splat(xk, 8), a3 = v128.load32_splat(xk, 12);
      let n = n0 * 4;
      for (; n + 16 <= n1 * 4; n += 16) {
        let sum = v128.load(y + n);
        sum = multiplyAdd(a0, v128.load(r0 + n), sum);
        sum = multiplyAdd(a1, v128.load(r1 + n), sum);
        sum = multiplyAdd(a2, v128.load(r2 + n), sum);
        v128.store(y + n, multiplyAdd(a3, v128.load(r3 + n), sum));
      }
      for (; n < n1 * 4; n += 4) {
        let sum = v128.load32_zero(y + n);
        sum = multiplyAdd(a0, v128.load32_zero(r0 + n), sum);
        sum = multiplyAdd(a1, v128.load32_zero(r1 + n), sum);
        sum = multiplyAdd(a2, v128.load32_zero(r2 + n), sum);
        v128.store32_lane(y + n, multiplyAdd(a3, v128.load32_zero(r3 + n), sum), 0);
      }
    }
    for (; k < K; k++) {
      const r = w + k * stride;
      const a = v128.load32_splat(x + k * 4);
      for (let n = n0 * 4; n < n1 * 4; n += 4)
        v128.store32_lane(y + n, multiplyAdd(a, v128.load32_zero(r + n), v128.load32_zero(y + n)), 0);
    }
  }
}
