/**
 * `nn.Module`: the dict of parameters and sub-modules that every layer and model is.
 */
import { anonymous, showDim } from '../../../../engine/src/dims/dim';
import { showShape } from '../../../../engine/src/dims/shape';
import { isFloating } from '../../../../engine/src/dtype';
import { Refusal } from '../../../../engine/src/graph/refusal';
import type { Interpreter } from '../../interpreter/interpreter';
import { Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  type InstanceValue,
  keyOf,
  list,
  NONE,
  nativeClass,
  openList,
  type PropertyValue,
  type SetValue,
  type StaticMethodValue,
  str,
  tuple,
  unknown,
  type Value,
} from '../../interpreter/values';
import { type Call, define, defineMethod, dtypeOf, isOpaque, typeName } from '../define';
import { isMember, isModule, moduleEntries, registerModuleClass } from './membership';
import {
  childrenOf,
  eachModule,
  type Filter,
  filterAndMap,
  forgetDTypes,
  leafModulesOf,
  notContainer,
  parametersOf,
  trainableParameter,
  trainableParametersOf,
  updateModules,
  updateParameters,
  validChild,
  validParameter,
} from './parameters';
import { branchOf, leavesOf, oneOf, pairsDict, unflatten } from './tree';

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

const emptySet = (): SetValue => ({ kind: 'set', entries: new Map(), open: false });

/** What `super().__init__()` sets up. */
export function initializeModule(interpreter: Interpreter, self: InstanceValue): void {
  interpreter.heap.set(self.attributes, '_no_grad', emptySet());
  interpreter.heap.set(self.attributes, '_training', bool(true));
}

// ---- reading the tree -------------------------------------------------------------------------------------------------

/** A filter argument: `None` means `fallback`. */
function filterArgument(call: Call, name: string, fallback: Filter): Filter {
  const given = call.value(name);
  if (given.kind === 'none') return fallback;
  const { interpreter } = call;
  return (module, key, value) => interpreter.truth(interpreter.callWith(given, module, str(key), value));
}

function mapArgument(call: Call, name: string): (leaf: Value) => Value {
  const given = call.value(name);
  return given.kind === 'none' ? leaf => leaf : leaf => call.interpreter.callWith(given, leaf);
}

const reading: readonly BuiltinValue[] = [
  moduleMethod('Module.filter_and_map(filter_fn, map_fn=None, is_leaf_fn=None)', (c, self) =>
    filterAndMap(
      c.interpreter,
      self,
      filterArgument(c, 'filter_fn', validParameter),
      mapArgument(c, 'map_fn'),
      filterArgument(c, 'is_leaf_fn', notContainer),
    ),
  ),
  moduleMethod('Module.parameters()', (c, self) => parametersOf(c.interpreter, self)),
  moduleMethod('Module.trainable_parameters()', (c, self) => trainableParametersOf(c.interpreter, self)),
  moduleMethod('Module.children()', (c, self) => childrenOf(c.interpreter, self)),
  moduleMethod('Module.leaf_modules()', (c, self) => leafModulesOf(c.interpreter, self)),
  moduleMethod('Module.modules()', (c, self) => moduleList(c.interpreter, self, (_path, m) => m)),
  moduleMethod('Module.named_modules()', (c, self) =>
    moduleList(c.interpreter, self, (path, m) => tuple([str(path), m])),
  ),
];

function moduleList(
  interpreter: Interpreter,
  self: InstanceValue,
  entry: (path: string | null, module: InstanceValue) => Value,
): Value {
  const all: Value[] = [];
  let open = false;
  eachModule(interpreter, self, (path, module) => {
    open ||= path === null || module.open;
    all.push(entry(path, module));
  });
  return open ? openList(oneOf(interpreter, all), anonymous()) : list(all);
}

// ---- writing ----------------------------------------------------------------------------------------------------------

