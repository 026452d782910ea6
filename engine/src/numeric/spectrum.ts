/**
 * Eigenvalues and singular values with their vectors: Jacobi's rotations for Hermitian matrices, the shifted QR iteration
 * for others. Vectors are unit vectors; their phase, and the basis of a repeated value, is not LAPACK's.
 */

import type { Complex } from './complex';
import * as complex from './complex';
import { conjugate, Matrix, qr, solve } from './matrix';

const MOST_SWEEPS = 60;
const EPSILON = 1e-14;

export interface Spectrum<T> {
  readonly values: readonly T[];
  /** One column for each value. */
  readonly vectors: Matrix;
}

/** The size of what lies off the diagonal, beside all of it. */
function offDiagonal(m: Matrix): number {
  let off = 0;
  let all = 0;
  for (let i = 0; i < m.rows; i++)
    for (let j = 0; j < m.columns; j++) {
      const size = complex.abs(m.at(i, j)) ** 2;
      all += size;
      if (i !== j) off += size;
    }
  return all === 0 ? 0 : Math.sqrt(off / all);
}

/** Of a Hermitian matrix, the least value first. */
export function hermitian(matrix: Matrix): Spectrum<number> {
  const m = matrix.copy();
  const n = m.rows;
  const vectors = Matrix.identity(n);
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(m) > EPSILON; sweep++)
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(m, vectors, p, q);
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => m.at(a, a)[0] - m.at(b, b)[0]);
  return {
    values: order.map(i => m.at(i, i)[0]),
    vectors: new Matrix(n, n, (i, j) => vectors.at(i, order[j])),
  };
}

/** Makes the elements at (p, q) and (q, p) zero. */
function rotate(m: Matrix, vectors: Matrix, p: number, q: number): void {
  const off = m.at(p, q);
  const size = complex.abs(off);
  if (size === 0) return;
  const phase = complex.scale(off, 1 / size);
  const theta = (m.at(q, q)[0] - m.at(p, p)[0]) / (2 * size);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = complex.scale(phase, t * c);
  const mix = (
    get: (i: number) => [Complex, Complex],
    put: (i: number, a: Complex, b: Complex) => void,
    by: Complex,
  ) => {
    for (let i = 0; i < m.rows; i++) {
      const [a, b] = get(i);
      put(
        i,
        complex.subtract(complex.scale(a, c), complex.multiply(conjugate(by), b)),
        complex.add(complex.multiply(by, a), complex.scale(b, c)),
      );
    }
  };
  const columns = (of: Matrix) =>
    mix(
      i => [of.at(i, p), of.at(i, q)],
      (i, a, b) => {
        of.set(i, p, a);
        of.set(i, q, b);
      },
      s,
    );
  columns(m);
  mix(
    i => [m.at(p, i), m.at(q, i)],
    (i, a, b) => {
      m.set(p, i, a);
      m.set(q, i, b);
    },
    conjugate(s),
  );
  columns(vectors);
}

/** Of any square matrix: the values by the shifted QR iteration, each vector by inverse iteration. */
export function general(matrix: Matrix): Spectrum<Complex> {
  const n = matrix.rows;
  const values = eigenvalues(matrix);
  const vectors = new Matrix(n, n);
  const scale = Math.max(...matrix.data.map(complex.abs), 1e-300);
  for (const [k, value] of values.entries()) {
    const shifted = new Matrix(n, n, (i, j) =>
      i === j ? complex.subtract(matrix.at(i, j), complex.add(value, [scale * 1e-10 * (k + 1), 0])) : matrix.at(i, j),
    );
    // starts differ, so that a repeated value gets different vectors
    let v = new Matrix(n, 1, i => [i === k ? 1 : 0.1 / (1 + Math.abs(i - k)), 0]);
    for (let step = 0; step < 4; step++) {
      v = solve(shifted, v);
      const length = Math.hypot(...v.data.flat());
      v = new Matrix(n, 1, i => complex.scale(v.at(i, 0), 1 / length));
    }
    for (let i = 0; i < n; i++) vectors.set(i, k, v.at(i, 0));
  }
  return { values, vectors };
}

function eigenvalues(matrix: Matrix): Complex[] {
  const found: Complex[] = [];
  let m = matrix.copy();
  const most = MOST_SWEEPS * matrix.rows;
  for (let step = 0; step < most && m.rows > 1; step++) {
    const n = m.rows;
    const last = Array.from({ length: n - 1 }, (_, j) => complex.abs(m.at(n - 1, j)));
    const scale = Math.max(...m.data.map(complex.abs));
    if (Math.max(...last) <= EPSILON * scale) {
      found.unshift(m.at(n - 1, n - 1));
      const rest = m;
      m = new Matrix(n - 1, n - 1, (i, j) => rest.at(i, j));
      continue;
    }
    // a shift that is not real finds the pairs of real matrices
    const shift = step % 11 === 10 ? ([scale, scale / 3] as const) : wilkinson(m);
    const moved = new Matrix(n, n, (i, j) => (i === j ? complex.subtract(m.at(i, j), shift) : m.at(i, j)));
    const { q, r } = qr(moved);
    const product = r.times(q);
    m = new Matrix(n, n, (i, j) => (i === j ? complex.add(product.at(i, j), shift) : product.at(i, j)));
  }
  return [...Array.from({ length: m.rows }, (_, i) => m.at(i, i)), ...found];
}

/** The eigenvalue of the last 2 × 2 block that is nearer to its last element. */
function wilkinson(m: Matrix): Complex {
  const n = m.rows;
  const [a, b, c, d] = [m.at(n - 2, n - 2), m.at(n - 2, n - 1), m.at(n - 1, n - 2), m.at(n - 1, n - 1)];
  const half = complex.scale(complex.add(a, d), 0.5);
  const root = complex.sqrt(
    complex.add(complex.square(complex.scale(complex.subtract(a, d), 0.5)), complex.multiply(b, c)),
  );
  const [one, other] = [complex.add(half, root), complex.subtract(half, root)];
  return complex.abs(complex.subtract(one, d)) < complex.abs(complex.subtract(other, d)) ? one : other;
}

export interface SingularValues {
  /** rows × rows */
  readonly u: Matrix;
  /** The largest first. */
  readonly values: readonly number[];
  /** The adjoint of V, columns × columns. */
  readonly vt: Matrix;
}

/** U·diag(values)·Vᴴ of a matrix, from the spectrum of what it is times its own adjoint. */
export function singular(matrix: Matrix): SingularValues {
  if (matrix.rows < matrix.columns) {
    const turned = singular(matrix.adjoint());
    return { u: turned.vt.adjoint(), values: turned.values, vt: turned.u.adjoint() };
  }
  const { vectors } = hermitian(matrix.adjoint().times(matrix));
  const n = matrix.columns;
  const v = new Matrix(n, n, (i, j) => vectors.at(i, n - 1 - j));
  // the columns of A·V are orthogonal, their lengths the singular values
  const scaled = matrix.times(v);
  const lengths = Array.from({ length: n }, (_, j) =>
    Math.hypot(...Array.from({ length: matrix.rows }, (__, i) => scaled.at(i, j)).flat()),
  );
  const { q, r } = qr(scaled);
  const u = new Matrix(matrix.rows, matrix.rows, (i, j) => {
    if (j >= n) return q.at(i, j);
    const size = complex.abs(r.at(j, j));
    return size === 0 ? q.at(i, j) : complex.multiply(q.at(i, j), complex.scale(r.at(j, j), 1 / size));
  });
  return { u, values: lengths, vt: v.adjoint() };
}
