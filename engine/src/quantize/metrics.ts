/**
 * How much quantization changes a matrix, in the measures that practitioners compare.
 */

export interface ErrorMetrics {
  /** Frobenius norm of the difference over that of the original; 0 for two zeros, infinite for a zero original. */
  readonly relativeError: number;
  /** Signal to quantization noise, in decibels; infinite where nothing changed. */
  readonly sqnrDb: number;
  /** Cosine of the angle between the two as vectors; 1 where both are zero. */
  readonly cosine: number;
  /** Root of the mean square difference. */
  readonly rmse: number;
  /** Percentiles and the maximum of the absolute differences (nearest rank). */
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

type Floats = Float32Array | Float64Array;

/** Compares `approximation` with `original`, element by element; both have the same length. NaN in either shows in all. */
export function errorMetrics(original: Floats, approximation: Floats): ErrorMetrics {
  let signal = 0;
  let noise = 0;
  let dot = 0;
  let energy = 0;
  const differences = new Float32Array(original.length);
  for (let i = 0; i < original.length; i++) {
    const x = original[i];
    const y = approximation[i];
    const difference = x - y;
    signal += x * x;
    energy += y * y;
    dot += x * y;
    noise += difference * difference;
    differences[i] = Math.abs(difference);
  }
  const [p50, p95, max] = percentiles(differences, [0.5, 0.95, 1]);
  return {
    relativeError: noise === 0 ? 0 : Math.sqrt(noise / signal),
    sqnrDb: noise === 0 ? Infinity : 10 * Math.log10(signal / noise),
    cosine: signal === 0 && energy === 0 ? 1 : dot / Math.sqrt(signal * energy),
    rmse: original.length === 0 ? 0 : Math.sqrt(noise / original.length),
    p50,
    p95,
    max,
  };
}

/**
 * The value at each rank in `fractions` among non-negative floats, exactly, in time proportional to their number: the
 * bits of such floats are ordered as the floats are, so two counting passes over 16 bits each find it. NaN for none.
 */
export function percentiles(values: Float32Array, fractions: readonly number[]): number[] {
  if (values.length === 0) return fractions.map(() => NaN);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const high = new Uint32Array(65536);
  for (let i = 0; i < bits.length; i++) high[bits[i] >>> 16]++;
  return fractions.map(fraction => {
    const rank = Math.max(1, Math.ceil(fraction * values.length));
    const bucket = find(high, rank);
    const low = new Uint32Array(65536);
    for (let i = 0; i < bits.length; i++) if (bits[i] >>> 16 === bucket.index) low[bits[i] & 0xffff]++;
    const word = bucket.index * 65536 + find(low, rank - bucket.before).index;
    return new Float32Array(Uint32Array.of(word).buffer)[0];
  });
}

/** The index at which the running total of counts reaches `rank`, and the total before it. */
function find(counts: Uint32Array, rank: number): { index: number; before: number } {
  let before = 0;
  let index = 0;
  while (before + counts[index] < rank) before += counts[index++];
  return { index, before };
}
