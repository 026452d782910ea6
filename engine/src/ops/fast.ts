/**
 * `mx.fast`'s row-wise operations: rms_norm, layer_norm, rope, cross_entropy; and the Hadamard transform.
 *
 * The kernels compute in float64 and round once: MLX's own results differ between its backends by more than that.
 */
import { type Dim, isKnown, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type DType, isFloating, isInteger, promote } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { type Tensor, tensor } from '../tensor';
import { anyRank } from './any_rank';
import { type Given, optionalInput } from './optional';
import { rankOf, splitTail } from './tails';

type Reals = { [i: number]: number };

/** @throws Refusal of kind 'dtype' for anything but a real float */
function requireFloating(op: string, dtype: DType | null, type: ArrayType): void {
  if (dtype !== null && !isFloating(dtype))
    throw new Refusal('dtype', `${op} takes floating point arrays, not ${showType(type)}`, { input: 0 });
}

// ---- norms ------------------------------------------------------------------------------------------------------------

type NormAttrs = Given<'weight' | 'bias'> & { readonly eps: number | null };

/** A weight or bias is one row as long as the last axis. @throws Refusal of kind 'norm-dims' */
function requireRow(facts: Facts, op: string, x: ArrayType, row: ArrayType, name: string, input: number): void {
  const rank = rankOf(row.shape);
  if (rank !== null && rank !== 1)
    throw new Refusal('norm-dims', `${op}: ${name} must have one axis, it has ${rank}: ${showType(row)}`, { input });
  const full = row.shape instanceof OpenShape ? facts.refineRank(row.shape, 1) : row.shape;
  const features = splitTail(facts, x.shape, 1)?.tail[0];
  if (!full || features === undefined) return;
  const [length] = full as readonly Dim[];
  facts.require(
    features,
    length,
    () =>
      new Refusal(
        'norm-dims',
        `${op} expects ${showDim(length)} features on the last axis, x has ${showDim(features)}: ${showType(x)}`,
        { input: 0, axis: (rankOf(x.shape) ?? 0) - 1, expected: length, actual: features },
      ),
  );
}

/** The type of a normalized array; the weight takes part in its dtype, and a bias beside a weight. */
function normalizedType(facts: Facts, op: string, inputs: readonly ArrayType[], attrs: NormAttrs): ArrayType {
  const [x] = inputs;
  if (rankOf(x.shape) === 0)
    throw new Refusal('norm-dims', `${op} needs an axis to normalize, x has none: ${showType(x)}`, { input: 0 });
  const weight = optionalInput(inputs, attrs, 1, 'weight');
  const bias = optionalInput(inputs, attrs, 1, 'bias');
  if (weight) requireRow(facts, op, x, weight, 'the weight', 1);
  if (bias) requireRow(facts, op, x, bias, 'the bias', inputs.indexOf(bias));
  const scaled = weight ? promote(x.dtype, weight.dtype) : x.dtype;
  const dtype = weight && bias ? promote(scaled, bias.dtype) : scaled;
  requireFloating(op, dtype, x);
  return { shape: facts.shape(x.shape), dtype };
}

/** Every row of `x` as `(x - mean) · scale · weight + bias`; `centered` says whether the mean is taken away. */
function normalize(inputs: readonly Tensor[], attrs: NormAttrs, dtype: DType, centered: boolean): Tensor {
  const [input] = inputs;
  const x = cast(input, dtype);
  const result = tensor(dtype, x.shape);
  const length = x.shape[x.shape.length - 1];
  const [from, to] = [x.data as Reals, result.data as Reals];
  const weight = optionalInput(inputs, attrs, 1, 'weight')?.data as Reals | undefined;
  const bias = optionalInput(inputs, attrs, 1, 'bias')?.data as Reals | undefined;
  const round = rounder(dtype);
  for (let start = 0; start < x.data.length; start += length) {
    let mean = 0;
    if (centered) for (let i = 0; i < length; i++) mean += from[start + i] / length;
    let square = 0;
    for (let i = 0; i < length; i++) square += (from[start + i] - mean) ** 2 / length;
    const scale = 1 / Math.sqrt(square + (attrs.eps ?? 0));
    for (let i = 0; i < length; i++)
      to[start + i] = round((from[start + i] - mean) * scale * (weight?.[i] ?? 1) + (bias?.[i] ?? 0));
  }
  return result;
}

