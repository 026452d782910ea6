/**
 * Files for a server that cannot read them: in a browser the workspace is only in reach of the client.
 *
 * Folders are walked with `workspace.fs`, because a browser's workspace may have no search provider.
 */
import { type Disposable, FileType, type LogOutputChannel, RelativePattern, Uri, workspace } from 'vscode';
import type { BaseLanguageClient } from 'vscode-languageclient';
import { toBase64 } from '../../engine/src/formats/base64';
import type { FilesParams, ReadBytesParams, ReadBytesResult } from '../../server/src/protocol';
import type { Server } from './server';

const WANTED = /(\.(py|pyi|ipynb|json)|(^|\/)pyproject\.toml)$/;
const PATTERN = '**/{*.py,*.pyi,*.ipynb,*.json,pyproject.toml}';
/** Folders that hold other people's code or none; dot folders are left out too. */
const SKIPPED = new Set(['node_modules', '__pycache__', 'venv', 'env', 'site-packages', 'dist', 'build']);
const LARGEST_FILE = 1 << 20;
const BATCH_FILES = 64;
/** A workspace with more files than this is a mistake, such as a home folder. */
const MOST_FILES = 5000;

type File = FilesParams['files'][number];

/** Sends the workspace's files at every start of the server, and each again when it changes. */
export function pushFiles(server: Server, log: LogOutputChannel): Disposable {
  const watchers = new Map<string, Disposable>();
  const watch = () => {
    for (const folder of workspace.workspaceFolders ?? []) {
      const key = folder.uri.toString();
      if (watchers.has(key)) continue;
      const watcher = workspace.createFileSystemWatcher(new RelativePattern(folder, PATTERN));
      const changed = async (uri: Uri) => send(server, [await read(uri)]);
      watcher.onDidCreate(changed);
      watcher.onDidChange(changed);
      watcher.onDidDelete(uri => send(server, [{ uri: uri.toString(), text: null }]));
      watchers.set(key, watcher);
    }
  };
  const sendAll = async () => {
    watch();
    const uris: Uri[] = [];
    for (const folder of workspace.workspaceFolders ?? []) await collect(folder.uri, uris);
    if (uris.length >= MOST_FILES) log.warn(`The workspace has many files: only the first ${MOST_FILES} are read.`);
    for (let i = 0; i < uris.length; i += BATCH_FILES)
      await send(server, await Promise.all(uris.slice(i, i + BATCH_FILES).map(read)), false);
    await send(server, []);
    log.info(`Sent ${uris.length} files to the server.`);
  };
  const report = (error: unknown) => log.error(`The workspace's files could not be sent: ${error}`);
  const subscriptions = [
    server.onStarted(() => sendAll().catch(report)),
    workspace.onDidChangeWorkspaceFolders(() => sendAll().catch(report)),
  ];
  return {
    dispose() {
      for (const one of [...subscriptions, ...watchers.values()]) one.dispose();
    },
  };
}

const send = (server: Server, files: File[], complete = true) => server.notify('mlx-scope/files', { files, complete });

/** The file's text, or null when it is gone or too large to be source. */
async function read(uri: Uri): Promise<File> {
  try {
    const bytes = await workspace.fs.readFile(uri);
    return { uri: uri.toString(), text: bytes.length > LARGEST_FILE ? null : new TextDecoder().decode(bytes) };
  } catch {
    return { uri: uri.toString(), text: null };
  }
}

async function collect(folder: Uri, found: Uri[]): Promise<void> {
  const entries = await workspace.fs.readDirectory(folder).then(
    list => list,
    () => [],
  );
  for (const [name, type] of entries) {
    if (found.length >= MOST_FILES) return;
    const uri = Uri.joinPath(folder, name);
    // A link to a folder may lead around in circles.
    if (type === FileType.Directory && !SKIPPED.has(name) && !name.startsWith('.')) await collect(uri, found);
    else if ((type & FileType.File) !== 0 && WANTED.test(name)) found.push(uri);
  }
}

/** Reads parts of checkpoints for the server. The last file is kept: parts of it are asked one after the other. */
export function answerReadBytes(client: BaseLanguageClient): Disposable {
  let last: { uri: string; modified: number; bytes: Uint8Array } | null = null;
  return client.onRequest('mlx-scope/readBytes', async (params: ReadBytesParams): Promise<ReadBytesResult> => {
    const uri = Uri.parse(params.uri, true);
    const modified = (await workspace.fs.stat(uri)).mtime;
    if (last?.uri !== params.uri || last.modified !== modified)
      last = { uri: params.uri, modified, bytes: await workspace.fs.readFile(uri) };
    const { bytes } = last;
    return { base64: toBase64(bytes.subarray(params.start, params.end)), size: bytes.length };
  });
}
