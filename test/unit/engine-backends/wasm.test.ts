/**
 * The WebAssembly backend against the reference kernels: equal bits in exact arithmetic, close ones in fast.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { parity } from '../../../engine/backends/parity';
import { WasmBackend } from '../../../engine/backends/wasm';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import { reference } from '../../../engine/src/evaluate/backend';
import type { Tensor } from '../../../engine/src/tensor';
import { type Case, productCases, quantizeCases, quantizedCases, random, resultTypes } from './cases';

enableRelaxedSimd();

let exact: WasmBackend;
let fast: WasmBackend;
beforeAll(async () => {
  exact = await WasmBackend.create();
  fast = await WasmBackend.create({ arithmetic: 'fast' });
});

const expected = (one: Case) => reference.run(one.op, one.attrs, one.inputs, resultTypes(one)) as readonly Tensor[];
const actual = (backend: WasmBackend, one: Case) => backend.run(one.op, one.attrs, one.inputs, resultTypes(one));

/** Half precision rounds at every step in the reference, once in fast arithmetic. */
const TOLERANCE = { float32: 2e-6, float16: 2e-2, bfloat16: 2e-1 } as Record<string, number>;

describe.each([
  ['products', productCases()],
  ['quantized products', quantizedCases()],
  ['quantization', quantizeCases()],
])('%s', (_, cases) => {
  test('equal the reference bit for bit', () => {
    const declined = cases.filter(one => !exact.supports(one.op, one.attrs, one.inputs));
    for (const one of cases) if (!declined.includes(one)) expect(actual(exact, one), one.name).toEqual(expected(one));
    // what the kernels cannot do exactly: groups across the results
    for (const one of declined)
      expect(one.attrs).toMatchObject({ mode: expect.stringMatching(/fp/), transpose: false });
  });

  test('are close to it in fast arithmetic', () => {
    for (const one of cases) {
      expect(fast.supports(one.op, one.attrs, one.inputs), one.name).toBe(true);
      if (one.op === 'quantize') continue;
      const [a, b] = [expected(one)[0], actual(fast, one)[0]];
      const { absolute, scale } = parity(b, a);
      expect(absolute / Math.max(scale, 1), one.name).toBeLessThan(TOLERANCE[a.dtype]);
    }
  });
});

test('other dtypes and operations are declined', () => {
  const ints = { shape: [2, 2], dtype: 'int32' } as const;
  const doubles = { shape: [2, 2], dtype: 'float64' } as const;
  const complex = { shape: [2, 2], dtype: 'complex64' } as const;
  for (const type of [ints, doubles, complex]) expect(exact.supports('matmul', {}, [type, type])).toBe(false);
  expect(exact.supports('exp', {}, [random('float32', [2], 1)])).toBe(false);
  expect(exact.supports('toString', {}, [])).toBe(false);
});

test('a memory limit is kept', async () => {
  const small = await WasmBackend.create({ memoryLimit: 4 << 20 });
  const x = random('float32', [1024, 1024], 1);
  expect(() => small.run('matmul', {}, [x, x], [x])).toThrow(
    /needs more than [\d.]+ MB of memory; the limit is 4.2 MB/,
  );
});
