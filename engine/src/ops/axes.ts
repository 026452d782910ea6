/**
 * Axis arguments: counted from the front or, negative, from the back, and refused out of range.
 */

import type { RankedType } from '../graph/op';
import { type PythonError, Refusal } from '../graph/refusal';
import { showType } from '../graph/show';

/**
 * `axis` counted from the front.
 * @param op the operation's name, for the message
 * @throws Refusal of kind 'axis' when the array has no such axis
 */
export function normalizeAxis(
  op: string,
  type: RankedType,
  axis: number,
  pythonType: PythonError = 'IndexError',
): number {
  const rank = type.shape.length;
  if (axis < -rank || axis >= rank) {
    const range = rank === 0 ? 'which has no axes' : `whose axes are ${-rank} to ${rank - 1}`;
    throw new Refusal('axis', `${op} has no axis ${axis} in ${showType(type)}, ${range}`, { axis }, pythonType);
  }
  return axis < 0 ? axis + rank : axis;
}

/**
 * Several axes counted from the front, in the order given; null means all of them.
 * @throws Refusal of kind 'axis' for one out of range or named twice
 */
export function normalizeAxes(
  op: string,
  type: RankedType,
  axes: readonly number[] | null,
  pythonType: PythonError = 'IndexError',
): readonly number[] {
  if (axes === null) return type.shape.map((_, i) => i);
  const result = axes.map(axis => normalizeAxis(op, type, axis, pythonType));
  const twice = axes.find((_, i) => result.indexOf(result[i]) !== i);
  if (twice !== undefined) throw new Refusal('axis', `${op} is given axis ${twice} twice`, { axis: twice });
  return result;
}
