/**
 * What stands on the right of the product: one of five ways to store a matrix, set before each product.
 *
 * The product (./product) only asks for panels, so a new storage format is a new case here and nothing else.
 */
import { affineDots, affinePanelOfColumns, affinePanelOfRows } from './affine';
import { dotRows, panelOfColumns, panelOfRows } from './dense';
import { affinePanel } from './half';
import { codePanelOfColumns, codePanelOfRows, scalePanel } from './microscaled';
import { COLUMNS } from './tile';

const DENSE: i32 = 0;
const AFFINE: i32 = 1;
const MICROSCALED: i32 = 2;

let format: i32 = DENSE;
/** Whether a column of the product is a row of the storage: weights [N, K]. */
let ofRows: bool = false;
let data: usize = 0;
/** Bytes from one row of the storage to the next. */
let stride: usize = 0;
let scales: usize = 0;
let biases: usize = 0;
/** Groups in a row of the storage. */
let groups: usize = 0;
let groupSize: usize = 1;
let bits: i32 = 32;

/** float32 weights: w[N, K] with `rows`, else w[K, N]; `width` is the length of a row of w. */
export function setDense(w: usize, width: usize, rows: bool): void {
  format = DENSE;
  ofRows = rows;
  data = w;
  stride = width * 4;
}

/** Affine codes with a float32 scale and bias a group. `width` in values; groups run along it. */
export function setAffine(w: usize, s: usize, b: usize, width: usize, size: usize, codeBits: i32, rows: bool): void {
  setPacked(AFFINE, w, s, width, size, codeBits, rows);
  biases = b;
}

/** e2m1 (4 bits) or e4m3 (8 bits) codes with a float32 scale a group. `width` in values; groups run along it. */
export function setMicroscaled(w: usize, s: usize, width: usize, size: usize, codeBits: i32, rows: bool): void {
  setPacked(MICROSCALED, w, s, width, size, codeBits, rows);
}

function setPacked(kind: i32, w: usize, s: usize, width: usize, size: usize, codeBits: i32, rows: bool): void {
  format = kind;
  ofRows = rows;
  data = w;
  scales = s;
  stride = (width * codeBits) / 8;
  groups = width / size;
  groupSize = size;
  bits = codeBits;
}

/** Whether weights lie [K, N] in float32, so that products of few rows can stream them (./dense). */
export function streams(): bool {
  return format == DENSE && !ofRows;
}

export function streamSource(): usize {
  return data;
}

/** Whether a product of one row is summed straight from the storage, without panels. */
export function dots(): bool {
  return ofRows && format != MICROSCALED;
}

/** y[N] of one row x[K], where `dots`. */
export function dotRow(x: usize, y: usize, K: usize, N: usize): void {
  if (format == DENSE) dotRows(x, data, y, K, N);
  else affineDots(x, data, stride, scales, biases, groups, groupSize, bits, y, N);
}

/** The group size where a group's sum is scaled as a whole, else 0. */
export function scaledGroup(): usize {
  return format == MICROSCALED && ofRows ? groupSize : 0;
}

/** Columns j.. (at most eight) and k0..k0+kc as a panel. k0 and kc are multiples of 128, or kc reaches the end of k. */
export function fillPanel(j: usize, columns: usize, k0: usize, kc: usize, panel: usize): void {
  if (format == DENSE) {
    if (ofRows) panelOfRows(data + j * stride + k0 * 4, stride, columns, kc, panel);
    else panelOfColumns(data + k0 * stride + j * 4, stride, columns, kc, panel);
    return;
  }
  if (ofRows) {
    const source = data + j * stride + (k0 * bits) / 8;
    const at = (j * groups + k0 / groupSize) * 4;
    if (format == AFFINE)
      affinePanelOfRows(source, stride, scales + at, biases + at, groups, columns, kc, groupSize, bits, panel);
    else codePanelOfRows(source, stride, columns, kc, bits, panel);
    return;
  }
  const source = data + k0 * stride + (j * bits) / 8;
  const at = (k0 * groups + j / groupSize) * 4;
  if (format == AFFINE) affinePanelOfColumns(source, stride, scales + at, biases + at, groups, kc, bits, panel);
  else codePanelOfColumns(source, stride, scales + at, groups, kc, bits, panel);
}

/** The scales of the same panel, out[kc / groupSize][8]; only where `scaledGroup` is not 0. */
export function fillScales(j: usize, columns: usize, k0: usize, kc: usize, out: usize): void {
  scalePanel(scales + (j * groups + k0 / groupSize) * 4, groups, columns, kc / groupSize, out);
}

/** Scales and biases that change nothing, for as many groups as a panel may have. */
const ONES = memory.data<f32>([1, 1, 1, 1, 1, 1, 1, 1]);
const ZEROS = memory.data<f32>([0, 0, 0, 0, 0, 0, 0, 0]);

/**
 * The same for arithmetic in a half type (./half). `at` and `more` each have room for kc * 8 floats; where
 * `scaledGroup` is not 0, the scales are left in `at` as `fillScales` does.
 */
export function fillHalfPanel(
  j: usize, columns: usize, k0: usize, kc: usize, panel: usize, at: usize, more: usize, dtype: i32,
): void {
  if (format != AFFINE) {
    fillPanel(j, columns, k0, kc, panel);
    if (scaledGroup() != 0) fillScales(j, columns, k0, kc, at);
    return;
  }
  if (ofRows) {
    affinePanelOfRows(data + j * stride + (k0 * bits) / 8, stride, ONES, ZEROS, 0, columns, kc, groupSize, bits, panel);
    const first = (j * groups + k0 / groupSize) * 4;
    scalePanel(scales + first, groups, columns, kc / groupSize, at);
    scalePanel(biases + first, groups, columns, kc / groupSize, more);
    affinePanel(panel, kc, groupSize, at, more, dtype);
    return;
  }
  affinePanelOfColumns(data + k0 * stride + (j * bits) / 8, stride, ONES, ZEROS, 0, kc, bits, panel);
  for (let k: usize = 0; k < kc; k++) {
    const group = ((k0 + k) * groups + j / groupSize) * 4;
    for (let i: usize = 0; i < COLUMNS; i++) {
      store<f32>(at + (k * COLUMNS + i) * 4, load<f32>(scales + group));
      store<f32>(more + (k * COLUMNS + i) * 4, load<f32>(biases + group));
    }
  }
  affinePanel(panel, kc, 1, at, more, dtype);
}
