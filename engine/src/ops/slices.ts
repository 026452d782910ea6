/**
 * Python slices of an axis whose length, and whose bounds, may be symbols.
 *
 * Exact or nameless: where the sign of a bound or the order of two cannot be told the result is an unknown length. An
 * axis of symbolic length is taken to have at least one element, so that `x[:, -1:]` is one long.
 */
import { add, anonymous, type Dim, floorDiv, isKnown, max, min, sub } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { Refusal } from '../graph/refusal';

/** Bounds as written; null where left out. */
export type SliceBounds = { readonly start: Dim | null; readonly stop: Dim | null; readonly step: Dim };

/** What a slice selects of an axis of known length: `count` elements, `step` apart, from `start`. */
export interface Selection {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The elements that a slice with known bounds selects of an axis `length` long, as MLX normalises it. */
export function selection(length: number, start: number | null, stop: number | null, step: number): Selection {
  const wrap = (i: number) => (i < 0 ? i + length : i);
  if (step < 0) {
    const from = Math.min(start === null ? length - 1 : wrap(start), length - 1);
    const to = Math.min(Math.max(stop === null ? -1 : wrap(stop), -1), from);
    return { start: from, step, count: Math.ceil((from - to) / -step) };
  }
  const clamp = (i: number) => Math.max(0, Math.min(i, length));
  const from = start === null ? 0 : clamp(wrap(start));
  const to = Math.max(stop === null ? length : clamp(wrap(stop)), from);
  return { start: from, step, count: Math.ceil((to - from) / step) };
}

/** How many elements a slice selects of an axis `length` long. */
export function sliceLength(facts: Facts, axis: Dim, bounds: SliceBounds): Dim {
  const length = facts.resolve(axis);
  const step = facts.resolve(bounds.step);
  const start = bounds.start === null ? null : facts.resolve(bounds.start);
  const stop = bounds.stop === null ? null : facts.resolve(bounds.stop);
  if (!isKnown(step)) return anonymous();
  if (step === 0) throw new Refusal('value', 'The step of a slice is 0: MLX divides by it and the process dies');
  if (isKnown(length) && (start === null || isKnown(start)) && (stop === null || isKnown(stop)))
    return selection(length, start, stop, step).count;
  if (step < 0) return start === null && stop === null ? stepped(facts, length, -step) : anonymous();
  const from = start === null ? 0 : fromFront(facts, start, length);
  const to = stop === null ? length : fromFront(facts, stop, length);
  if (from === null || to === null) return anonymous();
  return stepped(facts, span(facts, from, to, length), step);
}

/** A bound counted from the front, at least 0 but perhaps beyond the end; null where its sign is not known. */
function fromFront(facts: Facts, bound: Dim, length: Dim): Dim | null {
  const negative = facts.less(bound, 0);
  if (negative === 'unknown') return null;
  return negative === 'no' ? bound : atLeastZero(facts, add(bound, length), length);
}

/** The elements between two bounds that are not negative. */
function span(facts: Facts, from: Dim, to: Dim, length: Dim): Dim {
  if (from === 0) return atMost(facts, to, length);
  if (facts.equal(to, length) === 'yes') return atLeastZero(facts, sub(length, from), length);
  const difference = sub(atMost(facts, to, length), atMost(facts, from, length));
  return facts.less(to, from) === 'no' ? difference : max(0, difference);
}

/** max(0, d) where `length` is at least 1. */
function atLeastZero(facts: Facts, d: Dim, length: Dim): Dim {
  if (facts.less(d, 0) === 'no') return d;
  const beyond = sub(d, length);
  return isKnown(beyond) && beyond >= -1 ? d : max(0, d);
}

/** min(d, length) where `length` is at least 1. */
function atMost(facts: Facts, d: Dim, length: Dim): Dim {
  if (facts.equal(d, length) === 'yes') return length;
  return isKnown(d) && d <= 1 ? d : min(d, length);
}

function stepped(facts: Facts, length: Dim, step: number): Dim {
  if (step === 1) return length;
  return facts.divides(step, length) === 'yes' ? floorDiv(length, step) : floorDiv(add(length, step - 1), step);
}
