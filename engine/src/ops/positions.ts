/**
 * Where elements of contiguous arrays lie: for kernels that move elements without computing on them.
 */
import { allocate, elementCount, type Tensor } from '../tensor';

/** How far apart neighbours along each axis are, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

/** `count` positions, `step` apart. */
export const steps = (count: number, step: number, start = 0): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => start + i * step);

/** Every sum of one entry from each list, the last list varying fastest: the positions of a box of elements. */
export function sums(lists: readonly ArrayLike<number>[], base = 0): Int32Array {
  let result = Int32Array.of(base);
  for (const list of lists) {
    const next = new Int32Array(result.length * list.length);
    for (let i = 0, at = 0; i < result.length; i++)
      for (let j = 0; j < list.length; j++) next[at++] = result[i] + list[j];
    result = next;
  }
  return result;
}

/** The numbers that an element of the tensor takes in its storage. */
export const width = (x: Tensor): number => (x.dtype === 'complex64' ? 2 : 1);

/** Any storage, seen so that elements can be copied between two of the same dtype. */
export type Elements = { [i: number]: number | bigint };

/** The elements of `x` at `positions`, in that order, as an array of `shape`. */
export function takeAt(x: Tensor, positions: ArrayLike<number>, shape: readonly number[]): Tensor {
  const data = allocate(x.dtype, elementCount(shape));
  const lanes = width(x);
  const [from, to] = [x.data as Elements, data as Elements];
  if (lanes === 1) for (let i = 0; i < positions.length; i++) to[i] = from[positions[i]];
  else
    for (let i = 0; i < positions.length; i++)
      for (let lane = 0; lane < lanes; lane++) to[i * lanes + lane] = from[positions[i] * lanes + lane];
  return { shape, dtype: x.dtype, data };
}

/** The elements of `x` that a box of this shape and these strides, in elements, covers. */
export function readBox(x: Tensor, shape: readonly number[], strides: readonly number[], offset = 0): Tensor {
  const data = allocate(x.dtype, elementCount(shape));
  const lanes = width(x);
  const axes = mergedAxes(shape, strides).map(({ length, stride }) => ({ length, stride: stride * lanes }));
  if (lanes > 1) axes.push({ length: lanes, stride: 1 });
  if (data.length > 0) copyBox(x.data as Elements, data as Elements, mergedAgain(axes), offset * lanes);
  return { shape, dtype: x.dtype, data };
}

interface Axis {
  readonly length: number;
  readonly stride: number;
}

const mergedAxes = (shape: readonly number[], strides: readonly number[]): Axis[] =>
  mergedAgain(shape.map((length, axis) => ({ length, stride: strides[axis] })));

/** The axes with those left out that have one element, and neighbours taken together that lie as one. */
function mergedAgain(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    if (axis.length === 1) continue;
    const before = merged.at(-1);
    if (before && before.stride === axis.stride * axis.length)
      merged[merged.length - 1] = { length: before.length * axis.length, stride: axis.stride };
    else merged.push(axis);
  }
  return merged.length > 0 ? merged : [{ length: 1, stride: 1 }];
}

/** Columns that are read together where the last axis is not the one whose elements lie side by side. */
const BLOCK = 32;

/** Copies a box to contiguous elements, row after row, or block after block where rows are columns of the source. */
function copyBox(from: Elements, to: Elements, axes: readonly Axis[], offset: number): void {
  const across = axes.length > 1 && axes.at(-1)!.stride !== 1 && axes.at(-2)!.stride === 1;
  const inner = axes.slice(across ? -2 : -1);
  const outer = axes.slice(0, axes.length - inner.length);
  const size = inner.reduce((n, { length }) => n * length, 1);
  const starts = sums(
    outer.map(({ length, stride }) => steps(length, stride)),
    offset,
  );
  const [{ length, stride }] = inner.slice(-1);
  for (let box = 0; box < starts.length; box++) {
    const [start, at] = [starts[box], box * size];
    if (!across) {
      if (stride === 1) for (let i = 0; i < length; i++) to[at + i] = from[start + i];
      else for (let i = 0, p = start; i < length; i++, p += stride) to[at + i] = from[p];
      continue;
    }
    const rows = inner[0].length;
    for (let first = 0; first < length; first += BLOCK) {
      const end = Math.min(first + BLOCK, length);
      for (let row = 0; row < rows; row++)
        for (let i = first, p = start + row + first * stride; i < end; i++, p += stride)
          to[at + row * length + i] = from[p];
    }
  }
}

/** The same elements in another shape. */
export const reshaped = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape });
