/** "Show model summary": the parameter tree of a class as a read-only text document. */
import {
  type Disposable,
  EventEmitter,
  type TextDocumentContentProvider,
  Uri,
  ViewColumn,
  window,
  workspace,
} from 'vscode';
import type { CommandArgument, SummaryResult } from '../../server/src/protocol';
import type { Server } from './server';

const SCHEME = 'mlx-scope-summary';

export class Summaries implements TextDocumentContentProvider, Disposable {
  private readonly changed = new EventEmitter<Uri>();
  readonly onDidChange = this.changed.event;
  private readonly texts = new Map<string, string>();
  private readonly registration: Disposable;

  constructor(private readonly server: Server) {
    this.registration = workspace.registerTextDocumentContentProvider(SCHEME, this);
  }

  dispose(): void {
    this.registration.dispose();
    this.changed.dispose();
  }

  provideTextDocumentContent(uri: Uri): string {
    return this.texts.get(uri.toString()) ?? 'This summary is of an earlier session: ask for it again.';
  }

  async show({ uri, target }: CommandArgument): Promise<void> {
    const result = await this.server.request('mlx-scope/summary', { uri, target, config: null });
    const document = Uri.from({ scheme: SCHEME, path: `/${result.name} summary.txt`, query: uri });
    this.texts.set(document.toString(), summaryText(result));
    this.changed.fire(document);
    const shown = await workspace.openTextDocument(document);
    await window.showTextDocument(shown, { viewColumn: ViewColumn.Beside, preview: true, preserveFocus: false });
  }
}

/** An aligned table of paths, types and counts, with totals below. */
export function summaryText({ name, parameters, total, bytes }: SummaryResult): string {
  const rows = parameters.map(({ path, shape, dtype, count, trainable }) => [
    path,
    `${dtype ?? 'unknown'}[${shape === null ? '…' : shape.map(axis => axis ?? '?').join(', ')}]`,
    count === null ? 'unknown' : show(count),
    trainable ? '' : 'frozen',
  ]);
  const table = [['Parameter', 'Type', 'Count', ''], ...rows];
  const widths = [0, 1, 2].map(column => Math.max(...table.map(row => row[column].length)));
  const line = ([path, type, count, note]: string[]) =>
    `${path.padEnd(widths[0])}  ${type.padEnd(widths[1])}  ${count.padStart(widths[2])}  ${note}`.trimEnd();
  const rule = '─'.repeat(widths[0] + widths[1] + widths[2] + 4);
  const [head, ...body] = table.map(line);
  const foot = [`${total === null ? 'An unknown number of' : show(total)} parameters`];
  if (bytes)
    foot.push(
      `${size(bytes.float32)} in float32, ${size(bytes.bfloat16)} in bfloat16, ` +
        `${size(bytes.affine4)} quantized to 4 bits in groups of 64`,
    );
  return [name, rule, head, rule, ...body, rule, ...foot, ''].join('\n');
}

const show = (count: number | string): string => (typeof count === 'number' ? count.toLocaleString('en-US') : count);

/** `16.1 GB`, in powers of ten as disks and model hubs count. */
function size(bytes: number): string {
  const unit = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** unit;
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}
