/**
 * The language server: one connection, the workspace behind it, and the features wired to both.
 *
 * Analysing is synchronous, so every request first lets the messages that wait be read: edits make what it would answer
 * stale, and a cancelled request must not cost an analysis.
 */
import {
  type CancellationToken,
  CodeActionKind,
  type Connection,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  type InitializeParams,
  type InitializeResult,
  LSPErrorCodes,
  NotebookDocuments,
  ResponseError,
  TextDocumentSyncKind,
  TextDocuments,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { fromBase64 } from '../../engine/src/formats/base64';
import { version } from '../../package.json';
import { checkpointResult } from './features/checkpoint';
import { codeActions } from './features/code-actions';
import { codeLenses } from './features/code-lens';
import { completion } from './features/completion';
import { DiagnosticsPublisher } from './features/diagnostics';
import { DocumentView } from './features/document';
import { executeCommand } from './features/execute-command';
import type { AttachedModel, Executor } from './features/executor';
import { hover } from './features/hover';
import { EVERYWHERE, inlayHints } from './features/inlay-hints';
import { LongRequests } from './features/long-requests';
import { documentSymbols, outline } from './features/outline';
import { Places } from './features/places';
import { shapeComments } from './features/shape-comments';
import { shapesOf, summaryOf } from './features/shapes-and-summary';
import { signatureHelp } from './features/signature-help';
import {
  type AttachParams,
  type AttachResult,
  type CheckpointParams,
  type CheckpointResult,
  COMMANDS,
  type FilesParams,
  type InitializationOptions,
  type Notifications,
  type ReadBytesResult,
  type Requests,
  type SetConfigParams,
  type SetConfigResult,
  type Settings,
} from './protocol';
import { unreadable } from './python/parse';
import { Analyses, type DocumentAnalysis } from './session/analyses';
import { Checkpoints } from './session/checkpoints';
import { entryFor, inputSpecs, parseInput } from './session/inputs';
import { settingsFrom } from './session/settings';
import { type FileSystem, MemoryFileSystem } from './workspace/file-system';
import { joinCells } from './workspace/notebook';
import { basename, pathOfUri, relative, uriOfPath } from './workspace/paths';
import { ignoredIn } from './workspace/settings';
import { Workspace } from './workspace/workspace';

/** What the server's surroundings give it. */
export interface Host {
  /** The files at hand; null where the client has to push them. */
  readonly files: FileSystem | null;
  /** A virtual environment that is active, such as VIRTUAL_ENV names. */
  readonly environment: string | null;
  /** null where nothing can be run. */
  readonly makeExecutor: ((workspace: Workspace) => Executor) | null;
}

/** After the last keystroke before diagnostics are made anew. */
const QUIET_MILLISECONDS = 40;
/** After the last edit before a model is compared with its checkpoint anew. */
const REST_MILLISECONDS = 500;
/** How often files are looked at for changes where the client does not watch them. */
const LOOK_MILLISECONDS = 2000;

export function startServer(connection: Connection, host: Host): void {
  const documents = new TextDocuments(TextDocument);
  const notebooks = new NotebookDocuments(documents);
  let settings: Settings = settingsFrom(undefined);
  let options: InitializationOptions = {};
  let client: InitializeParams['capabilities'] = {};
  let pushed: MemoryFileSystem | null = null;
  let workspace!: Workspace;
  let places!: Places;
  let analyses!: Analyses;
  let publisher!: DiagnosticsPublisher;
  let long!: LongRequests;
  let checkpoints!: Checkpoints;
  const comparing = new Map<string, ReturnType<typeof setTimeout>>();
  const pending = new Map<string, ReturnType<typeof setTimeout>>();
  let lastLook = 0;

  const notify = <M extends keyof Notifications>(method: M, params: Notifications[M]): void =>
    void connection.sendNotification(method, params);

  // ---- start ----------------------------------------------------------------------------------------------------------

  connection.onInitialize((params): InitializeResult => {
    client = params.capabilities;
    options = (params.initializationOptions as InitializationOptions | undefined) ?? {};
    settings = settingsFrom(options.settings);
    if (options.pushesFiles || !host.files) pushed = new MemoryFileSystem([], readBytes);
    const folders =
      params.workspaceFolders?.map(f => pathOfUri(f.uri)) ?? (params.rootUri ? [pathOfUri(params.rootUri)] : []);
    workspace = new Workspace(pushed ?? host.files!, {
      folders,
      environment: host.environment,
      searchPaths: settings.python.searchPaths,
    });
    places = new Places(workspace);
    analyses = new Analyses(workspace, () => ({
      selection: path => {
        const project = workspace.settingsFor(path);
        const { select, ignore } = settings.diagnostics;
        return {
          select: select.length > 0 ? select : project.select,
          ignore: [...ignore, ...project.ignore, ...ignoredIn(project, path)],
        };
      },
      isOwn: path => workspace.isOpen(path) || workspace.isOwn(path),
      source: path => workspace.source(path),
    }));
    publisher = new DiagnosticsPublisher(connection, places, options.documentation ?? null);
    checkpoints = new Checkpoints(workspace, () => analyses.analyser);
    long = new LongRequests(connection, workspace, places, host.makeExecutor?.(workspace) ?? null, {
      settings: () => settings,
      model: path => checkpoints.model(path),
    });
    return {
      serverInfo: { name: 'mlx-scope', version },
      capabilities: {
        textDocumentSync: TextDocumentSyncKind.Incremental,
        notebookDocumentSync: { notebookSelector: [{ notebook: '*', cells: [{ language: 'python' }] }] },
        hoverProvider: true,
        inlayHintProvider: true,
        codeLensProvider: {},
        codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
        documentSymbolProvider: true,
        completionProvider: { triggerCharacters: ['('] },
        signatureHelpProvider: { triggerCharacters: ['(', ','] },
        executeCommandProvider: options.commands ? undefined : { commands: Object.values(COMMANDS) },
        workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
      },
    };
  });

  const watches = (): boolean => client.workspace?.didChangeWatchedFiles?.dynamicRegistration === true;

  connection.onInitialized(() => {
    if (!pushed && watches()) {
      const patterns = ['**/*.py', '**/*.ipynb', '**/pyproject.toml', '**/*.json'];
      void connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: patterns.map(globPattern => ({ globPattern })),
      });
    }
    if (client.workspace?.workspaceFolders)
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        const gone = new Set(removed.map(f => pathOfUri(f.uri)));
        const folders = workspace.folders.filter(f => !gone.has(f));
        workspace.configure({ folders: [...folders, ...added.map(f => pathOfUri(f.uri))] });
        reanalyseAll();
      });
    notify('mlx-scope/status', { state: 'ready', message: 'Ready', uri: null, milliseconds: null, config: null });
  });

  async function readBytes(path: string, start: number, end: number): Promise<{ bytes: Uint8Array; size: number }> {
    const params = { uri: uriOfPath(path), start, end };
    const { base64, size } = await connection.sendRequest<ReadBytesResult>('mlx-scope/readBytes', params);
    return { bytes: fromBase64(base64), size };
  }

  // ---- what changes ---------------------------------------------------------------------------------------------------

  const isCell = (uri: string): boolean =>
    uri.startsWith('vscode-notebook-cell:') || notebooks.findNotebookDocumentForCell(uri) !== undefined;

  documents.onDidChangeContent(({ document }) => {
    if (isCell(document.uri)) return;
    const path = pathOfUri(document.uri);
    workspace.openDocument(path, document.getText());
    changed(path);
  });
  documents.onDidClose(({ document }) => {
    if (isCell(document.uri)) return;
    closed(pathOfUri(document.uri));
  });

  const openNotebook = (uri: string): void => {
    const notebook = notebooks.getNotebookDocument(uri);
    if (!notebook) return;
    const path = pathOfUri(uri);
    const cells = notebook.cells.flatMap((cell, index) => {
      const document = documents.get(cell.document);
      return document?.languageId === 'python' ? [{ index, source: document.getText(), uri: cell.document }] : [];
    });
    const joined = joinCells(cells);
    workspace.openDocument(path, joined.text, joined);
    places.setCells(
      path,
      cells.map(c => c.uri),
    );
    changed(path);
  };
  notebooks.onDidOpen(notebook => openNotebook(notebook.uri));
  notebooks.onDidChange(({ notebookDocument }) => openNotebook(notebookDocument.uri));
  notebooks.onDidClose(notebook => {
    const path = pathOfUri(notebook.uri);
    closed(path);
    places.setCells(path, []);
  });

  connection.onDidChangeWatchedFiles(({ changes }) => {
    for (const { uri, type } of changes) {
      const path = pathOfUri(uri);
      workspace.changed(path);
      if (type === FileChangeType.Changed && basename(path) !== 'pyproject.toml') changed(path);
      else reanalyseAll(); // what is new or gone may be what an import means
    }
  });
  connection.onNotification('mlx-scope/files', ({ files, complete }: FilesParams) => {
    for (const { uri, text } of files) {
      const path = pathOfUri(uri);
      if (text === null) pushed?.remove(path);
      else pushed?.write(path, text);
      workspace.changed(path);
    }
    if (complete) reanalyseAll();
  });
  connection.onDidChangeConfiguration(({ settings: given }) => {
    settings = settingsFrom((given as { mlxScope?: unknown } | null)?.mlxScope);
    workspace.configure({ searchPaths: settings.python.searchPaths });
    reanalyseAll();
  });

  /** A source has changed: analyses that read it are made anew, the open ones soon. */
  function changed(path: string): void {
    if (checkpoints.follows(path)) compareLater(path);
    for (const stale of new Set([path, ...analyses.invalidate(path)])) if (workspace.isOpen(stale)) schedule(stale);
  }

  /** Compares a document's model with its checkpoint again, once the document is at rest. */
  function compareLater(path: string): void {
    clearTimeout(comparing.get(path));
    comparing.set(
      path,
      setTimeout(() => {
        comparing.delete(path);
        checkpoints.compareAgain(path);
        publishAnew(path);
      }, REST_MILLISECONDS),
    );
  }

  function reanalyseAll(): void {
    analyses.clear();
    for (const uri of [...documents.keys()].filter(uri => !isCell(uri))) schedule(pathOfUri(uri));
    for (const uri of documents.keys()) if (isCell(uri)) schedule(places.path(uri));
  }

  function closed(path: string): void {
    clearTimeout(pending.get(path));
    pending.delete(path);
    workspace.closeDocument(path);
    analyses.invalidate(path);
    publisher.forget(path);
  }

  function schedule(path: string): void {
    clearTimeout(pending.get(path));
    pending.set(
      path,
      setTimeout(() => current(path), QUIET_MILLISECONDS),
    );
  }

  // ---- analyses -------------------------------------------------------------------------------------------------------

  /** The document's analysis; a new one is published. */
  function current(path: string): DocumentAnalysis | null {
    if (!pushed && !watches() && Date.now() - lastLook > LOOK_MILLISECONDS) {
      lastLook = Date.now();
      for (const file of workspace.refresh()) analyses.invalidate(file);
    }
    const isNew = !analyses.isFresh(path);
    if (isNew) applyProjectEntry(path);
    let analysis: DocumentAnalysis | null;
    try {
      analysis = analyses.get(path);
    } catch (error) {
      connection.console.error(`${path}: ${error instanceof Error ? error.stack : error}`);
      notify('mlx-scope/status', {
        state: 'error',
        message: `This file could not be analysed: ${error instanceof Error ? error.message : error}`,
        uri: uriOfPath(path),
        milliseconds: null,
        config: null,
      });
      return null;
    }
    if (isNew && analysis && workspace.isOpen(path)) announce(path, analysis);
    return analysis;
  }

  function announce(path: string, analysis: DocumentAnalysis): void {
    clearTimeout(pending.get(path));
    pending.delete(path);
    const all = [...analysis.diagnostics, ...checkpoints.diagnostics(path)];
    const diagnostics = settings.diagnostics.enabled ? all : [];
    publisher.publish(path, diagnostics);
    const own = diagnostics.filter(d => d.file === path).length;
    const problem = unreadable(analysis.file.source.module) ?? analysis.problem;
    if (problem) connection.console.warn(`${path}: ${problem}`);
    notify('mlx-scope/status', {
      state: 'ready',
      message: problem ?? (own === 0 ? 'No findings' : `${own} finding${own === 1 ? '' : 's'}`),
      uri: uriOfPath(path),
      milliseconds: analysis.milliseconds,
      config: analyses.entry(path)?.label ?? null,
    });
    for (const limit of analysis.file.limits) connection.console.info(`${path}: ${limit}`);
    notify('mlx-scope/outlineChanged', { uri: uriOfPath(path) });
    // Shapes may have changed where nothing was typed: in other files, and below the edited line.
    if (client.workspace?.inlayHint?.refreshSupport) void connection.languages.inlayHint.refresh();
    if (client.workspace?.codeLens?.refreshSupport) void connection.sendRequest('workspace/codeLens/refresh');
  }

  /** Enters a file as `pyproject.toml` says, until the user chooses otherwise. */
  function applyProjectEntry(path: string): void {
    if (analyses.entry(path) || chosen.has(path)) return;
    const project = workspace.settingsFor(path);
    const setting = project.entries.find(e => e.file === path);
    if (!setting) return;
    chosen.add(path);
    try {
      const inputs = inputSpecs(setting.inputs.map(parseInput));
      const config = long.config(
        typeof setting.config === 'string' ? uriOfPath(setting.config) : { ...setting.config },
      );
      const label = typeof setting.config === 'string' ? basename(setting.config) : 'pyproject.toml';
      const own = analyses.analyser.analyse(path);
      const name = setting.entry ?? entryFor(own);
      if (name) analyses.setEntry(path, { name, config, label, inputs });
    } catch (error) {
      connection.console.warn(`pyproject.toml, entry for ${path}: ${error instanceof Error ? error.message : error}`);
    }
  }
  /** Files whose config was chosen, or cleared. */
  const chosen = new Set<string>();

  function view(uri: string): DocumentView | null {
    const analysis = current(places.path(uri));
    return analysis && new DocumentView(uri, analysis.file, places, settings);
  }

  /** Answers from the document's analysis, after the messages that wait; nothing for what was cancelled meanwhile. */
  async function answer<T>(
    uri: string,
    token: CancellationToken,
    none: T,
    make: (view: DocumentView) => T | Promise<T>,
  ): Promise<T> {
    await new Promise(resolve => setTimeout(resolve, 0));
    if (token.isCancellationRequested) return none;
    const found = view(uri);
    return found ? make(found) : none;
  }

  // ---- features -------------------------------------------------------------------------------------------------------

  connection.onHover(({ textDocument, position }, token) =>
    answer(textDocument.uri, token, null, v => hover(v, position, layer => long.preview(layer))),
  );
  connection.languages.inlayHint.on(({ textDocument, range }, token) =>
    answer(textDocument.uri, token, [], v => inlayHints(v, range ?? EVERYWHERE)),
  );
  connection.onCodeLens(({ textDocument }, token) => answer(textDocument.uri, token, [], codeLenses));
  connection.onDocumentSymbol(({ textDocument }, token) => answer(textDocument.uri, token, [], documentSymbols));
  connection.onCompletion(({ textDocument, position }, token) =>
    answer(textDocument.uri, token, [], v => completion(v, position)),
  );
  connection.onSignatureHelp(({ textDocument, position }, token) =>
    answer(textDocument.uri, token, null, v => signatureHelp(v, position)),
  );
  connection.onCodeAction(({ textDocument, range, context }, token) =>
    answer(textDocument.uri, token, [], v => {
      const diagnostics = current(places.path(textDocument.uri))?.diagnostics ?? [];
      return codeActions(v, range, diagnostics, context.diagnostics);
    }),
  );
  connection.onExecuteCommand((params, token) =>
    executeCommand(
      connection,
      params,
      { long, summary: asked => answers['mlx-scope/summary'](asked, token), settings },
      token,
    ),
  );

  // ---- requests of our own --------------------------------------------------------------------------------------------

  type Answers = {
    [M in Exclude<keyof Requests, 'mlx-scope/readBytes'>]: (
      params: Requests[M][0],
      token: CancellationToken,
    ) => Requests[M][1] | Promise<Requests[M][1]>;
  };
  const answers: Answers = {
    'mlx-scope/run': (params, token) => long.run(params, token),
    'mlx-scope/program': (params, token) => long.program(params, token),
    'mlx-scope/quantize': (params, token) => long.quantize(params, token),
    'mlx-scope/shapes': params => shapesOf(analyses.analyser, places, params, long.config(params.config)),
    'mlx-scope/summary': params => summaryOf(analyses.analyser, needed(params.uri), params, long.config(params.config)),
    'mlx-scope/outline': ({ uri }, token) => answer(uri, token, [], outline),
    'mlx-scope/shapeComments': ({ uri, range }, token) => answer(uri, token, {}, v => shapeComments(v, range)),
    'mlx-scope/setConfig': params => setConfig(params),
    'mlx-scope/checkpoint': params => compareCheckpoint(params),
    'mlx-scope/attach': params => attachCheckpoint(params),
    'mlx-scope/configs': ({ uri }) => {
      const path = places.path(uri);
      const label = analyses.entry(path)?.label;
      const folder = workspace.folders.find(f => path.startsWith(f)) ?? '';
      return workspace.configsNear(path).map(config => ({
        uri: uriOfPath(config),
        label: folder ? relative(folder, config) : config,
        current: label === config,
      }));
    },
  };
  for (const [method, respond] of Object.entries(answers) as [
    string,
    (params: unknown, token: CancellationToken) => unknown,
  ][])
    connection.onRequest(method, async (params: unknown, token: CancellationToken): Promise<unknown> => {
      try {
        return await respond(params, token);
      } catch (error) {
        if (error instanceof ResponseError) throw error;
        throw new ResponseError(LSPErrorCodes.RequestFailed, error instanceof Error ? error.message : String(error));
      }
    });

  function needed(uri: string): DocumentView {
    const found = view(uri);
    if (!found) throw new Error(`${uri} cannot be analysed`);
    return found;
  }

  function setConfig({ uri, entry, config, inputs }: SetConfigParams): SetConfigResult {
    const path = places.path(uri);
    chosen.add(path);
    analyses.setEntry(path, null);
    let result: SetConfigResult = { entry: null, message: null };
    if (config !== null || entry !== null) {
      const content = long.config(config);
      const own = needed(uri);
      const name = entry ?? entryFor(own.analysis);
      if (name === null)
        result = { entry: null, message: 'This file has no nn.Module class that a config could fill.' };
      else {
        const label = typeof config === 'string' ? pathOfUri(config) : 'a config';
        analyses.setEntry(path, { name, config: content, label, inputs: inputSpecs(inputs ?? []) });
        const { problem } = current(path) ?? { problem: `${uri} cannot be analysed` };
        result = problem ? { entry: null, message: problem } : { entry: name, message: null };
        if (problem) analyses.setEntry(path, null);
      }
    }
    current(path);
    return result;
  }

  /** The model that a client names, with its config as the document is read with it, where none is given. */
  async function openCheckpoint({ uri, entry, config, weights }: CheckpointParams): Promise<AttachedModel> {
    const path = places.path(uri);
    const entered = analyses.entry(path);
    const attached = checkpoints.model(path);
    if (weights === null) {
      if (!attached) throw new Error('No checkpoint is attached to this file.');
      return checkpoints.open(path, attached.checkpoint.path, attached.entry, attached.config);
    }
    const given = config === null ? (entered?.config ?? null) : long.config(config);
    return checkpoints.open(path, pathOfUri(weights), entry ?? entered?.name ?? null, given);
  }

  async function compareCheckpoint(params: CheckpointParams): Promise<CheckpointResult> {
    const path = places.path(params.uri);
    const comparison = checkpoints.compare(path, await openCheckpoint(params));
    publishAnew(path);
    return checkpointResult(comparison, places);
  }

  async function attachCheckpoint(params: AttachParams): Promise<AttachResult> {
    const path = places.path(params.uri);
    long.forget();
    if (params.weights === null) {
      checkpoints.attach(path, null);
      publishAnew(path);
      return { check: null };
    }
    const model = await openCheckpoint(params);
    checkpoints.attach(path, model);
    const comparison = checkpoints.compare(path, model);
    // The config of the weights makes numbers of the symbols, until the user chooses another.
    if (!analyses.entry(path) && !chosen.has(path) && Object.keys(model.config ?? {}).length > 0)
      analyses.setEntry(path, {
        name: model.entry,
        config: model.config,
        label: basename(model.checkpoint.folder),
        inputs: [],
      });
    publishAnew(path);
    return { check: checkpointResult(comparison, places) };
  }

  /** Publishes a document's diagnostics with what its checkpoint adds. */
  function publishAnew(path: string): void {
    const analysis = current(path);
    if (analysis && workspace.isOpen(path)) announce(path, analysis);
  }

  documents.listen(connection);
  notebooks.listen(connection);
  connection.listen();
}
