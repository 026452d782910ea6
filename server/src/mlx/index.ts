/**
 * MLX's modules as Python imports them, put together from the tables of this room.
 */
import '../../../engine/src/ops';
import { type BuiltinValue, float, type ModuleValue, module, NONE, str, type Value } from '../interpreter/values';
import { arrayClass, arrayType, registerMethods } from './array';
import { convolutionFunctions } from './convolution';
import { creationFunctions } from './creation';
import { dtypeFunctions, dtypeNames } from './dtypes';
import { dunders } from './dunders';
import { elementwiseFunctions } from './elementwise';
import { fastFunctions } from './fast';
import { fftFunctions } from './fft';
import { gatheringFunctions } from './gathering';
import { joiningFunctions } from './joining';
import { linalgFunctions, matrixFunctions } from './linalg';
import { arrayMethods } from './methods';
import { nnModules } from './nn';
import { useCore } from './nn/mx';
import { numpyModules } from './numpy';
import { productFunctions } from './products';
import { quantizationFunctions } from './quantization';
import { randomFunctions, randomValues } from './random';
import { reductionFunctions } from './reductions';
import { shapingFunctions } from './shaping';
import { systemClasses, systemFunctions, systemModules } from './system';
import { transformClasses, transformFunctions } from './transforms';

export { arrayType };

const shortName = (f: BuiltinValue): string => f.name.slice(f.name.lastIndexOf('.') + 1);
const named = (functions: readonly BuiltinValue[]): (readonly [string, Value])[] =>
  functions.map(f => [shortName(f), f]);

const CONSTANTS: readonly (readonly [string, Value])[] = [
  // the user's MLX may be another than the one that was recorded
  ['__version__', str(null)],
  ['pi', float(Math.PI)],
  ['e', float(Math.E)],
  ['inf', float(Number.POSITIVE_INFINITY)],
  ['nan', float(Number.NaN)],
  ['euler_gamma', float(0.5772156649015329)],
  ['newaxis', NONE],
];

/** Modules of `mlx.core` by name. */
const PARTS: Record<string, readonly BuiltinValue[]> = {
  fast: fastFunctions,
  fft: fftFunctions,
  linalg: linalgFunctions,
};

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
    systemFunctions,
  ].flatMap(named);
  const parts = [
    ...Object.entries(PARTS).map(([name, table]) => module(`mlx.core.${name}`, named(table))),
    module('mlx.core.random', [...named(randomFunctions), ...randomValues]),
    ...systemModules,
  ];
  // Every public name is here, so a name that is not is an error: MLX has no `mx.cat`.
  const core = module('mlx.core', [
    ['array', arrayClass],
    ...CONSTANTS,
    ...dtypeNames,
    ...functions,
    ...systemClasses,
    ...transformClasses,
    ...parts.map(part => [part.name.slice('mlx.core.'.length), part] as const),
  ]);
  registerMethods(arrayMethods(core.attributes));
  registerMethods(dunders(core));
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
  for (const made of numpyModules(core)) modules.set(made.name, made);
  modules.set('mlx', module('mlx', parts, true));
  return modules;
}
