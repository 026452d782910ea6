/** The extension where VS Code runs in a browser: the server is a web worker, and files are sent to it. */
import { type ExtensionContext, Uri } from 'vscode';
import {
  BrowserMessageReader,
  BrowserMessageWriter,
  LanguageClient,
  type LanguageClientOptions,
} from 'vscode-languageclient/browser';
import { type Extension, start } from './extension';

let extension: Extension | undefined;

export async function activate(context: ExtensionContext): Promise<Extension> {
  const script = Uri.joinPath(context.extensionUri, 'dist/server.web.js').toString(true);
  let worker: Worker | undefined;
  // Not the worker itself: where the host's `Worker` is a wrapper, the client would not know its instances. Each start
  // takes a new one.
  const transports = async () => {
    worker?.terminate();
    worker = new Worker(script);
    return { reader: new BrowserMessageReader(worker), writer: new BrowserMessageWriter(worker) };
  };
  const create = (options: LanguageClientOptions) => new LanguageClient('mlxScope', 'MLX Scope', transports, options);
  context.subscriptions.push({ dispose: () => worker?.terminate() });
  extension = await start(context, { create, pushesFiles: true });
  return extension;
}

export const deactivate = (): Promise<void> | undefined => extension?.stop();
