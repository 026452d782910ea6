/**
 * Checkpoints of documents: attaching one (remembered for the workspace), checking a model against it, and the view that
 * shows the difference key by key.
 */
import {
  commands,
  type Disposable,
  EventEmitter,
  type ExtensionContext,
  MarkdownString,
  ProgressLocation,
  type QuickPickItem,
  Range,
  ThemeColor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  Uri,
  window,
  workspace,
} from 'vscode';
import type { ArrayTypeJson, CheckpointResult, CheckpointRow } from '../../server/src/protocol';
import type { Server } from './server';

/** What is remembered of a document: the URI of its weights. */
type Remembered = Record<string, string>;
const MEMORY = 'mlx-scope.checkpoints';

/** What a command may be called with, by tests and other extensions. */
export interface CheckpointArgument {
  uri?: string;
  weights?: string;
}

interface Group {
  readonly title: string;
  readonly icon: string;
  readonly rows: readonly CheckpointRow[];
}
interface Side {
  readonly label: string;
  readonly type: ArrayTypeJson | null;
  readonly row: CheckpointRow;
}
type Node = Group | CheckpointRow | Side | { readonly problem: string };

/** Groups of the view, by the rule's name; the last is what fits. */
const GROUPS: readonly (readonly [rule: string | null, title: string, icon: string])[] = [
  ['weights-file', 'In missing or damaged files', 'file-binary'],
  ['weights-missing', 'Missing from the checkpoint', 'diff-removed'],
  ['weights-unexpected', 'Not in the model', 'diff-added'],
  ['weights-shape', 'Of another shape', 'diff-modified'],
  ['weights-layout', 'In PyTorch’s order of axes', 'arrow-swap'],
  ['weights-quantized', 'Quantized otherwise', 'symbol-ruler'],
  [null, 'Fitting', 'check'],
];

export class Checkpoints implements TreeDataProvider<Node>, Disposable {
  private readonly changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: TreeView<Node>;
  private readonly subscriptions: Disposable[];
  private result: CheckpointResult | null = null;
  private document: string | null = null;

  constructor(
    private readonly context: ExtensionContext,
    private readonly server: Server,
  ) {
    this.view = window.createTreeView('mlx-scope.checkpoint', { treeDataProvider: this, showCollapseAll: true });
    this.subscriptions = [
      this.view,
      this.changed,
      server.onStarted(() => void this.attachAgain()),
      workspace.onDidOpenTextDocument(({ uri }) => void this.attachRemembered(uri.toString())),
    ];
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }

  // ---- commands -------------------------------------------------------------------------------------------------------

  /** Attaches weights to the document in front; asks which unless they are given. */
  async attach(argument: unknown): Promise<CheckpointResult | null> {
    const { uri, weights } = await this.chosen(argument, 'Attach a checkpoint');
    if (!uri || !weights) return null;
    const { check } = await this.waiting('Reading the checkpoint', () =>
      this.server.request('mlx-scope/attach', { uri, entry: null, config: null, weights }),
    );
    await this.remember(uri, weights);
    this.show(check, uri);
    this.tell(check);
    return check;
  }

  /** Initial weights again. */
  async detach(argument: unknown): Promise<void> {
    const uri = documentOf(argument);
    if (!uri) return;
    await this.server.request('mlx-scope/attach', { uri, entry: null, config: null, weights: null });
    await this.remember(uri, null);
    this.show(null, uri);
  }

  /** Compares the document's model with what is attached, or with weights that are given or asked for. */
  async check(argument: unknown): Promise<CheckpointResult | null> {
    const given = (argument ?? {}) as CheckpointArgument;
    const attached = this.remembered()[documentOf(argument) ?? ''];
    const { uri, weights } = await this.chosen({ ...given, weights: given.weights ?? attached }, 'Check a checkpoint');
    if (!uri || !weights) return null;
    const check = await this.waiting('Checking the checkpoint', () =>
      this.server.request('mlx-scope/checkpoint', { uri, entry: null, config: null, weights }),
    );
    this.show(check, uri);
    this.tell(check);
    await commands.executeCommand('mlx-scope.checkpoint.focus');
    return check;
  }

