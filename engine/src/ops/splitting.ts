/**
 * Operations that take arrays apart along an axis: split, unstack.
 */
import { type Dim, floorDiv, isKnown, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import type { Tensor } from '../tensor';
import { normalizeAxis } from './axes';
import { readBox, stridesOf } from './positions';
import { extendTail } from './rank';
import { selection, sliceLength } from './slices';

/** Either a number of equal parts or the positions where parts begin. */
type SplitAttrs = {
  readonly sections: number | null;
  readonly positions: readonly Dim[] | null;
  readonly axis: number;
};

/** The length of each of `sections` equal parts. @throws Refusal where it is not whole */
export function partLength(facts: Facts, type: ArrayType, length: Dim, sections: Dim, axis: number): Dim {
  if (isKnown(sections) && sections <= 0)
    throw new Refusal('split', `split needs a positive number of parts, not ${sections}`);
  facts.requireDivides(
    sections,
    length,
    () =>
      new Refusal(
        'split',
        `split cannot cut axis ${axis} of ${showType(type)}, ${showDim(length)} long, into ${showDim(sections)} equal parts`,
        { input: 0, axis, expected: sections, actual: length },
      ),
  );
  return facts.resolve(floorDiv(facts.resolve(length), facts.resolve(sections)));
}

/** The bounds of the parts between positions; the last runs to the end. */
const bounds = (positions: readonly Dim[]) =>
  [0, ...positions].map((start, i) => ({ start, stop: positions[i] ?? null, step: 1 as const }));

function partLengths(facts: Facts, type: ArrayType, length: Dim, { sections, positions, axis }: SplitAttrs): Dim[] {
  if (positions) return bounds(positions).map(b => sliceLength(facts, length, b));
  return Array<Dim>(sections!).fill(partLength(facts, type, length, sections!, axis));
}

defineOp<SplitAttrs>({
  name: 'split',
  infer(facts, [type], attrs) {
    const at = normalizeAxis('split', type, attrs.axis);
    const lengths = partLengths(facts, type, type.shape[at], attrs);
    return lengths.map(length => ({ shape: type.shape.with(at, length), dtype: type.dtype }));
  },
  inferOpen(facts, [type], attrs) {
    const { shape, dtype } = type;
    const open = shape instanceof OpenShape && attrs.axis < 0 ? extendTail(facts, shape, -attrs.axis) : null;
    if (!(open instanceof OpenShape)) {
      const count = attrs.positions ? attrs.positions.length + 1 : attrs.sections!;
      return Array.from({ length: Math.max(count, 1) }, () => ({ shape: null, dtype }));
    }
    const at = open.tail.length + attrs.axis;
    return partLengths(facts, type, open.tail[at], attrs).map(length => ({
      shape: new OpenShape(open.lead, open.tail.with(at, length)),
      dtype,
    }));
  },
  kernel([x], { sections, positions, axis }, out) {
    const at = normalizeAxis('split', x, axis);
    const starts = positions
      ? bounds(positions).map(b => selection(x.shape[at], b.start as number, b.stop as number | null, 1).start)
      : out.map((_, i) => (i * x.shape[at]) / (sections ?? 1));
    return out.map((part, i) => cut(x, at, starts[i], part.shape));
  },
});

/** The box of `shape` that begins at `start` on axis `at`. */
function cut(x: Tensor, at: number, start: number, shape: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return readBox(x, shape, strides, start * strides[at]);
}

/** Recorded only where the axis has a known length: there is a result for each of its elements. */
defineOp<{ readonly axis: number }>({
  name: 'unstack',
  infer(_, [type], { axis }) {
    const at = normalizeAxis('unstack', type, axis);
    const length = type.shape[at];
    if (!isKnown(length)) throw new Error('unstack along an axis of unknown length has no number of results');
    return Array.from({ length }, () => ({ shape: type.shape.toSpliced(at, 1), dtype: type.dtype }));
  },
  kernel([x], { axis }, out) {
    const at = normalizeAxis('unstack', x, axis);
    const strides = stridesOf(x.shape);
    return out.map((part, i) => readBox(x, part.shape, strides.toSpliced(at, 1), i * strides[at]));
  },
});
