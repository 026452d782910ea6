/**
 * One panel: a page, and the task it shows.
 *
 * The page may go at any time (VS Code drops hidden ones) and comes back with `ready`; what it has to know is kept
 * here and told again.
 */
import {
  CancellationTokenSource,
  type Disposable,
  EventEmitter,
  Range,
  Uri,
  ViewColumn,
  type WebviewPanel,
  window,
  workspace,
} from 'vscode';
import type { RunParams } from '../../../server/src/protocol';
import { Cancelled, type Server } from '../server';
import type { FromPage, Subject, TaskName, Tasks, ToPage } from './messages';
import { pageHtml } from './page';

const ORIGIN = { line: 0, character: 0 };
const TITLES: Record<TaskName, string> = { run: 'Run', quantize: 'Quantize' };

export class TaskPanel<T extends TaskName> implements Disposable {
  private readonly panel: WebviewPanel;
  private readonly ended = new EventEmitter<ToPage<T>>();
  /** Fires with the last word of each task: `result`, `failed` or `cancelled`. */
  readonly onEnded = this.ended.event;
  private current: CancellationTokenSource | null = null;
  /** What a page that opens anew is told, in order. */
  private history: ToPage<T>[] = [];

  constructor(
    private readonly task: T,
    private readonly server: Server,
    extension: Uri,
    private subject: Subject,
    private readonly switchTo: () => void,
  ) {
    const folder = Uri.joinPath(extension, 'dist/panels');
    const title = `${TITLES[task]}: ${subject.target.name}`;
    const where = { viewColumn: ViewColumn.Beside, preserveFocus: true };
    this.panel = window.createWebviewPanel(`mlx-scope.${task}`, title, where, {
      enableScripts: true,
      localResourceRoots: [folder],
    });
    this.panel.iconPath = Uri.joinPath(extension, 'media/outline.svg');
    this.panel.webview.onDidReceiveMessage((message: FromPage<T>) => this.receive(message));
    this.panel.onDidDispose(() => this.current?.cancel());
    this.panel.webview.html = pageHtml(this.panel.webview, folder, task, title);
  }

  get onDisposed() {
    return this.panel.onDidDispose;
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  dispose(): void {
    this.panel.dispose();
    this.ended.dispose();
  }

  /** Starts the task; one that is under way is cancelled. */
  async start(params: Tasks[T]['params']): Promise<void> {
    this.current?.cancel();
    const source = new CancellationTokenSource();
    this.current = source;
    // A finished result stays in view behind the new task, also for a page that comes back meanwhile.
    const before = this.history.filter(message => message.type === 'result');
    this.history = [...before];
    this.tell({ type: 'started', subject: this.subject, params });
    try {
      const result = await this.ask(params, source);
      if (this.current === source) this.end({ type: 'result', result });
    } catch (error) {
      if (this.current !== source) return;
      if (error instanceof Cancelled) this.end({ type: 'cancelled' });
      else this.end({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
    } finally {
      source.dispose();
    }
  }

  private ask(params: Tasks[T]['params'], source: CancellationTokenSource): Promise<Tasks[T]['result']> {
    const options = {
      token: source.token,
      progress: (progress: { message: string; fraction: number | null }) => {
        if (this.current === source) void this.panel.webview.postMessage({ type: 'progress', ...progress });
      },
    };
    const method = `mlx-scope/${this.task}` as const;
    return this.server.request(method, params as never, options) as Promise<Tasks[T]['result']>;
  }

  private async sendProgram(id: number, params: RunParams): Promise<void> {
    const answer = await this.server
      .request('mlx-scope/program', params)
      .catch(error => ({ problem: error instanceof Error ? error.message : String(error) }));
    void this.panel.webview.postMessage({ type: 'program', id, answer } satisfies ToPage);
  }

  private end(message: ToPage<T>): void {
    this.current = null;
    if (message.type === 'result') this.history = this.history.filter(({ type }) => type !== 'result');
    this.tell(message);
    this.ended.fire(message);
  }

  private tell(message: ToPage<T>): void {
    this.history.push(message);
    void this.panel.webview.postMessage(message);
  }

  private async receive(message: FromPage<T>): Promise<void> {
    switch (message.type) {
      case 'ready':
        for (const one of this.history) void this.panel.webview.postMessage(one);
        return;
      case 'start':
        return this.start(message.params);
      case 'cancel':
        return this.current?.cancel();
      case 'program':
        return this.sendProgram(message.id, message.params);
      case 'switch':
        return this.switchTo();
      case 'save':
        return save(message.name, message.text);
      case 'reveal': {
        const document = await workspace.openTextDocument(Uri.parse(message.uri));
        const { start, end } = message.range ?? { start: ORIGIN, end: ORIGIN };
        const selection = new Range(start.line, start.character, end.line, end.character);
        await window.showTextDocument(document, { viewColumn: ViewColumn.One, selection });
        return;
      }
    }
  }
}

async function save(name: string, text: string): Promise<void> {
  const folder = workspace.workspaceFolders?.[0]?.uri;
  const target = await window.showSaveDialog({ defaultUri: folder && Uri.joinPath(folder, name), title: 'Export' });
  if (!target) return;
  await workspace.fs.writeFile(target, new TextEncoder().encode(text));
  await window.showTextDocument(target, { viewColumn: ViewColumn.Beside });
}
