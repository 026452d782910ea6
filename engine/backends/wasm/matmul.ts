/**
 * matmul, addmm and gather_mm, of plain and of transposed matrices: float32 sums, rounded once for half precision.
 */

import type { ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { gatherIndex } from '../../src/ops/matmul';
import { type Given, optionalInput } from '../../src/ops/optional';
import { addScaled } from '../../src/ops/product_kernels';
import { exchanged, TRANSPOSED } from '../../src/ops/transposed_products';
import type { Tensor } from '../../src/tensor';
import { runs } from '../batches';
import { isHeldAsFloat32, promoted, roundedTo } from '../held';
import { asColumn, asRow, broadcastPairs, matrixAxes, type Pairs, productShape } from '../products';
import { multiply } from './multiply';
import type { Engine, WasmOp } from './op';

const floats = (x: Tensor): Float32Array => x.data as Float32Array;

/** The matrices of b as they take part in the product: stored transposed they are [.., n, k]. */
const factor = (b: ConcreteType, transposed: boolean): ConcreteType => (transposed ? exchanged(b) : b);

/** The products of matrices of a and of b, one behind the other. */
function products(
  engine: Engine,
  a: Tensor,
  b: Tensor,
  transposed: boolean,
  { ofX, ofW }: Pairs,
): Float32Array<ArrayBuffer> {
  const [m, k] = asRow(a).slice(-2);
  const column = asColumn(factor(b, transposed));
  const n = column[column.length - 1];
  const out = new Float32Array(ofX.length * m * n);
  for (const { x, w, at, count } of runs(ofX, ofW)) {
    const rows = floats(a).subarray(x * m * k, (x + count) * m * k);
    const data = floats(b).subarray(w * k * n, (w + 1) * k * n);
    const weights = { kind: 'dense', rows: transposed, data } as const;
    out.set(multiply(engine.arena, { m: count * m, k, n }, rows, weights), at * m * n);
  }
  return out;
}

const matmul = (transposed: boolean): WasmOp => ({
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run(engine, [a, b], _, [out]) {
    const pairs = broadcastPairs(a, factor(b, transposed));
    return [roundedTo(out, products(engine, cast(a, out.dtype), cast(b, out.dtype), transposed, pairs))];
  },
});

const addmm = (transposed: boolean): WasmOp => ({
  supports: (_, inputs) => isHeldAsFloat32(promoted(inputs)),
  run(engine, [c, a, b], { alpha = 1, beta = 1 }, [out]) {
    const other = factor(b, transposed);
    const data = products(engine, cast(a, out.dtype), cast(b, out.dtype), transposed, broadcastPairs(a, other));
    const sums: Tensor = { shape: productShape(a, other), dtype: 'float32', data };
    return [addScaled(sums, c, alpha as number, beta as number, out)];
  },
});

type Indices = Given<'lhs_indices' | 'rhs_indices'>;

const gatherMm = (transposed: boolean): WasmOp => ({
  supports: (_, [a, b]) => isHeldAsFloat32(promoted([a, b])),
  run(engine, inputs, attrs, [out]) {
    const [a, b] = inputs;
    const lhs = optionalInput(inputs, attrs as Indices, 2, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs as Indices, 2, 'rhs_indices');
    if (!lhs && !rhs) return matmul(transposed).run(engine, [a, b], {}, [out]);
    const other = factor(b, transposed);
    const batch = out.shape.slice(0, out.shape.length - matrixAxes(a, other));
    const pairs = { ofX: gatherIndex(lhs, asRow(a), batch), ofW: gatherIndex(rhs, asColumn(other), batch) };
    return [roundedTo(out, products(engine, cast(a, out.dtype), cast(b, out.dtype), transposed, pairs))];
  },
});

export const PRODUCT_OPS: Readonly<Record<string, WasmOp>> = Object.fromEntries(
  Object.entries({ matmul, addmm, gather_mm: gatherMm }).flatMap(([name, op]) => [
    [name, op(false)],
    [`${name}${TRANSPOSED}`, op(true)],
  ]),
);
