/**
 * The WebGPU backend: matrix products, quantized products and elementwise operations, in float32.
 *
 * A GPU sums in another order and rounds functions its own way, so results agree with the CPU's within the tolerances
 * below, not to the bit; ../parity measures how far apart they are. Half precision is computed in float32 and rounded
 * once. Small work is left to the CPU, where it is done before a GPU has started.
 */
import { Facts } from '../../src/dims/facts';
import type { DType } from '../../src/dtype';
import { type Backend, heldBytes, Unavailable } from '../../src/evaluate/backend';
import { type Attrs, type ConcreteType, opNamed } from '../../src/graph/op';
import { elementCount, type Tensor } from '../../src/tensor';
import { Gpu } from './gpu';
import { GPU_OPS } from './ops';

/** The largest difference that is no error: relative to the largest magnitude of the result, by dtype. */
export const TOLERANCE: Partial<Record<DType, number>> = { float32: 2e-5, float16: 2e-3, bfloat16: 1.6e-2 };

export interface WebGpuOptions {
  /** Bytes that an operation's arrays may take; what the device allows without it. */
  readonly memoryLimit?: number;
  /** Multiplications, or elements, from which on the GPU is worth while. */
  readonly leastWork?: number;
}

const LEAST_WORK = 1 << 18;

export class WebGpuBackend implements Backend {
  readonly name = 'webgpu';

  private constructor(
    private readonly gpu: Gpu,
    private readonly options: WebGpuOptions,
  ) {}

  /** @throws Error where there is no WebGPU or no adapter */
  static async create(options: WebGpuOptions = {}): Promise<WebGpuBackend> {
    return new WebGpuBackend(await Gpu.open(), options);
  }

  supports(op: string, attrs: Attrs, inputs: readonly ConcreteType[]): boolean {
    if (this.gpu.lost || !Object.hasOwn(GPU_OPS, op) || !GPU_OPS[op].supports(attrs, inputs)) return false;
    const out = opNamed(op).infer(new Facts(), inputs, attrs) as ConcreteType;
    const work = GPU_OPS[op].work(attrs, inputs, out);
    if (work === 0 || work < (this.options.leastWork ?? LEAST_WORK)) return false;
    const bytes = [...inputs, out].map(heldBytes);
    const total = bytes.reduce((a, b) => a + b);
    return bytes.every(n => n <= this.gpu.mostBytes) && total <= (this.options.memoryLimit ?? Infinity);
  }

  async run(
    op: string,
    attrs: Attrs,
    inputs: readonly Tensor[],
    out: readonly ConcreteType[],
  ): Promise<readonly Tensor[]> {
    const [type] = out;
    const { dispatches, finish } = GPU_OPS[op];
    try {
      const sent = dispatches(attrs, inputs, type, this.gpu.mostWorkgroups);
      // what `finish` rounds in place is not what the GPU holds
      const keep = type.dtype === 'float32';
      return [finish(await this.gpu.run(sent, elementCount(type.shape), keep), attrs, inputs, type)];
    } catch (reason) {
      throw new Unavailable(reason instanceof Error ? reason.message : String(reason), { cause: reason });
    }
  }

  /** Gives the GPU back; from then on everything is declined. */
  destroy(): void {
    this.gpu.destroy();
  }
}
