/**
 * MLX's modules as Python imports them, put together from the tables of this room.
 */
import '../../../engine/src/ops';
import {
  type BuiltinValue,
  bool,
  builtin,
  ELLIPSIS,
  float,
  type ModuleValue,
  module,
  NONE,
  nativeClass,
  unknown,
  type Value,
} from '../interpreter/values';
import { arrayClass, arrayType as baseArrayType, registerMethods } from './array';
import { atAttribute } from './at';
import { convolutionFunctions } from './convolution';
import { arrayConstructor, creationFunctions } from './creation';
import { define } from './define';
import { dtypeFunctions, dtypeNames } from './dtypes';
import { elementwiseFunctions } from './elementwise';
import { fastFunctions } from './fast';
import { fftFunctions } from './fft';
import { gatheringFunctions } from './gathering';
import { getItem, setItem } from './indexing';
import { joiningFunctions } from './joining';
import { linalgFunctions, matrixFunctions } from './linalg';
import { arrayMethods } from './methods';
import { nnModules } from './nn';
import { useCore } from './nn/mx';
import { productFunctions } from './products';
import { quantizationFunctions } from './quantization';
import { randomFunctions, randomValues } from './random';
import { reductionFunctions } from './reductions';
import { shapingFunctions } from './shaping';
import { transformFunctions } from './transforms';

export const arrayType = {
  ...baseArrayType,
  getAttribute: (...[interpreter, value, name]: Parameters<NonNullable<typeof baseArrayType.getAttribute>>) =>
    name === 'at' ? atAttribute(interpreter, value) : baseArrayType.getAttribute!(interpreter, value, name),
  getItem,
  setItem,
};

const shortName = (f: BuiltinValue): string => f.name.slice(f.name.lastIndexOf('.') + 1);
const named = (functions: readonly BuiltinValue[]): (readonly [string, Value])[] =>
  functions.map(f => [shortName(f), f]);

/** Known names whose effects are not followed: calling one is worth an unknown value. */
const opaque = (name: string): BuiltinValue => builtin(name, () => unknown(`${name} is not followed`));

const CONSTANTS: readonly (readonly [string, Value])[] = [
  ['pi', float(Math.PI)],
  ['e', float(Math.E)],
  ['inf', float(Number.POSITIVE_INFINITY)],
  ['nan', float(Number.NaN)],
  ['euler_gamma', float(0.5772156649015329)],
  ['newaxis', NONE],
  ['Ellipsis', ELLIPSIS],
];

function coreModule(): ModuleValue {
  const functions = [
    dtypeFunctions,
    elementwiseFunctions,
    shapingFunctions,
    convolutionFunctions,
    joiningFunctions,
    gatheringFunctions,
    creationFunctions,
    reductionFunctions,
    productFunctions,
    quantizationFunctions,
    matrixFunctions,
    transformFunctions,
    [
      define('mx.astype(a, dtype, stream=None)', c => {
        const a = c.arrayOnly('a');
        return c.interpreter.record('astype', [a], { dtype: c.dtypeIsUnknown('dtype') ? null : c.dtype('dtype') });
      }),
    ],
  ].flatMap(named);
  // Modules are open: a name that no table has is unknown, never an error.
  const core = module('mlx.core', [...CONSTANTS, ...dtypeNames, ...functions], true);
  core.attributes.set('random', module('mlx.core.random', [...named(randomFunctions), ...randomValues], true));
  core.attributes.set('fast', module('mlx.core.fast', named(fastFunctions), true));
  core.attributes.set('linalg', module('mlx.core.linalg', named(linalgFunctions), true));
  core.attributes.set('fft', module('mlx.core.fft', named(fftFunctions), true));
  core.attributes.set(
    'metal',
    module('mlx.core.metal', [['is_available', builtin('mx.metal.is_available', () => bool(null))]], true),
  );
  core.attributes.set(
    'distributed',
    module(
      'mlx.core.distributed',
      [
        ['init', opaque('mx.distributed.init')],
        ['Group', nativeClass('Group', [])],
      ],
      true,
    ),
  );
  const methods = arrayMethods(core.attributes);
  registerMethods(methods);
  const array: typeof arrayClass = Object.assign(arrayClass, {
    construct: ((interpreter, _, passed) => arrayConstructor.call(interpreter, passed)) as NonNullable<
      typeof arrayClass.construct
    >,
  });
  core.attributes.set('array', array);
  return core;
}

/** Every module of the package by its dotted path. */
export function mlxModules(): Map<string, ModuleValue> {
  const core = coreModule();
  useCore(core);
  const modules = new Map<string, ModuleValue>([['mlx.core', core]]);
  for (const [name, value] of core.attributes) if (value.kind === 'module') modules.set(`mlx.core.${name}`, value);
  for (const [name, made] of nnModules()) modules.set(name, made);
  const parts = ['core', 'nn', 'utils', 'optimizers'].flatMap(name => {
    const part = modules.get(`mlx.${name}`);
    return part ? [[name, part] as const] : [];
  });
  modules.set('mlx', module('mlx', parts, true));
  return modules;
}
