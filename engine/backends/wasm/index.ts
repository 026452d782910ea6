/**
 * The WebAssembly backend: the products and the quantization that a model spends its time in, on the CPU, on as
 * many threads as can share memory.
 *
 * Arithmetic is `exact` unless asked otherwise: results are those of MLX's CPU build to the last bit, whatever their
 * size, because what is shown as a number should be MLX's number. `fast` is for what only compares (sweeps over
 * quantization settings, sensitivity): it fuses multiply and add, keeps running sums of half-precision quantized
 * products in float32 as MLX does on a GPU, and takes about two thirds of the time, in half precision a fraction.
 */
import type { Backend } from '../../src/evaluate/backend';
import type { Attrs, ConcreteType } from '../../src/graph/op';
import type { Tensor } from '../../src/tensor';
import { Arena } from './arena';
import { ELEMENTWISE_OPS } from './chain';
import { type Arithmetic, KernelModule } from './kernels';
import { PRODUCT_OPS } from './matmul';
import type { Engine, WasmOp } from './op';
import { gatherQmm, quantize, quantizedMatmul } from './quantized';
import { bits, normal, uniform } from './random';
import { ROW_OPS } from './rows';
import { threadsAvailable } from './threads';

export type { Arithmetic } from './kernels';

const OPS: Readonly<Record<string, WasmOp>> = {
  ...PRODUCT_OPS,
  ...ELEMENTWISE_OPS,
  ...ROW_OPS,
  quantize,
  quantized_matmul: quantizedMatmul,
  gather_qmm: gatherQmm,
  'random.bits': bits,
  'random.uniform': uniform,
  'random.normal': normal,
};

/** The operations that have a kernel here, for some dtypes at least. */
export const WASM_OPS: ReadonlySet<string> = new Set(Object.keys(OPS));

export interface WasmOptions {
  readonly arithmetic?: Arithmetic;
  /** Bytes that an operation may take at most; 1 GiB without it. */
  readonly memoryLimit?: number;
  /** Threads that compute together, this one included; as many as the machine has cores where threads are to be had. */
  readonly threads?: number;
}

const DEFAULT_LIMIT = 1 << 30;

export class WasmBackend implements Backend {
  readonly name = 'wasm';
  private readonly engine: Engine;

  private constructor(arena: Arena, wanted: Arithmetic) {
    // without relaxed SIMD `fast` still saves the rounding of half precision
    this.engine = { arena, arithmetic: wanted };
  }

  /** @throws Error where the JavaScript engine lacks WebAssembly SIMD; everything then runs in `reference`. */
  static async create(options: WasmOptions = {}): Promise<WasmBackend> {
    const { arithmetic = 'exact', memoryLimit = DEFAULT_LIMIT, threads = threadsAvailable() } = options;
    const arena = new Arena(await KernelModule.load(arithmetic, threads > 1), memoryLimit, threads);
    await arena.started();
    return new WasmBackend(arena, arithmetic);
  }

  supports(op: string, attrs: Attrs, inputs: readonly ConcreteType[]): boolean {
    return Object.hasOwn(OPS, op) && OPS[op].supports(attrs, inputs, this.engine.arithmetic);
  }

  run(op: string, attrs: Attrs, inputs: readonly Tensor[], out: readonly ConcreteType[]): readonly Tensor[] {
    return OPS[op].run(this.engine, inputs, attrs, out);
  }
}
