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
export const readBox = (x: Tensor, shape: readonly number[], strides: readonly number[], offset = 0): Tensor =>
  takeAt(
    x,
    sums(
      shape.map((n, axis) => steps(n, strides[axis])),
      offset,
    ),
    shape,
  );

/** The same elements in another shape. */
export const reshaped = (x: Tensor, shape: readonly number[]): Tensor => ({ ...x, shape });