const writing: readonly BuiltinValue[] = [
  moduleMethod('Module.update(parameters, strict=True)', (c, self) => {
    updateParameters(c.interpreter, self, c.value('parameters'), c.flag('strict'));
    return self;
  }),
  moduleMethod('Module.update_modules(modules, strict=True)', (c, self) => {
    updateModules(c.interpreter, self, c.value('modules'), c.flag('strict'));
    return self;
  }),
  moduleMethod('Module.apply(map_fn, filter_fn=None)', (c, self) => {
    const filter = filterArgument(c, 'filter_fn', validParameter);
    updateParameters(c.interpreter, self, filterAndMap(c.interpreter, self, filter, mapArgument(c, 'map_fn')), true);
    return self;
  }),
  moduleMethod('Module.set_dtype(dtype, predicate=is_floating)', (c, self) => {
    const { interpreter } = c;
    const predicate = c.given.has('predicate') ? c.value('predicate') : null;
    const to = c.value('dtype');
    const wanted = dtypeOf(to);
    const casts = (dtype: Value): boolean | null => {
      if (predicate?.kind === 'none') return true;
      if (predicate) return interpreter.truth(interpreter.callWith(predicate, dtype));
      const known = dtypeOf(dtype);
      return known && isFloating(known);
    };
    const map = (x: Value): Value => {
      if (x.kind !== 'array') return x;
      const cast = casts(interpreter.getAttribute(x, 'dtype')!);
      if (cast === false || (cast && x.node.dtype === wanted)) return x;
      if (cast === null) return interpreter.source({ shape: x.node.shape, dtype: null }, x.node.label ?? undefined);
      return interpreter.callWith(interpreter.getAttribute(x, 'astype')!, to);
    };
    updateParameters(interpreter, self, filterAndMap(interpreter, self, validParameter, map), true);
    return NONE;
  }),
  moduleMethod('Module.load_weights(file_or_weights, strict=True)', loadWeights),
  moduleMethod('Module.save_weights(file)', c => {
    const file = c.value('file');
    if (file.kind === 'str' && file.value !== null && !/\.(npz|safetensors)$/.test(file.value))
      throw new Refusal('value', `save_weights writes .npz and .safetensors files, not ${file.value}`);
    return NONE;
  }),
];

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

// ---- training ---------------------------------------------------------------------------------------------------------

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

const training: readonly BuiltinValue[] = [
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

// ---- as a dict --------------------------------------------------------------------------------------------------------

/** `name in module`; null when it cannot be told. */
export function hasMember(self: InstanceValue, name: string): boolean | null {
  const value = self.attributes.get(name);
  if (value === undefined) return self.open ? null : false;
  return isMember(value);
}

/** `module[name]`, or null where there certainly is none. */
function member(self: InstanceValue, name: string): Value | null {
  const present = hasMember(self, name);
  if (present === false) return null;
  return self.attributes.get(name) ?? unknown(`whether ${self.cls.name} has a member ${name} is not known`);
}

function knownKey(c: Call, name: string): string {
  const key = c.value(name);
  if (key.kind === 'str' && key.value !== null) return key.value;
  throw new Unknowable('the key is not known');
}

const noSuchMember = (self: InstanceValue, name: string): Refusal =>
  new Refusal('attribute', `${self.cls.name} has no member ${name}`, { name, layer: self }, 'KeyError');

/** The entries as a list; one of unknown length when the module may have others. */
function entryList(c: Call, self: InstanceValue, entry: (name: string, value: Value) => Value): Value {
  const { entries, open } = moduleEntries(self);
  const items = entries.map(([name, value]) => entry(name, value));
  return open ? openList(oneOf(c.interpreter, items), anonymous(items.length)) : list(items);
}

const dictionary: readonly BuiltinValue[] = [
  moduleMethod('Module.__getitem__(key)', (c, self) => {
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value === null) throw noSuchMember(self, key);
    return value;
  }),
  moduleMethod('Module.__setitem__(key, value)', (c, self) => {
    c.interpreter.heap.set(self.attributes, knownKey(c, 'key'), c.value('value'));
    return NONE;
  }),
  moduleMethod('Module.__delitem__(key)', (c, self) => {
    const key = knownKey(c, 'key');
    if (hasMember(self, key) === false) throw noSuchMember(self, key);
    c.interpreter.heap.set(self.attributes, key, undefined);
    return NONE;
  }),
  moduleMethod('Module.__contains__(key)', (c, self) => bool(hasMember(self, knownKey(c, 'key')))),
  moduleMethod('Module.__len__()', (_c, self) => {
    const { entries, open } = moduleEntries(self);
    if (open) throw new Unknowable('the module may have other members');
    return { kind: 'int', value: entries.length };
  }),
  moduleMethod('Module.__iter__()', (c, self) => entryList(c, self, str)),
  moduleMethod('Module.get(key, default=None, /)', (c, self) => member(self, knownKey(c, 'key')) ?? c.value('default')),
  moduleMethod('Module.keys()', (c, self) => entryList(c, self, str)),
  moduleMethod('Module.values()', (c, self) => entryList(c, self, (_name, value) => value)),
  moduleMethod('Module.items()', (c, self) => entryList(c, self, (name, value) => tuple([str(name), value]))),
  moduleMethod('Module.pop(key, default=None, /)', (c, self) => {
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value === null && !c.given.has('default')) throw noSuchMember(self, key);
    if (value !== null) c.interpreter.heap.set(self.attributes, key, undefined);
    return value ?? c.value('default');
  }),
  moduleMethod('Module.setdefault(key, default=None, /)', (c, self) => {
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value !== null) return value;
    c.interpreter.heap.set(self.attributes, key, c.value('default'));
    return c.value('default');
  }),
];

