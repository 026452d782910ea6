/**
 * Quantization: quantize, dequantize, and products with quantized matrices.
 *
 * A quantized matrix is two or three arrays: codes packed into uint32 along the last axis, scales, and for the affine
 * mode biases. `group_size` and `bits` null mean the mode's own; they may be symbols.
 */
import { anonymous, type Dim, floorDiv, mul } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { type DType, isFloating, promote } from '../dtype';
import { type ArrayType, type Attrs, type ConcreteType, defineOp } from '../graph/op';
import { Refusal, type RefusalDetail, type RefusalKind } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { isQuantizationMode, QUANTIZATION_MODES, type Quantization, type QuantizationMode } from '../quantize/modes';
import { quantizedMatrix, quantizedProduct } from '../quantize/product';
import * as quantization from '../quantize/quantize';
import { allocate, elementCount, type Tensor } from '../tensor';
import { broadcastOpen } from './broadcast';
import { expandIndex } from './expand';
import { gatheredBatch, gatherIndex } from './matmul';
import { type Given, optionalInput } from './optional';
import { joinTail, leastRank, rankOf, splitTail } from './tails';

export type QuantizeAttrs = { readonly mode: string; readonly group_size: Dim | null; readonly bits: Dim | null };

const refuse = (kind: RefusalKind, message: string, detail: RefusalDetail = {}): Refusal =>
  new Refusal(kind, message, detail);

const list = (items: readonly (number | string)[]): string =>
  items.length === 1 ? `${items[0]}` : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

interface Parameters {
  readonly mode: QuantizationMode;
  readonly bits: Dim;
  readonly groupSize: Dim;
}

/** @throws Refusal for a mode that MLX does not have */
function parametersOf(op: string, attrs: QuantizeAttrs): Parameters {
  const { mode } = attrs;
  if (!isQuantizationMode(mode))
    throw refuse(
      'quantize-mode',
      `${op}: there is no mode '${mode}'; MLX has ${list(Object.keys(QUANTIZATION_MODES))}`,
    );
  const { defaultBits, defaultGroupSize } = QUANTIZATION_MODES[mode];
  return { mode, bits: attrs.bits ?? defaultBits, groupSize: attrs.group_size ?? defaultGroupSize };
}

/** Bits and group size must be ones the mode has. */
function checkParameters(op: string, { mode, bits, groupSize }: Parameters): void {
  const facts = QUANTIZATION_MODES[mode];
  if (typeof groupSize === 'number' && !facts.groupSizes.includes(groupSize))
    throw refuse('quantize-mode', `${op}: ${mode} has groups of ${list(facts.groupSizes)}, not of ${groupSize}`);
  if (typeof bits === 'number' && !facts.bits.includes(bits))
    throw refuse('quantize-mode', `${op}: ${mode} has codes of ${list(facts.bits)} bits, not of ${bits}`);
}

/** The parameters of an evaluation, where all are numbers. */
function concrete(op: string, attrs: QuantizeAttrs): Quantization {
  const parameters = parametersOf(op, attrs);
  checkParameters(op, parameters);
  return parameters as Quantization;
}

/** How many words of 32 bits `length` codes fill; a length that groups divide is a multiple of what a word holds. */
function packedLength(facts: Facts, length: Dim, bits: Dim): Dim {
  if (typeof bits !== 'number') return anonymous();
  const perWord = 32 % bits === 0 ? 32 / bits : 32;
  facts.assumeDivides(perWord, length);
  return mul(floorDiv(length, perWord), (perWord * bits) / 32);
}

/** How many codes fill `words` words. */
const unpackedLength = (words: Dim, bits: Dim): Dim =>
  typeof bits === 'number' ? floorDiv(mul(words, 32), bits) : anonymous();

function checkGlobalScale(op: string, mode: QuantizationMode, scale: ArrayType | undefined): void {
  if (!scale) return;
  if (mode !== 'nvfp4') throw refuse('quantize-mode', `${op}: ${mode} has no global scale, only nvfp4 has`);
  if (Array.isArray(scale.shape) && scale.shape.some(d => typeof d === 'number' && d !== 1))
    throw refuse('value', `${op}: the global scale is one number, this is ${showType(scale)}`);
  if (scale.dtype !== null && scale.dtype !== 'float32')
    throw refuse('dtype', `${op}: the global scale is float32, this is ${showType(scale)}`);
}

const globalScaleOf = (scale: Tensor | undefined): number | undefined => scale && Number(scale.data[0]);

