/**
 * The product with a quantized matrix, in the order of operations of MLX's CPU build.
 *
 * MLX accumulates in the dtype of the activations, rounding a running sum to float16 or bfloat16 at every step: the
 * error is larger than that of a plain matmul with dequantized weights, and is reproduced here.
 */
import type { DType } from '../dtype';
import { FP4_VALUES, FP8_VALUES } from '../numeric/minifloat';
import { rounder } from '../numeric/round';
import { affineDequantize } from './affine';
import { scaleValue } from './microscaling';
import type { Quantization } from './modes';
import { unpackCodes } from './pack';

/** One matrix [rows, columns] with its codes unpacked. */
export interface QuantizedMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly codes: Uint8Array<ArrayBuffer>;
  /** [rows, columns / group size]; for affine cast to the dtype of the product. */
  readonly scales: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
  readonly biases?: Float32Array<ArrayBuffer>;
}

/** The matrix at `index` in a batch of packed ones. */
export function quantizedMatrix(
  packed: Uint32Array,
  scales: Float32Array | Uint8Array,
  biases: Float32Array | undefined,
  rows: number,
  columns: number,
  { bits, groupSize }: Quantization,
  index: number,
): QuantizedMatrix {
  const words = (rows * columns * bits) / 32;
  const groups = (rows * columns) / groupSize;
  return {
    rows,
    columns,
    codes: unpackCodes(packed.subarray(index * words, (index + 1) * words), bits, rows * columns),
    scales: scales.slice(index * groups, (index + 1) * groups) as QuantizedMatrix['scales'],
    biases: biases?.slice(index * groups, (index + 1) * groups),
  };
}

/**
 * x [m, k] times the matrix's transpose (`transpose`: k = columns) or the matrix itself (k = rows), written to `out`
 * from `at` on, all in `dtype`.
 */
export function quantizedProduct(
  x: Float32Array,
  m: number,
  matrix: QuantizedMatrix,
  quantization: Quantization,
  transpose: boolean,
  dtype: DType,
  out: Float32Array,
  at: number,
): void {
  if (quantization.mode !== 'affine') microscaled(x, m, matrix, quantization, transpose, dtype, out, at);
  else {
    const { codes, scales, biases } = matrix;
    const affine = { codes, scales: scales as Float32Array<ArrayBuffer>, biases: biases! };
    const w = affineDequantize(affine, quantization.groupSize, dtype);
    runningSums(x, m, matrix, w, transpose, dtype, out, at);
  }
}

/** Products with dequantized weights, every step rounded to `dtype`. */
function runningSums(
  x: Float32Array,
  m: number,
  { rows, columns }: QuantizedMatrix,
  w: Float32Array,
  transpose: boolean,
  dtype: DType,
  out: Float32Array,
  at: number,
): void {
  const round = rounder(dtype);
  const [n, k] = transpose ? [rows, columns] : [columns, rows];
  const [stepN, stepK] = transpose ? [columns, 1] : [1, columns];
  for (let row = 0; row < m; row++)
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let i = 0; i < k; i++) sum = round(sum + round(x[row * k + i] * w[column * stepN + i * stepK]));
      out[at + row * n + column] = sum;
    }
}

/**
 * Transposed, a group is summed before it is scaled; otherwise each activation is scaled before it meets a value, since
 * a group lies across the results.
 */
function microscaled(
  x: Float32Array,
  m: number,
  { rows, columns, codes, scales }: QuantizedMatrix,
  { mode, bits, groupSize }: Quantization,
  transpose: boolean,
  dtype: DType,
  out: Float32Array,
  at: number,
): void {
  if (mode === 'affine') return;
  const round = rounder(dtype);
  const values = bits === 8 ? FP8_VALUES : FP4_VALUES;
  const factors = Float64Array.from(scales, code => scaleValue(code, mode, dtype));
  const groups = columns / groupSize;
  if (transpose) {
    for (let row = 0; row < m; row++)
      for (let column = 0; column < rows; column++) {
        let sum = 0;
        for (let group = 0; group < groups; group++) {
          let part = 0;
          for (let i = group * groupSize; i < (group + 1) * groupSize; i++)
            part = round(part + round(x[row * columns + i] * values[codes[column * columns + i]]));
          sum = round(sum + round(factors[column * groups + group] * part));
        }
        out[at + row * rows + column] = sum;
      }
    return;
  }
  for (let row = 0; row < m; row++)
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let i = 0; i < rows; i++) {
        const scaled = round(x[row * rows + i] * factors[i * groups + Math.floor(column / groupSize)]);
        sum = round(sum + round(scaled * values[codes[i * columns + column]]));
      }
      out[at + row * columns + column] = sum;
    }
}
