/** The extension through VS Code's own interface, the same in every host. */
import * as vscode from 'vscode';
import type { Extension } from '../../../client/src/extension';
import type { ToPage } from '../../../client/src/panels/messages';

const ID = 'mlx-scope.mlx-scope';

function check(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

type Falsy = false | null | undefined;

/** Asks again until the answer is there, since analysis follows typing at its own pace. */
async function eventually<T>(what: string, ask: () => T | Promise<T>, seconds = 20): Promise<Exclude<T, Falsy>> {
  let last: unknown;
  for (let tries = 0; tries < seconds * 10; tries++) {
    try {
      const value = await ask();
      if (value) return value as Exclude<T, Falsy>;
    } catch (error) {
      last = error;
    }
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come${last ? `: ${last}` : ''}`);
}

const fileUri = (name: string) => vscode.Uri.joinPath(vscode.workspace.workspaceFolders![0].uri, name);

async function open(name: string): Promise<vscode.TextDocument> {
  const document = await vscode.workspace.openTextDocument(fileUri(name));
  await vscode.window.showTextDocument(document, vscode.ViewColumn.One);
  return document;
}

const extension = (): Extension => vscode.extensions.getExtension<Extension>(ID)!.exports;

const problems = (document: vscode.TextDocument) =>
  vscode.languages.getDiagnostics(document.uri).filter(one => one.source === 'mlx-scope');

async function hints(document: vscode.TextDocument): Promise<string[]> {
  const whole = new vscode.Range(0, 0, document.lineCount, 0);
  const found = await vscode.commands.executeCommand<vscode.InlayHint[]>(
    'vscode.executeInlayHintProvider',
    document.uri,
    whole,
  );
  return found.map(({ label }) => (typeof label === 'string' ? label : label.map(part => part.value).join('')));
}

async function hoverText(document: vscode.TextDocument, position: vscode.Position): Promise<string> {
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    'vscode.executeHoverProvider',
    document.uri,
    position,
  );
  return hovers.flatMap(hover => hover.contents.map(one => (typeof one === 'string' ? one : one.value))).join('\n');
}

function positionOf(document: vscode.TextDocument, text: string): vscode.Position {
  const at = document.getText().indexOf(text);
  check(at >= 0, `the file has ${text}`);
  return document.positionAt(at);
}

async function replace(document: vscode.TextDocument, from: string, to: string): Promise<void> {
  const start = positionOf(document, from);
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(start, start.translate(0, from.length)), to);
  check(await vscode.workspace.applyEdit(edit), 'the edit is applied');
}

/** The next end of a panel's task. */
function nextEnd(): Promise<ToPage> {
  return new Promise(resolve => {
    const listener = extension().panels.onEnded(message => {
      listener.dispose();
      resolve(message);
    });
  });
}

async function lens(document: vscode.TextDocument, title: RegExp): Promise<vscode.Command> {
  return eventually(`a lens ${title}`, async () => {
    const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
      'vscode.executeCodeLensProvider',
      document.uri,
      100,
    );
    return lenses.find(one => one.command && title.test(one.command.title))?.command;
  });
}

suite('MLX Scope', () => {
  let classifier: vscode.TextDocument;

  suiteSetup(async () => {
    classifier = await open('classifier.py');
    await eventually('the extension', () => vscode.extensions.getExtension(ID)?.isActive);
  });

  test('shapes stand behind names', async () => {
    const labels = await eventually('a hint', async () => {
      const found = await hints(classifier);
      return found.some(label => label.includes('[32, 256]')) && found;
    });
    check(
      labels.some(label => label.includes('[32, 10]')),
      `logits has a hint: ${labels.join(' ')}`,
    );
  });

  test('a correct file has no finding', () => {
    check(
      problems(classifier).length === 0,
      problems(classifier)
        .map(one => one.message)
        .join('\n'),
    );
  });

  test('a wrong layer is underlined, explained and repaired', async () => {
    await replace(classifier, 'nn.Linear(256, 10)', 'nn.Linear(128, 10)');
    const [problem] = await eventually('a finding', () => problems(classifier).length > 0 && problems(classifier));
    check(problem.severity === vscode.DiagnosticSeverity.Error, 'it is an error');
    check(/128/.test(problem.message) && /256/.test(problem.message), problem.message);
    check(classifier.lineAt(problem.range.start).text.includes('self.fc2'), 'it stands where fc2 is');
    check((problem.relatedInformation ?? []).length > 0, 'it says where the shapes come from');
    const fixes = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      classifier.uri,
      problem.range,
      vscode.CodeActionKind.QuickFix.value,
    );
    const fix = fixes.find(one => one.edit && /256/.test(one.title));
    check(fix?.edit, `a fix is offered: ${fixes.map(one => one.title).join(', ')}`);
    check(await vscode.workspace.applyEdit(fix.edit), 'the fix is applied');
    check(classifier.getText().includes('nn.Linear(256, 10)'), 'the layer takes 256 features again');
    await eventually('a clean file', () => problems(classifier).length === 0);
  });

  test('a hover tells the shape of an array', async () => {
    const text = await eventually('the hover', () => hoverText(classifier, positionOf(classifier, 'logits =')));
    check(text.includes('32, 10'), text);
  });

  test('a hover on a layer shows its card', async () => {
    const at = positionOf(classifier, 'nn.Linear(784, 256)').translate(0, 5);
    const text = await eventually('the hover', async () => {
      const found = await hoverText(classifier, at);
      return /200,?960/.test(found) && found;
    });
    check(/Linear/.test(text), text);
  });

  test('Run shows the output of a layer', async () => {
    const { command, arguments: given } = await lens(classifier, /Run/);
    const ended = nextEnd();
    await vscode.commands.executeCommand(command, ...(given ?? []));
    const message = await ended;
    check(message.type === 'result', JSON.stringify(message));
    check('outputs' in message.result, 'it is the result of a run');
    const [output] = message.result.outputs;
    check(output.shape.length > 0 && output.values.length > 0, 'the output has values');
    check(output.stats.nan === 0, 'the output is a number everywhere');
  });

  test('Quantize & compare measures every setting', async () => {
    const { command, arguments: given } = await lens(classifier, /Quantize/);
    const ended = nextEnd();
    await vscode.commands.executeCommand(command, ...(given ?? []));
    const message = await ended;
    check(message.type === 'result', JSON.stringify(message));
    check('rows' in message.result, 'it is the result of a comparison');
    const { rows } = message.result;
    const errorOf = (bits: number) =>
      rows.find(row => row.mode === 'affine' && row.bits === bits && row.groupSize === 64)!.weight.relativeError;
    check(errorOf(4) < errorOf(3) && errorOf(8) < errorOf(4), 'more bits, less error');
  });

  test('the outline lists classes and their layers', async () => {
    const uri = classifier.uri.toString();
    const roots = await extension().server.request('mlx-scope/outline', { uri });
    const found = roots.find(node => node.name === 'Classifier');
    check(found, JSON.stringify(roots.map(node => node.name)));
    const names = found.children.map(node => node.name);
    check(names.some(name => /fc1/.test(name)) && names.some(name => /fc2/.test(name)), names.join(' '));
  });

  test('shapes are in symbols without a config and in numbers with one', async () => {
    const attention = await open('attention.py');
    await eventually('a symbolic hint', async () => (await hints(attention)).some(label => /\bB\b.*\bL\b/.test(label)));
    const uri = attention.uri.toString();
    const configs = await extension().server.request('mlx-scope/configs', { uri });
    const config = configs.find(one => one.uri.endsWith('config.json'));
    check(config, 'the config beside the file is offered');
    const set = await extension().server.request('mlx-scope/setConfig', { uri, entry: null, config: config.uri });
    check(set.entry === 'Attention', JSON.stringify(set));
    await eventually('a hint in numbers', async () =>
      (await hints(attention)).some(label => /\b4\b.*\b16\b/.test(label)),
    );
    await extension().server.request('mlx-scope/setConfig', { uri, entry: null, config: null });
  });

  test('shapes are written as comments', async () => {
    classifier = await open('classifier.py');
    await vscode.commands.executeCommand('mlx-scope.writeShapes');
    await eventually('a comment', () => /logits = .*#.*32, 10/.test(classifier.getText()));
    await vscode.commands.executeCommand('undo');
  });

  test('the server restarts', async () => {
    await vscode.commands.executeCommand('mlx-scope.restart');
    await eventually('a hint', async () => (await hints(classifier)).some(label => label.includes('[32, 256]')));
  });
});
