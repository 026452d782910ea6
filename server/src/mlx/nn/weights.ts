/**
 * `load_weights` and `save_weights`: what a module's parameters take from a checkpoint.
 */
import { showShape } from '../../../../engine/src/dims/shape';
import { Refusal } from '../../../../engine/src/graph/refusal';
import type { Interpreter } from '../../interpreter/interpreter';
import { type BuiltinValue, type InstanceValue, NONE, type Value } from '../../interpreter/values';
import { type Call, isOpaque, typeName } from '../define';
import { moduleMethod } from './methods';
import { forgetDTypes, parametersOf, updateParameters } from './parameters';
import { branchOf, leavesOf, unflatten } from './tree';

/** The (name, array) pairs given to `load_weights`; null when they are not all known. */
function weightPairs(interpreter: Interpreter, weights: Value): [string, Value][] | null {
  const branch = branchOf(interpreter, weights);
  if (branch === null || branch.kind === 'dict' || branch.items === null) return null;
  const pairs: [string, Value][] = [];
  for (const item of branch.items) {
    const pair = interpreter.settled(item);
    if ((pair.kind !== 'tuple' && pair.kind !== 'list') || pair.items?.length !== 2) return null;
    const name = interpreter.settled(pair.items[0]);
    if (name.kind !== 'str' || name.value === null) return null;
    pairs.push([name.value, interpreter.settled(pair.items[1])]);
  }
  return pairs;
}

function loadWeights(c: Call, self: InstanceValue): Value {
  const { interpreter } = c;
  const strict = interpreter.truth(c.value('strict'));
  const pairs = weightPairs(interpreter, c.value('file_or_weights'));
  if (pairs === null) {
    forgetDTypes(interpreter, self);
    return self;
  }
  if (strict) checkWeights(interpreter, self, pairs);
  if (pairs.length > 0) updateParameters(interpreter, self, unflatten(pairs), false);
  return self;
}

/** @throws Refusal of kind 'value' for names that only one side has, or an array of another shape */
function checkWeights(interpreter: Interpreter, self: InstanceValue, pairs: readonly [string, Value][]): void {
  const leaves = leavesOf(interpreter, parametersOf(interpreter, self));
  const given = new Map(pairs);
  const own = new Map<string, Value>();
  for (const [path, leaf] of leaves.pairs) if (path !== null) own.set(path, leaf);
  const refuse = (message: string, name: string): never => {
    throw new Refusal('value', message, { name, layer: self });
  };
  const listing = (names: readonly string[]): string =>
    names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
  if (!leaves.open) {
    const surplus = [...given.keys()].filter(name => !own.has(name)).sort();
    if (surplus.length > 0) refuse(`The model has no parameter ${listing(surplus)}`, surplus[0]);
  }
  const missing = [...own.keys()].filter(name => !given.has(name)).sort();
  if (missing.length > 0) refuse(`The weights lack ${listing(missing)}`, missing[0]);
  for (const [name, value] of own) {
    const array = given.get(name)!;
    if (isOpaque(array) || value.kind !== 'array') continue;
    if (array.kind !== 'array') refuse(`The weight ${name} must be an array, not ${typeName(array)}`, name);
    else if (shapesDiffer(interpreter, value, array))
      refuse(
        `The parameter ${name} is ${showShape(value.node.shape)}, the weight loaded for it ${showShape(array.node.shape)}`,
        name,
      );
  }
}

/** Whether two arrays certainly have different shapes. */
function shapesDiffer(interpreter: Interpreter, a: Value, b: Value): boolean {
  if (a.kind !== 'array' || b.kind !== 'array') return false;
  const [left, right] = [interpreter.facts.shape(a.node.shape), interpreter.facts.shape(b.node.shape)];
  if (!Array.isArray(left) || !Array.isArray(right)) return false;
  return left.length !== right.length || left.some((d, i) => interpreter.facts.equal(d, right[i]) === 'no');
}

export const weightMethods: readonly BuiltinValue[] = [
  moduleMethod('Module.load_weights(file_or_weights, strict=True)', loadWeights),
  moduleMethod('Module.save_weights(file)', c => {
    const file = c.value('file');
    if (file.kind === 'str' && file.value !== null && !/\.(npz|safetensors)$/.test(file.value))
      throw new Refusal('value', `save_weights writes .npz and .safetensors files, not ${file.value}`);
    return NONE;
  }),
];
