/**
 * Models with the weights of a checkpoint: the model is loaded as mlx-lm would load it, while its graph is recorded, and
 * what is run rests on the checkpoint's arrays. They are read when they are needed, and only those that are.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Tensor } from '../../../engine/src/tensor';
import type { Analyser, Run } from '../analysis/analyser';
import { Places } from '../analysis/checkpoint';
import { loadInto, prepareWeights } from '../analysis/loading';
import type { AttachedModel, ExecuteRequest } from '../features/executor';
import type { InstanceValue } from '../interpreter/values';
import { entryFor } from '../session/inputs';
import { type CheckpointArray, listing, readCheckpoint } from '../workspace/checkpoint';
import type { FileSystem } from '../workspace/file-system';
import { arrayValues } from './checkpoint_values';
import { nodesOf } from './numbers';
import { parametersOf } from './weights';

/** Weights that a graph rests on. */
export interface ModelWeights {
  readonly sources: ReadonlyMap<ArrayNode, CheckpointArray>;
  /** Parameters that the checkpoint lacks, as they are initially. */
  readonly missing: ReadonlySet<ArrayNode>;
  /** The paths that the model's layers had, as they were made. */
  readonly paths: ReadonlyMap<InstanceValue, string>;
}

/** The request with the headers of its weights, for the model that `FILE` holds. @throws Error with a message for the user */
export async function withModel<R extends ExecuteRequest>(
  request: R,
  analyser: Analyser,
  files: FileSystem,
): Promise<R> {
  const { weights, model, target, config, file } = request;
  if (!weights || model) return request;
  // A class of the file is usually a part of the model that the file defines.
  const whole = target.kind === 'entry' ? target.name : entryFor(analyser.analyse(file));
  const entry = whole ?? (target.kind === 'class' ? target.name : null);
  if (!entry) throw new Error('this file has no model class that the weights could be of');
  return { ...request, model: { entry, config, checkpoint: await readCheckpoint(weights, files) } };
}

/** Loads the checkpoint into the model that was just made. @throws Error where it does not fit */
export function loadModel(run: Run, root: InstanceValue, { config, checkpoint }: AttachedModel): ModelWeights {
  const [problem] = checkpoint.problems;
  if (problem) throw new Error(problem.message);
  const paths = new Map([...new Places(root).modules()].map(([path, module]) => [module, path]));
  const { sources, weights, notes } = prepareWeights(run, root, checkpoint.arrays, config);
  if (!weights) throw new Error(notes[0] ?? 'the weights could not be followed through sanitize');
  const unloaded = parametersOf(root).filter(p => !weights.has(p.path));
  loadInto(run.ev, root, weights);
  return {
    sources: new Map([...sources].map(([node, name]) => [node, checkpoint.arrays.get(name)!])),
    missing: new Set(unloaded.map(p => p.node)),
    paths,
  };
}

/** Values for the arrays of the checkpoint that these outputs rest on. @throws Error naming parameters that it lacks */
export async function readWeights(
  outputs: readonly ArrayNode[],
  { sources, missing }: ModelWeights,
  root: InstanceValue | null,
  files: FileSystem,
): Promise<Map<ArrayNode, Tensor>> {
  const needed = nodesOf(outputs);
  const lacking = root ? parametersOf(root).filter(p => missing.has(p.node) && needed.has(p.node)) : [];
  if (lacking.length > 0) throw new Error(`the checkpoint lacks ${listing(lacking.map(p => p.path))}`);
  const values = new Map<ArrayNode, Tensor>();
  for (const node of needed) {
    const array = sources.get(node);
    if (array) values.set(node, await arrayValues(files, array));
  }
  return values;
}
