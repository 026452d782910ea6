/**
 * matmul, addmm and gather_mm: float32 sums, rounded once for half precision.
 */
import { Facts } from '../../src/dims/facts';
import { type DType, promote } from '../../src/dtype';
import type { ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { rounder } from '../../src/numeric/round';
import { expandIndex } from '../../src/ops/expand';
import { gatherIndex, matmul as matmulRule } from '../../src/ops/matmul';
import { type Given, optionalInput } from '../../src/ops/optional';
import { addScaled } from '../../src/ops/product_kernels';
import type { Tensor } from '../../src/tensor';
import { runs } from './batches';
import { multiply } from './multiply';
import { type Engine, isHeldAsFloat32, type WasmOp } from './op';

const floats = (x: Tensor): Float32Array => x.data as Float32Array;

/** A vector is a row on the left and a column on the right. */
const asRow = ({ shape }: ConcreteType): readonly number[] => (shape.length === 1 ? [1, shape[0]] : shape);
const asColumn = ({ shape }: ConcreteType): readonly number[] => (shape.length === 1 ? [shape[0], 1] : shape);

/** Axes of a @ b that are not batch: one less for each vector. */
const kept = (a: ConcreteType, b: ConcreteType): number => Number(a.shape.length > 1) + Number(b.shape.length > 1);

/** Sums of the products of matrices ofA[i] of a and ofB[i] of b, one behind the other. */
function products(engine: Engine, a: Tensor, b: Tensor, ofA: Int32Array, ofB: Int32Array): Float32Array<ArrayBuffer> {
  const [m, k] = asRow(a).slice(-2);
  const n = asColumn(b)[asColumn(b).length - 1];
  const out = new Float32Array(ofA.length * m * n);
  for (const { x, w, at, count } of runs(ofA, ofB)) {
    const rows = floats(a).subarray(x * m * k, (x + count) * m * k);
    const data = floats(b).subarray(w * k * n, (w + 1) * k * n);
    out.set(multiply(engine.arena, { m: count * m, k, n }, rows, { kind: 'dense', rows: false, data }), at * m * n);
  }
  return out;
}

/** Sums that have not been rounded to half precision. */
interface Sums extends Tensor<'float32'> {
  readonly data: Float32Array<ArrayBuffer>;
}

/** Rounds in place. */
function rounded(sums: Float32Array<ArrayBuffer>, out: ConcreteType): Tensor {
  if (out.dtype !== 'float32') {
    const round = rounder(out.dtype);
    for (let i = 0; i < sums.length; i++) sums[i] = round(sums[i]);
  }
  return { shape: out.shape, dtype: out.dtype as 'float32', data: sums };
}

/** a @ b with leading axes broadcast, both cast to `dtype` first; not rounded to it yet. */
function batchedSums(engine: Engine, a: Tensor, b: Tensor, dtype: DType): Sums {
  const { shape } = matmulRule.infer(new Facts(), [a, b], {}) as ConcreteType;
  const batch = shape.slice(0, shape.length - kept(a, b));
  const ofA = expandIndex(asRow(a).slice(0, -2), batch);
  const ofB = expandIndex(asColumn(b).slice(0, -2), batch);
  return { shape, dtype: 'float32', data: products(engine, cast(a, dtype), cast(b, dtype), ofA, ofB) };
}

const promoted = (types: readonly ConcreteType[]): DType => types.map(t => t.dtype).reduce((a, b) => promote(a, b)!);

export const matmul: WasmOp = {
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run: (engine, [a, b], _, [out]) => [rounded(batchedSums(engine, a, b, out.dtype).data, out)],
};

export const addmm: WasmOp = {
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run(engine, [c, a, b], { alpha = 1, beta = 1 }, [out]) {
    return [addScaled(batchedSums(engine, a, b, out.dtype), c, alpha as number, beta as number, out)];
  },
};

type Indices = Given<'lhs_indices' | 'rhs_indices'>;

export const gatherMm: WasmOp = {
  supports: (_, [a, b]) => isHeldAsFloat32(promoted([a, b])),
  run(engine, inputs, attrs, [out]) {
    const [a, b] = inputs;
    const lhs = optionalInput(inputs, attrs as Indices, 2, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs as Indices, 2, 'rhs_indices');
    if (!lhs && !rhs) return matmul.run(engine, [a, b], {}, [out]);
    const batch = out.shape.slice(0, out.shape.length - kept(a, b));
    const ofA = gatherIndex(lhs, asRow(a), batch);
    const ofB = gatherIndex(rhs, asColumn(b), batch);
    return [rounded(products(engine, cast(a, out.dtype), cast(b, out.dtype), ofA, ofB), out)];
  },
};
