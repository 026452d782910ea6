/**
 * The memory that kernels work in: filled for one operation, forgotten after it.
 *
 * WebAssembly memory only grows, so an arena that an exceptional operation made large is dropped instead of kept.
 */
import { showBytes } from '../../src/evaluate/plan';
import type { ConcreteType } from '../../src/graph/op';
import { elementCount, type Tensor } from '../../src/tensor';
import { type KernelExports, type KernelModule, ROUNDING } from './kernels';

const PAGE = 65536;
/** Kernels keep their few constants in the first page. */
const BASE = PAGE;
const ALIGNMENT = 64;
/** A kernel may read up to a vector beyond the end of an array (never write). */
const SLACK = 16;
/** An arena larger than this is given back after the operation. */
const KEEP = 256 << 20;
/** What 32-bit pointers can reach. */
const REACH = 65535 * PAGE;

export class Arena {
  private memory: WebAssembly.Memory | null = null;
  private exports: KernelExports | null = null;
  private top = BASE;

  /** @param ceiling bytes that an operation may need at most. */
  constructor(
    private readonly module: KernelModule,
    readonly ceiling: number,
  ) {}

  get kernels(): KernelExports {
    return (this.exports ??= this.module.instantiate(this.ensureMemory()));
  }

  /**
   * Runs `work` with an empty arena; what it allocates is gone afterwards.
   * @throws Error naming the need and the ceiling where they do not fit.
   */
  use<T>(work: (arena: Arena) => T): T {
    this.top = BASE;
    try {
      return work(this);
    } finally {
      if (this.memory && this.memory.buffer.byteLength > KEEP) this.memory = this.exports = null;
    }
  }

  /** The address of `bytes` uninitialised bytes. */
  allocate(bytes: number): number {
    const address = this.top;
    const top = Math.ceil((address + bytes + SLACK) / ALIGNMENT) * ALIGNMENT;
    if (top - BASE > this.ceiling || top > REACH)
      throw new Error(
        `it needs more than ${showBytes(top - BASE)} of memory; the limit is ${showBytes(Math.min(this.ceiling, REACH))}`,
      );
    const missing = top - this.ensureMemory().buffer.byteLength;
    if (missing > 0) {
      try {
        this.ensureMemory().grow(Math.ceil(missing / PAGE));
      } catch {
        throw new Error(`the system has no ${showBytes(top)} of memory to give`);
      }
    }
    this.top = top;
    return address;
  }

  /** The address of a copy of `values`. */
  put(values: ArrayBufferView): number {
    const address = this.allocate(values.byteLength);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    new Uint8Array(this.ensureMemory().buffer, address, values.byteLength).set(bytes);
    return address;
  }

  /** `count` floats at `address`: a view that the next allocation may invalidate. */
  floats(address: number, count: number): Float32Array {
    return new Float32Array(this.ensureMemory().buffer, address, count);
  }

  /** The same as 32-bit words. */
  words(address: number, count: number): Uint32Array {
    return new Uint32Array(this.ensureMemory().buffer, address, count);
  }

  /** The same as bytes. */
  bytes(address: number, count: number): Uint8Array {
    return new Uint8Array(this.ensureMemory().buffer, address, count);
  }

  /** The floats at `address` as a tensor of the dtype, which they are rounded to first. */
  take(address: number, { shape, dtype }: ConcreteType): Tensor {
    const count = elementCount(shape);
    this.kernels.roundAll(address, count, ROUNDING[dtype]!);
    return { shape, dtype: dtype as 'float32', data: this.floats(address, count).slice() as Float32Array<ArrayBuffer> };
  }

  private ensureMemory(): WebAssembly.Memory {
    return (this.memory ??= new WebAssembly.Memory({ initial: BASE / PAGE }));
  }
}
