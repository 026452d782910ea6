/** The extension where VS Code runs on Node (desktop, remote): the server is a child process. */
import { type ExtensionContext, workspace } from 'vscode';
import { LanguageClient, type LanguageClientOptions, TransportKind } from 'vscode-languageclient/node';
import { type Extension, start } from './extension';

let extension: Extension | undefined;

export async function activate(context: ExtensionContext): Promise<Extension> {
  const module = context.asAbsolutePath('dist/server.js');
  const create = (options: LanguageClientOptions) => {
    const run = { module, transport: TransportKind.ipc };
    return new LanguageClient('mlxScope', 'MLX Scope', { run, debug: run }, options);
  };
  // A virtual workspace has no paths that a process could read.
  const pushesFiles = (workspace.workspaceFolders ?? []).some(folder => folder.uri.scheme !== 'file');
  extension = await start(context, { create, pushesFiles });
  return extension;
}

export const deactivate = (): Promise<void> | undefined => extension?.stop();
