/**
 * matmul, addmm and gather_mm: float32 sums, rounded once for half precision.
 */
import { cast } from '../../src/numeric/cast';
import { gatherIndex } from '../../src/ops/matmul';
import { type Given, optionalInput } from '../../src/ops/optional';
import { addScaled } from '../../src/ops/product_kernels';
import type { Tensor } from '../../src/tensor';
import { runs } from '../batches';
import { isHeldAsFloat32, promoted, roundedTo } from '../held';
import { asColumn, asRow, broadcastPairs, matrixAxes, type Pairs, productShape } from '../products';
import { multiply } from './multiply';
import type { Engine, WasmOp } from './op';

const floats = (x: Tensor): Float32Array => x.data as Float32Array;

/** The products of matrices of a and of b, one behind the other. */
function products(engine: Engine, a: Tensor, b: Tensor, { ofX, ofW }: Pairs): Float32Array<ArrayBuffer> {
  const [m, k] = asRow(a).slice(-2);
  const n = asColumn(b)[asColumn(b).length - 1];
  const out = new Float32Array(ofX.length * m * n);
  for (const { x, w, at, count } of runs(ofX, ofW)) {
    const rows = floats(a).subarray(x * m * k, (x + count) * m * k);
    const data = floats(b).subarray(w * k * n, (w + 1) * k * n);
    out.set(multiply(engine.arena, { m: count * m, k, n }, rows, { kind: 'dense', rows: false, data }), at * m * n);
  }
  return out;
}

export const matmul: WasmOp = {
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run(engine, [a, b], _, [out]) {
    return [roundedTo(out, products(engine, cast(a, out.dtype), cast(b, out.dtype), broadcastPairs(a, b)))];
  },
};

export const addmm: WasmOp = {
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run(engine, [c, a, b], { alpha = 1, beta = 1 }, [out]) {
    const data = products(engine, cast(a, out.dtype), cast(b, out.dtype), broadcastPairs(a, b));
    const sums: Tensor = { shape: productShape(a, b), dtype: 'float32', data };
    return [addScaled(sums, c, alpha as number, beta as number, out)];
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
    const batch = out.shape.slice(0, out.shape.length - matrixAxes(a, b));
    const pairs = { ofX: gatherIndex(lhs, asRow(a), batch), ofW: gatherIndex(rhs, asColumn(b), batch) };
    return [roundedTo(out, products(engine, cast(a, out.dtype), cast(b, out.dtype), pairs))];
  },
};
