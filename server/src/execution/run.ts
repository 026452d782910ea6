/** Runs a prepared graph: values, statistics, a trace by layer. */
import type { DType } from '../../../engine/src/dtype';
import type { EvaluateOptions, Evaluation } from '../../../engine/src/evaluate/evaluate';
import { EvaluationError } from '../../../engine/src/evaluate/plan';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { slice, statistics } from '../../../engine/src/stats';
import { allocate, elementCount, type Tensor } from '../../../engine/src/tensor';
import type { Analyser } from '../analysis/analyser';
import type { ExecuteOptions, ExecuteRequest } from '../features/executor';
import type { ArrayResult, BackendName, InputArray, LayerResult, RunResult, Scalar } from '../protocol';
import type { FileSystem } from '../workspace/file-system';
import { readWeights } from './attached';
import { nodesOf, numberSymbols, numericShape, seededValues } from './numbers';
import { prepare } from './prepare';
import { arraysOf, type Prepared, ValuesNeeded } from './target';
import { countOf, modulePaths, type OpenBinary, readValues } from './weights';

/** Evaluates graphs: in a worker where there is one. */
export interface Engine {
  evaluate(
    outputs: readonly ArrayNode[],
    options: Pick<EvaluateOptions, 'facts' | 'symbols' | 'bind' | 'signal' | 'memoryLimit' | 'onProgress'> & {
      backend: BackendName;
    },
  ): Promise<Evaluation>;
}

/** What execution needs of the machine. */
export interface Machine {
  readonly files: FileSystem;
  readonly open: OpenBinary | null;
  readonly engine: Engine;
}

export const MEMORY_LIMIT = 2 * 1024 ** 3;
const MOST_VALUES = 4096;
/** Layers whose outputs are kept for the trace, and the elements of one that is. */
const MOST_LAYERS = 200;
const LARGEST_TRACED = 4 * 1024 * 1024;

/** Arguments without which a value would be wrong rather than missing. */
const NEEDED: Readonly<Record<string, string>> = {
  'fast.scaled_dot_product_attention': 'scale',
  'fast.rms_norm': 'eps',
  'fast.layer_norm': 'eps',
};

/** @throws Error naming an argument whose number the analysis does not know */
export function requireNumbers(outputs: readonly ArrayNode[]): void {
  for (const { call } of nodesOf(outputs)) {
    const needed = call && NEEDED[call.op];
    if (needed && call.attrs[needed] === null)
      throw new Error(`${needed} of mx.${call.op} is not a known number here: give a config`);
  }
}

/** Values for everything that a graph is given, and numbers for its symbols. */
export async function bindings(prepared: Prepared, request: ExecuteRequest, machine: Machine) {
  const { run, outputs, inputs, root, weights } = prepared;
  const facts = run.ev.facts;
  const symbols = numberSymbols([...outputs.map(o => o.node), ...inputs.map(i => i.node)], facts, request.symbols);
  const mark = facts.mark();
  for (const [symbol, value] of symbols) facts.define(symbol, value);
  const bind = new Map<ArrayNode, Tensor>();
  const used: InputArray[] = [];
  try {
    for (const [i, { input, node }] of inputs.entries()) {
      const shape = numericShape(node, facts);
      if (!shape) throw new Error(`the shape of ${input.name} is not known: give it`);
      const value = input.values
        ? given(input.values, shape, (node.dtype ?? input.dtype) as DType)
        : input.file
          ? await readValues(input.file, machine.open)
          : await seededValues(shape, (node.dtype ?? input.dtype) as DType, (request.seed ?? 0) + 1 + i, facts);
      bind.set(node, value);
      used.push({ ...input, shape: [...value.shape], dtype: value.dtype });
    }
  } finally {
    facts.undo(mark);
  }
  if (weights) {
    const values = await readWeights(
      outputs.map(o => o.node),
      weights,
      root,
      machine.files,
    );
    for (const [node, value] of values) bind.set(node, value);
  }
  return { bind, symbols, used };
}

/** @throws Error where the values do not fill the shape */
function given(values: readonly number[], shape: readonly number[], dtype: DType): Tensor {
  if (values.length !== elementCount(shape))
    throw new Error(`${values.length} values do not fill [${shape.join(', ')}]`);
  const data = allocate(dtype, values.length);
  for (const [i, value] of values.entries()) data[i] = typeof data[i] === 'bigint' ? BigInt(value) : value;
  return { shape, dtype, data };
}

/** The prepared request, with values computed as far as the entry reads them while its graph is recorded. */
export async function prepareWithValues(
  analyser: Analyser,
  request: ExecuteRequest,
  machine: Machine,
  signal?: AbortSignal,
): Promise<Prepared> {
  const read: (Tensor | null)[] = [];
  for (;;) {
    try {
      return prepare(analyser, request, read);
    } catch (error) {
      if (!(error instanceof ValuesNeeded)) throw error;
      read.push(await valuesOf(error.prepared, request, machine, signal));
    }
  }
}

