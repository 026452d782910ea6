/** Matrix products of the WebAssembly backend, plain and fused SIMD, as ratios to the reference kernel in the same run. */
import { WasmBackend } from '../../engine/backends/wasm';
import { enableRelaxedSimd } from '../../engine/backends/wasm/relaxed.node';
import { type Backend, reference } from '../../engine/src/evaluate/backend';
import type { ConcreteType } from '../../engine/src/graph/op';
import { quantize } from '../../engine/src/quantize/quantize';
import { elementCount, type Tensor } from '../../engine/src/tensor';
import '../../engine/src/ops';

const random = (shape: number[], seed: number): Tensor<'float32'> => {
  let s = seed;
  const data = Float32Array.from({ length: elementCount(shape) }, () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 31 - 1;
  });
  return { shape, dtype: 'float32', data };
};

/** The least milliseconds of a few runs. */
async function best(act: () => unknown, runs = 5): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const begun = performance.now();
    await act();
    least = Math.min(least, performance.now() - begun);
  }
  return least;
}

async function main(): Promise<void> {
  enableRelaxedSimd();
  const backends: [string, Backend][] = [
    ['exact', await WasmBackend.create({ arithmetic: 'exact' })],
    ['fast', await WasmBackend.create({ arithmetic: 'fast' })],
  ];
  const f32 = (shape: number[]): ConcreteType => ({ shape, dtype: 'float32' });
  console.log('x @ w, float32              reference     exact (× ref)      fast (× ref)');
  for (const [m, k, n] of [
    [1, 2048, 2048],
    [128, 1024, 1024],
    [512, 512, 512],
  ]) {
    const inputs = [random([m, k], 1), random([k, n], 2)];
    const out = [f32([m, n])];
    const gigaflops = (ms: number) => (2 * m * k * n) / ms / 1e6;
    const base = gigaflops(await best(() => reference.run('matmul', {}, inputs, out), 1));
    const cells: string[] = [];
    for (const [, backend] of backends) {
      const speed = gigaflops(await best(() => backend.run('matmul', {}, inputs, out)));
      cells.push(`${speed.toFixed(1)} GF/s (${(speed / base).toFixed(1)})`.padStart(18));
    }
    console.log(`${`${m}×${k}×${n}`.padEnd(26)} ${base.toFixed(2).padStart(6)} GF/s ${cells.join('')}`);
  }
  const [k, n] = [4096, 4096];
  const x = random([1, k], 3);
  const w = random([n, k], 4);
  const q = quantize(w, { mode: 'affine', bits: 4, groupSize: 64 });
  const attrs = { transpose: true, group_size: 64, bits: 4, mode: 'affine', given: ['biases'] };
  const inputs = [x, q.packed, q.scales, q.biases!];
  for (const [name, backend] of backends) {
    const ms = await best(() => backend.run('quantized_matmul', attrs, inputs, [f32([1, n])]));
    console.log(`4-bit group-64 matvec ${k}²   ${name.padEnd(6)} ${ms.toFixed(2)} ms`);
  }
}

void main();
