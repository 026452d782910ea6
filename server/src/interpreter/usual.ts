/**
 * Values that rest on a default nobody passed over.
 *
 * Reading a function without a call of it, its parameters have their defaults. What a default decides is how the function
 * usually goes, no proof; and a parameter that is None by default is not None where the code computes with it.
 */

import { anonymous } from '../../../engine/src/dims/dim';
import type { Evaluator } from './evaluator';
import { openList, type UnknownValue, unknown, type Value } from './values';

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
