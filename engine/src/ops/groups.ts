/**
 * How an array falls into groups along axes: what reductions, scans and sorts walk.
 */
import { steps, stridesOf, sums } from './positions';

export interface Groups {
  /** The position of each group's first element, in row-major order of the axes that are kept. */
  readonly starts: Int32Array;
  /** The positions of a group's elements from its start, in row-major order of the grouped axes. */
  readonly members: Int32Array;
}

/** The groups of an array of shape `shape` whose elements differ along `axes` (counted from the front) alone. */
export function groupsOf(shape: readonly number[], axes: readonly number[]): Groups {
  const strides = stridesOf(shape);
  const positions = (grouped: boolean) =>
    sums(shape.flatMap((length, axis) => (axes.includes(axis) === grouped ? [steps(length, strides[axis])] : [])));
  return { starts: positions(false), members: positions(true) };
}
