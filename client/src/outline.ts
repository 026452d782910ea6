/** The model outline: classes, their layers and parameters, of the document in front. */
import {
  commands,
  type Disposable,
  EventEmitter,
  MarkdownString,
  Range,
  type TextEditor,
  ThemeIcon,
  type TreeDataProvider,
  TreeItem,
  TreeItemCollapsibleState,
  type TreeView,
  Uri,
  window,
} from 'vscode';
import type { OutlineNode } from '../../server/src/protocol';
import type { Server } from './server';

const ICONS = { class: 'symbol-class', layer: 'symbol-method', parameter: 'symbol-numeric' } as const;

export class ModelOutline implements TreeDataProvider<OutlineNode>, Disposable {
  private readonly changed = new EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private readonly parents = new WeakMap<OutlineNode, OutlineNode>();
  private readonly view: TreeView<OutlineNode>;
  private readonly subscriptions: Disposable[];
  private uri: string | null = null;
  /** Of the document in front; asked once and shared by the view and the commands. */
  private roots: Promise<OutlineNode[]> = Promise.resolve([]);

  constructor(private readonly server: Server) {
    this.view = window.createTreeView('mlx-scope.outline', { treeDataProvider: this, showCollapseAll: true });
    this.subscriptions = [
      this.view,
      this.changed,
      server.onStarted(() => this.refresh()),
      server.onNotification('mlx-scope/outlineChanged', ({ uri }) => {
        if (uri === this.uri) this.refresh();
      }),
      window.onDidChangeActiveTextEditor(editor => this.follow(editor)),
    ];
    this.follow(window.activeTextEditor);
  }

  dispose(): void {
    for (const one of this.subscriptions) one.dispose();
  }

  /** Shows another document. Panels and outputs in front leave the last one. */
  private follow(editor: TextEditor | undefined): void {
    if (!editor || editor.document.uri.scheme === 'output') return;
    const uri = editor.document.languageId === 'python' ? editor.document.uri.toString() : null;
    if (uri === this.uri) return;
    this.uri = uri;
    this.refresh();
  }

  refresh(): void {
    const { uri } = this;
    const asked = uri !== null && this.server.client.isRunning();
    const roots = asked ? this.server.request('mlx-scope/outline', { uri }).catch(() => []) : Promise.resolve([]);
    this.roots = roots;
    void roots.then(found => {
      if (this.roots !== roots) return;
      void commands.executeCommand('setContext', 'mlx-scope.hasModel', found.length > 0);
      this.changed.fire(undefined);
    });
  }

  getChildren(node?: OutlineNode): Promise<OutlineNode[]> | OutlineNode[] {
    if (!node) return this.roots;
    for (const child of node.children) this.parents.set(child, node);
    return node.children;
  }

  getParent(node: OutlineNode): OutlineNode | undefined {
    return this.parents.get(node);
  }

  getTreeItem(node: OutlineNode): TreeItem {
    const item = new TreeItem(node.name, collapsible(node));
    item.description = [node.detail, node.flow].filter(Boolean).join('  ');
    item.iconPath = new ThemeIcon(ICONS[node.kind]);
    item.contextValue = node.target ? 'target' : node.kind;
    item.tooltip = tooltip(node);
    const { start, end } = node.range;
    const selection = new Range(start.line, start.character, end.line, end.character);
    item.command = { command: 'vscode.open', title: 'Go to', arguments: [Uri.parse(node.uri), { selection }] };
    return item;
  }
}

function collapsible({ kind, children }: OutlineNode): TreeItemCollapsibleState {
  if (children.length === 0) return TreeItemCollapsibleState.None;
  return kind === 'class' ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
}

function tooltip(node: OutlineNode): MarkdownString {
  const lines = [`**${node.name}** ${node.detail && `\`${node.detail}\``}`];
  if (node.flow) lines.push(`\`${node.flow}\``);
  if (node.parameters !== null) lines.push(`${count(node.parameters)} parameters`);
  return new MarkdownString(lines.join('\n\n'));
}

const count = (n: number | string): string => (typeof n === 'number' ? n.toLocaleString('en-US') : `\`${n}\``);
