/**
 * Dense complex matrices, row by row, and the factorizations of them that LAPACK gives: LU with row exchanges, Cholesky,
 * Householder's QR. Real matrices are those whose imaginary parts are 0; all of it stays real for them.
 */

import type { Complex } from './complex';
import * as complex from './complex';

const ZERO: Complex = [0, 0];

export class Matrix {
  readonly data: Complex[];

  constructor(
    readonly rows: number,
    readonly columns: number,
    value: (row: number, column: number) => Complex = () => ZERO,
  ) {
    this.data = Array.from({ length: rows * columns }, (_, i) => value(Math.floor(i / columns), i % columns));
  }

  static identity(rows: number, columns = rows): Matrix {
    return new Matrix(rows, columns, (i, j) => (i === j ? complex.ONE : ZERO));
  }

  at(row: number, column: number): Complex {
    return this.data[row * this.columns + column];
  }

  set(row: number, column: number, value: Complex): void {
    this.data[row * this.columns + column] = value;
  }

  copy(): Matrix {
    return new Matrix(this.rows, this.columns, (i, j) => this.at(i, j));
  }

  /** The conjugate transpose. */
  adjoint(): Matrix {
    return new Matrix(this.columns, this.rows, (i, j) => conjugate(this.at(j, i)));
  }

  times(other: Matrix): Matrix {
    return new Matrix(this.rows, other.columns, (i, j) => {
      let total = ZERO;
      for (let k = 0; k < this.columns; k++)
        total = complex.add(total, complex.multiply(this.at(i, k), other.at(k, j)));
      return total;
    });
  }

  swapRows(a: number, b: number): void {
    for (let j = 0; j < this.columns; j++) {
      const kept = this.at(a, j);
      this.set(a, j, this.at(b, j));
      this.set(b, j, kept);
    }
  }
}

export const conjugate = ([re, im]: Complex): Complex => [re, -im];

// ---- LU -------------------------------------------------------------------------------------------------------------

export interface Lu {
  /** L below the diagonal, whose own is of ones, and U. */
  readonly packed: Matrix;
  /** Row `i` was exchanged with row `exchanged[i]`, one after the other. */
  readonly exchanged: readonly number[];
  /** 1, or -1 after an odd number of exchanges. */
  readonly sign: number;
}

export function lu(matrix: Matrix): Lu {
  const m = matrix.copy();
  const exchanged: number[] = [];
  let sign = 1;
  for (let k = 0; k < Math.min(m.rows, m.columns); k++) {
    let pivot = k;
    for (let i = k + 1; i < m.rows; i++) if (complex.abs(m.at(i, k)) > complex.abs(m.at(pivot, k))) pivot = i;
    exchanged.push(pivot);
    if (pivot !== k) {
      m.swapRows(k, pivot);
      sign = -sign;
    }
    if (complex.abs(m.at(k, k)) === 0) continue;
    for (let i = k + 1; i < m.rows; i++) {
      const factor = complex.divide(m.at(i, k), m.at(k, k));
      m.set(i, k, factor);
      for (let j = k + 1; j < m.columns; j++)
        m.set(i, j, complex.subtract(m.at(i, j), complex.multiply(factor, m.at(k, j))));
    }
  }
  return { packed: m, exchanged, sign };
}

/** The order that rows end up in. */
export function rowOrder({ packed, exchanged }: Lu): number[] {
  const order = Array.from({ length: packed.rows }, (_, i) => i);
  for (const [i, other] of exchanged.entries()) [order[i], order[other]] = [order[other], order[i]];
  return order;
}

export function determinant(matrix: Matrix): Complex {
  const { packed, sign } = lu(matrix);
  let product: Complex = [sign, 0];
  for (let i = 0; i < packed.rows; i++) product = complex.multiply(product, packed.at(i, i));
  return product;
}

// ---- triangles --------------------------------------------------------------------------------------------------------

