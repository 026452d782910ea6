/**
 * y = x @ w for x [M, K] and the weights that were set (./weights). Row major.
 *
 * The usual three levels: a block of weights (k x columns) is unpacked once into panels that stay in the second-level
 * cache and meets every row of x; rows of x are packed four by four so that the tile reads both strictly in order.
 * Products of fewer than four rows skip the packing of x and take smaller blocks, which stay in the first-level cache.
 *
 * The caller supplies all memory. `workspace` needs WORKSPACE bytes.
 */
import { interleave, streamRow } from './dense';
import { halfRow } from './half';
import { FLOAT32 } from './round';
import { COLUMNS, copy, ROWS, row, rowOfFour, SCRATCH, tile } from './tile';
import { dotRow, dots, fillHalfPanel, fillPanel, fillScales, scaledGroup, streams, streamSource } from './weights';

/** Values of k in a block: a multiple of every group size (at most 128), so that blocks begin with a group. */
const DEPTH: usize = 512;
const WIDTH: usize = 128;
/** Rows of x that are packed at a time. */
const HEIGHT: usize = 1024;
const NARROW_DEPTH: usize = 128;
const NARROW_WIDTH: usize = 4 * COLUMNS;
/** The least group of the microscaled formats: scales of a block take DEPTH / 16 floats a column. */
const LEAST_GROUP: usize = 16;

const PANELS: usize = SCRATCH;
const SCALES: usize = PANELS + DEPTH * WIDTH * 4;
const PACKED: usize = SCALES + (DEPTH / LEAST_GROUP) * WIDTH * 4;

/** Bytes of workspace that `multiply` needs. */
export function workspaceBytes(): usize {
  return PACKED + DEPTH * HEIGHT * 4;
}

/**
 * `dtype` is that of the arithmetic (./half): everything is held as float32, but in a half type each step is rounded to
 * it, as MLX does for quantized weights. Plain weights are always multiplied in FLOAT32.
 */
export function multiply(x: usize, y: usize, M: usize, K: usize, N: usize, dtype: i32, workspace: usize): void {
  if (dtype != FLOAT32) return multiplyHalves(x, y, M, K, N, dtype, workspace);
  if (M == 1 && dots()) return dotRow(x, y, K, N);
  // where sums are added to what is there, they start from 0
  const added = K == 0 || scaledGroup() != 0 || (M < ROWS && streams());
  if (added) memory.fill(y, 0, M * N * 4);
  if (M >= ROWS) multiplyTiles(x, y, M, K, N, added, workspace);
  else if (streams()) for (let m: usize = 0; m < M; m++) streamRow(x + m * K * 4, streamSource(), y + m * N * 4, K, N);
  else multiplyRows(x, y, M, K, N, added, workspace);
}

@inline
function fillBlock(j0: usize, nc: usize, k0: usize, kc: usize, workspace: usize, grouped: usize): void {
  for (let j: usize = 0; j < nc; j += COLUMNS) {
    const columns = min(nc - j, COLUMNS);
    fillPanel(j0 + j, columns, k0, kc, workspace + PANELS + j * kc * 4);
    if (grouped != 0) fillScales(j0 + j, columns, k0, kc, workspace + SCALES + (j * kc / grouped) * 4);
  }
}

