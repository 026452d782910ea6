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

/** y[N] = x[K] @ w[N, K] transposed: rows of w are read where they lie. */
export function dotRows(x: usize, w: usize, y: usize, K: usize, N: usize): void {
  const stride = K * 4;
  let j: usize = 0;
  for (; j + 16 <= N; j += 16) {
    const p = w + j * stride;
    if (ASC_FEATURE_RELAXED_SIMD) {
      for (let i: usize = 0; i < 16; i += 4) fourDots(x, p + i * stride, stride, y + (j + i) * 4, K);
    } else sixteenInOrder(x, p, stride, y + j * 4, K);
  }
  for (; j < N; j++) store<f32>(y + j * 4, dotInOrder(x, w + j * stride, K));
}

function dotInOrder(x: usize, w: usize, K: usize): f32 {
  let sum: f32 = 0;
  for (let k: usize = 0; k < K; k++) sum += load<f32>(x + k * 4) * load<f32>(w + k * 4);
  return sum;
}

@inline
function across(c: v128): f32 {
  const pairs = f32x4.add(c, v128.shuffle<i64>(c, c, 1, 0));
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1);
}

/** Four rows, summed four values of k apart: the order is not MLX's, which fused arithmetic is not bound to. */
function fourDots(x: usize, w: usize, stride: usize, y: usize, K: usize): void {
  const w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride;
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, d0 = c0, d1 = c0, d2 = c0, d3 = c0;
  let k: usize = 0;
  const end = (K & ~7) * 4;
  for (; k < end; k += 32) {
    const a = v128.load(x + k), b = v128.load(x + k, 16);
    c0 = multiplyAdd(a, v128.load(w + k), c0);  d0 = multiplyAdd(b, v128.load(w + k, 16), d0);
    c1 = multiplyAdd(a, v128.load(w1 + k), c1); d1 = multiplyAdd(b, v128.load(w1 + k, 16), d1);
    c2 = multiplyAdd(a, v128.load(w2 + k), c2); d2 = multiplyAdd(b, v128.load(w2 + k, 16), d2);
    c3 = multiplyAdd(a, v128.load(w3 + k), c3); d3 = multiplyAdd(b, v128.load(w3 + k, 16), d3);
  }
  let s0 = across(f32x4.add(c0, d0)), s1 = across(f32x4.add(c1, d1));
  let s2 = across(f32x4.add(c2, d2)), s3 = across(f32x4.add(c3, d3));
  for (; k < K * 4; k += 4) {
    const a = load<f32>(x + k);
    s0 += a * load<f32>(w + k);
    s1 += a * load<f32>(w1 + k);
    s2 += a * load<f32>(w2 + k);
    s3 += a * load<f32>(w3 + k);
  }
  store<f32>(y, s0); store<f32>(y, s1, 4); store<f32>(y, s2, 8); store<f32>(y, s3, 12);
}

/** Four values of k of four rows, transposed on the way, onto the sums of the rows. */
@inline
function fourInOrder(w: usize, stride: usize, a0: v128, a1: v128, a2: v128, a3: v128, sum: v128): v128 {
  const w1 = w + stride, w2 = w1 + stride, w3 = w2 + stride;
  const a = v128.load(w), b = v128.load(w1), c = v128.load(w2), d = v128.load(w3);
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5), ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5), cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  sum = multiplyAdd(a0, v128.shuffle<i64>(ab0, cd0, 0, 2), sum);
  sum = multiplyAdd(a1, v128.shuffle<i64>(ab0, cd0, 1, 3), sum);
  sum = multiplyAdd(a2, v128.shuffle<i64>(ab1, cd1, 0, 2), sum);
  return multiplyAdd(a3, v128.shuffle<i64>(ab1, cd1, 1, 3), sum);
}

/** Sixteen rows in the order of k: four sums at a time hide the latency of an addition. */
function sixteenInOrder(x: usize, w: usize, stride: usize, y: usize, K: usize): void {
  const w4 = w + 4 * stride, w8 = w + 8 * stride, w12 = w + 12 * stride;
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0;
  let k: usize = 0;
  const end = (K & ~3) * 4;
  for (; k < end; k += 16) {
    const a0 = v128.load32_splat(x + k), a1 = v128.load32_splat(x + k, 4);
    const a2 = v128.load32_splat(x + k, 8), a3 = v128.load32_splat(x + k, 12);
    c0 = fourInOrder(w + k, stride, a0, a1, a2, a3, c0);
    c1 = fourInOrder(w4 + k, stride, a0, a1, a2, a3, c1);
    c2 = fourInOrder(w8 + k, stride, a0, a1, a2, a3, c2);
    c3 = fourInOrder(w12 + k, stride, a0, a1, a2, a3, c3);
  }
  v128.store(y, c0); v128.store(y, c1, 16); v128.store(y, c2, 32); v128.store(y, c3, 48);
  for (; k < K * 4; k += 4) {
    const a = load<f32>(x + k);
    for (let j: usize = 0; j < 16; j++)
      store<f32>(y + j * 4, load<f32>(y + j * 4) + a * load<f32>(w + j * stride + k));
  }
}
