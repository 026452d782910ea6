/**
 * A Node worker thread as the client's port.
 */
import { Worker } from 'node:worker_threads';
import type { WorkerPort } from './port';

/** Starts the bundle of ./worker.node at `file`, a path or a file URL. It does not keep the process alive when idle. */
export function nodePort(file: string | URL): WorkerPort {
  const worker = new Worker(file);
  let ending = false;
  return {
    post(request, transfer) {
      worker.ref();
      worker.postMessage(request, transfer);
    },
    onReply: handle =>
      worker.on('message', reply => {
        if (reply.kind !== 'progress') worker.unref();
        handle(reply);
      }),
    onFailure(handle) {
      worker.on('error', handle);
      worker.on('exit', code => {
        if (!ending) handle(new Error(`the engine worker ended with status ${code}`));
      });
    },
    terminate() {
      ending = true;
      void worker.terminate();
    },
  };
}
