/**
 * Who computes: the one interface between evaluation and the things that run kernels.
 *
 * Evaluation (./evaluate) owns order, memory and cancellation; a backend only turns the input tensors of one operation
 * into its outputs. It may decline any operation, which then runs in `reference`.
 */
import { sizeOf } from '../dtype';
import { type Attrs, type ConcreteType, opNamed } from '../graph/op';
import { elementCount, type Tensor } from '../tensor';

export interface Backend {
  /** Shown with results: `reference`, `wasm`, `webgpu`. */
  readonly name: string;
  /**
   * Whether `run` would compute this application; must be cheap, must not throw, and is asked before every run.
   * `attrs` holds no symbols.
   */
  supports(op: string, attrs: Attrs, inputs: readonly ConcreteType[]): boolean;
  /**
   * The outputs, in the order and with exactly the shapes and dtypes of `out`. Inputs are contiguous, row major, and
   * not to be changed; an output may share the storage of an input. Results of float16 and bfloat16 must be values
   * of these types, held as float32 (see ../tensor).
   * @throws Error with a readable message when the computation cannot be done; evaluation names the operation.
   * @throws Unavailable when this backend cannot do it now, and the next that supports it is to
   */
  run(
    op: string,
    attrs: Attrs,
    inputs: readonly Tensor[],
    out: readonly ConcreteType[],
  ): readonly Tensor[] | Promise<readonly Tensor[]>;
}

/** A backend's way to give up an application that it had said it supports: its device is lost or full. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** The plain kernels that stand beside the shape rules: right by definition, and always there. */
export const reference: Backend = {
  name: 'reference',
  supports: op => opNamed(op).kernel !== undefined,
  run(op, attrs, inputs, out) {
    const { kernel } = opNamed(op);
    if (!kernel) throw new Error(`${op} has no values to compute`);
    const result = kernel(inputs, attrs, out);
    return isList(result) ? result : [result];
  },
};

const isList = (result: Tensor | readonly Tensor[]): result is readonly Tensor[] => Array.isArray(result);

/** Bytes a tensor of this type takes here, where half precision is held as float32. */
export const heldBytes = ({ shape, dtype }: ConcreteType): number =>
  elementCount(shape) * (dtype === 'float16' || dtype === 'bfloat16' ? 4 : sizeOf(dtype));
