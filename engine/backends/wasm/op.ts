/**
 * What an operation of this backend is, and what it runs with.
 */
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
