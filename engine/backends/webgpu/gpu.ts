/**
 * One GPU device: pipelines by their code, dispatches, and results read back piece by piece.
 */
import type { TensorData } from '../../src/tensor';
import { Buffers } from './buffers';
import type { Shader } from './shader';

/** Bytes read back at a time at most. */
const PIECE = 64 << 20;
/** Bytes of GPU memory kept between operations. */
const BUDGET = 512 << 20;

export interface Dispatch {
  readonly shader: Shader;
  /** u32 parameters. */
  readonly params: readonly number[];
  /** In the order of the shader's bindings. */
  readonly inputs: readonly TensorData[];
  readonly workgroups: readonly [number, number, number];
}

export class Gpu {
  private readonly pipelines = new Map<string, Promise<GPUComputePipeline>>();
  private readonly buffers: Buffers;
  /** Settles when the run before the next has ended: one owns all buffers at a time. */
  private previous: Promise<unknown> = Promise.resolve();
  /** Why the device is of no more use. */
  lost: string | null = null;

  private constructor(private readonly device: GPUDevice) {
    this.buffers = new Buffers(device, BUDGET, this.mostBytes);
    void device.lost.then(({ message }) => {
      this.lost ??= message || 'the GPU device was lost';
    });
  }

  /** @throws Error where there is no WebGPU or no adapter */
  static async open(): Promise<Gpu> {
    const adapter = await globalThis.navigator?.gpu?.requestAdapter();
    if (!adapter) throw new Error('WebGPU finds no adapter here');
    const { maxBufferSize, maxStorageBufferBindingSize } = adapter.limits;
    return new Gpu(await adapter.requestDevice({ requiredLimits: { maxBufferSize, maxStorageBufferBindingSize } }));
  }

  /** Bytes that one array may have. */
  get mostBytes(): number {
    return Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize);
  }

  /** Workgroups that one dispatch may have along an axis. */
  get mostWorkgroups(): number {
    return this.device.limits.maxComputeWorkgroupsPerDimension;
  }

  /**
   * The `count` floats that the dispatches write, which share one output. With `keep` they stay on the GPU for
   * operations that take this very array, which then must not be changed.
   * @throws Error when the device is lost, has no memory left, or refuses the program
   */
  run(dispatches: readonly Dispatch[], count: number, keep: boolean): Promise<Float32Array<ArrayBuffer>> {
    const result = this.previous.then(() => this.compute(dispatches, count, keep));
    this.previous = result.catch(() => {});
    return result;
  }

  private async compute(
    dispatches: readonly Dispatch[],
    count: number,
    keep: boolean,
  ): Promise<Float32Array<ArrayBuffer>> {
    if (this.lost) throw new Error(this.lost);
    const { device } = this;
    const pipelines = await Promise.all(dispatches.map(({ shader }) => this.pipeline(shader)));
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    const uniforms: GPUBuffer[] = [];
    let scopes = 2;
    try {
      const out = this.buffers.acquire(count * 4);
      const encoder = device.createCommandEncoder();
      for (const [i, { params, inputs, workgroups }] of dispatches.entries()) {
        const uniform = this.uniform(params);
        uniforms.push(uniform);
        const resources = [uniform, ...inputs.map(data => this.buffers.hold(data)), out];
        const group = device.createBindGroup({
          layout: pipelines[i].getBindGroupLayout(0),
          entries: resources.map((buffer, binding) => ({ binding, resource: { buffer } })),
        });
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipelines[i]);
        pass.setBindGroup(0, group);
        pass.dispatchWorkgroups(...workgroups);
        pass.end();
      }
      device.queue.submit([encoder.finish()]);
      scopes = 0;
      const errors = await Promise.all([device.popErrorScope(), device.popErrorScope()]);
      for (const error of errors) if (error) throw new Error(error.message || 'the GPU has no memory left');
      const result = await this.read(out, count);
      if (keep) this.buffers.keep(out, result);
      this.buffers.unpin();
      return result;
    } catch (error) {
      this.buffers.clear();
      throw error;
    } finally {
      for (; scopes > 0; scopes--) void device.popErrorScope();
      for (const uniform of uniforms) uniform.destroy();
    }
  }

  /** Gives the device back. */
  destroy(): void {
    this.lost = 'the GPU has been given back';
    this.device.destroy();
  }

  private pipeline({ key, code }: Shader): Promise<GPUComputePipeline> {
    let pipeline = this.pipelines.get(key);
    if (!pipeline) {
      const module = this.device.createShaderModule({ label: key, code });
      pipeline = this.device.createComputePipelineAsync({ layout: 'auto', compute: { module, entryPoint: 'main' } });
      this.pipelines.set(key, pipeline);
    }
    return pipeline;
  }

  private uniform(params: readonly number[]): GPUBuffer {
    const values = Uint32Array.from(params);
    const size = Math.ceil(values.byteLength / 16) * 16;
    const buffer = this.device.createBuffer({ size, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
    this.device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  }

  private async read(buffer: GPUBuffer, count: number): Promise<Float32Array<ArrayBuffer>> {
    const result = new Float32Array(count);
    const size = Math.min(PIECE, Math.max(count * 4, 4));
    const staging = this.device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      for (let at = 0; at < count * 4; at += size) {
        const bytes = Math.min(size, count * 4 - at);
        const encoder = this.device.createCommandEncoder();
        encoder.copyBufferToBuffer(buffer, at, staging, 0, bytes);
        this.device.queue.submit([encoder.finish()]);
        await staging.mapAsync(GPUMapMode.READ, 0, bytes);
        result.set(new Float32Array(staging.getMappedRange(0, bytes)), at / 4);
        staging.unmap();
      }
    } finally {
      staging.destroy();
    }
    return result;
  }
}
