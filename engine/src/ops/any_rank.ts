/**
 * Rules that work alike on arrays of known and of unknown rank: one function for both.
 */
import type { Facts } from '../dims/facts';
import type { ArrayType, Attrs } from '../graph/op';

export const anyRank = <A extends Attrs, R extends ArrayType | readonly ArrayType[]>(
  infer: (facts: Facts, inputs: readonly ArrayType[], attrs: A) => R,
) => ({ infer, inferOpen: infer });
