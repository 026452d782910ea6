/** The engine's worker in a browser. */
import { host } from './host';
import type { Request } from './protocol';

declare const self: DedicatedWorkerGlobalScope;

const handle = host((reply, transfer) => self.postMessage(reply, transfer));
self.addEventListener('message', (event: MessageEvent<Request>) => handle(event.data));
