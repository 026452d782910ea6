/**
 * Products with quantized matrices: quantized_matmul and gather_qmm.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { type DType, isFloating, promote } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { quantizedMatrix, quantizedProduct } from '../quantize/product';
import { allocate, elementCount, type Tensor } from '../tensor';
import { anyRank } from './any_rank';
import { broadcastOpen } from './broadcast';
import { expandIndex } from './expand';
import { gatheredBatch, gatherIndex } from './matmul';
import { type Given, optionalInput } from './optional';
import {
  checkLeading,
  checkPackedDtype,
  checkPackedLength,
  checkPositive,
  concrete,
  parametersOf,
  type QuantizeAttrs,
  refuse,
  scaleDtype,
  unpackedLength,
} from './quantize_checks';
import { joinTail, leastRank, rankOf, splitTail } from './tails';

type ProductAttrs<Name extends string = never> = QuantizeAttrs &
  Given<Name | 'biases'> & { readonly transpose: boolean };

interface ProductType {
  readonly dtype: DType | null;
  /** The length of the result's last axis. */
  readonly columns: Dim | null;
}

/** What the two products check alike: the matrix in itself and against the last axis of x. */
function checkProduct(
  facts: Facts,
  op: string,
  [x, w, scales]: readonly ArrayType[],
  biases: ArrayType | undefined,
  attrs: QuantizeAttrs & { readonly transpose: boolean },
): ProductType {
  const parameters = parametersOf(op, attrs);
  const { mode, bits } = parameters;
  const own = scaleDtype(op, mode, scales, biases);
  checkPositive(op, parameters);
  checkPackedDtype(op, w, 1);
  const rank = rankOf(w.shape);
  if (rank !== null && rank < 2)
    throw refuse('quantize-packed', `${op}: a quantized matrix has two axes at least, this is ${showType(w)}`, {
      input: 1,
    });
  if (biases) checkSameShape(facts, op, scales, biases);
  checkLeading(facts, op, w, scales, 2, 'scales');
  checkPackedLength(facts, op, w, scales, parameters);
  if (rankOf(x.shape) === 0)
    throw new Refusal('matmul', `${op}: a scalar is no matrix, x is ${showType(x)}`, { input: 0 }, 'IndexError');
  const matrix = splitTail(facts, w.shape, 2)?.tail;
  const lengths = matrix && [matrix[0], unpackedLength(matrix[1], bits)];
  const [columns, rows] = (attrs.transpose ? lengths : lengths?.toReversed()) ?? [];
  const features = splitTail(facts, x.shape, 1)?.tail[0];
  const rowsKnown = attrs.transpose ? typeof bits === 'number' : true;
  if (features !== undefined && rows !== undefined && rowsKnown)
    facts.require(features, rows, () =>
      refuse(
        'matmul',
        `${op}: x has ${facts.resolve(features)} features on its last axis, the quantized matrix takes ${facts.resolve(rows)}: ` +
          `${showType(x)}, and ${showType(w)} holding ${bits} bits a code`,
        { input: 0, axis: (rankOf(x.shape) ?? 0) - 1, expected: rows, actual: features },
      ),
    );
  const dtype = mode === 'affine' ? promote(x.dtype, own) : x.dtype;
  if (dtype !== null && !isFloating(dtype))
    throw refuse('dtype', `${op}: products need real floats, x is ${showType(x)}`, { input: 0 });
  return { dtype, columns: columns ?? null };
}

function checkSameShape(facts: Facts, op: string, scales: ArrayType, biases: ArrayType): void {
  const [left, right] = [facts.shape(scales.shape), facts.shape(biases.shape)];
  if (!Array.isArray(left) || !Array.isArray(right)) return;
  const message = () =>
    refuse('quantize-packed', `${op}: scales ${showType(scales)} and biases ${showType(biases)} differ in shape`);
  if (left.length !== right.length) throw message();
  for (const [axis, d] of left.entries()) facts.require(d, right[axis], message);
}

function quantizedMatmulType(
  facts: Facts,
  inputs: readonly ArrayType[],
  biases: ArrayType | undefined,
  attrs: QuantizeAttrs & { readonly transpose: boolean },
): ArrayType {
  const [x, w] = inputs;
  const { dtype, columns } = checkProduct(facts, 'quantized_matmul', inputs, biases, attrs);
  if (columns === null) return { shape: null, dtype };
  const rank = rankOf(w.shape);
  const vectorOrMatrix = rankOf(x.shape) !== null && leastRank(x.shape) <= 2;
  if (rank === 2 || vectorOrMatrix) {
    const split = splitTail(facts, x.shape, 1);
    return { shape: split && facts.shape(joinTail(split.batch, [columns])), dtype };
  }
  if (rank === null || leastRank(x.shape) <= 2) return { shape: null, dtype };
  const left = splitTail(facts, x.shape, 2)!;
  const batch = broadcastOpen(facts, left.batch, splitTail(facts, w.shape, 2)!.batch, () =>
    refuse('broadcast', `quantized_matmul: the leading axes of ${showType(x)} and ${showType(w)} do not broadcast`),
  );
  return { shape: facts.shape(joinTail(batch, [left.tail[0], columns])), dtype };
}

