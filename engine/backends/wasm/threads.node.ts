/** Threads of kernels in Node. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { HELPER, useThreads } from './threads';

/** Lets backends made from now on compute on all cores. Helpers never keep the process alive. */
export function enableThreads(count = availableParallelism()): void {
  useThreads(data => {
    const worker = new Worker(`(${HELPER})(require('node:worker_threads').workerData)`, {
      eval: true,
      workerData: data,
    });
    worker.unref();
    return { terminate: () => void worker.terminate() };
  }, count);
}
