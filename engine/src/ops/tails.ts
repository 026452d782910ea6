/**
 * The last axes of arrays, apart from what leads them: products work on the last two and broadcast the rest.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import type { Shape } from '../graph/op';
import { extendTail } from './rank';

export interface Split {
  /** The leading axes; not of unknown kind. */
  readonly batch: readonly Dim[] | OpenShape;
  /** The last axes, as many as were asked for. */
  readonly tail: readonly Dim[];
}

/**
 * The last `count` axes of a shape and what leads them. An array of unknown rank is learnt to have them. Null where
 * nothing is known of the shape or it is known to have fewer.
 */
export function splitTail(facts: Facts, shape: Shape, count: number): Split | null {
  if (shape === null) return null;
  const known = shape instanceof OpenShape ? extendTail(facts, shape, count) : shape;
  if (known instanceof OpenShape)
    return { batch: new OpenShape(known.lead, known.tail.slice(0, -count)), tail: known.tail.slice(-count) };
  if (known.length < count) return null;
  return { batch: known.slice(0, known.length - count), tail: known.slice(known.length - count) };
}

/** The shape with `tail` behind `batch`; unknown where the batch is. */
export function joinTail(batch: Shape, tail: readonly Dim[]): Shape {
  if (batch === null) return null;
  if (batch instanceof OpenShape) return new OpenShape(batch.lead, [...batch.tail, ...tail]);
  return [...batch, ...tail];
}

/** The number of axes, where it is known. */
export const rankOf = (shape: Shape): number | null =>
  shape === null || shape instanceof OpenShape ? null : shape.length;

/** The number of axes there are at least. */
export const leastRank = (shape: Shape): number =>
  shape === null ? 0 : shape instanceof OpenShape ? shape.tail.length : shape.length;
