/**
 * What arrives at the layers of a model: recorded by running it on an input, or drawn, or from a file.
 */
import { isFloating } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import type { ExecuteOptions, QuantizeRequest } from '../features/executor';
import { seededValues } from './numbers';
import type { Matrix } from './quantize_matrices';
import { type LayerInput, MOST_INPUT_ROWS } from './quantize_measure';
import { bindings, type Machine, MEMORY_LIMIT } from './run';
import type { Prepared } from './target';
import { readValues } from './weights';

/** Indices of an embedding that are looked at. */
const MOST_INDICES = 512;

/** The input of each matrix by its path, and why some have none. */
export interface Activations {
  readonly inputs: ReadonlyMap<string, LayerInput>;
  readonly note: string | null;
}

export const RANDOM_INPUTS =
  'Output errors are for random inputs. Real activations have directions that these lack, so layers may be misranked: record activations from the model before deciding.';

export async function activationsOf(
  matrices: readonly Matrix[],
  prepared: Prepared,
  request: QuantizeRequest,
  machine: Machine,
  options: ExecuteOptions,
): Promise<Activations> {
  const source = request.activations ?? { kind: request.target.kind === 'layer' ? 'normal' : 'none' };
  switch (source.kind) {
    case 'none':
      return { inputs: new Map(), note: null };
    case 'model':
      return recorded(matrices, prepared, request, machine, options);
    case 'file': {
      const x = await readValues(source.file, machine.open);
      return { inputs: fitting(matrices, x), note: null };
    }
    default: {
      const inputs = new Map<string, LayerInput>();
      for (const [i, { path, shape, owner }] of matrices.entries()) {
        const [rows, columns] = [shape[0], shape[shape.length - 1]];
        const { facts } = prepared.run.ev;
        if (isEmbedding(owner)) continue; // which rows are looked up is for token ids to say
        if (shape.length !== 2 || rows === 0) continue;
        const x = await seededValues([MOST_INPUT_ROWS, columns], 'float32', (request.seed ?? 0) + 1 + i, facts);
        inputs.set(path, { kind: 'rows', rows: x });
      }
      return { inputs, note: inputs.size > 0 ? RANDOM_INPUTS : null };
    }
  }
}

const isEmbedding = (owner: Matrix['owner']): boolean => owner?.cls.mro.some(c => c.name === 'Embedding') ?? false;

/** The given rows for every matrix that is as wide. */
function fitting(matrices: readonly Matrix[], x: Tensor): Map<string, LayerInput> {
  const width = x.shape.at(-1);
  const isRows = isFloating(x.dtype);
  return new Map(
    matrices.flatMap(({ path, shape, owner }): [string, LayerInput][] => {
      if (isEmbedding(owner)) return isRows ? [] : [[path, indicesOf(x)]];
      return isRows && shape.length === 2 && shape[1] === width ? [[path, { kind: 'rows', rows: spread(x) }]] : [];
    }),
  );
}

const indicesOf = (x: Tensor): LayerInput => ({
  kind: 'indices',
  indices: [...new Set(Array.from(x.data as ArrayLike<number>, Number))].slice(0, MOST_INDICES),
});

/** Evenly spread rows along all axes but the last. */
function spread(x: Tensor): Tensor {
  const columns = x.shape[x.shape.length - 1];
  const count = elementCount(x.shape) / columns;
  const keep = Math.min(count, MOST_INPUT_ROWS);
  const data = new Float32Array(keep * columns);
  for (let i = 0; i < keep; i++) {
    const row = Math.floor((i * count) / keep);
    data.set((x.data as Float32Array).subarray(row * columns, (row + 1) * columns), i * columns);
  }
  return { shape: [keep, columns], dtype: 'float32', data };
}

/** Runs the model once and keeps what arrived at each layer at its first call. */
async function recorded(
  matrices: readonly Matrix[],
  prepared: Prepared,
  request: QuantizeRequest,
  machine: Machine,
  { signal, onProgress }: ExecuteOptions,
): Promise<Activations> {
  const { calls, run } = prepared;
  const nodes = new Map<string, ArrayNode>();
  for (const { path, owner } of matrices) {
    const input = calls.find(c => c.instance === owner)?.input;
    if (input?.kind === 'array') nodes.set(path, input.node);
  }
  if (nodes.size === 0) throw new Error('no layer is called by the model: activations cannot be recorded');
  onProgress({ message: 'Recording activations', fraction: null });
  const wanted = [...new Set(nodes.values())];
  const outputs = wanted.map(node => ({ name: '', node }));
  const { bind, symbols } = await bindings({ ...prepared, outputs }, request, machine);
  const evaluation = await machine.engine.evaluate(wanted, {
    facts: run.ev.facts,
    symbols,
    bind,
    signal,
    memoryLimit: MEMORY_LIMIT,
    backend: request.backend ?? 'wasm',
  });
  const values = new Map(wanted.map((node, i) => [node, evaluation.outputs[i]]));
  const inputs = new Map<string, LayerInput>();
  for (const { path, shape } of matrices) {
    const x = nodes.has(path) ? values.get(nodes.get(path)!) : undefined;
    if (!x) continue;
    if (!isFloating(x.dtype)) inputs.set(path, indicesOf(x));
    else if (shape.length === 2 && x.shape.at(-1) === shape[1]) inputs.set(path, { kind: 'rows', rows: spread(x) });
  }
  const left = matrices.length - inputs.size;
  const note =
    left > 0 ? `${left} of ${matrices.length} layers were not called with rows, and have no output error.` : null;
  return { inputs, note };
}
