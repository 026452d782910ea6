/** Weighs every way to quantize a target's matrices: error of the weights and of the layer's output, size, time. */
import { sizeOf } from '../../../engine/src/dtype';
import { QUANTIZATION_MODES, type Quantization } from '../../../engine/src/quantize/modes';
import { elementCount } from '../../../engine/src/tensor';
import type { ExecuteOptions, QuantizeChoice, QuantizeRequest } from '../features/executor';
import type {
  ErrorHistogram,
  OutlierColumns,
  QuantizationMode,
  QuantizeParameter,
  QuantizeResult,
  QuantizeRow,
  WorstRow,
} from '../protocol';
import { type Activations, activationsOf } from './quantize_activations';
import { type Matrix, matricesIn, matricesOf } from './quantize_matrices';
import { measureSetting, outlierColumns, type Sample } from './quantize_measure';
import type { Machine } from './run';
import type { Prepared } from './target';

/** Histograms of errors and outlying columns are told of so many parameters at most. */
const MOST_PICTURED = 24;

const RANDOM_WEIGHTS =
  'The weights are random initial values. Trained weights have outliers that these lack, so the order of the settings ' +
  'may differ: compare on a checkpoint before deciding.';

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
  const matrices = await matricesOf(prepared, request, machine, options);
  const activations = await activationsOf(matrices, prepared, request, machine, options);
  const source = request.weights ?? request.model?.checkpoint.path ?? null;
  const notes = [source ? null : RANDOM_WEIGHTS, activations.note].filter(note => note !== null);
  return measure(matrices, settings(request), activations, source ?? 'random', notes, options);
}

export async function quantizeCheckpoint(
  path: string,
  choice: QuantizeChoice,
  machine: Machine,
  options: ExecuteOptions,
): Promise<QuantizeResult> {
  const matrices = await matricesIn(path, machine.files);
  return measure(matrices, settings(choice), { inputs: new Map(), note: null }, path, [], options);
}

async function measure(
  matrices: readonly Matrix[],
  all: readonly Quantization[],
  { inputs }: Activations,
  source: string,
  notes: readonly string[],
  options: ExecuteOptions,
): Promise<QuantizeResult> {
  const began = performance.now();
  const rows: QuantizeRow[] = [];
  const parameters: QuantizeParameter[] = [];
  const worst: WorstRow[] = [];
  const histograms: ErrorHistogram[] = [];
  const outliers: OutlierColumns[] = [];
  /** Why some groups do not fit → parameters. */
  const partly = new Map<string, string[]>();
  let isSampled = false;
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
    const { rows: some, picked } = await matrix.read();
    isSampled ||= picked !== null;
    const sample: Sample = { path, shape, dtype, rows: some, picked, input: inputs.get(path) ?? null };
    if (matrices.length <= MOST_PICTURED) outliers.push(outlierColumns(sample));
    for (const q of fitting) {
      options.signal.throwIfAborted();
      options.onProgress({
        message: `${path}: ${q.mode} ${q.bits} bits, groups of ${q.groupSize}`,
        fraction: done++ / total,
      });
      await new Promise(resolve => setTimeout(resolve));
      const measured = measureSetting(sample, q);
      rows.push(measured.row);
      worst.push(...measured.worst);
      if (matrices.length <= MOST_PICTURED) histograms.push({ parameter: path, ...q, histogram: measured.histogram });
    }
  }
  const unfit = [...partly].map(([why, [first, ...more]]) =>
    more.length === 0 ? `${first}: its ${why}.` : `${first} and ${more.length} more: their ${why}.`,
  );
  return {
    rows,
    parameters,
    worst,
    histograms,
    outliers,
    sampled: isSampled,
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
