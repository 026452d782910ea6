/**
 * GPU memory: buffers that are used again, and arrays that are already there.
 *
 * Uploading is what small and middling operations spend their time on, so the buffers of recent inputs and results stay
 * with the arrays they hold until room is needed. Tensors never change once made, which is what makes this right.
 */
import type { TensorData } from '../../src/tensor';

export class Buffers {
  /** Free storage buffers by size. */
  private readonly free = new Map<number, GPUBuffer[]>();
  /** The least recently used first. */
  private readonly residents = new Map<GPUBuffer, WeakRef<TensorData>>();
  private readonly bufferOf = new WeakMap<TensorData, GPUBuffer>();
  private readonly pinned = new Set<GPUBuffer>();
  private bytes = 0;

  /**
   * @param budget bytes to keep allocated when nothing runs
   * @param largest bytes that one buffer may have
   */
  constructor(
    private readonly device: GPUDevice,
    private readonly budget: number,
    private readonly largest: number,
  ) {}

  /** A storage buffer of at least `bytes`, not to be taken away before `unpin`. */
  acquire(bytes: number): GPUBuffer {
    const size = Math.min(roundSize(bytes), this.largest);
    let buffer = this.free.get(size)?.pop();
    if (!buffer) {
      const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
      buffer = this.device.createBuffer({ size, usage: STORAGE | COPY_SRC | COPY_DST });
      this.bytes += size;
    }
    this.pinned.add(buffer);
    return buffer;
  }

  /** The buffer that holds `data`, uploaded if it is not there. */
  hold(data: TensorData): GPUBuffer {
    const known = this.bufferOf.get(data);
    if (known) {
      this.pinned.add(known);
      const resident = this.residents.get(known)!;
      this.residents.delete(known);
      this.residents.set(known, resident);
      return known;
    }
    const buffer = this.acquire(data.byteLength);
    this.device.queue.writeBuffer(buffer, 0, data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
    this.keep(buffer, data);
    return buffer;
  }

  /** From now on `buffer` holds `data`. */
  keep(buffer: GPUBuffer, data: TensorData): void {
    this.residents.set(buffer, new WeakRef(data));
    this.bufferOf.set(data, buffer);
  }

  /** An operation is over: its buffers may be taken for others, those beyond the budget are given back. */
  unpin(): void {
    for (const buffer of this.pinned) if (!this.residents.has(buffer)) this.release(buffer);
    this.pinned.clear();
    for (const [buffer, data] of this.residents) {
      const held = data.deref();
      if (held && this.bytes <= this.budget) continue;
      this.residents.delete(buffer);
      if (held) this.bufferOf.delete(held);
      this.release(buffer);
    }
  }

  /** An operation has failed: buffers may be without memory or contents, so none is used again. */
  clear(): void {
    const all = new Set([...this.pinned, ...this.residents.keys(), ...[...this.free.values()].flat()]);
    for (const buffer of all) buffer.destroy();
    for (const data of this.residents.values()) {
      const held = data.deref();
      if (held) this.bufferOf.delete(held);
    }
    for (const group of [this.pinned, this.residents, this.free]) group.clear();
    this.bytes = 0;
  }

  private release(buffer: GPUBuffer): void {
    if (this.bytes > this.budget) {
      buffer.destroy();
      this.bytes -= buffer.size;
      return;
    }
    const list = this.free.get(buffer.size);
    if (list) list.push(buffer);
    else this.free.set(buffer.size, [buffer]);
  }
}

/** Sizes in steps of an eighth of the next power of two, so that buffers fit again without wasting much. */
function roundSize(bytes: number): number {
  const step = Math.max(256, 2 ** (Math.ceil(Math.log2(Math.max(bytes, 1))) - 3));
  return Math.ceil(bytes / step) * step;
}