  private waiting<T>(title: string, act: () => Promise<T>): Promise<T> {
    return Promise.resolve(window.withProgress({ location: ProgressLocation.Window, title }, act));
  }

  private tell(check: CheckpointResult | null): void {
    if (!check) return;
    const wrong = check.rows.filter(row => row.code !== null).length + check.problems.length;
    const what = `${check.entry} and ${nameOf(check.weights)}`;
    if (wrong > 0) void window.setStatusBarMessage(`$(error) ${wrong} differences between ${what}`, 8000);
    else if (!check.complete) void window.showWarningMessage(check.notes[0] ?? `Not all of ${what} could be compared.`);
    else void window.setStatusBarMessage(`$(check) ${what} fit`, 8000);
  }

  private async chosen(argument: unknown, title: string): Promise<{ uri: string | null; weights: string | null }> {
    const uri = documentOf(argument);
    if (!uri) {
      void window.showInformationMessage('Open a Python file that uses MLX first.');
      return { uri: null, weights: null };
    }
    const { weights } = (argument ?? {}) as CheckpointArgument;
    return { uri, weights: weights ?? (await pickWeights(title, Uri.parse(uri))) };
  }

  // ---- memory ---------------------------------------------------------------------------------------------------------

  private remembered(): Remembered {
    return this.context.workspaceState.get<Remembered>(MEMORY, {});
  }

  private async remember(uri: string, weights: string | null): Promise<void> {
    const { [uri]: _, ...others } = this.remembered();
    await this.context.workspaceState.update(MEMORY, weights ? { ...others, [uri]: weights } : others);
  }

  /** A server that has just started knows of none. */
  private async attachAgain(): Promise<void> {
    for (const { uri, languageId } of workspace.textDocuments)
      if (languageId === 'python') await this.attachRemembered(uri.toString());
  }

  private async attachRemembered(uri: string): Promise<void> {
    const weights = this.remembered()[uri];
    if (!weights || !this.server.client.isRunning()) return;
    // Files may have gone since: then there is nothing attached, and nothing to be said unasked.
    const found = await this.server
      .request('mlx-scope/attach', { uri, entry: null, config: null, weights })
      .catch(() => null);
    if (found && uri === window.activeTextEditor?.document.uri.toString()) this.show(found.check, uri);
  }

  // ---- the view -------------------------------------------------------------------------------------------------------

  private show(result: CheckpointResult | null, uri: string): void {
    this.result = result;
    this.document = uri;
    void commands.executeCommand('setContext', 'mlx-scope.hasCheckpoint', result !== null);
    this.view.description = result ? nameOf(result.weights) : undefined;
    const file = this.document ? nameOf(this.document) : '';
    this.view.message = result ? headline(result, file) : undefined;
    this.changed.fire(undefined);
  }

  getChildren(node?: Node): Node[] {
    const { result } = this;
    if (!result) return [];
    if (!node) {
      const groups = GROUPS.map(([rule, title, icon]) => ({
        title,
        icon,
        rows: result.rows.filter(r => r.rule === rule),
      }));
      return [...result.problems.map(problem => ({ problem })), ...groups.filter(g => g.rows.length > 0)];
    }
    if ('rows' in node) return [...node.rows];
    if ('parameter' in node && node.code !== null)
      return [
        { label: 'model', type: node.model, row: node },
        { label: 'checkpoint', type: node.checkpoint, row: node },
      ];
    return [];
  }

