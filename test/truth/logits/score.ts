/**
 * Runs recorded models as `mlx-scope run FILE --entry Model --config … --input inputs=@tokens.npy` does, and compares
 * every recorded logit with real MLX's.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { writeNpy } from '../../../engine/src/formats/npy';
import { inMemory } from '../../../engine/src/formats/random_access';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import { hereEngine, makeExecutor } from '../../../server/src/execution/executor';
import type { Engine } from '../../../server/src/execution/run';
import type { BackendName } from '../../../server/src/protocol';
import { parseConfig } from '../../../server/src/session/inputs';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { slashed } from '../../../server/src/workspace/paths';
import { Workspace } from '../../../server/src/workspace/workspace';

/** A line of the record; see record.py. */
export interface RecordedModel {
  readonly id: string;
  readonly module: string;
  /** JSON: a text, so that `2.0` is not read as `2`. */
  readonly config: string;
  readonly tokens: readonly (readonly number[])[];
  readonly shape?: readonly number[];
  readonly dtype?: string;
  /** Base64 of float32. */
  readonly values?: string;
  readonly largest?: number;
  /** Why real MLX has no logits. */
  readonly error?: string;
}

export interface LogitScore {
  readonly id: string;
  /** Largest difference of a logit, relative to the largest logit; null where nothing could be compared. */
  readonly difference: number | null;
  /** Why nothing could be compared. */
  readonly reason: string | null;
  readonly seconds: number;
  readonly peakBytes: number | null;
}

export function readModels(file: string): RecordedModel[] {
  const [, ...lines] = gunzipSync(readFileSync(file)).toString().trimEnd().split('\n');
  return lines.map(line => JSON.parse(line));
}

/** How far a logit may be from real MLX's, relative to the largest. */
export const TOLERANCE = 1e-4;

const TOKENS = 'tokens.npy';

/** `sources` is the folder that holds mlx_lm/. */
export async function scoreModel(model: RecordedModel, sources: string, backend: BackendName): Promise<LogitScore> {
  const folder = slashed(path.resolve(sources));
  let logits: Tensor | null = null;
  const engine: Engine = {
    async evaluate(outputs, options) {
      const evaluation = await hereEngine.evaluate(outputs, options);
      logits = evaluation.outputs[0];
      return evaluation;
    },
  };
  const workspace = new Workspace(new NodeFileSystem(), { folders: [folder], environment: null });
  const executor = makeExecutor(workspace, engine, async () => inMemory(writeNpy(tokensOf(model))));
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  try {
    const { peakBytes } = await executor.run(
      {
        file: `${folder}/mlx_lm/models/${model.module}.py`,
        target: { kind: 'entry', name: 'Model', place: null },
        inputs: [{ name: 'inputs', dtype: 'int32', shape: [], file: TOKENS }],
        symbols: {},
        seed: 0,
        config: parseConfig(model.config, model.id),
        weights: null,
        backend,
      },
      { signal: new AbortController().signal, onProgress() {}, locate: () => null! },
    );
    const faults = compare(logits!, model);
    return { id: model.id, ...faults, seconds: seconds(), peakBytes };
  } catch (error) {
    return { id: model.id, difference: null, reason: (error as Error).message, seconds: seconds(), peakBytes: null };
  }
}

function tokensOf({ tokens }: RecordedModel): Tensor {
  return { shape: [tokens.length, tokens[0].length], dtype: 'int32', data: Int32Array.from(tokens.flat()) };
}

function compare(
  logits: Tensor,
  { shape, dtype, values, largest }: RecordedModel,
): Pick<LogitScore, 'difference' | 'reason'> {
  const type = (of: readonly number[] | undefined, d: string | undefined) => `${d}[${of}]`;
  if (type(logits.shape, logits.dtype) !== type(shape, dtype))
    return { difference: null, reason: `gave ${type(logits.shape, logits.dtype)} for ${type(shape, dtype)}` };
  const bytes = Buffer.from(values!, 'base64');
  const count = bytes.length / 4;
  const elements = elementCount(logits.shape);
  let difference = 0;
  for (let i = 0; i < count; i++) {
    const wanted = bytes.readFloatLE(4 * i);
    const at = count === elements ? i : Math.floor((i * elements) / count);
    const given = Number(logits.data[at]);
    if (Object.is(wanted, given) || wanted === given) continue;
    const apart = Math.abs(wanted - given) / largest!;
    if (!(apart <= difference)) difference = apart;
    if (Number.isNaN(apart)) return { difference: null, reason: `gave ${given} for ${wanted} at ${at}` };
  }
  return { difference, reason: null };
}
