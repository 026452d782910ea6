/**
 * mx.quantize and mx.dequantize.
 */
import { type Dim, floorDiv } from '../dims/dim';
import { type DType, isFloating, promote } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import * as quantization from '../quantize/quantize';
import type { Tensor } from '../tensor';
import { anyRank } from './any_rank';
import { type Given, optionalInput } from './optional';
import {
  checkGlobalScale,
  checkLeading,
  checkPackedDtype,
  checkPackedLength,
  checkParameters,
  checkPositive,
  concrete,
  packedLength,
  parametersOf,
  type QuantizeAttrs,
  refuse,
  scaleDtype,
  unpackedLength,
} from './quantize_checks';
import { joinTail, rankOf, splitTail } from './tails';

const globalScaleOf = (scale: Tensor | undefined): number | undefined => scale && Number(scale.data[0]);

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
    const { mode, bits } = parameters;
    if (attrs.dtype && !isFloating(attrs.dtype))
      throw refuse('dtype', `dequantize: the result is of real floats, not ${attrs.dtype}`);
    const own = scaleDtype(op, mode, scales, biases);
    checkPositive(op, parameters);
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
    const groups = splitTail(facts, scales.shape, 1)?.tail[0];
    const offsets = biases && splitTail(facts, biases.shape, 1)?.tail[0];
    if (groups !== undefined && offsets !== undefined && facts.equal(offsets, 1) === 'no')
      facts.require(offsets, groups, () =>
        refuse('quantize-packed', `dequantize: biases of type ${showType(biases!)} beside scales, ${showType(scales)}`),
      );
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
