/** Weighs every way to quantize a target's matrices: error of the weights and of the layer's output, size. */
import { type DType, isFloating, sizeOf } from '../../../engine/src/dtype';
import { type ErrorMetrics, errorMetrics } from '../../../engine/src/quantize/metrics';
import { QUANTIZATION_MODES, type Quantization } from '../../../engine/src/quantize/modes';
import { bitsPerWeight, dequantize, quantize, quantizedBytes } from '../../../engine/src/quantize/quantize';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import type { ExecuteOptions, QuantizeChoice, QuantizeRequest } from '../features/executor';
import type {
  ErrorMeasures,
  QuantizationMode,
  QuantizeParameter,
  QuantizeResult,
  QuantizeRow,
  WorstRow,
} from '../protocol';
import { bindings, type Machine } from './run';
import type { Prepared } from './target';
import { openCheckpoint, parametersOf } from './weights';

/** Of larger matrices this many elements, in whole rows spread evenly, are measured. */
const SAMPLE_ELEMENTS = 2 * 1024 * 1024;
const MOST_WORST = 8;

const RANDOM_WEIGHTS =
  'The weights are random initial values. Trained weights have outliers that these lack, so the order of the settings ' +
  'may differ: compare on a checkpoint before deciding.';

/** A matrix to be quantized, read when its turn comes. */
interface Matrix {
  readonly path: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  read(): Promise<Tensor>;
  /** Rows of inputs that the matrix multiplies, where one layer is looked at. */
  readonly input: Tensor | null;
}

/** Every setting that MLX has among the choice, smallest first. */
export function settings({ bits, groupSizes, modes }: QuantizeChoice): Quantization[] {
  const among = <T>(list: readonly T[], value: T) => list.length === 0 || list.includes(value);
  return (Object.keys(QUANTIZATION_MODES) as QuantizationMode[])
    .filter(mode => among(modes, mode))
    .flatMap(mode =>
      QUANTIZATION_MODES[mode].groupSizes.flatMap(groupSize =>
        QUANTIZATION_MODES[mode].bits
          // One bit exists, but is no choice for weights: it is measured where it is asked for.
          .filter(b => (b > 1 || bits.includes(1)) && (mode !== 'affine' || among(bits, b)))
          .filter(() => mode !== 'affine' || among(groupSizes, groupSize))
          .map(b => ({ mode, bits: b, groupSize })),
      ),
    );
}

export async function quantizeTarget(
  prepared: Prepared,
  request: QuantizeRequest,
  machine: Machine,
  options: ExecuteOptions,
): Promise<QuantizeResult> {
  const { root, run, inputs } = prepared;
  if (!root) throw new Error(`${request.target.name} has no parameters to quantize`);
  const { bind, symbols } = await bindings(prepared, request, machine);
  const facts = run.ev.facts;
  const parameters = parametersOf(root).filter(p => p.quantizable);
  const own = request.target.kind === 'layer' && inputs.length > 0 ? bind.get(inputs[0].node) : undefined;
  const read = async (node: Prepared['outputs'][number]['node']): Promise<Tensor> => {
    const given = bind.get(node);
    if (given) return given;
    const { outputs } = await machine.engine.evaluate([node], {
      facts,
      symbols,
      bind,
      signal: options.signal,
      backend: request.backend ?? 'wasm',
    });
    return outputs[0];
  };
  const matrices: Matrix[] = [];
  for (const { path, node } of parameters) {
    const value = await read(node);
    const input = own && isFloating(own.dtype) && own.shape.at(-1) === value.shape.at(-1) ? own : null;
    matrices.push({ path, shape: value.shape, dtype: value.dtype, read: async () => value, input });
  }
  if (matrices.length === 0) throw new Error(`${request.target.name} has no layer that MLX quantizes`);
  const source = request.weights ?? 'random';
  const notes = request.weights ? [] : [RANDOM_WEIGHTS];
  if (matrices.some(m => m.input)) notes.push('Output errors are for random inputs, which may misrank layers.');
  return measure(matrices, settings(request), source, notes, options);
}

export async function quantizeCheckpoint(
  path: string,
  choice: QuantizeChoice,
  machine: Machine,
  options: ExecuteOptions,
): Promise<QuantizeResult> {
  const checkpoint = await openCheckpoint(path, machine.files, machine.open);
  const matrices = [...checkpoint.entries].flatMap(([name, { shape, dtype }]): Matrix[] =>
    shape.length === 2 && dtype && isFloating(dtype as DType) && name.endsWith('weight')
      ? [{ path: name, shape, dtype: dtype as DType, read: () => checkpoint.read(name), input: null }]
      : [],
  );
  if (matrices.length === 0) throw new Error(`${path} holds no float matrices called …weight`);
  return measure(matrices, settings(choice), path, [], options);
}

