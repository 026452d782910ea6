/** The extension where VS Code runs in a browser: the server is a web worker, and files are sent to it. */
import { type ExtensionContext, Uri } from 'vscode';
import { LanguageClient, type LanguageClientOptions } from 'vscode-languageclient/browser';
import { type Extension, start } from './extension';

let extension: Extension | undefined;

export async function activate(context: ExtensionContext): Promise<Extension> {
  const script = Uri.joinPath(context.extensionUri, 'dist/server.web.js').toString(true);
  const create = (options: LanguageClientOptions) =>
    new LanguageClient('mlxScope', 'MLX Scope', async () => new Worker(script), options);
  extension = await start(context, { create, pushesFiles: true });
  return extension;
}

export const deactivate = (): Promise<void> | undefined => extension?.stop();
