/** What a command is about: what its caller names, what the cursor stands on, or what the user picks. */
import { Position, type QuickPickItem, QuickPickItemKind, Range, ThemeIcon, window } from 'vscode';
import type { CommandArgument, OutlineNode, Target } from '../../server/src/protocol';
import type { Server } from './server';

interface Choice extends QuickPickItem {
  argument?: CommandArgument;
}

/**
 * The target of a command, or null when there is none (then the user has been told) or the picker was left.
 * @param given a lens's argument, a node of the outline, or undefined from the palette.
 */
export async function chooseTarget(server: Server, given: unknown, title: string): Promise<CommandArgument | null> {
  if (isArgument(given)) return { uri: given.uri, target: given.target };
  const editor = window.activeTextEditor ?? window.visibleTextEditors.find(one => one.document.languageId === 'python');
  if (editor?.document.languageId !== 'python') {
    void window.showInformationMessage('Open a Python file that uses MLX first.');
    return null;
  }
  const uri = editor.document.uri.toString();
  const nodes = await server.request('mlx-scope/outline', { uri });
  const choices = nodes.flatMap(node => choicesIn(node, uri));
  if (choices.length === 0) {
    void window.showInformationMessage('No MLX layer or module class is found in this file.');
    return null;
  }
  const here = choices.find(choice => isAt(choice.argument?.target ?? null, editor.selection.active));
  if (here?.argument) return here.argument;
  const picked = await window.showQuickPick(choices, { title, placeHolder: 'A layer or a class', matchOnDetail: true });
  return picked?.argument ?? null;
}

/** Both the argument of a lens and a node of the outline have these. */
function isArgument(given: unknown): given is CommandArgument {
  if (typeof given !== 'object' || given === null) return false;
  const { uri, target } = given as Partial<CommandArgument>;
  return typeof uri === 'string' && typeof target === 'object' && target !== null;
}

function choicesIn(node: OutlineNode, uri: string): Choice[] {
  const own: Choice[] = [];
  if (node.kind === 'class') own.push({ label: node.name, kind: QuickPickItemKind.Separator });
  if (node.target)
    own.push({
      label: node.name,
      description: node.detail,
      detail: node.flow ?? undefined,
      iconPath: new ThemeIcon(node.kind === 'class' ? 'symbol-class' : 'symbol-method'),
      argument: { uri: node.uri || uri, target: node.target },
    });
  return [...own, ...node.children.flatMap(child => choicesIn(child, uri))];
}

function isAt(target: Target | null, position: Position): boolean {
  if (!target?.range) return false;
  const { start, end } = target.range;
  return new Range(new Position(start.line, 0), new Position(end.line, end.character)).contains(position);
}
