/**
 * The loops reference kernels share: walking arrays by strides, along axes, and group by group.
 *
 * Kernels of this folder are written for clarity; they read elements through offsets computed here (or, for broadcasting,
 * in ./expand), so that none needs to know about ranks.
 */

/** Row-major strides of a contiguous array, in elements. */
export function contiguousStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

/** The offset of every element of `shape`, in row-major order, in storage walked by `strides`. */
export function offsetsOf(shape: readonly number[], strides: readonly number[]): Int32Array {
  const count = shape.reduce((n, d) => n * d, 1);
  const offsets = new Int32Array(count);
  const index = new Array<number>(shape.length).fill(0);
  let offset = 0;
  for (let i = 0; i < count; i++) {
    offsets[i] = offset;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      offset += strides[axis];
      if (++index[axis] < shape[axis]) break;
      offset -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return offsets;
}

/** How an array falls into groups of elements that a reduction over `axes` combines. */
export interface Groups {
  /** The offset of each group, in row-major order of the axes that are kept. */
  readonly starts: Int32Array;
  /** The offsets of a group's elements from its start, in row-major order of the reduced axes. */
  readonly members: Int32Array;
}

/** The groups that a reduction of an array of shape `shape` over `axes` (counted from the front) makes. */
export function groupsOf(shape: readonly number[], axes: readonly number[]): Groups {
  const strides = contiguousStrides(shape);
  const reduced = [...axes].sort((a, b) => a - b);
  const kept = shape.map((_, axis) => axis).filter(axis => !reduced.includes(axis));
  const along = (which: readonly number[]) =>
    offsetsOf(
      which.map(axis => shape[axis]),
      which.map(axis => strides[axis]),
    );
  return { starts: along(kept), members: along(reduced) };
}
