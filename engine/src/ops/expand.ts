/**
 * Broadcasting of concrete arrays, for kernels.
 *
 * Shape rules have already checked that the shapes combine (./broadcast); here elements are only found.
 */
import { allocate, elementCount, type Tensor } from '../tensor';

/** The position in `from` of every element of `to`, which `from` broadcasts to. */
export function expandIndex(from: readonly number[], to: readonly number[]): Int32Array {
  const index = new Int32Array(elementCount(to));
  const offset = to.length - from.length;
  let stride = 1;
  const strides = new Array<number>(to.length).fill(0);
  for (let axis = from.length - 1; axis >= 0; axis--) {
    if (from[axis] !== 1) strides[axis + offset] = stride;
    stride *= from[axis];
  }
  // grown axis by axis from the last: each outer axis repeats what is there, a stride further on
  let filled = Math.min(1, index.length);
  for (let axis = to.length - 1; axis >= 0; axis--) {
    for (let i = 1; i < to[axis]; i++)
      for (let j = 0; j < filled; j++) index[i * filled + j] = index[j] + i * strides[axis];
    filled *= to[axis];
  }
  return index;
}

/** `x` repeated along new and length-1 axes to `shape`; `x` itself where nothing changes. */
export function expandTo(x: Tensor, shape: readonly number[]): Tensor {
  if (x.shape.length === shape.length && x.shape.every((d, i) => d === shape[i])) return x;
  const index = expandIndex(x.shape, shape);
  const width = x.dtype === 'complex64' ? 2 : 1;
  const data = allocate(x.dtype, index.length);
  for (let i = 0; i < index.length; i++)
    for (let part = 0; part < width; part++)
      (data as { [i: number]: number | bigint })[i * width + part] = x.data[index[i] * width + part];
  return { shape, dtype: x.dtype, data };
}

/** Reads a real array as if it had `shape`: the i-th element in row-major order. 64-bit integers become numbers. */
export function reader(x: Tensor, shape: readonly number[]): (i: number) => number {
  if (x.data.length === 1) {
    const only = Number(x.data[0]);
    return () => only;
  }
  const { data } = expandTo(x, shape);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return i => Number(data[i]);
  return i => data[i];
}
