/**
 * The exact build of the kernels against plain products, bit for bit, at sizes around every edge of the tiling.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../../../engine/backends/wasm/arena';
import { type Arithmetic, hasRelaxedSimd, KernelModule } from '../../../engine/backends/wasm/kernels';
import { multiply, type Weights } from '../../../engine/backends/wasm/multiply';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import type { DType } from '../../../engine/src/dtype';
import { rounder } from '../../../engine/src/numeric/round';
import { scaleValue } from '../../../engine/src/quantize/microscaling';
import { quantizedMatrix, quantizedProduct } from '../../../engine/src/quantize/product';
import { quantize } from '../../../engine/src/quantize/quantize';
import { affineValues, codeValues, fround, groupedProduct, product, randomCodes, transposed, values } from './products';

enableRelaxedSimd();

const arenas = {} as Record<Arithmetic, Arena>;
beforeAll(async () => {
  for (const arithmetic of ['exact', 'fast'] as const)
    arenas[arithmetic] = new Arena(await KernelModule.load(arithmetic), 1 << 28);
});

function run(arithmetic: Arithmetic, m: number, k: number, n: number, x: Float32Array, w: Weights, dtype?: DType) {
  return multiply(arenas[arithmetic], { m, k, n }, x, w, dtype);
}

/** The largest difference, relative to the largest value: sums near 0 have cancelled. */
function distance(a: Float32Array, b: Float32Array): number {
  const size = b.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
  return a.reduce((worst, v, i) => Math.max(worst, Math.abs(v - b[i])), 0) / size;
}

/** Checks one product in both builds. */
function check(m: number, k: number, n: number, x: Float32Array, w: Weights, expected: Float32Array): void {
  expect(run('exact', m, k, n, x, w)).toEqual(expected);
  expect(distance(run('fast', m, k, n, x, w), expected)).toBeLessThan(1e-5);
}

const SIZES = [
  [1, 1, 1],
  [1, 64, 8],
  [1, 77, 13],
  [1, 300, 4100],
  [2, 5, 33],
  [3, 300, 50],
  [4, 8, 8],
  [5, 257, 33],
  [7, 513, 260],
  [61, 100, 133],
  [1030, 9, 11],
];

describe('dense', () => {
  test('the machine has both builds', () => expect(hasRelaxedSimd()).toBe(true));

  test.each(SIZES)('%i x %i x %i', (m, k, n) => {
    const x = values(m * k, 1);
    const w = values(k * n, 2);
    const expected = product(x, w, m, k, n);
    check(m, k, n, x, { kind: 'dense', rows: false, data: w }, expected);
    check(m, k, n, x, { kind: 'dense', rows: true, data: transposed(w, k, n) }, expected);
  });

  test('an empty sum is 0', () => {
    const w: Weights = { kind: 'dense', rows: true, data: new Float32Array(0) };
    expect(run('exact', 5, 0, 3, new Float32Array(0), w)).toEqual(new Float32Array(15));
  });

  test('infinities and NaN stay in their row and column', () => {
    const x = Float32Array.of(1, Infinity, 2, 1, NaN, 1, 0, 0, 0, 0);
    const w = values(2 * 9, 4);
    const y = run('exact', 5, 2, 9, x, { kind: 'dense', rows: false, data: w });
    expect(y).toEqual(product(x, w, 5, 2, 9));
  });
});

const PACKED_SIZES = [
  [1, 128, 8],
  [1, 384, 70],
  [2, 256, 33],
  [3, 128, 1],
  [5, 640, 45],
  [33, 128, 264],
];

describe.each([1, 2, 3, 4, 5, 6, 8])('affine, %i bits', bits => {
  test.each([16, 32, 64, 128])('groups of %i', groupSize => {
    for (const [m, k, n] of PACKED_SIZES) {
      const x = values(m * k, 1);
      const w = randomCodes(n * k, groupSize, bits, 7);
      const plain = affineValues(w, n * k);
      check(m, k, n, x, { kind: 'affine', rows: true, ...w }, product(x, transposed(plain, n, k), m, k, n));
    }
  });

  test('packed along the columns', () => {
    for (const [m, k, n] of [
      [1, 77, 128],
      [3, 300, 192],
      [6, 129, 320],
    ]) {
      const x = values(m * k, 1);
      const w = randomCodes(k * n, 64, bits, 9);
      check(m, k, n, x, { kind: 'affine', rows: false, ...w }, product(x, affineValues(w, k * n), m, k, n));
    }
  });
});