/** X of T·X = B, reading the lower or upper triangle of T alone; `unit` takes its diagonal for ones. */
export function solveTriangle(t: Matrix, b: Matrix, upper: boolean, unit = false): Matrix {
  const x = b.copy();
  const n = t.rows;
  for (let step = 0; step < n; step++) {
    const i = upper ? n - 1 - step : step;
    for (let j = 0; j < x.columns; j++) {
      let value = x.at(i, j);
      for (let k = upper ? i + 1 : 0; k < (upper ? n : i); k++)
        value = complex.subtract(value, complex.multiply(t.at(i, k), x.at(k, j)));
      x.set(i, j, unit ? value : complex.divide(value, t.at(i, i)));
    }
  }
  return x;
}

/** X of A·X = B. */
export function solve(a: Matrix, b: Matrix): Matrix {
  const factors = lu(a);
  const order = rowOrder(factors);
  const permuted = new Matrix(b.rows, b.columns, (i, j) => b.at(order[i], j));
  return solveTriangle(factors.packed, solveTriangle(factors.packed, permuted, false, true), true);
}

/** L with L·Lᴴ the matrix, of which the lower triangle alone is read. */
export function cholesky(matrix: Matrix): Matrix {
  const n = matrix.rows;
  const l = new Matrix(n, n);
  for (let j = 0; j < n; j++)
    for (let i = j; i < n; i++) {
      let value = matrix.at(i, j);
      for (let k = 0; k < j; k++) value = complex.subtract(value, complex.multiply(l.at(i, k), conjugate(l.at(j, k))));
      l.set(i, j, i === j ? [Math.sqrt(value[0]), 0] : complex.divide(value, l.at(j, j)));
    }
  return l;
}

// ---- QR ---------------------------------------------------------------------------------------------------------------

/** Q (rows × rows) and R of a matrix, with the signs that Householder's reflections give them in LAPACK. */
export function qr(matrix: Matrix): { q: Matrix; r: Matrix } {
  const r = matrix.copy();
  const q = Matrix.identity(matrix.rows);
  for (let k = 0; k < Math.min(r.rows, r.columns); k++) {
    const column = Array.from({ length: r.rows - k }, (_, i) => r.at(k + i, k));
    if (column.slice(1).every(z => z[0] === 0 && z[1] === 0) && column[0][1] === 0) continue;
    const length = Math.hypot(...column.flat());
    const beta = column[0][0] < 0 ? length : -length;
    // the reflection I - τ·v·vᴴ with v = 1 in its first place
    const tau: Complex = [(beta - column[0][0]) / beta, -column[0][1] / beta];
    const first = complex.subtract(column[0], [beta, 0]);
    const v = column.map((z, i) => (i === 0 ? complex.ONE : complex.divide(z, first)));
    reflectRows(r, k, v, conjugate(tau));
    reflectColumns(q, k, v, tau);
  }
  return { q, r };
}

/** (I - τ·v·vᴴ)·M on the rows from `k`. */
function reflectRows(m: Matrix, k: number, v: readonly Complex[], tau: Complex): void {
  for (let j = 0; j < m.columns; j++) {
    let dot = ZERO;
    for (const [i, z] of v.entries()) dot = complex.add(dot, complex.multiply(conjugate(z), m.at(k + i, j)));
    const factor = complex.multiply(tau, dot);
    for (const [i, z] of v.entries()) m.set(k + i, j, complex.subtract(m.at(k + i, j), complex.multiply(factor, z)));
  }
}

/** M·(I - τ·v·vᴴ) on the columns from `k`. */
function reflectColumns(m: Matrix, k: number, v: readonly Complex[], tau: Complex): void {
  for (let i = 0; i < m.rows; i++) {
    let dot = ZERO;
    for (const [j, z] of v.entries()) dot = complex.add(dot, complex.multiply(m.at(i, k + j), z));
    const factor = complex.multiply(tau, dot);
    for (const [j, z] of v.entries())
      m.set(i, k + j, complex.subtract(m.at(i, k + j), complex.multiply(factor, conjugate(z))));
  }
}
