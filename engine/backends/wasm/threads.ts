/**
 * Threads that run kernels on one shared memory, each an instance of its own.
 *
 * A helper sleeps until its state changes, makes the calls that stand in its part of the control buffer, and sleeps
 * again; the caller makes the first share of calls itself and waits. So kernels stay plain functions, and an operation
 * that cannot be shared costs nothing. Only where SharedArrayBuffer exists and this thread may wait.
 */
import type { KernelExports } from './kernels';

/** A kernel and its arguments. */
export type KernelCall = readonly [name: keyof KernelExports, ...args: number[]];

/** What a helper is given; it survives structured cloning. */
export interface HelperData {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly control: SharedArrayBuffer;
  readonly names: readonly string[];
}

export interface HelperThread {
  terminate(): void;
}

/** Starts a thread on `HELPER`. Throws where there can be none. */
export type SpawnHelper = (data: HelperData) => HelperThread;

// States of a helper, in the first word of its control buffer.
const STARTING = 0;
const IDLE = 1;
const BUSY = 2;
const FAILED = 3;
const CONTROL_BYTES = 1024;

/** The program of a helper: a function of its data. Text, so that it needs no file of its own wherever it is bundled. */
export const HELPER = `({ module, memory, control, names }) => {
  const abort = () => { throw new Error('a kernel gave up'); };
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort } });
  const state = new Int32Array(control, 0, 1);
  const numbers = new Float64Array(control, 8);
  for (;;) {
    Atomics.store(state, 0, ${IDLE});
    Atomics.notify(state, 0);
    Atomics.wait(state, 0, ${IDLE});
    try {
      for (let at = 1, call = 0; call < numbers[0]; call++) {
        const [name, count] = [names[numbers[at]], numbers[at + 1]];
        exports[name](...numbers.subarray(at + 2, at + 2 + count));
        at += 2 + count;
      }
    } catch (error) {
      Atomics.store(state, 0, ${FAILED});
      Atomics.notify(state, 0);
      return;
    }
  }
}`;

/** In a browser's worker: a worker from the text itself. */
function spawnInBrowser(data: HelperData): HelperThread {
  const url = URL.createObjectURL(new Blob([`onmessage = ({ data }) => (${HELPER})(data);`]));
  const worker = new Worker(url);
  worker.postMessage(data);
  return { terminate: () => worker.terminate() };
}

let spawn: SpawnHelper | null = null;
let cores: number | null = null;

/** For platforms that start threads their own way (./threads.node). */
export function useThreads(how: SpawnHelper, available: number): void {
  [spawn, cores] = [how, available];
}

/** A browser's main thread may not wait, and pages without cross-origin isolation share no memory. */
const inBrowserWorker = (): boolean =>
  typeof SharedArrayBuffer === 'function' &&
  'WorkerGlobalScope' in globalThis &&
  globalThis.crossOriginIsolated === true;

/** How many threads computing together this machine allows, this one included. */
export function threadsAvailable(): number {
  if (spawn) return cores ?? 1;
  return inBrowserWorker() ? Math.max(1, globalThis.navigator?.hardwareConcurrency ?? 1) : 1;
}

/** More threads than this gain little on shared caches. */
const MOST_THREADS = 8;

export class Threads {
  private readonly states: Int32Array[] = [];
  private readonly numbers: Float64Array[] = [];
  private readonly helpers: HelperThread[] = [];
  private readonly names: readonly string[];

  /** Starts helpers over the memory; they take part as soon as they are there. */
  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory, count: number) {
    this.names = WebAssembly.Module.exports(module)
      .filter(({ kind }) => kind === 'function')
      .map(({ name }) => name);
    try {
      for (let i = 1; i < Math.min(count, MOST_THREADS); i++) {
        const control = new SharedArrayBuffer(CONTROL_BYTES);
        this.helpers.push((spawn ?? spawnInBrowser)({ module, memory, control, names: this.names }));
        this.states.push(new Int32Array(control, 0, 1));
        this.numbers.push(new Float64Array(control, 8));
      }
    } catch {
      // as many as could be started
    }
  }

  /** Threads that can take a share now, this one included. */
  get ready(): number {
    return 1 + this.idle().length;
  }

  /** Settles when all helpers are there, or after a while without them. */
  async started(milliseconds = 2000): Promise<void> {
    const end = performance.now() + milliseconds;
    while (this.states.some(state => Atomics.load(state, 0) === STARTING) && performance.now() < end)
      await new Promise(resolve => setTimeout(resolve, 2));
  }

  /**
   * Makes the calls of every share, the first here. At most `ready` shares.
   * @throws Error when a helper's kernel gave up
   */
  run(exports: KernelExports, shares: readonly (readonly KernelCall[])[]): void {
    const [own, ...others] = shares;
    const helpers = this.idle();
    for (const [i, share] of others.entries()) this.start(helpers[i], share);
    for (const [name, ...args] of own) (exports[name] as (...args: number[]) => void)(...args);
    for (const helper of helpers.slice(0, others.length)) {
      const state = this.states[helper];
      while (Atomics.load(state, 0) === BUSY) Atomics.wait(state, 0, BUSY);
      if (Atomics.load(state, 0) === FAILED) throw new Error('a kernel gave up');
    }
  }

  terminate(): void {
    for (const helper of this.helpers) helper.terminate();
  }

  private idle(): number[] {
    return [...this.states.keys()].filter(i => Atomics.load(this.states[i], 0) === IDLE);
  }

  private start(helper: number, calls: readonly KernelCall[]): void {
    const words = calls.flatMap(([name, ...args]) => [this.names.indexOf(name), args.length, ...args]);
    this.numbers[helper].set([calls.length, ...words]);
    Atomics.store(this.states[helper], 0, BUSY);
    Atomics.notify(this.states[helper], 0);
  }
}