/** Infers the same whether ranks are known or not. */
const anyRank = <A extends Attrs, R extends ArrayType | readonly ArrayType[]>(
  infer: (facts: Facts, inputs: readonly ArrayType[], attrs: A) => R,
) => ({ infer, inferOpen: infer });

// ---- quantize ---------------------------------------------------------------------------------------------------------

/** Results: the packed codes, scales and, for the affine mode, biases. */
export const quantize = defineOp<QuantizeAttrs & Given<'global_scale'>>({
  name: 'quantize',
  ...anyRank((facts, inputs, attrs) => {
    const op = 'quantize';
    const [w] = inputs;
    const parameters = parametersOf(op, attrs);
    const { mode, bits, groupSize } = parameters;
    if (w.dtype !== null && !isFloating(w.dtype))
      throw refuse('dtype', `quantize: only real floats can be quantized, this is ${showType(w)}`, { input: 0 });
    const rank = rankOf(w.shape);
    if (rank !== null && rank < 2)
      throw refuse('value', `quantize: a matrix has two axes at least, this is ${showType(w)}`, { input: 0 });
    if (typeof groupSize === 'number' && groupSize <= 0) checkParameters(op, parameters);
    const split = splitTail(facts, w.shape, 2);
    if (split) {
      const columns = split.tail[1];
      facts.requireDivides(groupSize, columns, () =>
        refuse(
          'quantize-group',
          `quantize: groups of ${groupSize} do not divide the last axis of ${showType(w)}, which is ${facts.resolve(columns)} long`,
          { input: 0, axis: (rank ?? 0) - 1, expected: groupSize, actual: columns },
        ),
      );
    }
    checkGlobalScale(op, mode, optionalInput(inputs, attrs, 1, 'global_scale'));
    checkParameters(op, parameters);
    const shape = (last: (columns: Dim) => Dim) =>
      split && facts.shape(joinTail(split.batch, [split.tail[0], last(split.tail[1])]));
    const packed: ArrayType = { shape: shape(d => packedLength(facts, d, bits)), dtype: 'uint32' };
    const perGroup = shape(d => floorDiv(d, groupSize));
    if (mode !== 'affine') return [packed, { shape: perGroup, dtype: 'uint8' } satisfies ArrayType];
    return [packed, { shape: perGroup, dtype: w.dtype }, { shape: perGroup, dtype: w.dtype }];
  }),
  kernel(inputs, attrs) {
    const scale = globalScaleOf(optionalInput(inputs, attrs, 1, 'global_scale'));
    const { packed, scales, biases } = quantization.quantize(inputs[0], concrete('quantize', attrs), scale);
    return biases ? [packed, scales, biases] : [packed, scales];
  },
});

// ---- what takes quantized matrices ------------------------------------------------------------------------------------

/** The dtype that scales and biases make; biases belong to the affine mode alone. */
function scaleDtype(
  op: string,
  mode: QuantizationMode,
  scales: ArrayType,
  biases: ArrayType | undefined,
): DType | null {
  if (mode === 'affine') {
    if (!biases) throw refuse('value', `${op}: the affine mode needs biases`);
    const dtype = promote(scales.dtype, biases.dtype);
    if (dtype !== null && !isFloating(dtype))
      throw refuse(
        'dtype',
        `${op}: scales and biases are real floats, these are ${showType(scales)} and ${showType(biases)}`,
      );
    return dtype;
  }
  if (scales.dtype !== null && scales.dtype !== 'uint8')
    throw refuse('dtype', `${op}: the scales of ${mode} are uint8, these are ${showType(scales)}`);
  if (biases) throw refuse('value', `${op}: ${mode} has no biases`);
  return null;
}

function checkPackedDtype(op: string, w: ArrayType, input: number): void {
  if (w.dtype !== null && w.dtype !== 'uint32')
    throw refuse('dtype', `${op}: a quantized matrix is packed into uint32, this is ${showType(w)}`, { input });
}

/** The packed words and the scales must stand for the same number of elements. */
function checkPackedLength(
  facts: Facts,
  op: string,
  w: ArrayType,
  scales: ArrayType,
  { bits, groupSize }: Parameters,
): void {
  if (typeof bits !== 'number' || rankOf(scales.shape) === 0) return;
  const words = splitTail(facts, w.shape, 1)?.tail[0];
  const groups = splitTail(facts, scales.shape, 1)?.tail[0];
  if (words === undefined || groups === undefined) return;
  const [held, scaled] = [unpackedLength(words, bits), mul(groups, groupSize)];
  facts.require(held, scaled, () =>
    refuse(
      'quantize-packed',
      `${op}: ${showType(w)} holds ${facts.resolve(held)} codes of ${bits} bits a row, ` +
        `but ${showType(scales)} has scales for ${facts.resolve(scaled)} in groups of ${groupSize}`,
      { expected: scaled, actual: held },
    ),
  );
}

