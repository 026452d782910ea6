/**
 * quantized_matmul, gather_qmm and quantize.
 */
import type { Attrs, ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { FP8_MAX } from '../../src/numeric/minifloat';
import { rounder } from '../../src/numeric/round';
import { gatherIndex } from '../../src/ops/matmul';
import { optionalInput } from '../../src/ops/optional';
import { concrete, type QuantizeAttrs } from '../../src/ops/quantize_checks';
import { powerScale } from '../../src/quantize/microscaling';
import type { Quantization } from '../../src/quantize/modes';
import type { Tensor } from '../../src/tensor';
import { runs } from '../batches';
import { isHeldAsFloat32, roundedTo } from '../held';
import {
  type Pairs,
  type QuantizedAttrs,
  type QuantizedMatrices,
  quantizedAttrs,
  quantizedBatch,
  quantizedMatrices,
} from '../products';
import { type Arithmetic, ROUNDING } from './kernels';
import { multiply, type Weights } from './multiply';
import type { Engine, WasmOp } from './op';

/** Matrix `index` as the kernels take it; a column of the product is one of its rows where it is transposed. */
function weightsOf(
  all: QuantizedMatrices,
  { bits, groupSize }: Quantization,
  transpose: boolean,
  index: number,
): Weights {
  const part = <A extends Float32Array | Uint32Array>(data: A, length: number) =>
    data.subarray(index * length, (index + 1) * length) as A;
  const count = all.rows * all.columns;
  const codes = part(all.codes, (count * bits) / 32);
  const scales = part(all.scales, count / groupSize);
  const packed = { rows: transpose, codes, scales, bits, groupSize };
  if (!all.biases) return { kind: 'microscaled', ...packed };
  return { kind: 'affine', ...packed, biases: part(all.biases, count / groupSize) };
}

/** Products of m rows each. */
function products(
  { arena, arithmetic }: Engine,
  inputs: readonly Tensor[],
  attrs: QuantizedAttrs,
  m: number,
  { ofX, ofW }: Pairs,
  out: ConcreteType,
): Tensor {
  const quantization = concrete('quantized_matmul', attrs);
  const all = quantizedMatrices(inputs, attrs, quantization, out.dtype);
  const [n, k] = attrs.transpose ? [all.rows, all.columns] : [all.columns, all.rows];
  const x = cast(inputs[0], out.dtype).data as Float32Array;
  const data = new Float32Array(ofX.length * m * n);
  const steps = arithmetic === 'exact' ? out.dtype : 'float32';
  for (const run of runs(ofX, ofW)) {
    const rows = x.subarray(run.x * m * k, (run.x + run.count) * m * k);
    const weights = weightsOf(all, quantization, attrs.transpose, run.w);
    data.set(multiply(arena, { m: run.count * m, k, n }, rows, weights, steps), run.at * m * n);
  }
  // rounded at every step already, or once now
  return steps === 'float32' ? roundedTo(out, data) : { shape: out.shape, dtype: out.dtype as 'float32', data };
}

/**
 * MLX scales each activation where groups of a microscaled matrix lie across the results. Scaling the value instead
 * gives the same bits only where scales are powers of two and nothing rounds in between, as in float32.
 */
function supportsProduct(attrs: Attrs, inputs: readonly ConcreteType[], arithmetic: Arithmetic): boolean {
  const { mode, transpose } = quantizedAttrs(attrs);
  const [x, , scales] = inputs;
  if (!isHeldAsFloat32(x.dtype)) return false;
  if (mode === 'affine') return isHeldAsFloat32(scales.dtype);
  return transpose || arithmetic === 'fast' || (mode !== 'nvfp4' && x.dtype === 'float32');
}

export const quantizedMatmul: WasmOp = {
  supports: supportsProduct,
  run(engine, inputs, attrs, [out]) {
    const { m, ...pairs } = quantizedBatch(inputs, out);
    return [products(engine, inputs, quantizedAttrs(attrs), m, pairs, out)];
  },
};

export const gatherQmm: WasmOp = {
  supports: supportsProduct,
  run(engine, inputs, attrs, [out]) {
    const [x, w] = inputs;
    const lhs = optionalInput(inputs, quantizedAttrs(attrs), 3, 'lhs_indices');
    const rhs = optionalInput(inputs, quantizedAttrs(attrs), 3, 'rhs_indices');
    if (!lhs && !rhs) return quantizedMatmul.run(engine, inputs, attrs, [out]);
    const batch = out.shape.slice(0, -2);
    const pairs = { ofX: gatherIndex(lhs, x.shape, batch), ofW: gatherIndex(rhs, w.shape, batch) };
    return [products(engine, inputs, quantizedAttrs(attrs), x.shape[x.shape.length - 2], pairs, out)];
  },
};

/** mxfp8: the host chooses the scales, from the largest magnitudes of the groups. */
function quantizeMxfp8({ arena }: Engine, w: Tensor, groupSize: number, out: readonly ConcreteType[]): Tensor[] {
  const values = w.data as Float32Array;
  const groups = values.length / groupSize;
  const round = rounder(w.dtype);
  const scaleOf = powerScale(w.dtype);
  return arena.use(() => {
    const from = arena.put(values);
    const at = arena.allocate(groups * 4);
    const codes = arena.allocate(values.length);
    arena.kernels.groupMaxima(from, at, groups, groupSize);
    const divisors = arena.floats(at, groups);
    const scales = new Uint8Array(groups);
    for (let g = 0; g < groups; g++) {
      const { code, divisor } = scaleOf(round(divisors[g] / FP8_MAX));
      scales[g] = code;
      divisors[g] = divisor;
    }
    arena.kernels.encodeFp8(from, codes, at, groups, groupSize, ROUNDING[w.dtype]!);
    const words = arena.words(codes, values.length / 4).slice() as Uint32Array<ArrayBuffer>;
    return [
      { shape: out[0].shape, dtype: 'uint32', data: words },
      { shape: out[1].shape, dtype: 'uint8', data: scales },
    ];
  });
}

export const quantize: WasmOp = {
  supports: (attrs, inputs) =>
    (attrs.mode === 'affine' || attrs.mode === 'mxfp8') && inputs.length === 1 && isHeldAsFloat32(inputs[0].dtype),
  run(engine, [w], attrs, [packedType, perGroup]) {
    const { arena } = engine;
    if (attrs.mode === 'mxfp8')
      return quantizeMxfp8(engine, w, concrete('quantize', attrs as QuantizeAttrs).groupSize, [packedType, perGroup]);
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
