/**
 * Values that rest on a default nobody passed over.
 *
 * Reading a function without a call of it, its parameters have their defaults. What a default decides is how the function
 * usually goes, no proof; and a parameter that is None by default is not None where the code computes with it.
 */

import { anonymous, type Dim, isKnown, symbol } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import { source } from '../../../engine/src/graph/graph';
import type { Evaluator } from './evaluator';
import { array, openList, type UnknownValue, unknown, type Value } from './values';

/** What computing with a parameter gives whose default is None. */
export const DEFAULTED: UnknownValue = unknown('depends on an argument that is None by default');

/** Whether it is None only because that is the default. */
export const isDefaultedNone = (v: Value): boolean =>
  v.kind === 'parameter' && v.usual === true && v.settled?.kind === 'none';

/** Whether it indexes with such a None, alone or among others. */
export const isDefaultedIndex = (v: Value): boolean =>
  isDefaultedNone(v) || (v.kind === 'tuple' && (v.items?.some(isDefaultedNone) ?? false));

/** The answer as one that rests on defaults, where some were read since `reads`. */
export const resting = (ev: Evaluator, reads: number, answer: Value): Value =>
  ev.usualReads > reads && answer.kind === 'bool' && answer.value !== null
    ? { kind: 'parameter', name: 'answer', settled: answer, usual: true }
    : answer;

/** The value as callers may give it: an empty sequence in the place of what was not passed may have any length. */
export const asMayBeGiven = (v: Value): Value =>
  (v.kind === 'list' || v.kind === 'tuple') && v.items?.length === 0
    ? openList(unknown('is an element of what may be passed'), anonymous(0))
    : v;

/** The value as it is known now, when what was learnt is about to be taken back. */
export function resolved(ev: Evaluator, value: Value): Value {
  const v = ev.settled(value);
  return v.kind === 'array' ? array(source({ shape: ev.facts.shape(v.node.shape), dtype: v.node.dtype })) : v;
}

/** A symbol that stands alone, by its name. */
function nameOf(d: Dim): string | null {
  if (isKnown(d) || d.terms.length !== 1) return null;
  const [{ coefficient, factors }] = d.terms;
  const [factor] = factors;
  if (coefficient !== 1 || factors.length !== 1 || factor.power !== 1 || factor.atom.form !== 'symbol') return null;
  return factor.atom.anonymous ? null : factor.atom.name;
}

/**
 * An array that is `usual` where a default decides, and `other` where it does not: axes on which they differ have a
 * length of their own, called as the other path calls it. Null where `usual` says it all, or the two have no shape in
 * common.
 */
export function usuallyOf(facts: Facts, usual: Value, other: Value): Value | null {
  if (usual.kind !== 'array' || other.kind !== 'array') return null;
  const [x, y] = [facts.shape(usual.node.shape), facts.shape(other.node.shape)];
  if (!Array.isArray(x) || !Array.isArray(y) || x.length !== y.length) return null;
  const axes: readonly Dim[] = y;
  if (x.every((d, i) => facts.equal(d, axes[i]) === 'yes')) return null;
  const either = (d: Dim, i: number): Dim => {
    if (facts.equal(d, axes[i]) === 'yes') return d;
    const name = nameOf(axes[i]);
    return name === null ? anonymous() : symbol(name, { flexible: true });
  };
  return array(source({ shape: (x as readonly Dim[]).map(either), dtype: usual.node.dtype }), true);
}
