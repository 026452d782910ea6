/**
 * Values of `mlx.core.linalg`: each matrix of a stack is factored, inverted or solved with in double precision.
 */
import type { ConcreteType } from '../graph/op';
import type { Complex } from '../numeric/complex';
import * as complex from '../numeric/complex';
import { cholesky, conjugate, determinant, lu, Matrix, qr, rowOrder, solve, solveTriangle } from '../numeric/matrix';
import { rounder } from '../numeric/round';
import { general, hermitian, singular } from '../numeric/spectrum';
import { allocate, elementCount, type Tensor } from '../tensor';
import { expandTo } from './expand';
import { readBox, reshaped, stridesOf } from './positions';

type Numbers = { [i: number]: number };

/** What a decomposition may be asked: which triangle it reads or writes. */
export interface Triangle {
  readonly upper?: boolean;
}

/** The numbers of one result for one matrix, row by row. */
type Part = readonly Complex[];

const real = (values: readonly number[]): Part => values.map(v => [v, 0] as const);

/** The triangle of a matrix, and 0 elsewhere. */
const triangle = (m: Matrix, upper: boolean): Matrix =>
  new Matrix(m.rows, m.columns, (i, j) => ((upper ? i <= j : i >= j) ? m.at(i, j) : [0, 0]));

/** The Hermitian matrix of which one triangle is given. */
const mirrored = (m: Matrix, upper: boolean): Matrix =>
  new Matrix(m.rows, m.rows, (i, j) => {
    if (i === j) return [m.at(i, i)[0], 0];
    return (upper ? i < j : i > j) ? m.at(i, j) : conjugate(m.at(j, i));
  });

const inverse = (m: Matrix): Matrix => solve(m, Matrix.identity(m.rows));
const firstColumns = (m: Matrix, count: number): Matrix => new Matrix(m.rows, count, (i, j) => m.at(i, j));
const firstRows = (m: Matrix, count: number): Matrix => new Matrix(count, m.columns, (i, j) => m.at(i, j));

/** Singular values below this share of the largest count as 0, times the longer side. */
const NEGLIGIBLE = 10 * 2 ** -23;

function pseudoInverse(m: Matrix): Matrix {
  const { u, values, vt } = singular(m);
  const least = NEGLIGIBLE * Math.max(m.rows, m.columns) * values[0];
  const v = vt.adjoint();
  const scaled = new Matrix(m.columns, values.length, (i, j) =>
    values[j] > least ? complex.scale(v.at(i, j), 1 / values[j]) : [0, 0],
  );
  return scaled.times(firstColumns(u, values.length).adjoint());
}

function luParts(m: Matrix): Part[] {
  const factors = lu(m);
  const rank = Math.min(m.rows, m.columns);
  const l = new Matrix(m.rows, rank, (i, j) => (i === j ? complex.ONE : i > j ? factors.packed.at(i, j) : [0, 0]));
  return [real(rowOrder(factors)), l.data, triangle(firstRows(factors.packed, rank), true).data];
}

/** Results by operation, for one matrix. */
const RESULTS: Readonly<Record<string, (m: Matrix, attrs: Triangle) => Part[]>> = {
  inv: m => [inverse(m).data],
  tri_inv: (m, { upper = false }) => [triangle(solveTriangle(m, Matrix.identity(m.rows), upper), upper).data],
  cholesky: (m, { upper = false }) => {
    const l = cholesky(upper ? m.adjoint() : m);
    return [(upper ? l.adjoint() : l).data];
  },
  cholesky_inv: (m, { upper = false }) => {
    const factor = triangle(m, upper);
    return [inverse(upper ? factor.adjoint().times(factor) : factor.times(factor.adjoint())).data];
  },
  pinv: m => [pseudoInverse(m).data],
  det: m => [[determinant(m)]],
  slogdet: m => {
    const [value] = determinant(m);
    return [real([Math.sign(value)]), real([Math.log(Math.abs(value))])];
  },
  eigvals: m => [general(m).values],
  eig: m => {
    const { values, vectors } = general(m);
    return [values, vectors.data];
  },
  eigvalsh: (m, { upper = false }) => [real(hermitian(mirrored(m, upper)).values)],
  eigh: (m, { upper = false }) => {
    const { values, vectors } = hermitian(mirrored(m, upper));
    return [real(values), vectors.data];
  },
  lu: luParts,
  lu_factor: m => {
    const { packed, exchanged } = lu(m);
    return [packed.data, real(exchanged)];
  },
  qr: m => {
    const { q, r } = qr(m);
    const rank = Math.min(m.rows, m.columns);
    return [firstColumns(q, rank).data, triangle(firstRows(r, rank), true).data];
  },
  svd: m => {
    const { u, values, vt } = singular(m);
    return [u.data, real(values), vt.data];
  },
  svdvals: m => [real(singular(m).values)],
};

