/** Our kernels, with arrays where they compute, as the other libraries have theirs. */
import { WasmBackend } from '../../../engine/backends/wasm';
import { Arena } from '../../../engine/backends/wasm/arena';
import { type Arithmetic, KernelModule } from '../../../engine/backends/wasm/kernels';
import { multiplyPlaced, placeDense } from '../../../engine/backends/wasm/multiply';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import { enableThreads } from '../../../engine/backends/wasm/threads.node';
import type { Attrs, ConcreteType } from '../../../engine/src/graph/op';
import { QUANTIZATION_MODES, type QuantizationMode } from '../../../engine/src/quantize/modes';
import { quantize } from '../../../engine/src/quantize/quantize';
import type { Tensor } from '../../../engine/src/tensor';
import { best, measure, numbers, type Size } from './contender';
import '../../../engine/src/ops';

enableRelaxedSimd();

/** Products of one arithmetic on so many threads. */
export async function own(sizes: readonly Size[], arithmetic: Arithmetic, threads = 1) {
  if (threads > 1) enableThreads(threads);
  const module = await KernelModule.load(arithmetic, threads > 1);
  return measure(sizes, async ([m, k, n], x, w) => {
    const arena = new Arena(module, 2 ** 31, threads);
    await arena.started();
    const [xAt, wAt, yAt] = [arena.put(x), arena.put(w), arena.allocate(m * n * 4)];
    const weights = placeDense(wAt, k, true);
    const after = arena.mark();
    return () => {
      arena.reset(after);
      multiplyPlaced(arena, { m, k, n }, xAt, yAt, weights, 0);
      return arena.floats(yAt, m * n);
    };
  });
}

/** Milliseconds of quantized products and of quantization, whole operations with their copies. */
export async function quantization(arithmetic: Arithmetic): Promise<Record<string, number>> {
  const backend = await WasmBackend.create({ arithmetic, threads: 1 });
  const square = (n: number): Tensor => ({ shape: [n, n], dtype: 'float32', data: numbers(n * n, 1) });
  const w = square(4096);
  const q = quantize(w, { mode: 'affine', bits: 4, groupSize: 64 });
  const attrs: Attrs = { transpose: true, group_size: 64, bits: 4, mode: 'affine', given: ['biases'] };
  const x: Tensor = { shape: [1, 4096], dtype: 'float32', data: numbers(4096, 2) };
  const out: ConcreteType[] = [{ shape: [1, 4096], dtype: 'float32' }];
  const figures: Record<string, number> = {
    'matvec 4096², 4 bits': await best(
      () => backend.run('quantized_matmul', attrs, [x, q.packed, q.scales, q.biases!], out),
      12,
    ),
  };
  const small = square(2048);
  for (const mode of Object.keys(QUANTIZATION_MODES) as QuantizationMode[]) {
    const bits = mode === 'mxfp8' ? 8 : 4;
    const groupSize = mode === 'affine' ? 64 : mode === 'nvfp4' ? 16 : 32;
    const types = [
      { shape: [2048, (2048 * bits) / 32], dtype: 'uint32' },
      ...Array(mode === 'affine' ? 2 : 1).fill({
        shape: [2048, 2048 / groupSize],
        dtype: mode === 'affine' ? 'float32' : 'uint8',
      }),
    ] as ConcreteType[];
    const given = { mode, bits, group_size: groupSize };
    const run = () =>
      backend.supports('quantize', given, [small])
        ? backend.run('quantize', given, [small], types)
        : quantize(small, { mode, bits, groupSize });
    figures[`quantize 2048², ${mode}`] = await best(run, 4, 1);
  }
  return figures;
}
