/**
 * Methods of classes written here: how they are made, and how a class keeps them.
 */
import { Unknowable } from '../../interpreter/interpreter';
import type { BuiltinValue, InstanceValue, PropertyValue, StaticMethodValue, Value } from '../../interpreter/values';
import { type Call, defineMethod } from '../define';

/** A method of modules. On something that is certainly none the answer is unknown. */
export function moduleMethod(
  signature: string,
  run: (call: Call, self: InstanceValue) => Value,
  options?: { spread?: boolean },
): BuiltinValue {
  return defineMethod(
    signature,
    (call, self) => {
      const settled = call.interpreter.settled(self);
      if (settled.kind !== 'instance') throw new Unknowable('the module is not known');
      return run(call, settled);
    },
    options,
  );
}

export const property = (get: Value, set: Value | null = null): PropertyValue => ({ kind: 'property', get, set });
export const staticMethod = (func: Value): StaticMethodValue => ({ kind: 'staticmethod', func });
export const classMethod = (func: Value): StaticMethodValue => ({ kind: 'classmethod', func });

const shortName = (b: BuiltinValue): string => b.name.slice(b.name.lastIndexOf('.') + 1);
/** Functions by the last part of their names, as a class or module keeps them. */
export const named = (functions: readonly BuiltinValue[]): [string, Value][] => functions.map(f => [shortName(f), f]);
