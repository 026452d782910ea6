/**
 * Concrete arrays: what kernels read and write.
 *
 * A tensor is contiguous and row major. float16 and bfloat16 are held as float32 values that are exactly representable
 * in them, so that one set of kernels serves all floats; complex64 interleaves real and imaginary parts.
 */
import type { DType } from './dtype';

export interface Storage {
  bool: Uint8Array;
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  float32: Float32Array;
  float64: Float64Array;
  complex64: Float32Array;
}

export type TensorData = Storage[DType];

export interface Tensor<D extends DType = DType> {
  readonly shape: readonly number[];
  readonly dtype: D;
  /** `elementCount(shape)` elements; twice as many numbers for complex64. */
  readonly data: Storage[D];
}

export const elementCount = (shape: readonly number[]): number => shape.reduce((n, d) => n * d, 1);

const CONSTRUCTORS = {
  bool: Uint8Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  float32: Float32Array,
  float64: Float64Array,
  complex64: Float32Array,
} as const;

/** Zeroed storage for `count` elements of `dtype`. */
export function allocate<D extends DType>(dtype: D, count: number): Storage[D] {
  return new CONSTRUCTORS[dtype](dtype === 'complex64' ? 2 * count : count) as Storage[D];
}

/** A tensor over `data`, or zeros without it. */
export function tensor<D extends DType>(
  dtype: D,
  shape: readonly number[],
  data: Storage[D] = allocate(dtype, elementCount(shape)),
): Tensor<D> {
  return { shape, dtype, data };
}