  getTreeItem(node: Node): TreeItem {
    if ('problem' in node) {
      const item = new TreeItem(node.problem);
      item.iconPath = new ThemeIcon('error', new ThemeColor('list.errorForeground'));
      item.tooltip = node.problem;
      return item;
    }
    if ('rows' in node) {
      const fits = node.rows[0].code === null;
      const { Collapsed, Expanded } = TreeItemCollapsibleState;
      const item = new TreeItem(node.title, fits ? Collapsed : Expanded);
      item.description = `${node.rows.length}`;
      item.iconPath = new ThemeIcon(node.icon);
      return item;
    }
    if ('label' in node) {
      const item = new TreeItem(`${node.label}: ${typeText(node.type)}`);
      item.iconPath = new ThemeIcon(node.label === 'model' ? 'symbol-class' : 'file-binary');
      item.command = reveal(node.row);
      return item;
    }
    const wrong = node.code !== null;
    const { None, Collapsed } = TreeItemCollapsibleState;
    const item = new TreeItem(node.parameter, wrong ? Collapsed : None);
    item.description = node.explanation ?? typeText(node.model ?? node.checkpoint);
    item.iconPath = wrong
      ? new ThemeIcon(
          node.certain ? 'error' : 'warning',
          new ThemeColor(node.certain ? 'list.errorForeground' : 'list.warningForeground'),
        )
      : new ThemeIcon('pass');
    item.tooltip = new MarkdownString(node.message ?? `\`${typeText(node.model)}\` on both sides`);
    item.command = reveal(node);
    return item;
  }
}

const typeText = (type: ArrayTypeJson | null): string =>
  type ? `${type.dtype ?? ''}[${type.shape.join(', ')}]` : 'nothing';

const nameOf = (uri: string): string => Uri.parse(uri).path.split('/').filter(Boolean).at(-1) ?? uri;

function headline({ entry, rows, arrays, complete, notes }: CheckpointResult, file: string): string {
  const own = rows.filter(row => row.model !== null);
  const fitting = own.filter(row => row.code === null).length;
  const text = `${fitting} of ${own.length} parameters of ${entry} (${file}) fit; the checkpoint has ${arrays} arrays.`;
  return [text, ...(complete ? [] : ['Not everything could be compared.']), ...notes].join(' ');
}

function reveal({ uri, range }: CheckpointRow) {
  if (!uri || !range) return undefined;
  const selection = new Range(range.start.line, range.start.character, range.end.line, range.end.character);
  return { command: 'vscode.open', title: 'Go to', arguments: [Uri.parse(uri), { selection }] };
}

function documentOf(argument: unknown): string | null {
  const given = (argument as CheckpointArgument | undefined)?.uri;
  if (given) return given;
  const editor = window.activeTextEditor ?? window.visibleTextEditors.find(e => e.document.languageId === 'python');
  return editor?.document.languageId === 'python' ? editor.document.uri.toString() : null;
}

interface WeightsChoice extends QuickPickItem {
  uri?: string;
  folder?: boolean;
}

/** Checkpoints of the workspace, or others by dialog. */
async function pickWeights(title: string, near: Uri): Promise<string | null> {
  const found = await workspace.findFiles('**/*.{safetensors,npz,safetensors.index.json}', '**/node_modules/**', 100);
  const folders = new Map<string, number>();
  for (const uri of found) {
    const folder = Uri.joinPath(uri, '..').toString();
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  const choices: WeightsChoice[] = [
    ...[...folders].map(([uri, count]) => ({
      label: `$(folder) ${workspace.asRelativePath(Uri.parse(uri))}`,
      description: `${count} file${count === 1 ? '' : 's'}`,
      uri,
    })),
    ...found.map(uri => ({ label: `$(file-binary) ${workspace.asRelativePath(uri)}`, uri: uri.toString() })),
    { label: '$(folder-opened) Browse for a folder…', folder: true },
    { label: '$(folder-opened) Browse for a file…', folder: false },
  ];
  const picked = await window.showQuickPick(choices, {
    title,
    placeHolder: 'Only headers are read until values are needed',
  });
  if (!picked) return null;
  if (picked.uri) return picked.uri;
  const chosen = await window.showOpenDialog({
    title,
    canSelectFolders: picked.folder,
    canSelectFiles: !picked.folder,
    filters: picked.folder ? undefined : { Weights: ['safetensors', 'npz', 'json'] },
    defaultUri: Uri.joinPath(near, '..'),
  });
  return chosen?.[0].toString() ?? null;
}
