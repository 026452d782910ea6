/** The engine's worker in Node. */
import { parentPort } from 'node:worker_threads';
import { enableRelaxedSimd } from '../backends/wasm/relaxed.node';
import { enableThreads } from '../backends/wasm/threads.node';
import { host } from './host';

enableRelaxedSimd();
enableThreads();
if (!parentPort) throw new Error('the engine worker is started as a worker thread, not as a program');
const port = parentPort;
port.on(
  'message',
  host((reply, transfer) => port.postMessage(reply, transfer)),
);
