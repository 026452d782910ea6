/**
 * The matrices that a comparison is about: those of a target, or all of a checkpoint. They are read when their turn comes,
 * and of large ones only evenly spread rows.
 */
import { type DType, isFloating } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import type { ExecuteOptions, ExecuteRequest } from '../features/executor';
import type { InstanceValue } from '../interpreter/values';
import { readCheckpoint } from '../workspace/checkpoint';
import type { FileSystem } from '../workspace/file-system';
import { readWeights } from './attached';
import { arrayRows, pick } from './checkpoint_values';
import { numericShape } from './numbers';
import { bindings, type Machine } from './run';
import type { Prepared } from './target';
import { parametersOf } from './weights';

/** Of larger matrices this many elements, in whole rows spread evenly, are measured. */
const SAMPLE_ELEMENTS = 2 * 1024 * 1024;

export interface Matrix {
  /** The parameter's name. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Rows, and their numbers where they are a sample. */
  read(): Promise<{ rows: Tensor; picked: readonly number[] | null }>;
  /** The layer, where the matrix is one of a model. */
  readonly owner: InstanceValue | null;
  readonly node: ArrayNode | null;
}

/** Numbers of evenly spread rows; null where all are few enough. */
function sampled(shape: readonly number[]): number[] | null {
  const columns = shape[shape.length - 1];
  const count = elementCount(shape) / columns;
  const keep = Math.max(1, Math.floor(SAMPLE_ELEMENTS / columns));
  return count <= keep ? null : Array.from({ length: keep }, (_, i) => Math.floor((i * count) / keep));
}

/** Every parameter of the target that `nn.quantize` would quantize. @throws Error where there is none */
export async function matricesOf(
  prepared: Prepared,
  request: ExecuteRequest,
  machine: Machine,
  { signal }: Pick<ExecuteOptions, 'signal'>,
): Promise<Matrix[]> {
  const { root, run, weights } = prepared;
  const name = request.target.name;
  if (!root) throw new Error(`${name} has no parameters to quantize`);
  const facts = run.ev.facts;
  const { bind, symbols } = await bindings({ ...prepared, weights: null }, request, machine);
  for (const [symbol, value] of symbols) facts.define(symbol, value);
  const parameters = parametersOf(root);
  const found = parameters.filter(p => p.quantizable);
  if (found.length === 0) {
    const packed = parameters.some(p => p.path.endsWith('scales'));
    throw new Error(packed ? `${name} is quantized already` : `${name} has no layer that MLX quantizes`);
  }
  return found.flatMap(({ path, node, owner }): Matrix[] => {
    const shape = numericShape(node, facts);
    if (!shape) return [];
    const picked = sampled(shape);
    const array = weights?.sources.get(node);
    const read = async (): Promise<{ rows: Tensor; picked: readonly number[] | null }> => {
      if (array && picked) return { rows: await arrayRows(machine.files, array, picked), picked };
      const values = weights ? await readWeights([node], weights, root, machine.files) : new Map<ArrayNode, Tensor>();
      const known = values.get(node) ?? bind.get(node);
      const value =
        known ??
        (
          await machine.engine.evaluate([node], {
            facts,
            symbols,
            bind: new Map([...bind, ...values]),
            signal,
            backend: request.backend ?? 'wasm',
          })
        ).outputs[0];
      return { rows: picked ? pick(value, picked) : value, picked };
    };
    return [{ path, shape, dtype: (node.dtype ?? 'float32') as DType, read, owner, node }];
  });
}

/** Every float matrix of a checkpoint that is called `…weight`. @throws Error where there is none */
export async function matricesIn(path: string, files: FileSystem): Promise<Matrix[]> {
  const { arrays, problems } = await readCheckpoint(path, files);
  if (problems.length > 0) throw new Error(problems[0].message);
  const matrices = [...arrays.values()].flatMap((array): Matrix[] => {
    const { name, shape, dtype } = array;
    if (shape.length < 2 || !dtype || !isFloating(dtype) || !name.endsWith('weight')) return [];
    const picked = sampled(shape);
    const all = picked ?? Array.from({ length: elementCount(shape) / shape[shape.length - 1] }, (_, i) => i);
    const read = async () => ({ rows: await arrayRows(files, array, all), picked });
    return [{ path: name, shape, dtype, read, owner: null, node: null }];
  });
  if (matrices.length === 0) throw new Error(`${path} holds no float matrices called …weight`);
  return matrices;
}
