/** What quantizing one matrix costs: errors of its elements and of its product with inputs, and where they are large. */
import { type DType, sizeOf } from '../../../engine/src/dtype';
import { type ErrorMetrics, errorMetrics } from '../../../engine/src/quantize/metrics';
import type { Quantization } from '../../../engine/src/quantize/modes';
import { bitsPerWeight, dequantize, quantize, quantizedBytes } from '../../../engine/src/quantize/quantize';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import type { ErrorMeasures, Histogram, OutlierColumns, QuantizeRow, WorstRow } from '../protocol';

/** Inputs of a layer: rows that its matrix multiplies, or indices of the rows that an embedding looks up. */
export type LayerInput =
  | { readonly kind: 'rows'; readonly rows: Tensor }
  | { readonly kind: 'indices'; readonly indices: readonly number[] };

/** Rows of a matrix, with their numbers where they are a sample of it. */
export interface Sample {
  readonly path: string;
  /** Of the whole matrix. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly rows: Tensor;
  readonly picked: readonly number[] | null;
  readonly input: LayerInput | null;
}

export interface Measured {
  readonly row: QuantizeRow;
  readonly worst: readonly WorstRow[];
  readonly histogram: Histogram;
}

const MOST_WORST = 8;
/** Rows of inputs that an output error is computed of. */
export const MOST_INPUT_ROWS = 32;
const BINS = 48;

export function measureSetting(sample: Sample, q: Quantization): Measured {
  const { path, shape, dtype, rows: x, input, picked } = sample;
  const began = performance.now();
  const packed = quantize(x, q);
  const milliseconds = performance.now() - began;
  const y = dequantize(packed, q, x.dtype);
  const [original, rough] = [x.data as Float32Array, y.data as Float32Array];
  const outputs = input && outputsOf(input, x, y, picked);
  const row: QuantizeRow = {
    parameter: path,
    ...q,
    bitsPerWeight: bitsPerWeight(q, sizeOf(dtype)),
    bytes: quantizedBytes(shape, q, sizeOf(dtype)),
    weight: measures(errorMetrics(original, rough)),
    output: outputs && measures(errorMetrics(outputs.exact, outputs.rough)),
    seconds: (milliseconds / 1000) * (elementCount(shape) / Math.max(1, elementCount(x.shape))),
  };
  const columns = x.shape[x.shape.length - 1];
  const setting = { parameter: path, ...q };
  const worst = worstOf(original, rough, columns).map(
    ({ at, error }): WorstRow => ({
      ...setting,
      of: 'weight',
      index: [picked ? picked[at] : at],
      relativeError: error,
    }),
  );
  // Of the outputs: each of the layer's output features over all inputs.
  if (outputs && input?.kind === 'rows')
    for (const { at, error } of worstOf(
      transposed(outputs.exact, outputs.width),
      transposed(outputs.rough, outputs.width),
      outputs.exact.length / outputs.width,
    ))
      worst.push({ ...setting, of: 'output', index: [picked ? picked[at] : at], relativeError: error });
  return { row, worst, histogram: differences(original, rough) };
}

const measures = (m: ErrorMetrics): ErrorMeasures => ({
  relativeError: m.relativeError,
  sqnrDb: Number.isFinite(m.sqnrDb) ? m.sqnrDb : null,
  cosine: Number.isFinite(m.cosine) ? m.cosine : null,
  p50: m.p50,
  p95: m.p95,
  max: m.max,
});

/** The layer's outputs with the matrix as it is and as it is quantized; `width` features each. */
function outputsOf(
  input: LayerInput,
  w: Tensor,
  quantized: Tensor,
  picked: readonly number[] | null,
): { exact: Float32Array; rough: Float32Array; width: number } | null {
  const columns = w.shape[w.shape.length - 1];
  const [exact, rough] = [w.data as Float32Array, quantized.data as Float32Array];
  if (input.kind === 'indices') {
    const places = input.indices.flatMap(i => {
      const at = picked ? picked.indexOf(i) : i;
      return at >= 0 && (at + 1) * columns <= exact.length ? [at] : [];
    });
    if (places.length === 0) return null;
    const rowsOf = (from: Float32Array) =>
      Float32Array.from(places.flatMap(at => [...from.subarray(at * columns, (at + 1) * columns)]));
    return { exact: rowsOf(exact), rough: rowsOf(rough), width: columns };
  }
  const x = input.rows.data as Float32Array;
  const [m, n] = [Math.min(MOST_INPUT_ROWS, x.length / columns), exact.length / columns];
  return { exact: product(x, exact, m, n, columns), rough: product(x, rough, m, n, columns), width: n };
}

/** x wᵀ, accumulated in double precision. */
function product(x: Float32Array, w: Float32Array, m: number, n: number, columns: number): Float32Array {
  const out = new Float32Array(m * n);
  for (let j = 0; j < n; j++) {
    const row = w.subarray(j * columns, (j + 1) * columns);
    for (let i = 0; i < m; i++) {
      let sum = 0;
      for (let k = 0, at = i * columns; k < columns; k++, at++) sum += x[at] * row[k];
      out[i * n + j] = sum;
    }
  }
  return out;
}

function transposed(values: Float32Array, width: number): Float32Array {
  const rows = values.length / width;
  const out = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < width; j++) out[j * rows + i] = values[i * width + j];
  return out;
}

/** The rows of the greatest relative error, worst first. */
function worstOf(x: Float32Array, y: Float32Array, columns: number): { at: number; error: number }[] {
  const errors = Array.from({ length: x.length / columns }, (_, at) => {
    let [signal, noise] = [0, 0];
    for (let k = at * columns; k < (at + 1) * columns; k++) {
      signal += x[k] * x[k];
      noise += (x[k] - y[k]) ** 2;
    }
    return { at, error: signal === 0 ? 0 : Math.sqrt(noise / signal) };
  });
  return errors.sort((a, b) => b.error - a.error).slice(0, MOST_WORST);
}

/** A histogram of signed errors, symmetric around zero. */
function differences(x: Float32Array, y: Float32Array): Histogram {
  let most = 0;
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(y[i] - x[i]));
  const counts = new Array<number>(BINS).fill(0);
  const scale = most === 0 ? 0 : BINS / (2 * most);
  for (let i = 0; i < x.length; i++) counts[Math.min(BINS - 1, Math.floor((y[i] - x[i] + most) * scale))]++;
  return { from: -most, to: most, counts };
}

const MOST_COLUMNS = 12;

/** Columns whose elements are large beside the others: they widen the groups that they are in. */
export function outlierColumns({ path, rows }: Sample): OutlierColumns {
  const columns = rows.shape[rows.shape.length - 1];
  const values = rows.data as Float32Array;
  const squares = new Float64Array(columns);
  for (let i = 0; i < values.length; i++) squares[i % columns] += values[i] * values[i];
  const size = values.length / columns;
  const norms = Array.from(squares, s => Math.sqrt(s / size));
  const typical = [...norms].sort((a, b) => a - b)[columns >> 1] || Number.MIN_VALUE;
  const largest = norms
    .map((norm, column) => ({ column, ratio: norm / typical }))
    .sort((a, b) => b.ratio - a.ratio)
    .slice(0, MOST_COLUMNS);
  return { parameter: path, columns: largest };
}
