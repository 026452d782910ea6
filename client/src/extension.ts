/**
 * What the extension is on every host: one server, its commands, views and panels.
 *
 * The entries (main.node.ts, main.web.ts) only differ in how the server is started and whether it can read files.
 */
import { type Disposable, type ExtensionContext, Uri, window, workspace } from 'vscode';
import type { BaseLanguageClient, LanguageClientOptions } from 'vscode-languageclient';
import type { InitializationOptions, Settings } from '../../server/src/protocol';
import { Checkpoints } from './checkpoints';
import { registerCommands } from './commands';
import { answerReadBytes, pushFiles } from './files';
import { ModelOutline } from './outline';
import { Panels } from './panels/panels';
import { Server } from './server';
import { showStatus } from './status';
import { Summaries } from './summary';

/** What differs between hosts. */
export interface Host {
  create(options: LanguageClientOptions): BaseLanguageClient;
  /** The server cannot read the workspace, so its files are sent to it. */
  readonly pushesFiles: boolean;
}

/** What `activate` answers: enough for tests to look inside. */
export interface Extension {
  readonly server: Server;
  readonly panels: Panels;
  stop(): Promise<void>;
}

/** Starts the server and registers everything. Resolves when the server answers. */
export async function start(context: ExtensionContext, host: Host): Promise<Extension> {
  const log = window.createOutputChannel('MLX Scope', { log: true });
  const initializationOptions: InitializationOptions = {
    settings: plain(workspace.getConfiguration().get<Partial<Settings>>('mlxScope')),
    pushesFiles: host.pushesFiles,
    documentation: Uri.joinPath(context.extensionUri, 'docs/rules').toString(),
    commands: true,
  };
  const client = host.create({
    documentSelector: [{ language: 'python' }, { notebook: '*', language: 'python' }],
    outputChannel: log,
    initializationOptions,
    synchronize: { configurationSection: 'mlxScope' },
    markdown: { supportHtml: true },
    progressOnInitialization: false,
  });
  const server = new Server(client);
  const panels = new Panels(context, server, log);
  const outline = new ModelOutline(server);
  const summaries = new Summaries(server);
  const checkpoints = new Checkpoints(context, server);
  const own = (...disposables: Disposable[]) => context.subscriptions.push(...disposables);
  own(log, server, panels, outline, summaries, checkpoints, showStatus(server), answerReadBytes(client));
  own(...registerCommands({ server, panels, outline, summaries, checkpoints, log }));
  if (host.pushesFiles) own(pushFiles(server, log));
  await server.start();
  return { server, panels, stop: () => server.stop() };
}

/** A copy that can be posted to a worker: VS Code hands configuration out behind proxies, which cannot be cloned. */
const plain = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));
