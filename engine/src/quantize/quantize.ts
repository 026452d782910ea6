/**
 * Quantizing and dequantizing whole arrays: what `mx.quantize` and `mx.dequantize` compute.
 */
import type { DType } from '../dtype';
import { cast } from '../numeric/cast';
import { allocate, elementCount, type Tensor } from '../tensor';
import { type AffineCodes, affineDequantize, affineQuantize } from './affine';
import { dequantizedDtype, type MicroscalingCodes, microscalingDequantize, microscalingQuantize } from './microscaling';
import type { Quantization } from './modes';
import { packCodes, unpackCodes } from './pack';

/** A quantized array, in the three (without affine: two) arrays that MLX keeps. */
export interface Quantized {
  /** The shape of the weights, with the last axis shortened to words of 32 bits. */
  readonly packed: Tensor<'uint32'>;
  /** One a group: of the weights' dtype, or uint8. */
  readonly scales: Tensor;
  /** Affine only. */
  readonly biases?: Tensor;
}

/**
 * Quantizes the last axis of `w`, whose length the group size divides.
 * @throws Error for affine quantization of float64, which MLX lacks.
 */
export function quantize(w: Tensor, { mode, bits, groupSize }: Quantization, globalScale?: number): Quantized {
  const rows = w.shape.slice(0, -1);
  const columns = w.shape[w.shape.length - 1];
  const values = w.data as Float32Array<ArrayBuffer>;
  const packed = (codes: Uint8Array): Tensor<'uint32'> => ({
    shape: [...rows, (columns * bits) / 32],
    dtype: 'uint32',
    data: packCodes(codes, bits),
  });
  const shape = [...rows, columns / groupSize];
  if (mode === 'affine') {
    if (w.dtype === 'float64') throw new Error('affine quantization of float64 does not exist: MLX raises here');
    const { codes, scales, biases } = affineQuantize(values, groupSize, bits, w.dtype);
    const dtype = w.dtype as 'float32';
    return { packed: packed(codes), scales: { shape, dtype, data: scales }, biases: { shape, dtype, data: biases } };
  }
  const { codes, scales } = microscalingQuantize(values, mode, w.dtype, globalScale);
  return { packed: packed(codes), scales: { shape, dtype: 'uint8', data: scales } };
}

/**
 * The values that a quantized array stands for. `dtype` is that of the result; affine codes are scaled in the dtype of
 * the scales first.
 */
export function dequantize(
  q: Quantized,
  { mode, bits, groupSize }: Quantization,
  dtype: DType,
  globalScale?: number,
): Tensor {
  const count = elementCount(q.scales.shape) * groupSize;
  const rows = q.scales.shape.slice(0, -1);
  const shape = [...rows, q.scales.shape[q.scales.shape.length - 1] * groupSize];
  const codes = unpackCodes(q.packed.data, bits, count);
  if (mode === 'affine') {
    const scales = q.scales as Tensor<'float32'>;
    const biases = q.biases as Tensor<'float32'>;
    const data = affineDequantize(
      { codes, scales: scales.data, biases: biases.data } as AffineCodes,
      groupSize,
      scales.dtype,
    );
    return cast({ shape, dtype: scales.dtype, data }, dtype);
  }
  const values = microscalingDequantize(
    { codes, scales: q.scales.data } as MicroscalingCodes,
    mode,
    dtype,
    globalScale,
  );
  const result = dequantizedDtype(dtype, globalScale !== undefined);
  const data = allocate(result, count) as Float32Array<ArrayBuffer>;
  data.set(values);
  return { shape, dtype: result as 'float32', data };
}

/**
 * Bytes that a quantized array of this shape takes in MLX: codes, and a scale (affine: also a bias) for each group, in
 * `dtype`, the weights' own.
 */
export function quantizedBytes(
  shape: readonly number[],
  { mode, bits, groupSize }: Quantization,
  dtypeSize: number,
): number {
  const count = elementCount(shape);
  const perGroup = mode === 'affine' ? 2 * dtypeSize : 1;
  return (count * bits) / 8 + (count / groupSize) * perGroup;
}

/** Bits an element takes, scales and biases included. */
export const bitsPerWeight = ({ mode, bits, groupSize }: Quantization, dtypeSize: number): number =>
  bits + (8 * (mode === 'affine' ? 2 * dtypeSize : 1)) / groupSize;