// ---- repr -------------------------------------------------------------------------------------------------------------

const representation: readonly BuiltinValue[] = [
  moduleMethod('Module._extra_repr()', () => str('')),
  moduleMethod('Module.__repr__()', (c, self) => str(represent(c.interpreter, self))),
];

/** `repr(module)`, as MLX prints it; null where it cannot be known. */
export function represent(interpreter: Interpreter, self: InstanceValue): string | null {
  const extra = interpreter.getAttribute(self, '_extra_repr');
  const inside = extra ? interpreter.settled(interpreter.callWith(extra)) : str('');
  if (inside.kind !== 'str' || inside.value === null) return null;
  const { pairs, open } = leavesOf(interpreter, childrenOf(interpreter, self), isModule);
  if (open) return null;
  let text = `${self.cls.name}(${inside.value}`;
  for (const [path, child] of pairs) {
    const shown = isModule(child) ? represent(interpreter, child) : interpreter.format(child);
    if (shown === null || path === null) return null;
    text += `\n${`(${path}): ${shown}`.replace(/^(?=.)/gm, '  ')}`;
  }
  return `${text}${pairs.length > 0 ? '\n' : ''})`;
}

/** A dim of a layer in its repr; null where it is a symbol. */
export const reprDim = (d: Value): string | null =>
  d.kind === 'int' && typeof d.value === 'number' ? showDim(d.value) : null;

// ---- the class --------------------------------------------------------------------------------------------------------

const filters: readonly BuiltinValue[] = (
  [
    ['valid_child_filter', validChild],
    ['valid_parameter_filter', validParameter],
    ['trainable_parameter_filter', trainableParameter],
  ] as const
).map(([name, filter]) =>
  define(`Module.${name}(module, key, value)`, c => {
    const module = c.value('module');
    if (module.kind !== 'instance') throw new Unknowable('the module is not known');
    const key = c.value('key');
    return bool(filter(module, key.kind === 'str' ? key.value : null, c.value('value')));
  }),
);

const isModuleFunction = define('Module.is_module(value)', c => {
  const v = c.value('value');
  const open = isOpaque(v) || (v.kind === 'instance' && v.cls.open);
  return bool(isModule(v) || (open ? null : false));
});

const shortName = (b: BuiltinValue): string => b.name.slice(b.name.lastIndexOf('.') + 1);
export const named = (functions: readonly BuiltinValue[]): [string, Value][] => functions.map(f => [shortName(f), f]);

/** `nn.Module`. */
export const Module = registerModuleClass(
  nativeClass(
    'Module',
    [],
    [
      [
        '__init__',
        moduleMethod('nn.Module()', (c, self) => {
          initializeModule(c.interpreter, self);
          return NONE;
        }),
      ],
      ...named(reading),
      ...named(writing),
      ...named(training),
      ...named(dictionary),
      ...named(representation),
      ...named([...filters, isModuleFunction]).map(([name, f]): [string, Value] => [name, staticMethod(f)]),
      [
        'training',
        property(moduleMethod('Module.training()', (_c, self) => self.attributes.get('_training') ?? bool(null))),
      ],
      ['state', property(moduleMethod('Module.state()', (_c, self) => self))],
    ],
  ),
);

/** A module's parameters by dotted name. Used where the whole tree is read (summaries, checkpoints). */
export const namedParameters = (interpreter: Interpreter, module: InstanceValue): Value =>
  pairsDict(interpreter, leavesOf(interpreter, parametersOf(interpreter, module)));