function multiplyTiles(x: usize, y: usize, M: usize, K: usize, N: usize, seeded: bool, workspace: usize): void {
  const group = scaledGroup();
  for (let k0: usize = 0; k0 < K; k0 += DEPTH) {
    const kc = min(K - k0, DEPTH);
    const step = group != 0 ? group : kc;
    const more = seeded || k0 > 0;
    for (let m0: usize = 0; m0 < M; m0 += HEIGHT) {
      const mc = min(M - m0, HEIGHT);
      for (let m: usize = 0; m < mc; m += ROWS)
        interleave(x + ((m0 + m) * K + k0) * 4, K * 4, min(mc - m, ROWS), kc, workspace + PACKED + m * kc * 4, ROWS * 4);
      for (let j0: usize = 0; j0 < N; j0 += WIDTH) {
        const nc = min(N - j0, WIDTH);
        fillBlock(j0, nc, k0, kc, workspace, group);
        for (let m: usize = 0; m < mc; m += ROWS)
          for (let j: usize = 0; j < nc; j += COLUMNS) {
            const target = y + ((m0 + m) * N + j0 + j) * 4;
            let a = workspace + PACKED + m * kc * 4;
            let panel = workspace + PANELS + j * kc * 4;
            let scales = group != 0 ? workspace + SCALES + (j * kc / group) * 4 : 0;
            for (let k: usize = 0; k < kc; k += step) {
              tile(step, a, panel, target, N * 4, mc - m, nc - j, more, scales, workspace);
              a += step * ROWS * 4;
              panel += step * COLUMNS * 4;
              if (group != 0) scales += COLUMNS * 4;
            }
          }
      }
    }
  }
}

function multiplyRows(x: usize, y: usize, M: usize, K: usize, N: usize, seeded: bool, workspace: usize): void {
  const group = scaledGroup();
  for (let j0: usize = 0; j0 < N; j0 += NARROW_WIDTH) {
    const nc = min(N - j0, NARROW_WIDTH);
    for (let k0: usize = 0; k0 < K; k0 += NARROW_DEPTH) {
      const kc = min(K - k0, NARROW_DEPTH);
      const step = group != 0 ? group : kc;
      const more = seeded || k0 > 0;
      fillBlock(j0, nc, k0, kc, workspace, group);
      for (let m: usize = 0; m < M; m++)
        for (let k: usize = 0; k < kc; k += step) {
          const source = x + (m * K + k0 + k) * 4;
          const target = y + (m * N + j0) * 4;
          const panels = workspace + PANELS + k * COLUMNS * 4;
          const apart = kc * COLUMNS * 4;
          const scales = group != 0 ? workspace + SCALES + (k / group) * COLUMNS * 4 : 0;
          const scalesApart = group != 0 ? (kc / group) * COLUMNS * 4 : 0;
          if (nc == NARROW_WIDTH) rowOfFour(step, source, panels, apart, target, more, scales, scalesApart);
          else
            for (let j: usize = 0, p: usize = 0; j < nc; j += COLUMNS, p++)
              row(step, source, panels + p * apart, target + j * 4, nc - j, more, scales + p * scalesApart, workspace);
        }
    }
  }
}

/** One panel at a time, all rows of x over it. */
function multiplyHalves(x: usize, y: usize, M: usize, K: usize, N: usize, dtype: i32, workspace: usize): void {
  const group = scaledGroup();
  memory.fill(y, 0, M * N * 4);
  for (let j: usize = 0; j < N; j += COLUMNS) {
    const columns = min(N - j, COLUMNS);
    for (let k0: usize = 0; k0 < K; k0 += NARROW_DEPTH) {
      const kc = min(K - k0, NARROW_DEPTH);
      const step = group != 0 ? group : kc;
      fillHalfPanel(j, columns, k0, kc, workspace + PANELS, workspace + SCALES, workspace + PACKED, dtype);
      for (let m: usize = 0; m < M; m++) {
        const target = y + (m * N + j) * 4;
        const row = columns < COLUMNS ? workspace : target;
        if (columns < COLUMNS) copy(target, 0, row, 0, 1, columns);
        for (let k: usize = 0; k < kc; k += step) {
          const scales = group != 0 ? workspace + SCALES + (k / group) * COLUMNS * 4 : 0;
          halfRow(step, x + (m * K + k0 + k) * 4, workspace + PANELS + k * COLUMNS * 4, row, scales, dtype);
        }
        if (columns < COLUMNS) copy(row, 0, target, 0, 1, columns);
      }
    }
  }
}
