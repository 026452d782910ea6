/**
 * What backends share of the products: vectors as matrices, batches, and the arrays of a quantized matrix.
 */
import { Facts } from '../src/dims/facts';
import type { DType } from '../src/dtype';
import type { Attrs, ConcreteType } from '../src/graph/op';
import { cast } from '../src/numeric/cast';
import { expandIndex } from '../src/ops/expand';
import { matmul } from '../src/ops/matmul';
import { type Given, optionalInput } from '../src/ops/optional';
import type { QuantizeAttrs } from '../src/ops/quantize_checks';
import { scaleValue } from '../src/quantize/microscaling';
import type { Quantization } from '../src/quantize/modes';
import type { Tensor } from '../src/tensor';

/** A vector is a row on the left and a column on the right. */
export const asRow = ({ shape }: ConcreteType): readonly number[] => (shape.length === 1 ? [1, shape[0]] : shape);
export const asColumn = ({ shape }: ConcreteType): readonly number[] => (shape.length === 1 ? [shape[0], 1] : shape);

/** Axes of a @ b that are not batch: one less for each vector. */
export const matrixAxes = (a: ConcreteType, b: ConcreteType): number =>
  Number(a.shape.length > 1) + Number(b.shape.length > 1);

/** The shape of a @ b. */
export const productShape = (a: ConcreteType, b: ConcreteType): readonly number[] =>
  (matmul.infer(new Facts(), [a, b], {}) as ConcreteType).shape;

/** Which matrices meet: the i-th product is matrix ofX[i] times matrix ofW[i]. */
export interface Pairs {
  readonly ofX: Int32Array;
  readonly ofW: Int32Array;
}

/** The pairs of a @ b, its leading axes broadcast. */
export function broadcastPairs(a: ConcreteType, b: ConcreteType): Pairs {
  const shape = productShape(a, b);
  const batch = shape.slice(0, shape.length - matrixAxes(a, b));
  return {
    ofX: expandIndex(asRow(a).slice(0, -2), batch),
    ofW: expandIndex(asColumn(b).slice(0, -2), batch),
  };
}

export type QuantizedAttrs = QuantizeAttrs &
  Given<'biases' | 'lhs_indices' | 'rhs_indices'> & { readonly transpose: boolean };

export const quantizedAttrs = (attrs: Attrs): QuantizedAttrs => attrs as unknown as QuantizedAttrs;

/** A batch of quantized matrices as kernels read them. */
export interface QuantizedMatrices {
  readonly codes: Uint32Array;
  /** Cast to the dtype of the product; scales that are codes are decoded. */
  readonly scales: Float32Array;
  /** Affine only. */
  readonly biases?: Float32Array;
  /** Of each matrix as it is stored. */
  readonly rows: number;
  readonly columns: number;
}

/** The matrices in the inputs of quantized_matmul or gather_qmm, for a product in `dtype`. */
export function quantizedMatrices(
  inputs: readonly Tensor[],
  attrs: QuantizedAttrs,
  { mode, bits }: Quantization,
  dtype: DType,
): QuantizedMatrices {
  const [, w, scales] = inputs;
  const biases = optionalInput(inputs, attrs, 3, 'biases');
  const [rows, words] = w.shape.slice(-2);
  return {
    codes: w.data as Uint32Array,
    scales:
      mode === 'affine'
        ? (cast(scales, dtype).data as Float32Array)
        : Float32Array.from(scales.data as Uint8Array, code => scaleValue(code, mode, dtype)),
    biases: biases && (cast(biases, dtype).data as Float32Array),
    rows,
    columns: (words * 32) / bits,
  };
}

const ONE: Pairs = { ofX: Int32Array.of(0), ofW: Int32Array.of(0) };

/** How quantized_matmul takes x: a batch of matrices, or (with a single quantized one) all its rows as one matrix. */
export function quantizedBatch([x, w]: readonly ConcreteType[], out: ConcreteType): Pairs & { readonly m: number } {
  if (x.shape.length <= 2 || w.shape.length <= 2)
    return { ...ONE, m: out.shape.slice(0, -1).reduce((a, b) => a * b, 1) };
  const batch = out.shape.slice(0, -2);
  return {
    ofX: expandIndex(x.shape.slice(0, -2), batch),
    ofW: expandIndex(w.shape.slice(0, -2), batch),
    m: x.shape[x.shape.length - 2],
  };
}
