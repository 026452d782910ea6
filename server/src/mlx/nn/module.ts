/**
 * `nn.Module`: the dict of parameters and sub-modules that every layer and model is.
 */
import { anonymous } from '../../../../engine/src/dims/dim';
import { isFloating } from '../../../../engine/src/dtype';
import { TYPES } from '../../interpreter/builtins/functions';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  type InstanceValue,
  list,
  NONE,
  nativeClass,
  openList,
  str,
  tuple,
  type Value,
} from '../../interpreter/values';
import { type Call, define, dtypeOf, isOpaque } from '../define';
import { dictMethods } from './members';
import { isModule, registerModuleClass } from './membership';
import { moduleMethod, named, property, staticMethod } from './methods';
import {
  childrenOf,
  eachModule,
  type Filter,
  filterAndMap,
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
import { reprMethods } from './representation';
import { initializeModule, trainingMethods } from './training';
import { oneOf } from './tree';
import { weightMethods } from './weights';

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
];

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

/** `nn.Module`. */
export const Module = registerModuleClass(
  nativeClass(
    'Module',
    [TYPES.dict],
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
      ...named(trainingMethods),
      ...named(dictMethods),
      ...named(weightMethods),
      ...named(reprMethods),
      ...named([...filters, isModuleFunction]).map(([name, f]): [string, Value] => [name, staticMethod(f)]),
      [
        'training',
        property(moduleMethod('Module.training()', (_c, self) => self.attributes.get('_training') ?? bool(null))),
      ],
      ['state', property(moduleMethod('Module.state()', (_c, self) => self))],
    ],
    undefined,
    true,
  ),
);
