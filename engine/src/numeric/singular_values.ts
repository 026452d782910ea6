/**
 * Singular values of a small real matrix, by one-sided Jacobi rotations: slow for large matrices and right to the last
 * digits for all.
 */

const MOST_SWEEPS = 60;
const TOLERANCE = 1e-15;

/** The singular values of a row-major [rows, columns] matrix, largest first: min(rows, columns) of them. */
export function singularValues(matrix: ArrayLike<number>, rows: number, columns: number): number[] {
  // Columns of the tall one of the matrix and its transpose are turned until they are orthogonal: their lengths are it.
  const tall = rows >= columns;
  const [count, length] = tall ? [columns, rows] : [rows, columns];
  const vectors = Array.from({ length: count }, (_, c) =>
    Float64Array.from({ length }, (__, r) => matrix[tall ? r * columns + c : c * columns + r]),
  );
  for (let sweep = 0, turned = true; turned && sweep < MOST_SWEEPS; sweep++) {
    turned = false;
    for (let i = 0; i < count; i++) for (let j = i + 1; j < count; j++) turned = turn(vectors[i], vectors[j]) || turned;
  }
  return vectors.map(v => Math.sqrt(dot(v, v))).sort((a, b) => b - a);
}

/** Makes two vectors orthogonal by a rotation in their plane. Answers whether they were not. */
function turn(x: Float64Array, y: Float64Array): boolean {
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)];
  if (xy === 0 || Math.abs(xy) <= TOLERANCE * Math.sqrt(xx * yy)) return false;
  const ratio = (yy - xx) / (2 * xy);
  const tangent = Math.sign(ratio || 1) / (Math.abs(ratio) + Math.sqrt(1 + ratio * ratio));
  const cosine = 1 / Math.sqrt(1 + tangent * tangent);
  const sine = cosine * tangent;
  for (let i = 0; i < x.length; i++) {
    const [a, b] = [x[i], y[i]];
    x[i] = cosine * a - sine * b;
    y[i] = sine * a + cosine * b;
  }
  return true;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}
