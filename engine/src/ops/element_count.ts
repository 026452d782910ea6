/**
 * Whether two lists of axes hold equally many elements, and the axis that makes them so.
 */
import {
  type Dim,
  dimKey,
  divideExactly,
  type Factor,
  floorDiv,
  fromTerms,
  isKnown,
  product,
  termsOf,
} from '../dims/dim';
import type { Facts } from '../dims/facts';
import type { Refusal } from '../graph/refusal';

/**
 * The numbers of elements of `from` and `to`, without the factors that they certainly share. Axes of symbolic length
 * are taken not to be empty.
 */
export function remaining(facts: Facts, from: readonly Dim[], to: readonly Dim[]): [Dim, Dim] {
  const left: Dim[] = [];
  const right = to.map(d => facts.resolve(d));
  for (const d of from) {
    const axis = facts.resolve(d);
    const same = isKnown(axis) ? -1 : right.findIndex(r => !isKnown(r) && dimKey(r) === dimKey(axis));
    if (same < 0) left.push(axis);
    else right.splice(same, 1);
  }
  const [a, b] = [facts.resolve(product(left)), facts.resolve(product(right))];
  const common = commonFactor(a, b);
  return [divideExactly(a, common) ?? a, divideExactly(b, common) ?? b];
}

/** The symbols and quotients that every term of both has, as a product. */
function commonFactor(a: Dim, b: Dim): Dim {
  if (isKnown(a) || isKnown(b)) return 1;
  const [first, ...others] = [...termsOf(a), ...termsOf(b)];
  const factors: Factor[] = [];
  for (const { atom, power } of first.factors) {
    const least = others.reduce((n, t) => Math.min(n, t.factors.find(f => f.atom.id === atom.id)?.power ?? 0), power);
    if (least > 0) factors.push({ atom, power: least });
  }
  if (factors.length === 0) return 1;
  const key = factors.map(f => (f.power === 1 ? `${f.atom.id}` : `${f.atom.id}^${f.power}`)).join('.');
  return fromTerms([{ coefficient: 1, factors, key }]);
}

/**
 * The length of the axis written as -1 beside `known` when `from` is reshaped: learns that it is whole.
 * @throws `refuse()` where it is not, or could be anything because an axis of `known` is empty
 */
export function inferAxis(facts: Facts, from: readonly Dim[], known: readonly Dim[], refuse: () => Refusal): Dim {
  if (known.some(d => facts.resolve(d) === 0)) throw refuse();
  const [count, divisor] = remaining(facts, from, known);
  const exact = divideExactly(count, divisor);
  if (exact !== null) return exact;
  facts.requireDivides(divisor, count, refuse);
  return facts.resolve(floorDiv(count, divisor));
}

/** @throws `refuse()` where the two cannot hold equally many elements; learns it where they may not */
export function requireSameCount(facts: Facts, from: readonly Dim[], to: readonly Dim[], refuse: () => Refusal): void {
  if ([...from, ...to].every(isKnown)) {
    if (product(from) !== product(to)) throw refuse();
    return;
  }
  // an empty axis on one side makes any other length right
  if ([...from, ...to].some(d => d === 0)) return;
  facts.require(...remaining(facts, from, to), refuse);
}
