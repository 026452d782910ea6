/**
 * The discrete Fourier transform of one line of complex numbers, of any length.
 *
 * A length is split by its smallest prime factor; primes are summed plainly.
 */

/** The transform of interleaved complex numbers, not scaled. */
export function transformLine(line: Float64Array, inverse: boolean): Float64Array {
  const n = line.length / 2;
  return split(line, n, 1, 0, roots(n, inverse), 1);
}

/** The n-th roots of unity: powers of exp(∓2πi / n). */
function roots(n: number, inverse: boolean): Float64Array {
  const result = new Float64Array(2 * n);
  const step = ((inverse ? 2 : -2) * Math.PI) / n;
  for (let i = 0; i < n; i++) {
    result[2 * i] = Math.cos(step * i);
    result[2 * i + 1] = Math.sin(step * i);
  }
  return result;
}

/** The transform of the n numbers from `start`, `stride` apart; `scale` takes the roots of the whole to those of n. */
function split(
  line: Float64Array,
  n: number,
  stride: number,
  start: number,
  unity: Float64Array,
  scale: number,
): Float64Array {
  if (n === 1) return line.slice(2 * start, 2 * start + 2);
  const factor = smallestFactor(n);
  const length = n / factor;
  const parts = Array.from({ length: factor }, (_, i) =>
    split(line, length, stride * factor, start + i * stride, unity, scale * factor),
  );
  const result = new Float64Array(2 * n);
  const whole = unity.length / 2;
  for (let k = 0; k < n; k++)
    for (let i = 0; i < factor; i++) {
      const root = 2 * ((i * k * scale) % whole);
      const at = 2 * (k % length);
      result[2 * k] += parts[i][at] * unity[root] - parts[i][at + 1] * unity[root + 1];
      result[2 * k + 1] += parts[i][at] * unity[root + 1] + parts[i][at + 1] * unity[root];
    }
  return result;
}

function smallestFactor(n: number): number {
  for (let p = 2; p * p <= n; p++) if (n % p === 0) return p;
  return n;
}