// ---- stacks -----------------------------------------------------------------------------------------------------------

/** The matrices of a stack, one after the other. */
function* matrices(x: Tensor): Generator<Matrix> {
  const [rows, columns] = x.shape.slice(-2);
  const isComplex = x.dtype === 'complex64';
  const from = x.data as ArrayLike<number | bigint>;
  const size = rows * columns;
  for (let start = 0; start < elementCount(x.shape); start += size)
    yield new Matrix(rows, columns, (i, j) => {
      const at = start + i * columns + j;
      return isComplex ? [Number(from[2 * at]), Number(from[2 * at + 1])] : [Number(from[at]), 0];
    });
}

/** Numbers one after the other as a tensor; of those that are not complex the real part is kept. */
function collected({ dtype, shape }: ConcreteType, parts: readonly Part[]): Tensor {
  const data = allocate(dtype, elementCount(shape)) as Numbers;
  const round = dtype === 'uint32' ? Math.round : rounder(dtype === 'complex64' ? 'float32' : dtype);
  for (const [at, [re, im]] of parts.flat().entries()) {
    if (dtype === 'complex64') [data[2 * at], data[2 * at + 1]] = [round(re), round(im)];
    else data[at] = round(re);
  }
  return { dtype, shape, data: data as Tensor['data'] };
}

/** The results of the decomposition `name` for every matrix of a stack. */
export function decompose(name: string, x: Tensor, attrs: Triangle, out: readonly ConcreteType[]): Tensor[] {
  const results = [...matrices(x)].map(m => RESULTS[name](m, attrs));
  return out.map((type, i) =>
    collected(
      type,
      results.map(parts => parts[i]),
    ),
  );
}

/** X of A·X = B for every matrix of a stack; the one triangle of A is read where `attrs` names it. */
export function solveAll([a, b]: readonly Tensor[], attrs: Triangle | null, out: ConcreteType): Tensor {
  const vector = b.shape.length === 1;
  const right = vector ? reshaped(b, [b.shape[0], 1]) : b;
  const batch = out.shape.slice(0, vector ? -1 : -2);
  const stack = (x: Tensor): Generator<Matrix> => matrices(expandTo(x, [...batch, ...x.shape.slice(-2)]));
  const rights = stack(right);
  const solutions = [...stack(a)].map(m => {
    const other = rights.next().value as Matrix;
    return (attrs ? solveTriangle(m, other, attrs.upper ?? false) : solve(m, other)).data;
  });
  return collected(out, solutions);
}

/** Cross products along `axis` of each input; vectors of two lie in a plane. */
export function crossProducts(inputs: readonly Tensor[], axis: number, out: ConcreteType): Tensor {
  const along = axis < 0 ? axis + out.shape.length : axis;
  const one = out.shape.with(along, 1);
  /** The elements at `k` of all vectors of an input. */
  const component = (input: Tensor, k: number): Tensor | null => {
    const x = reshaped(input, [...Array<number>(out.shape.length - input.shape.length).fill(1), ...input.shape]);
    const length = x.shape[along];
    if (length > 1 && k >= length) return null;
    const strides = stridesOf(x.shape);
    return expandTo(readBox(x, x.shape.with(along, 1), strides, Math.min(k, length - 1) * strides[along]), one);
  };
  const [left, right] = inputs.map(x => [0, 1, 2].map(k => component(x, k)));
  const value = (x: Tensor | null, i: number) => (x ? Number(x.data[i]) : 0);
  const data = allocate(out.dtype, elementCount(out.shape)) as Numbers;
  const round = rounder(out.dtype);
  const stride = stridesOf(out.shape)[along];
  for (let i = 0; i < elementCount(one); i++) {
    const start = Math.floor(i / stride) * stride * 3 + (i % stride);
    for (let k = 0; k < 3; k++) {
      const [m, n] = [(k + 1) % 3, (k + 2) % 3];
      data[start + k * stride] = round(value(left[m], i) * value(right[n], i) - value(left[n], i) * value(right[m], i));
    }
  }
  return { dtype: out.dtype, shape: out.shape, data: data as Tensor['data'] };
}
