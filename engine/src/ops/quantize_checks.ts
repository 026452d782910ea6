/**
 * What the operations on quantized matrices check alike.
 *
 * A quantized matrix is two or three arrays: codes packed into uint32 along the last axis, scales, and for the affine
 * mode biases. `group_size` and `bits` null mean the mode's own; they may be symbols.
 */
import { anonymous, type Dim, floorDiv, mul } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { type DType, isFloating, promote } from '../dtype';
import type { ArrayType } from '../graph/op';
import { Refusal, type RefusalDetail, type RefusalKind } from '../graph/refusal';
import { showType } from '../graph/show';
import { isQuantizationMode, QUANTIZATION_MODES, type Quantization, type QuantizationMode } from '../quantize/modes';
import { rankOf, splitTail } from './tails';

export type QuantizeAttrs = { readonly mode: string; readonly group_size: Dim | null; readonly bits: Dim | null };

export const refuse = (kind: RefusalKind, message: string, detail: RefusalDetail = {}): Refusal =>
  new Refusal(kind, message, detail);

const list = (items: readonly (number | string)[]): string =>
  items.length === 1 ? `${items[0]}` : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1]}`;

export interface Parameters {
  readonly mode: QuantizationMode;
  readonly bits: Dim;
  readonly groupSize: Dim;
}

/** @throws Refusal for a mode that MLX does not have */
export function parametersOf(op: string, attrs: QuantizeAttrs): Parameters {
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
export function checkParameters(op: string, { mode, bits, groupSize }: Parameters): void {
  const facts = QUANTIZATION_MODES[mode];
  if (typeof groupSize === 'number' && !facts.groupSizes.includes(groupSize))
    throw refuse('quantize-mode', `${op}: ${mode} has groups of ${list(facts.groupSizes)}, not of ${groupSize}`);
  if (typeof bits === 'number' && !facts.bits.includes(bits))
    throw refuse('quantize-mode', `${op}: ${mode} has codes of ${list(facts.bits)} bits, not of ${bits}`);
}

/** @throws Refusal for a number of bits or a group size that is not positive */
export function checkPositive(op: string, { bits, groupSize }: Parameters): void {
  for (const [value, name] of [
    [bits, 'bits'],
    [groupSize, 'group_size'],
  ] as const)
    if (typeof value === 'number' && value <= 0) throw refuse('quantize-mode', `${op}: ${name} cannot be ${value}`);
}

/** The parameters of an evaluation, where all are numbers. */
export function concrete(op: string, attrs: QuantizeAttrs): Quantization {
  const parameters = parametersOf(op, attrs);
  checkParameters(op, parameters);
  return parameters as Quantization;
}

/** How many words of 32 bits `length` codes fill; a length that groups divide is a multiple of what a word holds. */
export function packedLength(facts: Facts, length: Dim, bits: Dim): Dim {
  if (typeof bits !== 'number') return anonymous();
  const perWord = 32 % bits === 0 ? 32 / bits : 32;
  facts.assumeDivides(perWord, length);
  return mul(floorDiv(length, perWord), (perWord * bits) / 32);
}

/** How many codes fill `words` words. */
export const unpackedLength = (words: Dim, bits: Dim): Dim =>
  typeof bits === 'number' ? floorDiv(mul(words, 32), bits) : anonymous();

export function checkGlobalScale(op: string, mode: QuantizationMode, scale: ArrayType | undefined): void {
  if (!scale) return;
  if (mode !== 'nvfp4') throw refuse('quantize-mode', `${op}: ${mode} has no global scale, only nvfp4 has`);
  if (Array.isArray(scale.shape) && scale.shape.some(d => typeof d === 'number' && d !== 1))
    throw refuse('value', `${op}: the global scale is one number, this is ${showType(scale)}`);
  if (scale.dtype !== null && scale.dtype !== 'float32')
    throw refuse('dtype', `${op}: the global scale is float32, this is ${showType(scale)}`);
}

/** The dtype that scales and biases make; biases belong to the affine mode alone. */
export function scaleDtype(
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

export function checkPackedDtype(op: string, w: ArrayType, input: number): void {
  if (w.dtype !== null && w.dtype !== 'uint32')
    throw refuse('dtype', `${op}: a quantized matrix is packed into uint32, this is ${showType(w)}`, { input });
}

/** The packed words and the scales must stand for the same number of elements. */
export function checkPackedLength(
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
export function checkLeading(
  facts: Facts,
  op: string,
  w: ArrayType,
  other: ArrayType,
  skip: number,
  what: string,
): void {
  const [left, right] = [facts.shape(w.shape), facts.shape(other.shape)];
  if (!Array.isArray(left) || !Array.isArray(right)) return;
  for (let axis = 0; axis < left.length - skip; axis++) {
    const message = () =>
      refuse('quantize-packed', `${op}: ${showType(w)} and its ${what}, ${showType(other)}, differ in axis ${axis}`);
    if (axis >= right.length) throw message();
    facts.require(left[axis], right[axis], message);
  }
}
