/** The page's side of the conversation with the extension. */
import type { FromPage, TaskName, ToPage } from '../../src/panels/messages';

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };

export interface Host<T extends TaskName> {
  send(message: FromPage<T>): void;
}

/** Listens, then says that the page is there; may be called once. */
export function connect<T extends TaskName>(receive: (message: ToPage<T>) => void): Host<T> {
  const api = acquireVsCodeApi();
  window.addEventListener('message', ({ data }) => receive(data as ToPage<T>));
  const host: Host<T> = { send: message => api.postMessage(message) };
  // After the caller has its host.
  queueMicrotask(() => host.send({ type: 'ready' }));
  return host;
}
