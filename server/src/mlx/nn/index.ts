/**
 * The modules of MLX's layers as Python imports them: `mlx.nn`, `mlx.nn.layers.*`, `mlx.nn.losses`, `mlx.nn.init`,
 * `mlx.nn.utils`, `mlx.utils`, `mlx.optimizers`.
 */
import { type ModuleValue, module, type Value } from '../../interpreter/values';
import { optimizerValues } from '../optimizers';
import { treeFunctions } from '../utils';
import { activationFunctions, activationLayers } from './activations';
import { containerLayers } from './containers';
import { convolutionLayers } from './convolution';
import { distributedFunctions, distributedLayers, fullyShard } from './distributed';
import { dropoutLayers } from './dropout';
import { embeddingLayers } from './embedding';
import { gradientFunctions } from './gradients';
import { initializers } from './init';
import { linearLayers } from './linear';
import { losses } from './losses';
import { Module } from './module';
import { normalizationLayers } from './normalization';
import { poolingLayers } from './pooling';
import { positionalLayers } from './positional';
import { quantize, quantizedLayers } from './quantized';
import { recurrentLayers } from './recurrent';
import { transformerLayers } from './transformer';
import { upsampleFunctions, upsampleLayers } from './upsample';

type Named = Extract<Value, { kind: 'class' | 'builtin' }>;

/** What each file of `mlx.nn.layers` defines, by the file's name in MLX. */
const LAYER_FILES: Readonly<Record<string, readonly Named[]>> = {
  activations: [...activationFunctions, ...activationLayers],
  base: [Module],
  containers: containerLayers,
  convolution: convolutionLayers.filter(c => !c.name.startsWith('ConvTranspose')),
  convolution_transpose: convolutionLayers.filter(c => c.name.startsWith('ConvTranspose')),
  distributed: [...distributedLayers, ...distributedFunctions, fullyShard],
  dropout: dropoutLayers,
  embedding: embeddingLayers,
  linear: linearLayers,
  normalization: normalizationLayers,
  pooling: poolingLayers,
  positional_encoding: positionalLayers,
  quantized: [...quantizedLayers, quantize],
  recurrent: recurrentLayers,
  transformer: transformerLayers,
  upsample: [...upsampleLayers, ...upsampleFunctions],
};

/** Of the files, what only they have: `mlx.nn` does not name it again. */
const NOT_EXPORTED: ReadonlySet<Named> = new Set([...distributedFunctions, ...upsampleFunctions]);

const shortName = (v: Named): string => v.name.slice(v.name.lastIndexOf('.') + 1);
const byName = (values: readonly Named[]): [string, Value][] => values.map(v => [shortName(v), v]);

/** Functions of `mlx.utils` that other modules import, and so name again. */
const imported = (...names: readonly string[]): [string, Value][] =>
  byName(treeFunctions).filter(([name]) => names.includes(name));

/** The modules by the path Python imports them under. `useCore` (./mx) must be called before anything in them is. */
export function nnModules(): Map<string, ModuleValue> {
  const modules = new Map<string, ModuleValue>();
  const add = (name: string, attributes: Iterable<readonly [string, Value]>): ModuleValue => {
    const made = module(name, attributes);
    modules.set(name, made);
    return made;
  };
  const files = Object.entries(LAYER_FILES).map(
    ([file, values]) => [file, add(`mlx.nn.layers.${file}`, byName(values))] as const,
  );
  const exported = byName(
    Object.values(LAYER_FILES)
      .flat()
      .filter(v => !NOT_EXPORTED.has(v)),
  );
  const layers = add('mlx.nn.layers', [...files, ...exported]);
  const init = add('mlx.nn.init', byName(initializers));
  const lossModule = add('mlx.nn.losses', byName(losses));
  const utils = add('mlx.nn.utils', [
    ...byName([...gradientFunctions, Module]),
    ...imported('tree_flatten', 'tree_map', 'tree_reduce', 'tree_unflatten'),
  ]);
  add('mlx.nn', [
    ...files,
    ...exported,
    ...byName(gradientFunctions.slice(0, 2)),
    ['init', init],
    ['losses', lossModule],
    ['layers', layers],
    ['utils', utils],
  ]);
  add('mlx.utils', byName(treeFunctions));
  const { optimizers, schedulers } = optimizerValues;
  const optimizerFile = add('mlx.optimizers.optimizers', byName(optimizers));
  const schedulerFile = add('mlx.optimizers.schedulers', byName(schedulers));
  add('mlx.optimizers', [
    ...byName([...optimizers, ...schedulers, Module]),
    ...imported('tree_flatten', 'tree_map', 'tree_merge', 'tree_reduce', 'tree_unflatten'),
    ['optimizers', optimizerFile],
    ['schedulers', schedulerFile],
  ]);
  return modules;
}