/** The values of the one output; null where it rests on something without values. */
async function valuesOf(prepared: Prepared, request: ExecuteRequest, machine: Machine, signal?: AbortSignal) {
  const { bind, symbols } = await bindings(prepared, request, machine);
  try {
    const { outputs } = await machine.engine.evaluate([prepared.outputs[0].node], {
      facts: prepared.run.ev.facts,
      symbols,
      bind,
      signal,
      memoryLimit: MEMORY_LIMIT,
      backend: request.backend ?? 'wasm',
    });
    return outputs[0];
  } catch (error) {
    if (error instanceof EvaluationError) return null;
    throw error;
  }
}

export async function run(
  prepared: Prepared,
  request: ExecuteRequest,
  machine: Machine,
  options: ExecuteOptions,
): Promise<RunResult> {
  const { run: view, outputs, root } = prepared;
  const facts = view.ev.facts;
  options.onProgress({ message: 'Preparing', fraction: null });
  const { bind, symbols, used } = await bindings(prepared, request, machine);
  const traced = tracedCalls(prepared);
  const nodes = [...outputs.map(o => o.node), ...traced.flatMap(t => t.nodes)];
  requireNumbers(nodes);
  const began = performance.now();
  const evaluation = await machine.engine.evaluate([...new Set(nodes)], {
    facts,
    symbols,
    bind,
    signal: options.signal,
    memoryLimit: MEMORY_LIMIT,
    backend: request.backend ?? 'wasm',
    onProgress: ({ done, total, call }) => options.onProgress({ message: call.op, fraction: done / total }),
  });
  const values = new Map([...new Set(nodes)].map((node, i) => [node, evaluation.outputs[i]]));
  const milliseconds = new Map(evaluation.steps.map(s => [s.call, s.milliseconds]));
  const backends = new Set(evaluation.steps.map(s => s.backend));
  const paths = root ? modulePaths(root) : new Map();
  const layers = traced.map(({ call, nodes: own }): LayerResult => {
    const origin = call.instance.origin;
    const place = origin ? options.locate(origin) : null;
    return {
      path: paths.get(call.instance) ?? '',
      type: call.instance.cls.name,
      inputs: inputTypes(call.input, values, facts),
      outputs: own.map((node, i) => arrayResult(own.length === 1 ? 'output' : `output[${i}]`, values.get(node)!, 0)),
      seconds: own.reduce((n, node) => n + (node.call ? (milliseconds.get(node.call) ?? 0) : 0), 0) / 1000,
      parameters: countOf(call.instance),
      uri: place?.uri ?? null,
      range: place?.range ?? null,
    };
  });
  return {
    outputs: outputs.map(({ name, node }) => arrayResult(outputName(name, outputs), values.get(node)!, MOST_VALUES)),
    layers,
    inputs: used,
    symbols: { ...prepared.chosen, ...Object.fromEntries([...symbols].map(([s, n]) => [s.name, n])) },
    seed: request.seed ?? 0,
    backend: backends.has('webgpu') ? 'webgpu' : backends.has('wasm') ? 'wasm' : 'reference',
    seconds: (performance.now() - began) / 1000,
    peakBytes: evaluation.peakBytes,
    notes: prepared.weights
      ? request.weights
        ? []
        : [`Weights: ${request.model?.checkpoint.path ?? 'a checkpoint'}.`]
      : ['Weights are the initial ones, drawn from the seed.'],
  };
}

/** What an output is called in answers. */
export const outputName = (name: string, outputs: Prepared['outputs']): string =>
  outputs.length === 1 ? 'output' : name;

/** The calls of layers whose outputs are kept: those of MLX's own layers first come, in order. */
function tracedCalls({ calls, run }: Prepared) {
  return calls
    .map(call => ({ call, nodes: arraysOf(call.output, 'output').map(a => a.node) }))
    .filter(
      ({ nodes }) =>
        nodes.length > 0 &&
        nodes.every(n => elementCount(numericShape(n, run.ev.facts) ?? [LARGEST_TRACED + 1]) <= LARGEST_TRACED),
    )
    .slice(0, MOST_LAYERS);
}

function inputTypes(
  input: Prepared['calls'][number]['input'],
  values: ReadonlyMap<ArrayNode, Tensor>,
  facts: Prepared['run']['ev']['facts'],
) {
  if (input?.kind !== 'array') return [];
  const known = values.get(input.node);
  if (known) return [{ shape: [...known.shape], dtype: known.dtype }];
  const shape = numericShape(input.node, facts);
  return shape && input.node.dtype ? [{ shape, dtype: input.node.dtype }] : [];
}

export function arrayResult(name: string, x: Tensor, most: number): ArrayResult {
  const s = statistics(x);
  const values = slice(x, 0, most) as Scalar[];
  return {
    name,
    shape: [...x.shape],
    dtype: x.dtype,
    stats: {
      min: s.min,
      max: s.max,
      mean: s.mean,
      std: s.std,
      nan: s.nanCount,
      inf: s.infCount,
      histogram: s.histogram && { from: s.histogram.from, to: s.histogram.to, counts: [...s.histogram.counts] },
    },
    values,
    complete: values.length === elementCount(x.shape),
  };
}