/** Inputs: x, packed codes, scales; optional: biases. The matrix is [out, in] with `transpose`, else [in, out]. */
export const quantizedMatmul = defineOp<ProductAttrs>({
  name: 'quantized_matmul',
  ...anyRank((facts, inputs, attrs) =>
    quantizedMatmulType(facts, inputs, optionalInput(inputs, attrs, 3, 'biases'), attrs),
  ),
  kernel(inputs, attrs, [out]) {
    const batched = inputs[0].shape.length > 2 && inputs[1].shape.length > 2;
    return multiplyQuantized(inputs, optionalInput(inputs, attrs, 3, 'biases'), attrs, out, batched);
  },
});

/** The same with matrices of both chosen by the further optional inputs lhs_indices and rhs_indices. */
export const gatherQmm = defineOp<ProductAttrs<'lhs_indices' | 'rhs_indices'>>({
  name: 'gather_qmm',
  ...anyRank((facts, inputs, attrs) => {
    const [x, w] = inputs;
    const biases = optionalInput(inputs, attrs, 3, 'biases');
    const lhs = optionalInput(inputs, attrs, 3, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs, 3, 'rhs_indices');
    if (!lhs && !rhs) return quantizedMatmulType(facts, inputs, biases, attrs);
    const { dtype, columns } = checkProduct(facts, 'gather_qmm', inputs, biases, attrs);
    const batch = gatheredBatch(facts, 'gather_qmm', [x, w], [lhs, rhs]);
    const split = splitTail(facts, x.shape, 2);
    if (!split || columns === null) return { shape: null, dtype };
    return { shape: facts.shape(joinTail(batch, [split.tail[0], columns])), dtype };
  }),
  kernel(inputs, attrs, [out]) {
    const [x, w] = inputs;
    const biases = optionalInput(inputs, attrs, 3, 'biases');
    const lhs = optionalInput(inputs, attrs, 3, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs, 3, 'rhs_indices');
    if (!lhs && !rhs) return multiplyQuantized(inputs, biases, attrs, out, x.shape.length > 2 && w.shape.length > 2);
    const batch = out.shape.slice(0, -2);
    return multiplyQuantized(inputs, biases, attrs, out, true, [
      gatherIndex(lhs, x.shape, batch),
      gatherIndex(rhs, w.shape, batch),
    ]);
  },
});

/**
 * The products of the chosen matrices; without `chosen` those of the broadcast batches, or (not `batched`) of all rows
 * of x with the first matrix.
 */
function multiplyQuantized(
  [x, w, scales]: readonly Tensor[],
  biases: Tensor | undefined,
  attrs: QuantizeAttrs & { readonly transpose: boolean },
  out: ConcreteType,
  batched: boolean,
  chosen?: readonly [Int32Array, Int32Array],
): Tensor {
  if (out.dtype === 'float64') throw new Error('a quantized product of float64 does not exist: MLX raises here');
  const parameters = concrete('quantized_matmul', attrs);
  const data = allocate(out.dtype, elementCount(out.shape)) as Float32Array<ArrayBuffer>;
  const [rows, words] = w.shape.slice(-2);
  const columns = (words * 32) / parameters.bits;
  const inner = x.shape[x.shape.length - 1];
  const m = batched ? x.shape[x.shape.length - 2] : elementCount(x.shape.slice(0, -1));
  const batch = out.shape.slice(0, -2);
  const [ofX, ofW] =
    chosen ?? (batched ? [expandIndex(x.shape.slice(0, -2), batch), expandIndex(w.shape.slice(0, -2), batch)] : ONLY);
  const values = cast(x, out.dtype).data as Float32Array;
  const factors = (biases ? cast(scales, out.dtype) : scales).data as Float32Array;
  const offsets = biases && (cast(biases, out.dtype).data as Float32Array);
  const stride = m * out.shape[out.shape.length - 1];
  const matrices = new Map<number, ReturnType<typeof quantizedMatrix>>();
  for (let i = 0; i < ofX.length; i++) {
    const index = ofW[i];
    const matrix =
      matrices.get(index) ?? quantizedMatrix(w.data as Uint32Array, factors, offsets, rows, columns, parameters, index);
    matrices.set(index, matrix);
    const part = values.subarray(ofX[i] * m * inner, (ofX[i] + 1) * m * inner);
    quantizedProduct(part, m, matrix, parameters, attrs.transpose, out.dtype, data, i * stride);
  }
  return { shape: out.shape, dtype: out.dtype as 'float32', data };
}

const ONLY: readonly [Int32Array, Int32Array] = [Int32Array.of(0), Int32Array.of(0)];
