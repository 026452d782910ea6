/**
 * quantized_matmul, gather_qmm and quantize.
 */
import type { DType } from '../../src/dtype';
import type { Attrs, ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { rounder } from '../../src/numeric/round';
import { expandIndex } from '../../src/ops/expand';
import { gatherIndex } from '../../src/ops/matmul';
import { type Given, optionalInput } from '../../src/ops/optional';
import { concrete, type QuantizeAttrs } from '../../src/ops/quantize_checks';
import { scaleValue } from '../../src/quantize/microscaling';
import type { Quantization } from '../../src/quantize/modes';
import type { Tensor } from '../../src/tensor';
import { runs } from './batches';
import type { Arithmetic } from './kernels';
import { multiply, type Weights } from './multiply';
import { type Engine, isHeldAsFloat32, type WasmOp } from './op';

type ProductAttrs = QuantizeAttrs & Given<'biases' | 'lhs_indices' | 'rhs_indices'> & { readonly transpose: boolean };

/** A batch of quantized matrices. Scales and biases are cast to the dtype of the product, codes of scales decoded. */
interface Matrices {
  readonly codes: Uint32Array;
  readonly scales: Float32Array;
  readonly biases?: Float32Array;
  readonly rows: number;
  readonly columns: number;
}

function matricesOf(
  [, w, scales]: readonly Tensor[],
  biases: Tensor | undefined,
  q: Quantization,
  dtype: DType,
): Matrices {
  const [rows, words] = w.shape.slice(-2);
  const { mode } = q;
  return {
    codes: w.data as Uint32Array,
    scales:
      mode === 'affine'
        ? (cast(scales, dtype).data as Float32Array)
        : Float32Array.from(scales.data as Uint8Array, code => scaleValue(code, mode, dtype)),
    biases: biases && (cast(biases, dtype).data as Float32Array),
    rows,
    columns: (words * 32) / q.bits,
  };
}

/** Matrix `index` as the kernels take it; a column of the product is one of its rows where it is transposed. */
function weightsOf(all: Matrices, { bits, groupSize }: Quantization, transpose: boolean, index: number): Weights {
  const part = <A extends Float32Array | Uint32Array>(data: A, length: number) =>
    data.subarray(index * length, (index + 1) * length) as A;
  const count = all.rows * all.columns;
  const codes = part(all.codes, (count * bits) / 32);
  const scales = part(all.scales, count / groupSize);
  const packed = { rows: transpose, codes, scales, bits, groupSize };
  if (!all.biases) return { kind: 'microscaled', ...packed };
  return { kind: 'affine', ...packed, biases: part(all.biases, count / groupSize) };
}

/** Products of matrices ofX[i] of x [..., m, k] and ofW[i] of the quantized ones. */
function products(
  { arena, arithmetic }: Engine,
  inputs: readonly Tensor[],
  attrs: ProductAttrs,
  m: number,
  ofX: Int32Array,
  ofW: Int32Array,
  out: ConcreteType,
): Tensor {
  const quantization = concrete('quantized_matmul', attrs);
  const all = matricesOf(inputs, optionalInput(inputs, attrs, 3, 'biases'), quantization, out.dtype);
  const [n, k] = attrs.transpose ? [all.rows, all.columns] : [all.columns, all.rows];
  const x = cast(inputs[0], out.dtype).data as Float32Array;
  const data = new Float32Array(ofX.length * m * n);
  const steps = arithmetic === 'exact' ? out.dtype : 'float32';
  for (const run of runs(ofX, ofW)) {
    const rows = x.subarray(run.x * m * k, (run.x + run.count) * m * k);
    const weights = weightsOf(all, quantization, attrs.transpose, run.w);
    data.set(multiply(arena, { m: run.count * m, k, n }, rows, weights, steps), run.at * m * n);
  }
  if (steps !== out.dtype) {
    const round = rounder(out.dtype);
    for (let i = 0; i < data.length; i++) data[i] = round(data[i]);
  }
  return { shape: out.shape, dtype: out.dtype as 'float32', data };
}

/**
 * MLX scales each activation where groups of a microscaled matrix lie across the results. Scaling the value instead
 * gives the same bits only where scales are powers of two and nothing rounds in between, as in float32.
 */
function supportsProduct(attrs: Attrs, inputs: readonly ConcreteType[], arithmetic: Arithmetic): boolean {
  const { mode, transpose } = attrs as ProductAttrs;
  const [x, , scales] = inputs;
  if (!isHeldAsFloat32(x.dtype)) return false;
  if (mode === 'affine') return isHeldAsFloat32(scales.dtype);
  return transpose || arithmetic === 'fast' || (mode !== 'nvfp4' && x.dtype === 'float32');
}

const ONE: Int32Array = Int32Array.of(0);

export const quantizedMatmul: WasmOp = {
  supports: supportsProduct,
  run(engine, inputs, attrs, [out]) {
    const [x, w] = inputs;
    const batch = out.shape.slice(0, -2);
    const n = out.shape[out.shape.length - 1];
    const batched = x.shape.length > 2 && w.shape.length > 2;
    const m = batched ? x.shape[x.shape.length - 2] : out.shape.reduce((a, b) => a * b, 1) / Math.max(n, 1);
    const ofX = batched ? expandIndex(x.shape.slice(0, -2), batch) : ONE;
    const ofW = batched ? expandIndex(w.shape.slice(0, -2), batch) : ONE;
    return [products(engine, inputs, attrs as ProductAttrs, m, ofX, ofW, out)];
  },
};

export const gatherQmm: WasmOp = {
  supports: supportsProduct,
  run(engine, inputs, attrs, [out]) {
    const [x, w] = inputs;
    const lhs = optionalInput(inputs, attrs as ProductAttrs, 3, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs as ProductAttrs, 3, 'rhs_indices');
    if (!lhs && !rhs) return quantizedMatmul.run(engine, inputs, attrs, [out]);
    const batch = out.shape.slice(0, -2);
    const ofX = gatherIndex(lhs, x.shape, batch);
    const ofW = gatherIndex(rhs, w.shape, batch);
    return [products(engine, inputs, attrs as ProductAttrs, x.shape[x.shape.length - 2], ofX, ofW, out)];
  },
};

export const quantize: WasmOp = {
  supports: (attrs, [w]) => attrs.mode === 'affine' && isHeldAsFloat32(w.dtype),
  run({ arena }, [w], attrs, [packedType, perGroup]) {
    const { bits, groupSize } = concrete('quantize', attrs as QuantizeAttrs);
    const values = w.data as Float32Array;
    const groups = values.length / groupSize;
    const words = (values.length * bits) / 32;
    return arena.use(() => {
      const from = arena.put(values);
      const codes = arena.allocate(words * 4);
      const scales = arena.allocate(groups * 4);
      const biases = arena.allocate(groups * 4);
      arena.kernels.quantizeAffine(from, codes, scales, biases, groups, groupSize, bits);
      const round = rounder(w.dtype);
      const stored = (address: number): Tensor => ({
        ...perGroup,
        dtype: w.dtype as 'float32',
        data: arena.floats(address, groups).map(round),
      });
      const packed: Tensor = { ...packedType, dtype: 'uint32', data: arena.words(codes, words).slice() };
      return [packed, stored(scales), stored(biases)];
    });
  },
};
