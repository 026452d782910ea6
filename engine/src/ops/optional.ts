/**
 * Optional array inputs: an operation that takes some records which ones it was given, by name, in `attrs.given`.
 * They follow the required inputs in that order.
 */
import type { Attrs } from '../graph/op';

export type Given<Name extends string> = { readonly given?: readonly Name[] };

/** The optional input called `name`, if it was given. `required` counts the inputs that every call has. */
export function optionalInput<T, A extends Attrs & Given<string>>(
  inputs: readonly T[],
  attrs: A,
  required: number,
  name: NonNullable<A['given']>[number],
): T | undefined {
  const position = attrs.given?.indexOf(name) ?? -1;
  return position < 0 ? undefined : inputs[required + position];
}
