/** The commands of the palette, of lenses and of the outline's menus. */
import {
  commands,
  type Disposable,
  type LogOutputChannel,
  ProgressLocation,
  type QuickPickItem,
  Range,
  ThemeIcon,
  Uri,
  WorkspaceEdit,
  window,
  workspace,
} from 'vscode';
import { COMMANDS, type SetConfigParams } from '../../server/src/protocol';
import type { Checkpoints } from './checkpoints';
import type { ModelOutline } from './outline';
import type { Panels } from './panels/panels';
import { Cancelled, type Server } from './server';
import type { Summaries } from './summary';
import { chooseTarget } from './targets';

export interface Parts {
  readonly server: Server;
  readonly panels: Panels;
  readonly outline: ModelOutline;
  readonly summaries: Summaries;
  readonly checkpoints: Checkpoints;
  readonly log: LogOutputChannel;
}

export function registerCommands(parts: Parts): Disposable[] {
  const { server, panels, outline, summaries, checkpoints, log } = parts;
  const table: Record<string, (argument: unknown) => unknown> = {
    [COMMANDS.run]: async argument => {
      const chosen = await chooseTarget(server, argument, 'Run layer');
      if (chosen) panels.run(chosen);
    },
    [COMMANDS.quantize]: async argument => {
      const chosen = await chooseTarget(server, argument, 'Quantize and compare');
      if (chosen) panels.quantize(chosen);
    },
    [COMMANDS.summary]: async argument => {
      const chosen = await chooseTarget(server, argument, 'Show model summary');
      if (chosen) await summaries.show(chosen);
    },
    'mlx-scope.chooseConfig': () => chooseConfig(server),
    'mlx-scope.attachCheckpoint': argument => checkpoints.attach(argument),
    'mlx-scope.detachCheckpoint': argument => checkpoints.detach(argument),
    'mlx-scope.checkCheckpoint': argument => checkpoints.check(argument),
    'mlx-scope.writeShapes': () => writeShapes(server),
    'mlx-scope.refreshOutline': () => outline.refresh(),
    'mlx-scope.restart': () => server.restart(),
    'mlx-scope.showLog': () => log.show(),
  };
  return Object.entries(table).map(([id, run]) =>
    commands.registerCommand(id, async (argument: unknown) => {
      try {
        return await run(argument);
      } catch (error) {
        if (error instanceof Cancelled) return undefined;
        log.error(`${id}: ${error}`);
        void window.showErrorMessage(error instanceof Error ? error.message : String(error));
        return undefined;
      }
    }),
  );
}

interface ConfigChoice extends QuickPickItem {
  config?: string | null;
}

/** Offers the config files near the document in front, any other, or none. */
async function chooseConfig(server: Server): Promise<void> {
  const editor = pythonEditor();
  if (!editor) return;
  const uri = editor.document.uri.toString();
  const configs = await server.request('mlx-scope/configs', { uri });
  const choices: ConfigChoice[] = configs.map(({ uri: config, label, current }) => ({
    label,
    description: current ? 'in use' : undefined,
    iconPath: new ThemeIcon(current ? 'check' : 'json'),
    config,
  }));
  choices.push({ label: 'Browse…', iconPath: new ThemeIcon('folder-opened') });
  choices.push({
    label: 'Without a config',
    description: 'shapes in symbols',
    iconPath: new ThemeIcon('x'),
    config: null,
  });
  const picked = await window.showQuickPick(choices, {
    title: 'Read this file with a model config',
    placeHolder: 'Its numbers take the place of the symbols in shapes',
  });
  if (!picked) return;
  const config = picked.config === undefined ? await browse(editor.document.uri) : picked.config;
  if (config === undefined) return;
  const params: SetConfigParams = { uri, entry: null, config };
  const { entry, message } = await server.request('mlx-scope/setConfig', params);
  if (message) void window.showWarningMessage(message);
  else if (entry) void window.setStatusBarMessage(`MLX Scope: shapes of ${entry} are numbers now`, 5000);
}

async function browse(near: Uri): Promise<string | undefined> {
  const chosen = await window.showOpenDialog({
    title: 'Choose a config.json',
    filters: { 'Model config': ['json'] },
    defaultUri: Uri.joinPath(near, '..'),
  });
  return chosen?.[0].toString();
}

/** Writes shapes at the ends of the selected lines, or of all where nothing is selected. */
async function writeShapes(server: Server): Promise<void> {
  const editor = pythonEditor();
  if (!editor) return;
  const { document, selection } = editor;
  const params = { uri: document.uri.toString(), range: selection.isEmpty ? null : plainRange(selection) };
  const changes = await window.withProgress({ location: ProgressLocation.Window, title: 'Writing shapes' }, () =>
    server.request('mlx-scope/shapeComments', params),
  );
  const edit = new WorkspaceEdit();
  let count = 0;
  for (const [uri, edits] of Object.entries(changes))
    for (const { range, newText } of edits) {
      const { start, end } = range;
      edit.replace(Uri.parse(uri), new Range(start.line, start.character, end.line, end.character), newText);
      count++;
    }
  if (count === 0) void window.showInformationMessage('No line has a shape to write.');
  else await workspace.applyEdit(edit);
}

function plainRange({ start, end }: Range) {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

function pythonEditor() {
  const editor = window.activeTextEditor;
  if (editor?.document.languageId === 'python') return editor;
  void window.showInformationMessage('Open a Python file that uses MLX first.');
  return null;
}
