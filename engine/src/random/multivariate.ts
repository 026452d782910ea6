/**
 * The multivariate normal distribution: standard normal vectors times a square root of the covariance.
 *
 * MLX takes the root from a singular value decomposition, U √S Vᵀ, which is the same whatever the signs and the order
 * of the singular vectors. So a Jacobi decomposition of our own gives MLX's numbers, but for the last bits.
 */

import { cast } from '../numeric/cast';
import { fround } from '../numeric/float';
import { expandTo } from '../ops/expand';
import { elementCount, type Tensor } from '../tensor';
import { normal } from './distributions';
import type { Key } from './threefry';

/** `shape` is that of the result: the batch, then n; mean [..., n] and cov [..., n, n] broadcast to it. */
export function multivariateNormal(key: Key, shape: readonly number[], mean: Tensor, cov: Tensor): Tensor<'float32'> {
  const n = shape[shape.length - 1];
  const samples = normal(key, shape).data as Float32Array;
  const covariance = cast(cov, 'float32');
  const roots = new Float32Array(covariance.data.length);
  for (let i = 0; i < roots.length; i += n * n) roots.set(squareRoot(covariance.data.subarray(i, i + n * n), n), i);
  const factor = expandTo({ ...covariance, data: roots }, [...shape.slice(0, -1), n, n]).data as Float32Array;
  const center = expandTo(cast(mean, 'float32'), shape).data as Float32Array;
  const data = new Float32Array(elementCount(shape));
  for (let i = 0; i < data.length; i++) {
    const row = Math.floor(i / n) * n;
    let sum = 0;
    for (let k = 0; k < n; k++) sum = fround(sum + fround(samples[row + k] * factor[(row + k) * n + (i % n)]));
    data[i] = fround(center[i] + sum);
  }
  return { shape, dtype: 'float32', data };
}

const MOST_SWEEPS = 60;

/**
 * U √S Vᵀ of the n × n matrix `a`, by one-sided Jacobi rotations: columns of a·V are made orthogonal, and are then U S.
 */
export function squareRoot(a: Float32Array, n: number): Float64Array {
  const us = Float64Array.from(a);
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < MOST_SWEEPS && !orthogonal(us, v, n); sweep++);
  const out = new Float64Array(n * n);
  for (let k = 0; k < n; k++) {
    let norm = 0;
    for (let i = 0; i < n; i++) norm += us[i * n + k] ** 2;
    if (norm === 0) continue;
    const scale = norm ** -0.25; // us / s · √s, with s the norm of the column
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) out[i * n + j] += us[i * n + k] * scale * v[j * n + k];
  }
  return out;
}

/** One sweep over all pairs of columns; answers whether none needed turning. */
function orthogonal(us: Float64Array, v: Float64Array, n: number): boolean {
  let done = true;
  for (let p = 0; p < n; p++)
    for (let q = p + 1; q < n; q++) {
      let [alpha, beta, gamma] = [0, 0, 0];
      for (let i = 0; i < n; i++) {
        const [x, y] = [us[i * n + p], us[i * n + q]];
        alpha += x * x;
        beta += y * y;
        gamma += x * y;
      }
      if (Math.abs(gamma) <= 1e-15 * Math.sqrt(alpha * beta)) continue;
      done = false;
      const zeta = (beta - alpha) / (2 * gamma);
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      for (const matrix of [us, v])
        for (let i = 0; i < n; i++) {
          const [x, y] = [matrix[i * n + p], matrix[i * n + q]];
          matrix[i * n + p] = cosine * (x - tangent * y);
          matrix[i * n + q] = cosine * (y + tangent * x);
        }
    }
  return done;
}
