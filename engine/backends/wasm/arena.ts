/**
 * The memory that kernels work in: filled for one operation, forgotten after it.
 *
 * WebAssembly memory only grows, so an arena that an exceptional operation made large is dropped instead of kept.
 */
import { showBytes } from '../../src/evaluate/plan';
import type { ConcreteType } from '../../src/graph/op';
import { elementCount, type Tensor } from '../../src/tensor';
import { type KernelExports, type KernelModule, ROUNDING } from './kernels';
import { type KernelCall, Threads } from './threads';

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
  private threads: Threads | null = null;
  private top = BASE;

  /**
   * @param ceiling bytes that an operation may need at most.
   * @param threadCount threads that share the memory, this one included
   */
  constructor(
    private readonly module: KernelModule,
    readonly ceiling: number,
    private readonly threadCount = 1,
  ) {}

  get kernels(): KernelExports {
    return (this.exports ??= this.module.instantiate(this.ensureMemory()));
  }

  /** Settles when the threads of this memory are there. */
  async started(): Promise<void> {
    this.ensureMemory();
    await this.threads?.started();
  }

  /**
   * Makes calls that `count` units of work fall into: `calls(from, to)` are those for units from .. to, which is a
   * multiple of `step` or the end. They are shared between threads where there are at least `least` units for each.
   */
  inParts(
    count: number,
    step: number,
    least: number,
    calls: (from: number, to: number) => readonly KernelCall[],
  ): void {
    const { kernels } = this;
    const parts = Math.max(1, Math.min(this.threads?.ready ?? 1, Math.floor(count / least)));
    const size = Math.ceil(count / parts / step) * step;
    const shares: (readonly KernelCall[])[] = [];
    for (let from = 0; from < count; from += size) shares.push(calls(from, Math.min(from + size, count)));
    if (this.threads && shares.length > 1) this.threads.run(kernels, shares);
    else for (const [name, ...args] of shares.flat()) (kernels[name] as (...args: number[]) => void)(...args);
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
      if (this.memory && this.memory.buffer.byteLength > KEEP) this.drop();
    }
  }

  /** How much is taken, for `reset`. */
  mark(): number {
    return this.top;
  }

  /** Forgets what was allocated since the mark. */
  reset(mark: number): void {
    this.top = mark;
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
    if (!this.memory) {
      this.memory = this.module.memory(BASE / PAGE);
      if (this.module.shared && this.threadCount > 1)
        this.threads = new Threads(this.module.module, this.memory, this.threadCount);
    }
    return this.memory;
  }

  /** The system gets the memory back; the next operation begins with another. */
  private drop(): void {
    this.threads?.terminate();
    this.memory = this.exports = this.threads = null;
  }
}
