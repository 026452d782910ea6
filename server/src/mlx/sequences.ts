/**
 * Arguments that MLX takes as a sequence only, or as an int or a sequence.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { Unknowable } from '../interpreter/interpreter';
import type { Value } from '../interpreter/values';
import { scalarKind, toArray } from './convert';
import { type Call, isOpaque, typeName } from './define';

/** A tuple or list of ints. @throws Refusal for a lone int, Unknowable when its length is not known */
export function sequence(c: Call, name: string): Dim[] {
  requireSequence(c, name);
  return c.dims(name);
}

/** A tuple or list of ints that must be known. */
export function intSequence(c: Call, name: string): number[] {
  requireSequence(c, name);
  return c.ints(name);
}

function requireSequence(c: Call, name: string): void {
  const v = c.value(name);
  if (v.kind === 'tuple' || v.kind === 'list' || v.kind === 'range' || v.kind === 'array') return;
  if (isOpaque(v) || v.kind === 'iterator' || v.kind === 'native' || v.kind === 'instance')
    throw new Unknowable(`${name} of ${c.signature.name} is not known`);
  throw c.wrong(name, 'a sequence of ints');
}

/** The arrays in a sequence or in `*args`. @throws Refusal for an item that is none, as MLX does for numbers too */
export function arraysIn(c: Call, name: string): ArrayNode[] {
  return c.items(name).map(item => {
    const v = c.interpreter.settled(item);
    const refuse = () =>
      new Refusal('signature', `${c.signature.name} takes arrays, not ${typeName(v)}`, { name }, 'TypeError');
    if (v.kind === 'list' || v.kind === 'tuple' || scalarKind(v)) throw refuse();
    return toArray(c.interpreter, v, refuse);
  });
}

/** The optional arrays that were given, with their names, in the order of `names`. */
export function given<Name extends string>(
  c: Call,
  names: readonly Name[],
): { readonly names: readonly Name[]; readonly arrays: readonly ArrayNode[] } {
  const present = names.filter(name => c.has(name));
  return { names: present, arrays: present.map(name => c.arrayOnly(name)) };
}

/** A dtype argument: null when not given. @throws Unknowable for one that is not known */
export function givenDtype(c: Call, name: string): DType | null {
  if (c.dtypeIsUnknown(name)) throw new Unknowable(`${name} of ${c.signature.name} is not known`);
  return c.dtype(name);
}

/** An int or a sequence of ints, never None. */
export function axesGiven(c: Call, name: string): number[] {
  if (c.value(name).kind === 'none') throw c.wrong(name, 'an int or a sequence of ints');
  return c.ints(name);
}

/** What `run` answers; where an argument is not known enough, an array of unknown shape that keeps the dtype. */
export function keepingDtype(c: Call, node: ArrayNode, run: () => Value): Value {
  try {
    return run();
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    return c.interpreter.source({ shape: null, dtype: node.dtype });
  }
}
