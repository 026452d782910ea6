/**
 * Learning how many axes an array of unknown rank has at least.
 */
import { type Dim, symbol } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape, RowVariable } from '../dims/shape';

/** The shape with at least `count` known last axes: what indexing or naming them shows to exist. */
export function extendTail(facts: Facts, shape: OpenShape, count: number): readonly Dim[] | OpenShape {
  const known = facts.shape(shape)!;
  if (!(known instanceof OpenShape) || known.tail.length >= count) return known as readonly Dim[] | OpenShape;
  const { lead } = known;
  const missing = count - known.tail.length;
  const tail = Array.from({ length: missing }, (_, i) => symbol(`${lead.name}_${i - count}`, { flexible: true }));
  facts.bindRow(lead, new OpenShape(new RowVariable(lead.name), tail));
  return facts.shape(shape)!;
}
