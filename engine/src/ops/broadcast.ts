/**
 * Broadcasting: how the shapes of several arrays combine, axis by axis from the last.
 *
 * Symbolic axes make the rule three-valued. What is certain is answered exactly, what must hold is learnt, and what
 * could go either way becomes a nameless axis rather than a guess.
 */
import { anonymous, type Dim, symbolsOf } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import type { Shape } from '../graph/op';
import type { Refusal } from '../graph/refusal';

/**
 * One axis of the result.
 * @throws `refuse()` where the two lengths differ and neither can be 1.
 */
export function broadcastDim(facts: Facts, a: Dim, b: Dim, refuse: () => Refusal): Dim {
  if (a === b) return a;
  if (a === 1) return b;
  if (b === 1) return a;
  if (typeof a === 'number' && typeof b === 'number') throw refuse();
  const left = facts.resolve(a);
  const right = facts.resolve(b);
  if (facts.equal(left, right) === 'yes') return left;
  const leftIsWide = facts.equal(left, 1) === 'no';
  const rightIsWide = facts.equal(right, 1) === 'no';
  if (leftIsWide && rightIsWide) {
    facts.require(left, right, refuse);
    return typeof right === 'number' ? right : left;
  }
  // The other is either 1 or the same: whichever it is, the wide one is the answer.
  if (leftIsWide || right === 1) return left;
  if (rightIsWide || left === 1) return right;
  // An axis of an input follows what the code itself sizes.
  if (isFlexible(left) !== isFlexible(right)) return isFlexible(left) ? right : left;
  return anonymous();
}

const isFlexible = (d: Dim): boolean => {
  const symbols = symbolsOf(d);
  return symbols.size > 0 && [...symbols].every(s => s.flexible);
};

/**
 * The shape of an elementwise operation on arrays of shapes `a` and `b`.
 * @throws `refuse()` where MLX would raise for every value of the symbols.
 */
export function broadcastShapes(
  facts: Facts,
  a: readonly Dim[],
  b: readonly Dim[],
  refuse: () => Refusal,
): readonly Dim[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  const offset = long.length - short.length;
  return long.map((d, i) => (i < offset ? d : broadcastDim(facts, d, short[i - offset], refuse)));
}

/** `broadcastShapes` of any number of shapes; that of none is a scalar's. */
export const broadcastAll = (
  facts: Facts,
  shapes: readonly (readonly Dim[])[],
  refuse: () => Refusal,
): readonly Dim[] => shapes.reduce((all, shape) => broadcastShapes(facts, all, shape, refuse), []);

/**
 * The same where ranks may be unknown. Null when the rank of the result cannot be told from them.
 * @throws `refuse()` where axes that both arrays certainly have cannot combine.
 */
export function broadcastOpen(facts: Facts, a: Shape, b: Shape, refuse: () => Refusal): Shape {
  if (a === null || b === null) return null;
  if (!(a instanceof OpenShape) && !(b instanceof OpenShape)) return broadcastShapes(facts, a, b, refuse);
  if (a instanceof OpenShape && b instanceof OpenShape) {
    const tail = broadcastTails(facts, a.tail, b.tail, refuse);
    return a.lead === b.lead && a.tail.length === b.tail.length ? new OpenShape(a.lead, tail) : null;
  }
  const [open, ranked] = a instanceof OpenShape ? [a, b as readonly Dim[]] : [b as OpenShape, a];
  const tail = broadcastTails(facts, open.tail, ranked, refuse);
  if (open.tail.length < ranked.length) return null;
  const known = open.tail.slice(0, open.tail.length - ranked.length);
  return new OpenShape(open.lead, [...known, ...tail]);
}

/** The last axes that both shapes have. */
function broadcastTails(facts: Facts, a: readonly Dim[], b: readonly Dim[], refuse: () => Refusal): readonly Dim[] {
  const length = Math.min(a.length, b.length);
  return broadcastShapes(facts, a.slice(a.length - length), b.slice(b.length - length), refuse);
}
