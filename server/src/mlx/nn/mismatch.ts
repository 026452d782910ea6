/**
 * Why an array of a checkpoint does not fit the parameter of its name: the order of axes, packing, or plainly a width.
 *
 * A packed weight of b bits has `columns · b / 32` words and, in groups of g, `columns / g` scales; neither alone tells
 * b or g, both together do.
 */
import type { DType } from '../../../../engine/src/dtype';
import { QUANTIZATION_MODES } from '../../../../engine/src/quantize/modes';
import type { InstanceValue, Value } from '../../interpreter/values';

/** An array's type in numbers. `dtype` is null where it is not known. */
export interface NumericType {
  readonly shape: readonly number[];
  readonly dtype: DType | null;
}

export type MismatchKind = 'weights-shape' | 'weights-layout' | 'weights-quantized';

export interface Mismatch {
  readonly kind: MismatchKind;
  /** What would explain it, as a sentence without its beginning in capitals; null for nothing in particular. */
  readonly explanation: string | null;
}

export interface Packing {
  readonly bits: number;
  readonly groupSize: number;
}

const PACKED_BITS = [2, 3, 4, 5, 6, 8];

/** The packing by which a weight of `columns` becomes `words` words with `scales` scales a row; null for none MLX has. */
export function packingOf(columns: number, words: number, scales: number): Packing | null {
  const bits = (words * 32) / columns;
  const groupSize = columns / scales;
  const exists = Object.values(QUANTIZATION_MODES).some(
    mode => mode.bits.includes(bits) && mode.groupSizes.includes(groupSize),
  );
  return exists ? { bits, groupSize } : null;
}

const packedText = ({ bits, groupSize }: Packing): string => `${bits} bits in groups of ${groupSize}`;

/** What is around an array in the checkpoint and in the model, by the last part of its name. */
export interface Around {
  /** The module that has the parameter. */
  readonly owner: InstanceValue | null;
  /** The last part of the parameter's name. */
  readonly name: string;
  /** `scales` and `weight` beside it in the checkpoint. */
  readonly given: { readonly scales: NumericType | null; readonly weight: NumericType | null };
}

/** Explains why `given` cannot become the parameter `wanted`, whose shape differs. */
export function explainMismatch(wanted: NumericType, given: NumericType, around: Around): Mismatch {
  return (
    explainPacking(wanted, given, around) ??
    explainOrder(wanted.shape, given.shape, around.owner) ?? {
      kind: 'weights-shape',
      explanation: explainAxis(wanted.shape, given.shape),
    }
  );
}

// ---- packing ----------------------------------------------------------------------------------------------------------

const numberIn = (owner: InstanceValue | null, name: string): number | null => {
  const v: Value | undefined = owner?.attributes.get(name);
  return v?.kind === 'int' && typeof v.value === 'number' ? v.value : null;
};

/** The packing that a quantized layer was made with; null for another layer. */
export function packingOfLayer(owner: InstanceValue | null): Packing | null {
  const [bits, groupSize] = [numberIn(owner, 'bits'), numberIn(owner, 'group_size')];
  return owner?.attributes.has('scales') && bits !== null && groupSize !== null ? { bits, groupSize } : null;
}

const sameBut = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.slice(0, -1).every((n, i) => n === b[i]);

function explainPacking(
  wanted: NumericType,
  given: NumericType,
  { owner, name, given: beside }: Around,
): Mismatch | null {
  if (!sameBut(wanted.shape, given.shape)) return null;
  const [want, got] = [wanted.shape.at(-1)!, given.shape.at(-1)!];
  const made = packingOfLayer(owner);
  const because = (explanation: string): Mismatch => ({ kind: 'weights-quantized', explanation });
  if (!made) {
    if (name !== 'weight' || given.dtype !== 'uint32') return null;
    const packing = beside.scales && packingOf(want, got, beside.scales.shape.at(-1)!);
    if (packing) return because(`it is packed with ${packedText(packing)}, and the layer is not quantized`);
    const bits = (got * 32) / want;
    return PACKED_BITS.includes(bits)
      ? because(`it looks packed with ${bits} bits, and the layer is not quantized`)
      : null;
  }
  const weight = name === 'weight' ? given : beside.weight;
  const scales = name === 'scales' ? given : beside.scales;
  const columns = name === 'weight' ? (want * 32) / made.bits : want * made.groupSize;
  if (name === 'weight' && given.dtype !== 'uint32' && got === columns)
    return because(`it is not quantized, and the layer is, with ${packedText(made)}`);
  if (!weight || !scales) return null;
  const packing = packingOf(columns, weight.shape.at(-1)!, scales.shape.at(-1)!);
  return packing && because(`it is packed with ${packedText(packing)}, and the layer is made for ${packedText(made)}`);
}

// ---- the order of axes ------------------------------------------------------------------------------------------------

/** Longer arrays are never permuted in models, and their permutations are many. */
const MOST_AXES = 5;

/** Moves PyTorch's weight of a convolution into MLX's order, by class: (out, …kernel, in). */
const CONVOLUTION = /^Conv(Transpose)?([123])d$/;

function fromPyTorch(owner: InstanceValue | null): number[] | null {
  for (const { name } of owner?.cls.mro ?? []) {
    const match = CONVOLUTION.exec(name);
    if (!match) continue;
    const kernel = Array.from({ length: Number(match[2]) }, (_, i) => i + 2);
    return match[1] ? [1, ...kernel, 0] : [0, ...kernel, 1];
  }
  return null;
}

const permuted = (shape: readonly number[], axes: readonly number[]): number[] => axes.map(a => shape[a]);
const equal = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

function explainOrder(
  wanted: readonly number[],
  given: readonly number[],
  owner: InstanceValue | null,
): Mismatch | null {
  if (wanted.length !== given.length || wanted.length > MOST_AXES || wanted.length < 2) return null;
  const axes = fromPyTorch(owner);
  if (axes?.length === given.length && equal(permuted(given, axes), wanted)) {
    const explanation = `it is in PyTorch's order, (${axes[0] === 0 ? 'out, in' : 'in, out'}, kernel): transpose(${axes.join(', ')}) brings it into MLX's`;
    return { kind: 'weights-layout', explanation };
  }
  const order = permutations(wanted.length).find(p => equal(permuted(given, p), wanted));
  if (!order) return null;
  const explanation =
    wanted.length === 2 ? 'it is the transpose of what the layer has' : `transpose(${order.join(', ')}) would fit it`;
  return { kind: 'weights-shape', explanation };
}

function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return permutations(n - 1).flatMap(p => Array.from({ length: n }, (_, i) => p.toSpliced(i, 0, n - 1)));
}

// ---- one axis ---------------------------------------------------------------------------------------------------------

function explainAxis(wanted: readonly number[], given: readonly number[]): string | null {
  const elements = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  if (elements(wanted) === elements(given)) return 'it has as many elements, and another shape';
  if (wanted.length !== given.length) return null;
  const differing = wanted.flatMap((n, i) => (n === given[i] ? [] : [i]));
  if (differing.length !== 1) return null;
  const [axis] = differing;
  const [want, got] = [wanted[axis], given[axis]];
  const [large, small] = [Math.max(want, got), Math.min(want, got)];
  const times =
    large % small === 0 && large / small < 100 ? `, ${large / small} times as ${got > want ? 'many' : 'few'}` : '';
  return `axis ${axis} has ${got}${times} where the model has ${want}`;
}
