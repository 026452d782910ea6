/**
 * The rarer products: block_masked_mm, segmented_mm, and qqmm, which quantizes both sides.
 */
import { type Dim, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { type DType, isFloating, isInteger, promote } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { elementCount, type Tensor, tensor } from '../tensor';
import { anyRank } from './any_rank';
import { broadcastDim } from './broadcast';
import { expandTo } from './expand';
import { gatheredBatch, matmul } from './matmul';
import { type Given, optionalInput } from './optional';
import { readBox, stridesOf } from './positions';
import { multiply } from './product_kernels';
import { parametersOf, type QuantizeAttrs, unpackedLength } from './quantize_checks';
import { joinTail, rankOf, splitTail } from './tails';

// ---- block_masked_mm --------------------------------------------------------------------------------------------------

const MASKS = ['mask_out', 'mask_lhs', 'mask_rhs'] as const;
type MaskAttrs = Given<(typeof MASKS)[number]> & { readonly block_size: number };

const blocks = (length: Dim, size: number): Dim | null =>
  typeof length === 'number' ? Math.ceil(length / size) : null;

/** Inputs: a, b and the masks given, which hold one element for each block of a product's matrix. */
defineOp<MaskAttrs>({
  name: 'block_masked_mm',
  infer(facts, inputs, attrs) {
    const [a, b] = inputs;
    const product = matmul.infer(facts, [a, b], {}) as ArrayType;
    const matrices = { mask_out: product, mask_lhs: a, mask_rhs: b };
    for (const name of MASKS) {
      const mask = optionalInput(inputs, attrs, 2, name);
      const shape = matrices[name].shape as readonly Dim[] | null;
      if (!mask || shape === null || shape.length < 2) continue;
      for (const axis of [-1, -2]) {
        const [have, length] = [mask.shape.at(axis), shape.at(axis)!];
        const want = blocks(length, attrs.block_size);
        if (have === undefined || want === null) continue;
        broadcastDim(facts, have, want, () => wrongMask(name, mask, matrices[name], attrs.block_size));
        if (facts.equal(have, 1) === 'no')
          facts.require(have, want, () => wrongMask(name, mask, matrices[name], attrs.block_size));
      }
    }
    return product;
  },
  inferOpen: (facts, inputs) => matmul.inferOpen!(facts, inputs.slice(0, 2), {}),
  kernel(inputs, attrs, [out]) {
    const [a, b] = inputs;
    const mask = (name: (typeof MASKS)[number], x: Tensor) => {
      const given = optionalInput(inputs, attrs, 2, name);
      return given ? masked(cast(x, out.dtype), given, attrs.block_size) : x;
    };
    const product = matmul.kernel!([mask('mask_lhs', a), mask('mask_rhs', b)], {}, [out]) as Tensor;
    return mask('mask_out', product);
  },
});

const wrongMask = (name: string, mask: ArrayType, matrix: ArrayType, size: number): Refusal =>
  new Refusal(
    'broadcast',
    `block_masked_mm: ${name} holds one element for each ${size} × ${size} block of ${showType(matrix)}, it is ${showType(mask)}`,
  );

/** The matrix with each block multiplied by its element of the mask. */
function masked(x: Tensor, mask: Tensor, size: number): Tensor {
  const [rows, columns] = x.shape.slice(-2);
  const perRow = Math.ceil(columns / size);
  const full = expandTo(cast(mask, x.dtype), [...x.shape.slice(0, -2), Math.ceil(rows / size), perRow]);
  const place = (r: number, c: number) => Math.floor(r / size) * perRow + Math.floor(c / size);
  const weights = tensor(x.dtype, x.shape);
  const perMatrix = full.data.length / Math.max(elementCount(x.shape.slice(0, -2)), 1);
  for (let i = 0; i < weights.data.length; i++) {
    const [matrix, at] = [Math.floor(i / (rows * columns)), i % (rows * columns)];
    weights.data[i] = full.data[matrix * perMatrix + place(Math.floor(at / columns), at % columns)] as never;
  }
  return multiply(x, weights, x);
}

// ---- segmented_mm -----------------------------------------------------------------------------------------------------

/** Inputs: a [M, K], b [K, N] and segments [..., 2], the ranges of K that are summed. */
defineOp({
  name: 'segmented_mm',
  infer(_, [a, b, segments]) {
    for (const [input, type] of [a, b].entries())
      if (type.shape.length !== 2)
        throw new Refusal('matmul', `segmented_mm multiplies two matrices, not ${showType(type)}`, { input });
    const last = segments.shape.at(-1);
    if (last === undefined || (typeof last === 'number' && last !== 2))
      throw new Refusal(
        'matmul',
        `segmented_mm: each segment is a pair, so the last axis is 2: ${showType(segments)}`,
        { input: 2 },
      );
    const dtype = promote(a.dtype, b.dtype);
    if (dtype !== null && !isFloating(dtype))
      throw new Refusal('dtype', `segmented_mm multiplies real floats, not ${showType(a)} and ${showType(b)}`);
    if (segments.dtype !== null && !isInteger(segments.dtype))
      throw new Refusal('index-dtype', `segmented_mm: segments are integers, not ${showType(segments)}`, { input: 2 });
    return { shape: [...segments.shape.slice(0, -1), a.shape[0], b.shape[1]], dtype };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel([a, b, segments], _, [out]) {
    const result = tensor(out.dtype, out.shape);
    const [rows, columns] = out.shape.slice(-2);
    const [left, right] = [cast(a, out.dtype), cast(b, out.dtype)];
    for (let s = 0; s < segments.data.length / 2; s++) {
      const depth = Math.min(a.shape[1], b.shape[0]);
      const [start, end] = [Number(segments.data[2 * s]), Math.min(Number(segments.data[2 * s + 1]), depth)];
      const length = Math.max(0, end - start);
      const part = matmul.kernel!(
        [
          readBox(left, [rows, length], stridesOf(a.shape), start),
          readBox(right, [length, columns], stridesOf(b.shape), start * columns),
        ],
        {},
        [{ shape: [rows, columns], dtype: out.dtype }],
      ) as Tensor;
      (result.data as Float32Array).set(part.data as Float32Array, s * rows * columns);
    }
    return result;
  },
});

// ---- qqmm -------------------------------------------------------------------------------------------------------------

type BothAttrs = QuantizeAttrs & Given<'scales' | 'lhs_indices' | 'rhs_indices'>;

/** @throws Refusal where the last axes of x and of the matrix, packed if it has scales, differ */
function requireFeatures(
  facts: Facts,
  op: string,
  [x, w]: readonly ArrayType[],
  packed: boolean,
  attrs: BothAttrs,
): void {
  const { bits } = parametersOf(op, attrs);
  const features = splitTail(facts, x.shape, 1)?.tail[0];
  const words = splitTail(facts, w.shape, 2)?.tail[1];
  if (features === undefined || words === undefined || (packed && typeof bits !== 'number')) return;
  const rows = packed ? unpackedLength(words, bits) : words;
  facts.require(
    features,
    rows,
    () =>
      new Refusal(
        'matmul',
        `${op}: x has ${showDim(features)} features on its last axis, the matrix takes ${showDim(rows)}: ${showType(x)} and ${showType(w)}`,
        { input: 0, axis: -1, expected: rows, actual: features },
      ),
  );
}

function qqmmDtype(op: string, x: ArrayType): DType | null {
  if (x.dtype !== null && (!isFloating(x.dtype) || x.dtype === 'float64'))
    throw new Refusal('dtype', `${op} takes real floats up to float32, x is ${showType(x)}`, { input: 0 });
  return x.dtype;
}

/** Inputs: x, the matrix [out, in], plain or packed, and its scales if packed. MLX has no CPU kernel for it. */
defineOp<BothAttrs>({
  name: 'qqmm',
  ...anyRank((facts, inputs, attrs: BothAttrs): ArrayType => {
    const [x, w] = inputs;
    const dtype = qqmmDtype('qqmm', x);
    const rank = rankOf(w.shape);
    if (rank !== null && rank !== 2)
      throw new Refusal('matmul', `qqmm multiplies by one matrix, not by ${showType(w)}`, { input: 1 });
    requireFeatures(facts, 'qqmm', inputs, optionalInput(inputs, attrs, 2, 'scales') !== undefined, attrs);
    const [left, right] = [splitTail(facts, x.shape, 1), splitTail(facts, w.shape, 2)];
    if (!left || !right) return { shape: null, dtype };
    return { shape: joinTail(left.batch, [right.tail[0]]), dtype };
  }),
});

defineOp<BothAttrs>({
  name: 'gather_qqmm',
  ...anyRank((facts, inputs, attrs: BothAttrs): ArrayType => {
    const [x, w] = inputs;
    const dtype = qqmmDtype('gather_qqmm', x);
    requireFeatures(facts, 'gather_qqmm', inputs, optionalInput(inputs, attrs, 2, 'scales') !== undefined, attrs);
    const indices = [
      optionalInput(inputs, attrs, 2, 'lhs_indices'),
      optionalInput(inputs, attrs, 2, 'rhs_indices'),
    ] as const;
    const [left, right] = [splitTail(facts, x.shape, 2), splitTail(facts, w.shape, 2)];
    if (!left || !right) return { shape: null, dtype };
    const batch = gatheredBatch(facts, 'gather_qqmm', [x, w], [indices[0], indices[1]]);
    return { shape: joinTail(batch, [left.tail[0], right.tail[0]]), dtype };
  }),
});
