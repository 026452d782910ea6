/** The language server as editors run it: a process that speaks over standard streams. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  CodeAction,
  CodeLens,
  CompletionItem,
  Hover,
  InlayHint,
  SignatureHelp,
} from 'vscode-languageserver-protocol';
import { bundle } from '../support/bundle';
import { inside, TestClient, textIn } from './client';

const MLP = `import mlx.core as mx
import mlx.nn as nn


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(784, 256)
        self.fc2 = nn.Linear(128, 10)

    def __call__(self, x):
        h = nn.relu(self.fc1(x))
        return self.fc2(h)


model = MLP()
y = model(mx.zeros((32, 784)))
`;
const FIXED = MLP.replace('128', '256');

let client: TestClient;
beforeAll(async () => {
  client = new TestClient([await bundle('server/src/main.node.ts', 'lsp-server'), '--stdio']);
  await client.start({ commands: true, documentation: 'file:///docs/rules' });
});
afterAll(() => client.stop());

const at = (uri: string) => ({ textDocument: { uri } });
const ask = <T>(method: string, params: object): Promise<T> =>
  client.connection.sendRequest(method, params) as Promise<T>;

describe('diagnostics', () => {
  it('say what MLX would refuse, where the layer was made, and how to mend it', async () => {
    const document = await client.open('mlp.py', MLP);
    const diagnostics = await client.diagnosticsOf(document.uri);
    expect(diagnostics.map(d => [d.code, d.severity, textIn(document, d.range)])).toEqual([
      ['MLX101', 1, 'self.fc2(h)'],
      ['MLX101', 3, 'nn.Linear(128, 10)'],
    ]);
    const [fault, companion] = diagnostics;
    expect(fault.message).toMatch(/128.*256/);
    expect(fault.codeDescription?.href).toBe('file:///docs/rules/MLX101.md');
    expect(fault.relatedInformation?.map(r => textIn(document, r.location.range))).toContain('nn.Linear(128, 10)');
    expect(companion.relatedInformation?.map(r => textIn(document, r.location.range))).toEqual(['self.fc2(h)']);

    const actions = await ask<CodeAction[]>('textDocument/codeAction', {
      ...at(document.uri),
      range: fault.range,
      context: { diagnostics },
    });
    expect(actions.map(a => a.title)).toEqual(['Make the Linear 256 wide', 'Ignore MLX101 on this line']);
    await client.apply(document, actions[0].edit!.changes![document.uri]);
    expect(document.text).toBe(FIXED);
    expect(await client.diagnosticsOf(document.uri)).toEqual([]);
  });

  it('follow what is typed', async () => {
    const document = await client.open('typed.py', FIXED);
    expect(await client.diagnosticsOf(document.uri)).toEqual([]);
    await client.replace(document, '784, 256', '784, 25');
    expect((await client.diagnosticsOf(document.uri)).map(d => d.code)).toContain('MLX101');
    await client.replace(document, '784, 25', '784, 256');
    expect(await client.diagnosticsOf(document.uri)).toEqual([]);
  });

  it('are silenced by the comment that an action writes', async () => {
    const document = await client.open('silenced.py', MLP);
    const diagnostics = await client.diagnosticsOf(document.uri);
    const actions = await ask<CodeAction[]>('textDocument/codeAction', {
      ...at(document.uri),
      range: diagnostics[0].range,
      context: { diagnostics },
    });
    const silence = actions.find(a => a.title.startsWith('Ignore'))!;
    await client.apply(document, silence.edit!.changes![document.uri]);
    expect(document.text).toContain('return self.fc2(h)  # mlx-scope: ignore[MLX101]');
    expect(await client.diagnosticsOf(document.uri)).toEqual([]);
  });

  it('follow an edit in another file', async () => {
    const layers = FIXED.split('\n\n\nmodel')[0];
    const library = await client.open('layers.py', `${layers}\n`);
    const main = await client.open(
      'main.py',
      'import mlx.core as mx\nfrom layers import MLP\n\ny = MLP()(mx.zeros((2, 784)))\n',
    );
    expect(await client.diagnosticsOf(main.uri)).toEqual([]);
    await client.replace(library, '256, 10', '128, 10');
    expect((await client.diagnosticsOf(library.uri)).map(d => d.code)).toContain('MLX101');
    await client.connection.sendNotification('textDocument/didClose', at(main.uri));
    await client.connection.sendNotification('textDocument/didClose', at(library.uri));
  });

  it('outlive half a line', async () => {
    const document = await client.open('broken.py', `${FIXED}z = mx.concatenate([y, (\n`);
    expect(await client.diagnosticsOf(document.uri)).toEqual([]);
    const hints = await ask<InlayHint[]>('textDocument/inlayHint', {
      ...at(document.uri),
      range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
    });
    expect(hints.map(h => h.label)).toContain(' [32, 10]');
  });
});

describe('features', () => {
  it('hint at shapes', async () => {
    const document = await client.open('hints.py', FIXED);
    const hints = await ask<InlayHint[]>('textDocument/inlayHint', {
      ...at(document.uri),
      range: { start: { line: 0, character: 0 }, end: { line: 99, character: 0 } },
    });
    const lines = document.text.split('\n');
    const shown = hints.map(h => {
      const line = lines[h.position.line];
      return `${line.slice(0, h.position.character)}${h.label}${line.slice(h.position.character)}`.trim();
    });
    expect(shown).toEqual([
      'def __call__(self, x [32, 784]):',
      'h [32, 256] = nn.relu(self.fc1(x))',
      'return self.fc2(h) [32, 10]',
      'y [32, 10] = model(mx.zeros((32, 784)))',
    ]);
  });

  it('tell of arrays, layers, classes and names in hovers', async () => {
    const document = await client.open('hover.py', FIXED);
    const hover = async (code: string, into = 1) => {
      const answer = await ask<Hover | null>('textDocument/hover', {
        ...at(document.uri),
        position: inside(document, code, into),
      });
      return (answer?.contents as { value: string } | undefined)?.value ?? null;
    };
    expect(await hover('h = nn', 0)).toContain('h: float32[32, 256]');
    expect(await hover('self.fc1 =', 7)).toMatch(
      /self\.fc1: Linear.*float32\[32, 784\] → float32\[32, 256\][\s\S]*float32\[256, 784\][\s\S]*200,960 parameters/,
    );
    // Live, where the layer runs and quantizes: 784 is no multiple of the usual 64.
    expect(await hover('self.fc1 =', 7)).toMatch(/mean .*std [\s\S]*its last axis, 784, is not a multiple of 64/);
    expect(await hover('self.fc2 =', 7)).toMatch(/\*\*output\*\* `float32\[32, 10\]`[\s\S]*\| 4-bit g64 \|/);
    expect(await hover('class MLP', 7)).toMatch(/MLP[\s\S]*fc2\.bias/);
    expect(await hover('nn.relu', 4)).toContain('mlx.nn.relu.html');
    expect(await hover('mx.zeros', 4)).toMatch(/mx\.zeros\(shape[\s\S]*_autosummary\/mlx\.core\.zeros\.html/);
    expect(await hover('import', 2)).toBeNull();
  });

  it('offer lenses, symbols and the outline', async () => {
    const document = await client.open('outline.py', FIXED);
    const lenses = await ask<CodeLens[]>('textDocument/codeLens', at(document.uri));
    const ofClass = lenses.filter(l => textIn(document, l.range) === 'MLP').map(l => l.command!.title);
    expect(ofClass).toEqual(['▷ Run', 'Quantize & compare', '204K parameters']);
    expect(lenses.some(l => textIn(document, l.range) === 'nn.Linear(784, 256)')).toBe(true);
    const nodes = await client.request('mlx-scope/outline', { uri: document.uri });
    expect(nodes[0]).toMatchObject({ kind: 'class', name: 'MLP', parameters: 203530 });
    expect(nodes[0].children[0]).toMatchObject({
      name: 'fc1',
      detail: 'Linear',
      flow: 'float32[32, 784] → float32[32, 256]',
      target: { kind: 'layer', name: 'self.fc1' },
    });
    const symbols = await ask<{ name: string; children: { name: string; detail?: string }[] }[]>(
      'textDocument/documentSymbol',
      at(document.uri),
    );
    expect(symbols[0].children.map(c => c.name)).toEqual(['fc1', 'fc2', '__init__', '__call__']);
  });

  it('complete the width that flows into a layer', async () => {
    const document = await client.open('completion.py', FIXED.replace('nn.Linear(256, 10)', 'nn.Linear(, 10)'));
    const items = await ask<CompletionItem[]>('textDocument/completion', {
      ...at(document.uri),
      position: inside(document, 'nn.Linear(, 10)', 10),
    });
    expect(items[0]).toMatchObject({ label: '256', preselect: true });
  });

  it('help with signatures', async () => {
    const document = await client.open('signature.py', FIXED);
    const help = await ask<SignatureHelp>('textDocument/signatureHelp', {
      ...at(document.uri),
      position: inside(document, '256, 10)', 6),
    });
    const { label, parameters } = help.signatures[0];
    const [start, end] = parameters![help.activeParameter!].label as [number, number];
    expect(label.slice(start, end)).toBe('output_dims');
  });

  it('write shapes as comments', async () => {
    const document = await client.open('comments.py', FIXED);
    const changes = await client.request('mlx-scope/shapeComments', { uri: document.uri, range: null });
    await client.apply(document, changes[document.uri]);
    expect(document.text).toContain('h = nn.relu(self.fc1(x))  # [32, 256]\n');
  });
});

describe('quantizing', () => {
  it('compares every setting that fits, and says why others do not', async () => {
    const { uri } = await client.open('quantize.py', FIXED);
    const [model] = await client.request('mlx-scope/outline', { uri });
    const quantize = (at: number) =>
      client.request('mlx-scope/quantize', {
        ...{ uri, target: model.children[at].target!, inputs: [], seed: 0, config: null, weights: null },
        ...{ bits: [], groupSizes: [], modes: [], backend: null },
      });
    const [odd, even] = [await quantize(0), await quantize(1)];
    expect(odd.rows.map(row => row.mode)).toEqual(['nvfp4']);
    expect(odd.notes[0]).toBe('weight: its last axis, 784, is not a multiple of 32, 64 or 128.');
    expect(even.rows).toHaveLength(21);
    expect(even.notes.filter(note => /multiple/.test(note))).toEqual([]);
  });
});

describe('configs', () => {
  const MODEL = `from dataclasses import dataclass

import mlx.nn as nn


@dataclass
class Args:
    hidden: int
    heads: int


class Model(nn.Module):
    def __init__(self, args: Args):
        super().__init__()
        self.proj = nn.Linear(args.hidden, args.heads * 64)

    def __call__(self, x):
        return self.proj(x)
`;

  it('turn symbols into numbers, and back', async () => {
    client.write('config.json', '{"hidden": 512, "heads": 8, "unused": true}');
    const document = await client.open('model.py', MODEL);
    const flow = async () => {
      const [model] = await client.request('mlx-scope/outline', { uri: document.uri });
      return model.children[0].children.map(p => p.detail);
    };
    expect(await flow()).toContain('float32[64 * heads, hidden]');
    const [config] = await client.request('mlx-scope/configs', { uri: document.uri });
    expect(config.label).toBe('config.json');
    const { uri } = document;
    expect(await client.request('mlx-scope/setConfig', { uri, entry: null, config: config.uri })).toEqual({
      entry: 'Model',
      message: null,
    });
    expect(await flow()).toContain('float32[512, 512]');
    const rows = await client.request('mlx-scope/shapes', {
      uri,
      entry: 'Model',
      config: config.uri,
      inputs: [{ name: 'x', dtype: 'float32', shape: [2, 512] }],
    });
    expect(rows.find(r => r.kind === 'return' && r.function.endsWith('__call__'))?.shape).toEqual([2, 512]);
    await client.request('mlx-scope/setConfig', { uri, entry: null, config: null });
    expect(await flow()).toContain('float32[64 * heads, hidden]');
  });

  it('that cannot be read are refused readably', async () => {
    const document = await client.open('model2.py', MODEL);
    const params = { uri: document.uri, entry: null, config: client.uri('none.json') };
    await expect(client.request('mlx-scope/setConfig', params)).rejects.toThrow(/none\.json cannot be read/);
  });
});

describe('notebooks', () => {
  it('are one program over their cells', async () => {
    const cell = (n: number) => `vscode-notebook-cell:${client.uri('n.ipynb').slice('file:'.length)}#c${n}`;
    const texts = ['import mlx.core as mx\na = mx.zeros((2, 3))', '%time b = mx.zeros((4, 5))\n', 'c = a @ b'];
    await client.connection.sendNotification('notebookDocument/didOpen', {
      notebookDocument: {
        uri: client.uri('n.ipynb'),
        notebookType: 'jupyter-notebook',
        version: 1,
        cells: texts.map((_, i) => ({ kind: 2, document: cell(i) })),
      },
      cellTextDocuments: texts.map((text, i) => ({ uri: cell(i), languageId: 'python', version: 1, text })),
    });
    const diagnostics = await client.diagnosticsOf(cell(2));
    expect(diagnostics.map(d => [d.code, d.range.start])).toEqual([['MLX102', { line: 0, character: 4 }]]);
  });
});