async function measure(
  matrices: readonly Matrix[],
  all: readonly Quantization[],
  source: string,
  notes: string[],
  options: ExecuteOptions,
): Promise<QuantizeResult> {
  const began = performance.now();
  const rows: QuantizeRow[] = [];
  const parameters: QuantizeParameter[] = [];
  const worst: WorstRow[] = [];
  /** Why some groups do not fit → parameters. */
  const partly = new Map<string, string[]>();
  let sampled = false;
  let done = 0;
  const total = matrices.length * all.length;
  for (const matrix of matrices) {
    const { path, shape, dtype } = matrix;
    const columns = shape[shape.length - 1];
    const fitting = all.filter(q => columns % q.groupSize === 0);
    parameters.push({
      parameter: path,
      shape: [...shape],
      dtype,
      bytes: elementCount(shape) * sizeOf(dtype),
      skipped: fitting.length === 0 ? `its last axis, ${columns}, is not a multiple of ${groupSizes(all)}` : null,
    });
    done += all.length - fitting.length;
    if (fitting.length === 0) continue;
    const missing = all.filter(q => columns % q.groupSize !== 0);
    if (missing.length > 0) {
      const why = `last axis, ${columns}, is not a multiple of ${groupSizes(missing)}`;
      partly.set(why, [...(partly.get(why) ?? []), path]);
    }
    const { x, picked } = sampleRows(await matrix.read());
    if (picked) sampled = true;
    for (const q of fitting) {
      options.signal.throwIfAborted();
      options.onProgress({
        message: `${path}: ${q.mode} ${q.bits} bits, groups of ${q.groupSize}`,
        fraction: done++ / total,
      });
      await new Promise(resolve => setTimeout(resolve));
      const y = dequantize(quantize(x, q), q, x.dtype);
      const weight = errorMetrics(x.data as Float32Array, y.data as Float32Array);
      rows.push({
        parameter: path,
        mode: q.mode,
        bits: q.bits,
        groupSize: q.groupSize,
        bitsPerWeight: bitsPerWeight(q, sizeOf(dtype)),
        bytes: quantizedBytes(shape, q, sizeOf(dtype)),
        weight: measures(weight),
        output: matrix.input ? outputError(matrix.input, x, y) : null,
      });
      worst.push(...worstRows(path, q, x, y, picked));
    }
  }
  const unfit = [...partly].map(([why, [first, ...more]]) =>
    more.length === 0 ? `${first}: its ${why}.` : `${first} and ${more.length} more: their ${why}.`,
  );
  return {
    rows,
    parameters,
    worst,
    sampled,
    source,
    backend: 'reference',
    seconds: (performance.now() - began) / 1000,
    notes: [...unfit, ...notes],
  };
}

/** `32, 64 or 128`: the groups of these settings. */
function groupSizes(settings: readonly Quantization[]): string {
  const sizes = [...new Set(settings.map(q => q.groupSize))].sort((a, b) => a - b);
  return sizes.length === 1 ? `${sizes[0]}` : `${sizes.slice(0, -1).join(', ')} or ${sizes.at(-1)}`;
}

const measures = (m: ErrorMetrics): ErrorMeasures => ({
  relativeError: m.relativeError,
  sqnrDb: Number.isFinite(m.sqnrDb) ? m.sqnrDb : null,
  cosine: Number.isFinite(m.cosine) ? m.cosine : null,
  p50: m.p50,
  p95: m.p95,
  max: m.max,
});

/** The matrix, or evenly spread rows of it; `picked` are their numbers when they are not all. */
function sampleRows(x: Tensor): { x: Tensor; picked: number[] | null } {
  const columns = x.shape[x.shape.length - 1];
  const count = elementCount(x.shape) / columns;
  const keep = Math.max(1, Math.floor(SAMPLE_ELEMENTS / columns));
  if (count <= keep) return { x, picked: null };
  const picked = Array.from({ length: keep }, (_, i) => Math.floor((i * count) / keep));
  const data = new Float32Array(keep * columns);
  for (const [i, row] of picked.entries())
    data.set((x.data as Float32Array).subarray(row * columns, (row + 1) * columns), i * columns);
  return { x: { shape: [keep, columns], dtype: x.dtype as 'float32', data }, picked };
}

/** Inputs × rows that an output error is computed of. */
const MOST_INPUT_ROWS = 8;
const MOST_OUTPUT_ROWS = 512;

/** The error of `input @ wᵀ` when w is replaced by its quantized self. */
function outputError(input: Tensor, w: Tensor, quantized: Tensor): ErrorMeasures {
  const columns = w.shape[w.shape.length - 1];
  const m = Math.min(MOST_INPUT_ROWS, elementCount(input.shape) / columns);
  const n = Math.min(MOST_OUTPUT_ROWS, elementCount(w.shape) / columns);
  const [a, b] = [new Float32Array(m * n), new Float32Array(m * n)];
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++) {
      let [exact, rough] = [0, 0];
      for (let k = 0; k < columns; k++) {
        const v = Number(input.data[i * columns + k]);
        exact += v * (w.data[j * columns + k] as number);
        rough += v * (quantized.data[j * columns + k] as number);
      }
      a[i * n + j] = exact;
      b[i * n + j] = rough;
    }
  return measures(errorMetrics(a, b));
}

function worstRows(
  parameter: string,
  q: Quantization,
  x: Tensor,
  y: Tensor,
  picked: readonly number[] | null,
): WorstRow[] {
  const columns = x.shape[x.shape.length - 1];
  const count = elementCount(x.shape) / columns;
  const errors = Array.from({ length: count }, (_, row) => {
    let [signal, noise] = [0, 0];
    for (let k = row * columns; k < (row + 1) * columns; k++) {
      const v = x.data[k] as number;
      signal += v * v;
      noise += (v - (y.data[k] as number)) ** 2;
    }
    return { row, error: signal === 0 ? 0 : Math.sqrt(noise / signal) };
  });
  return errors
    .sort((a, b) => b.error - a.error)
    .slice(0, MOST_WORST)
    .map(({ row, error }) => ({
      parameter,
      mode: q.mode,
      bits: q.bits,
      groupSize: q.groupSize,
      index: [picked ? picked[row] : row],
      relativeError: error,
    }));
}
