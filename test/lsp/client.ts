/**
 * A small language client over standard streams: enough of an editor to test the server as a process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  type Diagnostic,
  type Position,
  type ProtocolConnection,
  type Range,
  StreamMessageReader,
  StreamMessageWriter,
  type TextEdit,
} from 'vscode-languageserver-protocol/node';
import type { Requests, StatusParams } from '../../server/src/protocol';

export interface Document {
  readonly uri: string;
  text: string;
  version: number;
}

export class TestClient {
  readonly folder = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-lsp-'));
  private readonly process: ChildProcess;
  readonly connection: ProtocolConnection;
  private readonly diagnostics = new Map<string, Diagnostic[]>();
  private readonly waiting: (() => void)[] = [];
  /** What the server said of itself, in order. */
  readonly statuses: StatusParams[] = [];

  /** `server`: its bundle and arguments. */
  constructor(server: readonly string[]) {
    this.process = spawn(process.execPath, server, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.connection = createProtocolConnection(
      new StreamMessageReader(this.process.stdout!),
      new StreamMessageWriter(this.process.stdin!),
    );
    this.connection.onNotification('textDocument/publishDiagnostics', ({ uri, diagnostics }) => {
      this.diagnostics.set(uri, diagnostics);
      for (const wake of this.waiting.splice(0)) wake();
    });
    this.connection.onNotification('mlx-scope/status', (status: StatusParams) => {
      this.statuses.push(status);
    });
    this.connection.listen();
  }

  async start(initializationOptions: object = {}): Promise<void> {
    await this.connection.sendRequest('initialize', {
      processId: process.pid,
      rootUri: this.uri('.'),
      workspaceFolders: [{ uri: this.uri('.'), name: 'test' }],
      capabilities: { textDocument: {}, workspace: {} },
      initializationOptions,
    });
    await this.connection.sendNotification('initialized', {});
  }

  async stop(): Promise<void> {
    await this.connection.sendRequest('shutdown');
    await this.connection.sendNotification('exit');
    await new Promise(resolve => this.process.once('exit', resolve));
    this.connection.dispose();
    rmSync(this.folder, { recursive: true });
  }

  uri(name: string): string {
    return pathToFileURL(path.join(this.folder, name)).toString();
  }

  write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  async open(name: string, text: string): Promise<Document> {
    const uri = this.uri(name);
    const textDocument = { uri, languageId: 'python', version: 1, text };
    this.diagnostics.delete(uri);
    await this.connection.sendNotification('textDocument/didOpen', { textDocument });
    return { uri, text, version: 1 };
  }

  /** Types `by` over the first occurrence of `old`, as an incremental change. */
  async replace(document: Document, old: string, by: string): Promise<void> {
    const start = document.text.indexOf(old);
    if (start < 0) throw new Error(`the document does not hold ${old}`);
    const range = { start: positionAt(document.text, start), end: positionAt(document.text, start + old.length) };
    await this.apply(document, [{ range, newText: by }]);
  }

  async apply(document: Document, edits: readonly TextEdit[]): Promise<void> {
    const sorted = [...edits].sort(
      (a, b) => offsetAt(document.text, b.range.start) - offsetAt(document.text, a.range.start),
    );
    for (const { range, newText } of sorted) {
      const [start, end] = [offsetAt(document.text, range.start), offsetAt(document.text, range.end)];
      document.text = document.text.slice(0, start) + newText + document.text.slice(end);
    }
    document.version++;
    this.diagnostics.delete(document.uri);
    await this.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri: document.uri, version: document.version },
      contentChanges: sorted.map(({ range, newText }) => ({ range, text: newText })),
    });
  }

  /** What the server says of the document next (or has said since its last change). */
  async diagnosticsOf(uri: string, milliseconds = 10_000): Promise<Diagnostic[]> {
    const deadline = Date.now() + milliseconds;
    for (let found = this.diagnostics.get(uri); ; found = this.diagnostics.get(uri)) {
      if (found) return found;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no diagnostics for ${uri} in ${milliseconds} ms`);
      await Promise.race([
        new Promise<void>(resolve => this.waiting.push(resolve)),
        new Promise(resolve => setTimeout(resolve, left)),
      ]);
    }
  }

  request<M extends keyof Requests>(method: M, params: Requests[M][0]): Promise<Requests[M][1]> {
    return this.connection.sendRequest(method, params);
  }
}

export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length - 1, character: before.at(-1)!.length };
}

export function offsetAt(text: string, { line, character }: Position): number {
  return (
    text
      .split('\n')
      .slice(0, line)
      .reduce((n, l) => n + l.length + 1, 0) + character
  );
}

/** The position inside the first occurrence of `code` in a document, `into` units after its start. */
export const inside = ({ text }: Document, code: string, into = 1): Position =>
  positionAt(text, text.indexOf(code) + into);

export const textIn = ({ text }: Document, { start, end }: Range): string =>
  text.slice(offsetAt(text, start), offsetAt(text, end));
