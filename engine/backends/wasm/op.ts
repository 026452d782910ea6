/**
 * What an operation of this backend is, and what it runs with.
 */
import type { DType } from '../../src/dtype';
import type { Attrs, ConcreteType } from '../../src/graph/op';
import type { Tensor } from '../../src/tensor';
import type { Arena } from './arena';
import type { Arithmetic } from './kernels';

export interface Engine {
  readonly arena: Arena;
  readonly arithmetic: Arithmetic;
}

/** An operation on the kernels. Shapes have been checked by its rule. */
export interface WasmOp {
  supports(attrs: Attrs, inputs: readonly ConcreteType[], arithmetic: Arithmetic): boolean;
  run(engine: Engine, inputs: readonly Tensor[], attrs: Attrs, out: readonly ConcreteType[]): readonly Tensor[];
}

/** Whether the kernels can hold values of `dtype`. */
export const isHeldAsFloat32 = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';