/** Leading axes of the packed words and of the scales must agree; `skip` last ones are free. */
function checkLeading(facts: Facts, op: string, w: ArrayType, other: ArrayType, skip: number, what: string): void {
  const [left, right] = [facts.shape(w.shape), facts.shape(other.shape)];
  if (!Array.isArray(left) || !Array.isArray(right)) return;
  for (let axis = 0; axis < left.length - skip; axis++) {
    const message = () =>
      refuse('quantize-packed', `${op}: ${showType(w)} and its ${what}, ${showType(other)}, differ in axis ${axis}`);
    if (axis >= right.length) throw message();
    facts.require(left[axis], right[axis], message);
  }
}

type DequantizeAttrs = QuantizeAttrs & Given<'biases' | 'global_scale'> & { readonly dtype?: DType | null };

/** Inputs: packed codes, scales; optional: biases, global_scale. `dtype` null is the scales' or bfloat16. */
export const dequantize = defineOp<DequantizeAttrs>({
  name: 'dequantize',
  ...anyRank((facts, inputs, attrs) => {
    const op = 'dequantize';
    const [w, scales] = inputs;
    const biases = optionalInput(inputs, attrs, 2, 'biases');
    const globalScale = optionalInput(inputs, attrs, 2, 'global_scale');
    const parameters = parametersOf(op, attrs);
    const { mode, bits, groupSize } = parameters;
    if (attrs.dtype && !isFloating(attrs.dtype))
      throw refuse('dtype', `dequantize: the result is of real floats, not ${attrs.dtype}`);
    const own = scaleDtype(op, mode, scales, biases);
    for (const [value, name] of [
      [bits, 'bits'],
      [groupSize, 'group_size'],
    ] as const)
      if (typeof value === 'number' && value <= 0)
        throw refuse('quantize-mode', `dequantize: ${name} cannot be ${value}`);
    checkPackedDtype(op, w, 0);
    const rank = rankOf(w.shape);
    if (rank !== null && rank < 2)
      throw refuse('value', `dequantize: a matrix has two axes at least, this is ${showType(w)}`, { input: 0 });
    checkGlobalScale(op, mode, globalScale);
    if (mode !== 'affine') checkParameters(op, parameters);
    for (const [other, name] of [
      [scales, 'scales'],
      [biases, 'biases'],
    ] as const) {
      const otherRank = other && rankOf(other.shape);
      if (!other) continue;
      if (typeof otherRank === 'number' && rank !== null && otherRank !== rank)
        throw refuse(
          'quantize-packed',
          `dequantize: ${showType(w)} and its ${name}, ${showType(other)}, differ in rank`,
        );
      checkLeading(facts, op, w, other, 1, name);
    }
    checkPackedLength(facts, op, w, scales, parameters);
    const split = splitTail(facts, w.shape, 1);
    const shape = split && facts.shape(joinTail(split.batch, [unpackedLength(split.tail[0], bits)]));
    const dtype = attrs.dtype ?? (mode === 'affine' ? own : 'bfloat16');
    return { shape, dtype: globalScale ? promote(dtype, 'float32') : dtype };
  }),
  kernel(inputs, attrs, [out]) {
    const [packed, scales] = inputs;
    const parameters = concrete('dequantize', attrs);
    const biases = optionalInput(inputs, attrs, 2, 'biases');
    const globalScale = globalScaleOf(optionalInput(inputs, attrs, 2, 'global_scale'));
    if (!biases) {
      const q = { packed: packed as Tensor<'uint32'>, scales };
      return quantization.dequantize(q, parameters, attrs.dtype ?? 'bfloat16', globalScale);
    }
    const own = promote(scales.dtype, biases.dtype)!;
    const q = { packed: packed as Tensor<'uint32'>, scales: cast(scales, own), biases: cast(biases, own) };
    return quantization.dequantize(q, parameters, out.dtype);
  },
});

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
  const { mode, bits, groupSize } = parameters;
  const own = scaleDtype(op, mode, scales, biases);
  for (const [value, name] of [
    [bits, 'bits'],
    [groupSize, 'group_size'],
  ] as const)
    if (typeof value === 'number' && value <= 0) throw refuse('quantize-mode', `${op}: ${name} cannot be ${value}`);
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
