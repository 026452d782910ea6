/**
 * Kernels shared between threads give the bits that one thread gives.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WasmBackend } from '../../../engine/backends/wasm';
import { Arena } from '../../../engine/backends/wasm/arena';
import { KernelModule } from '../../../engine/backends/wasm/kernels';
import { threadsAvailable, useThreads } from '../../../engine/backends/wasm/threads';
import { enableThreads } from '../../../engine/backends/wasm/threads.node';
import type { Backend } from '../../../engine/src/evaluate/backend';
import type { Attrs } from '../../../engine/src/graph/op';
import { quantize } from '../../../engine/src/quantize/quantize';
import { type Tensor, tensor } from '../../../engine/src/tensor';
import { random, resultTypes } from './cases';

let alone: Backend;
let together: Backend;
beforeAll(async () => {
  enableThreads(3);
  alone = await WasmBackend.create({ threads: 1 });
  together = await WasmBackend.create();
});
afterAll(() =>
  useThreads(() => {
    throw new Error('no more threads');
  }, 1),
);

const quantized = (dtype: 'float32' | 'float16', rows: number) => {
  const w = quantize(random(dtype, [512, 1024], 2), { mode: 'affine', bits: 4, groupSize: 64 });
  return [random(dtype, [rows, 1024], 1), w.packed, w.scales, w.biases!];
};
const QUANTIZED = { mode: 'affine', bits: 4, group_size: 64, transpose: true, given: ['biases'] };
const DRAW = { shape: [301, 999], dtype: 'float32', given: ['key'] };
const key = tensor('uint32', [2], Uint32Array.of(1, 2));

test.each<[op: string, attrs: Attrs, inputs: () => Tensor[]]>([
  ['matmul', {}, () => [random('float32', [131, 700], 1), random('float32', [700, 515], 2)]],
  ['matmul_transposed', {}, () => [random('float32', [131, 700], 1), random('float32', [515, 700], 2)]],
  ['matmul_transposed', {}, () => [random('float32', [1, 1024], 1), random('float32', [4100, 1024], 2)]],
  ['matmul_transposed', {}, () => [random('float32', [5, 1024], 1), random('float32', [1030, 1024], 2)]],
  ['quantized_matmul', QUANTIZED, () => quantized('float32', 1)],
  ['quantized_matmul', QUANTIZED, () => quantized('float32', 40)],
  ['quantized_matmul', QUANTIZED, () => quantized('float16', 40)],
  ['random.uniform', DRAW, () => [tensor('float32', []), random('float32', [], 3), key]],
  ['random.normal', DRAW, () => [key]],
  ['random.bits', { ...DRAW, width: 4 }, () => [key]],
])('%s %#', async (op, attrs, inputs) => {
  const given = inputs();
  const types = resultTypes({ name: op, op, attrs, inputs: given });
  const [one] = await alone.run(op, attrs, given, types);
  const [several] = await together.run(op, attrs, given, types);
  expect(several).toEqual(one);
});

test('threads share what is large enough for them', async () => {
  expect(threadsAvailable()).toBe(3);
  const arena = new Arena(await KernelModule.load('exact', true), 1 << 28, 3);
  await arena.started();
  const parts: number[][] = [];
  const note = (from: number, to: number) => {
    parts.push([from, to]);
    return [];
  };
  arena.inParts(100, 4, 10, note);
  arena.inParts(100, 4, 60, note);
  expect(parts).toEqual([
    [0, 36],
    [36, 72],
    [72, 100],
    [0, 100],
  ]);
});