for (const [name, centered] of [
  ['rms_norm', false],
  ['layer_norm', true],
] as const)
  defineOp<NormAttrs>({
    name,
    ...anyRank((facts, inputs, attrs: NormAttrs) => normalizedType(facts, name, inputs, attrs)),
    kernel: (inputs, attrs, [out]) => normalize(inputs, attrs, out.dtype, centered),
  });

// ---- rope -------------------------------------------------------------------------------------------------------------

/** Inputs: x, the offset (0-d, or one for each element of the first axis), and frequencies where there is no base. */
type RopeAttrs = Given<'freqs'> & {
  readonly dims: Dim;
  readonly traditional: boolean;
  readonly base: number | null;
  readonly scale: number | null;
};

function requireDims(facts: Facts, x: ArrayType, dims: Dim): void {
  const refuse = (problem: string, actual?: Dim) =>
    new Refusal('rope', `rope: dims ${problem}: ${showType(x)}`, { input: 0, expected: dims, actual });
  if (facts.less(dims, 1) === 'yes') throw refuse(`must be positive, not ${showDim(dims)}`);
  if (facts.divides(2, dims) === 'no') throw refuse(`must be even, not ${showDim(dims)}`);
  const last = splitTail(facts, x.shape, 1)?.tail[0];
  if (last !== undefined && facts.less(last, dims) === 'yes')
    throw refuse(`is ${showDim(dims)}, the last axis has only ${showDim(last)}`, last);
}

function requireOffset(facts: Facts, x: ArrayType, offset: ArrayType): void {
  if (offset.dtype !== null && !isInteger(offset.dtype))
    throw new Refusal('rope', `rope: the offset must be an integer, not ${showType(offset)}`, { input: 1 });
  const rank = rankOf(offset.shape);
  if (rank === null || rank === 0) return;
  const [length] = offset.shape as readonly Dim[];
  const batch = rankOf(x.shape) === null ? null : (x.shape as readonly Dim[])[0];
  if (rank > 1 || (batch !== null && facts.equal(length, 1) === 'no' && facts.equal(length, batch) === 'no'))
    throw new Refusal(
      'rope',
      `rope: the offset must be one number, or one for each element of the first axis: ${showType(offset)} for ${showType(x)}`,
      { input: 1, expected: batch ?? undefined, actual: length },
    );
}

defineOp<RopeAttrs>({
  name: 'rope',
  ...anyRank((facts, inputs, attrs: RopeAttrs): ArrayType => {
    const [x, offset] = inputs;
    const rank = rankOf(x.shape);
    if (rank !== null && rank < 3)
      throw new Refusal('rope', `rope needs at least three axes [B, ..., L, D], x has ${rank}: ${showType(x)}`, {
        input: 0,
      });
    requireFloating('rope', x.dtype, x);
    requireDims(facts, x, attrs.dims);
    requireOffset(facts, x, offset);
    const freqs = optionalInput(inputs, attrs, 2, 'freqs');
    const length = freqs && rankOf(freqs.shape) === 1 ? (freqs.shape as readonly Dim[])[0] : null;
    const wrong = () =>
      new Refusal(
        'rope',
        `rope: freqs must be one row of dims / 2 frequencies, dims is ${showDim(attrs.dims)}: ${showType(freqs!)}`,
        { input: 2 },
      );
    if (freqs && rankOf(freqs.shape) !== null && length === null) throw wrong();
    if (length !== null && isKnown(attrs.dims) && facts.equal(length, attrs.dims / 2) === 'no') throw wrong();
    return { shape: facts.shape(x.shape), dtype: x.dtype };
  }),
  kernel(inputs, attrs, [out]) {
    const [x, offset] = inputs;
    return rotate(x, offset, optionalInput(inputs, attrs, 2, 'freqs'), attrs, out.dtype);
  },
});

