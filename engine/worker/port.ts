/**
 * A worker as the client sees it, whatever the platform.
 */
import type { Reply, Request } from './protocol';

export interface WorkerPort {
  post(request: Request, transfer: ArrayBuffer[]): void;
  onReply(handle: (reply: Reply) => void): void;
  /** Called when the worker is gone by itself: it crashed, ran out of memory, or could not be loaded. */
  onFailure(handle: (error: Error) => void): void;
  /** Ends it at once, in the middle of whatever it does. */
  terminate(): void;
}

/** A browser's worker, made from the bundle of ./worker. */
export function browserPort(worker: Worker): WorkerPort {
  return {
    post: (request, transfer) => worker.postMessage(request, transfer),
    onReply: handle => worker.addEventListener('message', event => handle(event.data)),
    onFailure: handle =>
      worker.addEventListener('error', event => handle(new Error(event.message || 'the engine worker did not load'))),
    terminate: () => worker.terminate(),
  };
}
