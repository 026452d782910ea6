/** The language server in a browser worker: messages to and from the page, files pushed by the client. */
import { BrowserMessageReader, BrowserMessageWriter, createConnection } from 'vscode-languageserver/browser';
import { makeExecutor } from './execution/executor';
import { startServer } from './server';

declare const self: DedicatedWorkerGlobalScope;

startServer(createConnection(new BrowserMessageReader(self), new BrowserMessageWriter(self)), {
  files: null,
  environment: null,
  makeExecutor: workspace => makeExecutor(workspace),
});
