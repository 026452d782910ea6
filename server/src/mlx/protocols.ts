/**
 * Objects that model code is handed and never names the class of, by the methods that it calls on them.
 *
 * In the reader's view a key-value cache is a parameter that nothing is known of. What its `update_and_fetch` answers is
 * a convention of all model code for MLX: keys and values as they were given, with as many positions as the cache now
 * holds. Nothing is refused of such arrays.
 */
import { type Dim, symbol } from '../../../engine/src/dims/dim';
import type { Evaluator } from '../interpreter/evaluator';
import { array, type BuiltinValue, builtin, tuple, unknown, type Value } from '../interpreter/values';

/** The array with another length of its positions, which are the last axis but one. */
function withPositions(ev: Evaluator, value: Value | undefined, positions: Dim): Value {
  const v = value && ev.settled(value);
  const shape = v?.kind === 'array' ? ev.facts.shape(v.node.shape) : null;
  if (v?.kind !== 'array' || !Array.isArray(shape) || shape.length < 2) return unknown('is kept in a cache');
  const axes = [...(shape as readonly Dim[])];
  axes[axes.length - 2] = positions;
  return array(ev.source({ shape: axes, dtype: v.node.dtype }).node, true);
}

type Method = (ev: Evaluator, owner: string, args: readonly Value[]) => Value;

const METHODS: Readonly<Record<string, Method>> = {
  update_and_fetch: (ev, owner, [keys, values]) => {
    const positions = symbol(`len(${owner})`, { flexible: true });
    return tuple([withPositions(ev, keys, positions), withPositions(ev, values, positions)]);
  },
};

/** What `owner.name` is by convention, where nothing is known of `owner`; null for a name without one. */
export function conventionalMethod(name: string, owner: string): BuiltinValue | null {
  if (!Object.hasOwn(METHODS, name)) return null;
  return builtin(name, (interpreter, { positional }) => METHODS[name](interpreter as Evaluator, owner, positional));
}
