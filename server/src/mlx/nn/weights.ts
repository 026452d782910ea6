/**
 * `load_weights` and `save_weights`: what a module's parameters take from a checkpoint.
 */
import { isKnown } from '../../../../engine/src/dims/dim';
import { showShape } from '../../../../engine/src/dims/shape';
import { Refusal, type RefusalKind } from '../../../../engine/src/graph/refusal';
import type { Interpreter } from '../../interpreter/interpreter';
import { type BuiltinValue, type InstanceValue, NONE, type Value } from '../../interpreter/values';
import { type Call, isOpaque, typeName } from '../define';
import { isModule } from './membership';
import { moduleMethod } from './methods';
import { explainMismatch, type NumericType } from './mismatch';
import { forgetDTypes, parametersOf, updateParameters } from './parameters';
import { branchOf, leavesOf, unflatten } from './tree';

/** The (name, array) pairs given to `load_weights`; null when they are not all known. */
function weightPairs(interpreter: Interpreter, weights: Value): [string, Value][] | null {
  const file = interpreter.format(weights);
  if (file !== null && /^(\/|[a-z]:[\\/])/i.test(file)) {
    const found = interpreter.arraysIn(file);
    if (found?.problem) throw new Refusal('weights-file', found.problem, {}, 'RuntimeError');
    return found && [...found.arrays].map(([name, type]) => [name, interpreter.source(type, name)]);
  }
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

/** @throws Refusal for names that only one side has, or an array of another shape */
function checkWeights(interpreter: Interpreter, self: InstanceValue, pairs: readonly [string, Value][]): void {
  const leaves = leavesOf(interpreter, parametersOf(interpreter, self));
  const given = new Map(pairs);
  const own = new Map<string, Value>();
  for (const [path, leaf] of leaves.pairs) if (path !== null) own.set(path, leaf);
  const refuse = (kind: RefusalKind, message: string, name: string): never => {
    throw new Refusal(kind, message, { name, layer: moduleAt(interpreter, self, name) ?? self });
  };
  const listing = (names: readonly string[]): string =>
    names.length <= 5 ? names.join(', ') : `${names.slice(0, 5).join(', ')} and ${names.length - 5} more`;
  if (!leaves.open) {
    const surplus = [...given.keys()].filter(name => !own.has(name)).sort();
    if (surplus.length > 0) {
      const packed = surplus.every(name => isPacking(name, own)) ? ': they are quantized, and the model is not' : '';
      refuse(
        packed ? 'weights-quantized' : 'weights-unexpected',
        `The model has no parameter ${listing(surplus)}${packed}`,
        surplus[0],
      );
    }
  }
  const missing = [...own.keys()].filter(name => !given.has(name)).sort();
  if (missing.length > 0) refuse('weights-missing', `The weights lack ${listing(missing)}`, missing[0]);
  for (const [name, value] of own) {
    const array = given.get(name)!;
    if (isOpaque(array) || value.kind !== 'array') continue;
    if (array.kind !== 'array')
      refuse('weights-shape', `The weight ${name} must be an array, not ${typeName(array)}`, name);
    else if (shapesDiffer(interpreter, value, array)) {
      const message = `The parameter ${name} is ${showShape(value.node.shape)}, the weight loaded for it ${showShape(array.node.shape)}`;
      const [wanted, got] = [numericType(interpreter, value), numericType(interpreter, array)];
      const head = name.slice(0, name.lastIndexOf('.') + 1);
      const beside = (part: string) => numericType(interpreter, given.get(head + part));
      const { kind, explanation } =
        wanted && got
          ? explainMismatch(wanted, got, {
              owner: moduleAt(interpreter, self, name),
              name: name.slice(head.length),
              given: { scales: beside('scales'), weight: beside('weight') },
            })
          : { kind: 'weights-shape' as const, explanation: null };
      refuse(kind, explanation ? `${message}: ${explanation}` : message, name);
    }
  }
}

/** Whether a name of the checkpoint is scales or biases of a weight that the model has. */
export const isPacking = (name: string, own: ReadonlyMap<string, unknown>): boolean =>
  /(^|\.)(scales|biases)$/.test(name) && own.has(name.replace(/(scales|biases)$/, 'weight'));

/** The module that has the parameter of this path, or the last module on the way to it; null for none. */
export function moduleAt(interpreter: Interpreter, root: InstanceValue, path: string): InstanceValue | null {
  let found: InstanceValue | null = root;
  let at: Value = root;
  for (const part of path.split('.').slice(0, -1)) {
    const branch = branchOf(interpreter, at);
    const next: Value | undefined =
      branch?.kind === 'dict'
        ? branch.entries.find(e => interpreter.format(e.key) === part)?.value
        : branch?.items?.[Number(part)];
    if (!next) break;
    at = interpreter.settled(next);
    if (isModule(at)) found = at;
  }
  return found;
}

/** An array's type in numbers; null for what is no array, or has other axes. */
export function numericType(interpreter: Interpreter, value: Value | undefined): NumericType | null {
  if (value?.kind !== 'array') return null;
  const shape = interpreter.facts.shape(value.node.shape);
  if (!Array.isArray(shape) || !shape.every(isKnown)) return null;
  return { shape: shape as readonly number[], dtype: value.node.dtype };
}

/** Whether two arrays certainly have different shapes. */
export function shapesDiffer(interpreter: Interpreter, a: Value, b: Value): boolean {
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