function rotate(x: Tensor, offset: Tensor, freqs: Tensor | undefined, attrs: RopeAttrs, dtype: DType): Tensor {
  const rank = x.shape.length;
  const [length, width] = [x.shape[rank - 2], x.shape[rank - 1]];
  const half = Number(attrs.dims) / 2;
  const result = tensor(dtype, x.shape);
  const [from, to] = [x.data as Reals, result.data as Reals];
  const round = rounder(dtype);
  const speeds = Array.from({ length: half }, (_, i) =>
    freqs ? 1 / Number(freqs.data[i]) : (attrs.base ?? 0) ** (-i / half),
  );
  const rows = x.data.length / Math.max(width, 1);
  const perBatch = rows / x.shape[0];
  for (let row = 0; row < rows; row++) {
    const batch = Math.floor(row / perBatch);
    const start = Number(offset.data[offset.data.length > 1 ? batch : 0]);
    const position = (start + (row % length)) * (attrs.scale ?? 1);
    for (let i = 0; i < half; i++) {
      const first = row * width + (attrs.traditional ? 2 * i : i);
      const second = row * width + (attrs.traditional ? 2 * i + 1 : i + half);
      const [sin, cos] = [Math.sin(position * speeds[i]), Math.cos(position * speeds[i])];
      to[first] = round(from[first] * cos - from[second] * sin);
      to[second] = round(from[first] * sin + from[second] * cos);
    }
    for (let i = 2 * half; i < width; i++) to[row * width + i] = from[row * width + i];
  }
  return result;
}

// ---- cross entropy ----------------------------------------------------------------------------------------------------

defineOp({
  name: 'fast_cross_entropy',
  ...anyRank((facts, [logits, targets]): ArrayType => {
    const op = 'cross_entropy';
    if (rankOf(logits.shape) === 0)
      throw new Refusal('loss', `${op}: the logits need an axis of classes: ${showType(logits)}`, { input: 0 });
    requireFloating(op, logits.dtype, logits);
    if (targets.dtype !== null && !isInteger(targets.dtype))
      throw new Refusal('loss', `${op} takes class indices as targets, not ${showType(targets)}`, { input: 1 });
    const rest = splitTail(facts, logits.shape, 1)?.batch ?? null;
    const [want, have] = [rest, facts.shape(targets.shape)];
    if (Array.isArray(want) && Array.isArray(have)) {
      const refuse = () =>
        new Refusal(
          'loss',
          `${op}: the targets must have the shape of the logits without the last axis: ${showType(targets)} for ${showType(logits)}`,
          { input: 1 },
        );
      if (want.length !== have.length) throw refuse();
      for (const [axis, d] of (have as readonly Dim[]).entries())
        facts.require(d, (want as readonly Dim[])[axis], refuse);
    }
    return { shape: have ?? rest, dtype: 'float32' };
  }),
  kernel([logits, targets], _, [out]) {
    const classes = logits.shape[logits.shape.length - 1];
    const result = tensor('float32', out.shape);
    const x = logits.data as Reals;
    for (let row = 0; row < result.data.length; row++) {
      let most = -Infinity;
      for (let i = 0; i < classes; i++) most = Math.max(most, x[row * classes + i]);
      let sum = 0;
      for (let i = 0; i < classes; i++) sum += Math.exp(x[row * classes + i] - most);
      result.data[row] = Math.log(sum) + most - x[row * classes + Number(targets.data[row])];
    }
    return result;
  },
});

// ---- hadamard ---------------------------------------------------------------------------------------------------------

defineOp<{ readonly scale: number | null }>({
  name: 'hadamard_transform',
  ...anyRank((facts, [x]): ArrayType => {
    const shape = facts.shape(x.shape);
    if (Array.isArray(shape) && shape.some(d => facts.equal(d, 0) === 'yes'))
      throw new Refusal('value', `hadamard_transform takes no empty arrays: ${showType(x)}`, { input: 0 });
    const last = splitTail(facts, shape, 1)?.tail[0];
    const isLone = last !== undefined && facts.equal(last, 1) === 'yes';
    const dtype = isLone || x.dtype === null || isFloating(x.dtype) ? x.dtype : 'float32';
    return { shape, dtype };
  }),
  kernel([x], { scale }, [out]) {
    const length = x.shape[x.shape.length - 1] ?? 1;
    if (length < 1 || (length & (length - 1)) !== 0)
      throw new Error(`the reference Hadamard transform knows powers of two, not a last axis of ${length}`);
    const rows = cast(x, out.dtype);
    const values = Float64Array.from(rows.data as ArrayLike<number>);
    for (let size = 1; size < length; size *= 2)
      for (let i = 0; i < values.length; i++) {
        if ((i & size) !== 0) continue;
        const [a, b] = [values[i], values[i + size]];
        values[i] = a + b;
        values[i + size] = a - b;
      }
    const factor = scale ?? 1 / Math.sqrt(length);
    const round = rounder(out.dtype);
    const result = tensor(out.dtype, out.shape);
    for (let i = 0; i < values.length; i++) (result.data as Reals)[i] = round(values[i] * factor);
    return result;
  },
});
