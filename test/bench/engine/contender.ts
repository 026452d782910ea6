/** What is measured, the same for every contender: products of float32 matrices, y = x @ w transposed. */

/** [m, k, n] of the products that all contenders compute. */
export const COMPARED = [
  [1, 4096, 4096],
  [128, 4096, 4096],
  [512, 1024, 1024],
] as const;

export type Size = readonly [m: number, k: number, n: number];

export const nameOf = ([m, k, n]: Size): string => `${m}×${k}×${n}`;

/** Numbers between -1 and 1, the same everywhere. */
export function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  let s = seed;
  return Float32Array.from({ length: count }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
}

/** The least milliseconds of some runs after a warm-up. */
export async function best(act: () => unknown, runs: number, warm = 2): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = -warm; i < runs; i++) {
    const begun = performance.now();
    await act();
    if (i >= 0) least = Math.min(least, performance.now() - begun);
  }
  return least;
}

export const runsFor = ([m, k, n]: Size): number => (m * k * n > 1e10 ? 1 : m * k * n > 1e9 ? 4 : 12);

export const gigaflops = ([m, k, n]: Size, milliseconds: number): number => (2 * m * k * n) / milliseconds / 1e6;

/** Prepares a product; what it answers computes it once. */
export type Prepare = (size: Size, x: Float32Array, w: Float32Array) => Promise<() => unknown> | (() => unknown);

/** Measures sizes one after another. @throws Error for a result that is wrong at one of some places */
export async function measure(sizes: readonly Size[], prepare: Prepare): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const size of sizes) {
    const [m, k, n] = size;
    const [x, w] = [numbers(m * k, 1), numbers(n * k, 2)];
    const compute = await prepare(size, x, w);
    const y = (await compute()) as ArrayLike<number> | undefined;
    for (let i = 0; y && i < 50; i++) {
      const [row, column] = [(i * 37) % m, (i * 7919) % n];
      let sum = 0;
      for (let j = 0; j < k; j++) sum += x[row * k + j] * w[column * k + j];
      if (!(Math.abs(sum - y[row * n + column]) < 1e-2))
        throw new Error(`${nameOf(size)} is wrong at ${row}, ${column}`);
    }
    figures[nameOf(size)] = gigaflops(size, await best(compute, runsFor(size), size[0] === 1 ? 6 : 2));
  }
  return figures;
}
