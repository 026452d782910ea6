/**
 * The dtypes that backends compute with: those held as float32 (see engine/src/tensor).
 */
import { type DType, promote } from '../src/dtype';
import type { ConcreteType } from '../src/graph/op';
import { rounder } from '../src/numeric/round';
import type { Tensor } from '../src/tensor';

export const isHeldAsFloat32 = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';

/** The dtype that arrays of these types have together. */
export const promoted = (types: readonly ConcreteType[]): DType =>
  types.map(t => t.dtype).reduce((a, b) => promote(a, b)!);

/** The values, rounded in place to the dtype they are to have. */
export function roundedTo({ shape, dtype }: ConcreteType, values: Float32Array<ArrayBuffer>): Tensor {
  if (dtype !== 'float32') {
    const round = rounder(dtype);
    for (let i = 0; i < values.length; i++) values[i] = round(values[i]);
  }
  return { shape, dtype: dtype as 'float32', data: values };
}