describe.each([
  ['mxfp4', 32, 4],
  ['mxfp8', 32, 8],
  ['nvfp4', 16, 4],
])('%s', (_, groupSize, bits) => {
  /** Codes without NaN, which would hide everything else. */
  const codes = (count: number) => {
    const w = randomCodes(count, groupSize, bits, 5);
    return bits === 8 ? { ...w, codes: w.codes.map(word => word & 0xbfbfbfbf) } : w;
  };

  test('sums by group', () => {
    for (const [m, k, n] of PACKED_SIZES) {
      const x = values(m * k, 1);
      const w = codes(n * k);
      const y = run('exact', m, k, n, x, { kind: 'microscaled', rows: true, ...w });
      expect(y).toEqual(groupedProduct(x, w, m, k, n));
      const fast = run('fast', m, k, n, x, { kind: 'microscaled', rows: true, ...w });
      expect(distance(fast, y)).toBeLessThan(1e-5);
    }
  });

  test('packed along the columns', () => {
    const [m, k, n] = [5, 130, 96];
    const x = values(m * k, 1);
    const w = codes(k * n);
    const scaled = codeValues(w, k * n).map((v, i) => fround(v * w.scales[Math.floor(i / groupSize)]));
    const y = run('exact', m, k, n, x, { kind: 'microscaled', rows: false, ...w });
    expect(y).toEqual(product(x, scaled, m, k, n));
  });

  test('every code has its value', () => {
    const count = bits === 4 ? 512 : 256;
    const w = { ...randomCodes(count, groupSize, bits, 5), scales: new Float32Array(count / groupSize).fill(1) };
    new Uint8Array(w.codes.buffer).set(Array.from({ length: 256 }, (_, i) => i));
    const y = run('exact', 1, 1, count, Float32Array.of(1), { kind: 'microscaled', rows: false, ...w });
    expect(y).toEqual(product(Float32Array.of(1), codeValues(w, count), 1, 1, count));
  });
});

describe.each(['float16', 'bfloat16'] as const)('every step rounded to %s', dtype => {
  const round = rounder(dtype);
  const rounded = (a: Float32Array, scale = 1) => a.map(v => round(v * scale));
  const QUANTIZED = [
    ['affine', 64, 4],
    ['affine', 32, 3],
    ['affine', 128, 8],
    ['mxfp4', 32, 4],
    ['mxfp8', 32, 8],
    ['nvfp4', 16, 4],
  ] as const;

  test.each(QUANTIZED)('%s, groups of %i, %i bits', (mode, groupSize, bits) => {
    for (const [m, k, n] of PACKED_SIZES) {
      const x = rounded(values(m * k, 1), 3);
      const w = quantize({ shape: [n, k], dtype, data: rounded(values(n * k, 2)) }, { mode, bits, groupSize });
      const expected = new Float32Array(m * n);
      const biases = w.biases?.data as Float32Array<ArrayBuffer> | undefined;
      const stored = w.scales.data as Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;
      const quantization = { mode, bits, groupSize };
      const matrix = quantizedMatrix(w.packed.data, stored, biases, n, k, quantization, 0);
      quantizedProduct(x, m, matrix, quantization, true, dtype, expected, 0);
      const codes = w.packed.data;
      const y =
        mode === 'affine'
          ? run(
              'exact',
              m,
              k,
              n,
              x,
              { kind: 'affine', rows: true, codes, scales: stored as Float32Array, biases: biases!, groupSize, bits },
              dtype,
            )
          : run(
              'exact',
              m,
              k,
              n,
              x,
              {
                kind: 'microscaled',
                rows: true,
                codes,
                scales: Float32Array.from(stored, code => scaleValue(code, mode, dtype)),
                groupSize,
                bits,
              },
              dtype,
            );
      expect(y).toEqual(expected);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 8])('%i bits packed along the columns', bits => {
    const [m, k, n] = [3, 130, 192];
    const quantization = { mode: 'affine', bits, groupSize: 64 } as const;
    const x = rounded(values(m * k, 1));
    const w = quantize({ shape: [k, n], dtype, data: rounded(values(k * n, 2)) }, quantization);
    const scales = w.scales.data as Float32Array<ArrayBuffer>;
    const biases = w.biases!.data as Float32Array<ArrayBuffer>;
    const expected = new Float32Array(m * n);
    const matrix = quantizedMatrix(w.packed.data, scales, biases, k, n, quantization, 0);
    quantizedProduct(x, m, matrix, quantization, false, dtype, expected, 0);
    const weights = { kind: 'affine', rows: false, codes: w.packed.data, scales, biases, groupSize: 64, bits } as const;
    expect(run('exact', m, k, n, x, weights, dtype)).toEqual(expected);
  });

  test('from the smallest values to infinity', () => {
    // x @ I-like codes: one code a column, so that a product is one rounding of x * code
    const sizes = [
      2 ** -26,
      2 ** -25,
      3 * 2 ** -26,
      2 ** -24,
      2 ** -14,
      6.1e-5,
      0.1,
      1,
      65504,
      65519.9,
      65520,
      1e38,
      Infinity,
      -Infinity,
      NaN,
    ];
    const x = Float32Array.from(sizes.flatMap(v => [v, -v]));
    const w = { ...randomCodes(32, 32, 4, 1), codes: new Uint32Array(4).fill(0x22222222), scales: Float32Array.of(1) };
    const y = run('exact', x.length, 1, 32, x, { kind: 'microscaled', rows: false, ...w }, dtype);
    expect(Float32Array.from(x, (_, i) => y[i * 32])).toEqual(Float32Array.from(x, v => round(0 + round(v))));
  });
});

describe('memory', () => {
  test('a product beyond the ceiling is refused with both figures', async () => {
    const small = new Arena(await KernelModule.load('exact'), 8 << 20);
    const w: Weights = { kind: 'dense', rows: true, data: new Float32Array(3 << 20) };
    expect(() => multiply(small, { m: 1, k: 3 << 10, n: 1 << 10 }, new Float32Array(3 << 10), w)).toThrow(
      /needs more than 12.6 MB of memory; the limit is 8.4 MB/,
    );
    // and the arena is good for the next one
    const tiny = { ...w, data: new Float32Array(4) };
    expect(multiply(small, { m: 1, k: 2, n: 2 }, new Float32Array(2), tiny)).toEqual(new Float32Array(2));
  });
});
