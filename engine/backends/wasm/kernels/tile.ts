/**
 * The micro-kernels: a small tile of the product is kept in registers while k runs.
 *
 * Both read weights from panels, `panel[k][8]`: eight columns side by side for every k, so that the inner loop streams
 * through memory without strides. A tile of 4 x 8 needs 8 accumulators, 2 vectors of weights and 1 of x: 11 of the 16
 * vector registers. 5 x 8 and 6 x 8 look better on paper, but V8 spills them to the stack and they get slower.
 *
 * Every element is one sum in the order of k. `seeded` continues the sum that stands in y; with `scales` (eight floats,
 * one a column) the tile's own sum is instead scaled and added to y, as the microscaled formats need it.
 */
import { multiplyAdd, storePair } from './simd';

export const ROWS: usize = 4;
export const COLUMNS: usize = 8;
/** Bytes of one row of an edge tile's scratch space, and of one k of a panel. */
const STRIDE: usize = COLUMNS * 4;
/** Bytes of scratch space that `tile` and `row` need for tiles at the edge of y. */
export const SCRATCH: usize = ROWS * STRIDE;

/** A block of floats; strides in bytes. */
@inline
export function copy(from: usize, fromStride: usize, to: usize, toStride: usize, rows: usize, columns: usize): void {
  for (let i: usize = 0; i < rows; i++)
    for (let j: usize = 0; j < columns; j++) store<f32>(to + i * toStride + j * 4, load<f32>(from + i * fromStride + j * 4));
}

@inline
function finish(y: usize, scales: usize, low: v128, high: v128): void {
  if (scales != 0) {
    low = multiplyAdd(v128.load(scales), low, v128.load(y));
    high = multiplyAdd(v128.load(scales, 16), high, v128.load(y, 16));
  }
  storePair(y, low, high);
}

/**
 * y[rows <= 4, columns <= 8] from a[kc][4] and panel[kc][8]. Strides are in bytes.
 */
export function tile(
  kc: usize, a: usize, panel: usize, y: usize, stride: usize,
  rows: usize, columns: usize, seeded: bool, scales: usize, scratch: usize,
): void {
  if (rows >= ROWS && columns >= COLUMNS) return fullTile(kc, a, panel, y, stride, seeded, scales);
  rows = min(rows, ROWS);
  columns = min(columns, COLUMNS);
  copy(y, stride, scratch, STRIDE, rows, columns);
  fullTile(kc, a, panel, scratch, STRIDE, seeded, scales);
  copy(scratch, STRIDE, y, stride, rows, columns);
}

function fullTile(kc: usize, a: usize, panel: usize, y: usize, stride: usize, seeded: bool, scales: usize): void {
  const y1 = y + stride;
  const y2 = y1 + stride;
  const y3 = y2 + stride;
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00;
  if (seeded && scales == 0) {
    c00 = v128.load(y);  c01 = v128.load(y, 16);
    c10 = v128.load(y1); c11 = v128.load(y1, 16);
    c20 = v128.load(y2); c21 = v128.load(y2, 16);
    c30 = v128.load(y3); c31 = v128.load(y3, 16);
  }
  for (let k: usize = 0; k < kc; k++) {
    const b0 = v128.load(panel);
    const b1 = v128.load(panel, 16);
    const a0 = v128.load32_splat(a);     c00 = multiplyAdd(a0, b0, c00); c01 = multiplyAdd(a0, b1, c01);
    const a1 = v128.load32_splat(a, 4);  c10 = multiplyAdd(a1, b0, c10); c11 = multiplyAdd(a1, b1, c11);
    const a2 = v128.load32_splat(a, 8);  c20 = multiplyAdd(a2, b0, c20); c21 = multiplyAdd(a2, b1, c21);
    const a3 = v128.load32_splat(a, 12); c30 = multiplyAdd(a3, b0, c30); c31 = multiplyAdd(a3, b1, c31);
    a += 4 * ROWS;
    panel += STRIDE;
  }
  finish(y, scales, c00, c01);
  finish(y1, scales, c10, c11);
  finish(y2, scales, c20, c21);
  finish(y3, scales, c30, c31);
}

/** One row: y[columns <= 8] from x[kc] and panel[kc][8]. */
export function row(
  kc: usize, x: usize, panel: usize, y: usize, columns: usize, seeded: bool, scales: usize, scratch: usize,
): void {
  const target = columns < COLUMNS ? scratch : y;
  if (columns < COLUMNS) copy(y, 0, scratch, 0, 1, columns);
  let c0 = f32x4.splat(0), c1 = c0;
  if (seeded && scales == 0) {
    c0 = v128.load(target);
    c1 = v128.load(target, 16);
  }
  for (let k: usize = 0; k < kc; k++) {
    const a = v128.load32_splat(x);
    c0 = multiplyAdd(a, v128.load(panel), c0);
    c1 = multiplyAdd(a, v128.load(panel, 16), c1);
    x += 4;
    panel += STRIDE;
  }
  finish(target, scales, c0, c1);
  if (columns < COLUMNS) copy(scratch, 0, y, 0, 1, columns);
}

/**
 * One row over four panels that lie `apart` bytes from each other: 32 columns. Eight independent sums hide the latency
 * of the addition, which one panel alone would wait for. `scales` of the panels lie `scalesApart` bytes apart.
 */
export function rowOfFour(
  kc: usize, x: usize, panel: usize, apart: usize, y: usize, seeded: bool, scales: usize, scalesApart: usize,
): void {
  let p1 = panel + apart, p2 = p1 + apart, p3 = p2 + apart;
  let c0 = f32x4.splat(0), c1 = c0, c2 = c0, c3 = c0, c4 = c0, c5 = c0, c6 = c0, c7 = c0;
  if (seeded && scales == 0) {
    c0 = v128.load(y);     c1 = v128.load(y, 16);
    c2 = v128.load(y, 32); c3 = v128.load(y, 48);
    c4 = v128.load(y, 64); c5 = v128.load(y, 80);
    c6 = v128.load(y, 96); c7 = v128.load(y, 112);
  }
  for (let k: usize = 0; k < kc; k++) {
    const a = v128.load32_splat(x);
    c0 = multiplyAdd(a, v128.load(panel), c0); c1 = multiplyAdd(a, v128.load(panel, 16), c1);
    c2 = multiplyAdd(a, v128.load(p1), c2);    c3 = multiplyAdd(a, v128.load(p1, 16), c3);
    c4 = multiplyAdd(a, v128.load(p2), c4);    c5 = multiplyAdd(a, v128.load(p2, 16), c5);
    c6 = multiplyAdd(a, v128.load(p3), c6);    c7 = multiplyAdd(a, v128.load(p3, 16), c7);
    x += 4;
    panel += STRIDE; p1 += STRIDE; p2 += STRIDE; p3 += STRIDE;
  }
  const next = scales == 0 ? <usize>0 : scalesApart;
  finish(y, scales, c0, c1);
  finish(y + 32, scales + next, c2, c3);
  finish(y + 64, scales + 2 * next, c4, c5);
  finish(y + 96, scales + 3 * next, c6, c7);
}
