/**
 * Freezing a module's parameters, and its training mode.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  type InstanceValue,
  keyOf,
  NONE,
  type SetValue,
  set,
  str,
  unknown,
  type Value,
} from '../../interpreter/values';
import type { Call } from '../define';
import { hasMember } from './members';
import { isModule } from './membership';
import { moduleMethod } from './methods';
import { eachModule, type Filter, filterAndMap, validParameter } from './parameters';
import { leavesOf } from './tree';

/** What `super().__init__()` sets up. */
export function initializeModule(interpreter: Interpreter, self: InstanceValue): void {
  interpreter.heap.set(self.attributes, '_no_grad', set());
  interpreter.heap.set(self.attributes, '_training', bool(true));
}

/** The frozen names of a module. @throws Refusal where `super().__init__()` was not called */
function frozenNames(self: InstanceValue): SetValue | null {
  const names = self.attributes.get('_no_grad');
  if (names?.kind === 'set') return names;
  if (names !== undefined || self.open) return null;
  throw new Refusal(
    'attribute',
    `${self.cls.name} has no _no_grad: its __init__ does not call super().__init__()`,
    { name: '_no_grad', layer: self },
    'AttributeError',
  );
}

/** The `keys` argument: null when it was not given. */
function keysArgument(c: Call): string[] | null {
  const keys = c.value('keys');
  if (keys.kind === 'none') return null;
  const values = keys.kind === 'str' ? [keys] : c.items('keys');
  return values.map(v => {
    if (v.kind !== 'str' || v.value === null) throw new Unknowable('the keys are not known');
    return v.value;
  });
}

function requireKeys(keys: readonly string[], modules: readonly InstanceValue[]): void {
  for (const key of keys) {
    const answers = modules.map(m => hasMember(m, key));
    if (!answers.includes(true) && !answers.includes(null))
      throw new Refusal('value', `The module has no member ${key}`, { name: key, layer: modules[0] }, 'KeyError');
  }
}

/** Freezes (or unfreezes) the module and, with `recurse`, all below it. */
function setFrozen(
  c: Call,
  self: InstanceValue,
  one: (module: InstanceValue, frozen: SetValue, keys: string[] | null) => void,
): Value {
  const { interpreter } = c;
  const recurse = c.flag('recurse');
  const strict = c.flag('strict');
  const keys = keysArgument(c);
  const targets: InstanceValue[] = [];
  if (recurse) eachModule(interpreter, self, (_path, module) => targets.push(module));
  else targets.push(self);
  if (strict && keys) requireKeys(keys, targets);
  for (const module of targets) {
    const frozen = frozenNames(module);
    if (frozen) one(module, frozen, keys);
  }
  return self;
}

export function freeze(interpreter: Interpreter, module: InstanceValue, keys: readonly string[] | null = null): void {
  const frozen = frozenNames(module);
  if (!frozen) return;
  const own: Filter = (m, key, v) => (isModule(v) ? false : validParameter(m, key, v));
  const names = keys ?? leavesOf(interpreter, filterAndMap(interpreter, module, own)).pairs.map(([path]) => path);
  for (const name of names) if (name !== null) interpreter.heap.setMember(frozen, keyOf(str(name))!, str(name));
}

export const trainingMethods: readonly BuiltinValue[] = [
  moduleMethod('Module.freeze(*, recurse=True, keys=None, strict=False)', (c, self) =>
    setFrozen(c, self, (module, _frozen, keys) => freeze(c.interpreter, module, keys)),
  ),
  moduleMethod('Module.unfreeze(*, recurse=True, keys=None, strict=False)', (c, self) =>
    setFrozen(c, self, (_module, frozen, keys) => {
      const names = keys?.map(key => keyOf(str(key))!) ?? [...frozen.entries.keys()];
      for (const name of names) c.interpreter.heap.setMember(frozen, name, undefined);
    }),
  ),
  moduleMethod('Module._set_training_mode(mode)', (c, self) => {
    c.interpreter.heap.set(self.attributes, '_training', c.value('mode'));
    return NONE;
  }),
  moduleMethod('Module.train(mode=True)', (c, self) => setTraining(c.interpreter, self, c.value('mode'))),
  moduleMethod('Module.eval()', (c, self) => setTraining(c.interpreter, self, bool(false))),
  moduleMethod('Module.apply_to_modules(apply_fn)', (c, self) => {
    const visit = c.value('apply_fn');
    eachModule(c.interpreter, self, (path, module) => c.interpreter.callWith(visit, str(path), module));
    return self;
  }),
];

function setTraining(interpreter: Interpreter, self: InstanceValue, mode: Value): Value {
  eachModule(interpreter, self, (_path, module) => {
    const setter = interpreter.getAttribute(module, '_set_training_mode');
    if (setter) interpreter.callWith(setter, mode);
  });
  return self;
}

/** Whether the module is in training mode; null when it may be either. */
export const isTraining = (interpreter: Interpreter, self: InstanceValue): boolean | null =>
  interpreter.truth(self.attributes.get('_training') ?? unknown('whether the module is training is not known'));
