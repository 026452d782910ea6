/**
 * What the WebAssembly backend declines and refuses. Its results are tested by the suite in conformance.test.ts.
 */
import { beforeAll, expect, test } from 'vitest';
import { WasmBackend } from '../../../engine/backends/wasm';
import { random } from './cases';

let exact: WasmBackend;
beforeAll(async () => {
  exact = await WasmBackend.create();
});

test('other dtypes and operations are declined', () => {
  const ints = { shape: [2, 2], dtype: 'int32' } as const;
  const doubles = { shape: [2, 2], dtype: 'float64' } as const;
  const complex = { shape: [2, 2], dtype: 'complex64' } as const;
  for (const type of [ints, doubles, complex]) expect(exact.supports('matmul', {}, [type, type])).toBe(false);
  expect(exact.supports('sort', {}, [random('float32', [2], 1)])).toBe(false);
  expect(exact.supports('toString', {}, [])).toBe(false);
});

test('a memory limit is kept', async () => {
  const small = await WasmBackend.create({ memoryLimit: 4 << 20 });
  const x = random('float32', [1024, 1024], 1);
  expect(() => small.run('matmul', {}, [x, x], [x])).toThrow(
    /needs more than [\d.]+ MB of memory; the limit is 4.2 MB/,
  );
});
