/** The command line as a process: what it prints, and how it ends. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../package.json';
import type { ShapeRow, SummaryResult } from '../../server/src/protocol';
import { TestClient } from '../lsp/client';
import { bundle } from '../support/bundle';

const folder = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-cli-'));
let cli: string;

const FAULTY = `import mlx.core as mx
import mlx.nn as nn

layer = nn.Linear(128, 10)
y = layer(mx.zeros((32, 256)))
z = mx.sum(mx.zeros((2, 3)), dim=1)
`;
const CLEAN = `import mlx.core as mx

x = mx.zeros((2, 3), dtype=mx.int32)
n = 3
`;
const MODEL = `from dataclasses import dataclass

import mlx.core as mx
import mlx.nn as nn


@dataclass
class Args:
    width: int
    vocab: int


class Model(nn.Module):
    def __init__(self, args: Args):
        super().__init__()
        self.embed = nn.Embedding(args.vocab, args.width)
        self.out = nn.Linear(args.width, args.width, bias=False)

    def __call__(self, ids):
        h = self.embed(ids)
        return self.out(h)
`;
const NOTEBOOK = {
  cells: [
    { cell_type: 'markdown', source: ['# A title'] },
    { cell_type: 'code', source: ['import mlx.core as mx\n', '%matplotlib inline\n'] },
    { cell_type: 'code', source: ['y = mx.zeros((2, 3)) @ mx.zeros((2, 3))'] },
  ],
};

const write = (name: string, text: string): void => {
  mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
  writeFileSync(path.join(folder, name), text);
};

beforeAll(async () => {
  cli = await bundle('server/src/cli.node.ts', 'cli-under-test');
  write('faulty.py', FAULTY);
  write('clean.py', CLEAN);
  write('model.py', MODEL);
  write('config.json', '{"width": 8, "vocab": 100}');
  write('book.ipynb', JSON.stringify(NOTEBOOK));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  status: number | null;
  out: string;
  err: string;
}
function mlxScope(...args: string[]): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1', VIRTUAL_ENV: '' },
  });
  return { status, out: stdout, err: stderr };
}
const json = <T>(outcome: Outcome): T => JSON.parse(outcome.out) as T;

describe('mlx-scope', () => {
  it('tells its version and helps', () => {
    expect(mlxScope('--version')).toMatchObject({ status: 0, out: `${version}\n` });
    expect(mlxScope('--help').out).toContain('mlx-scope check PATH…');
    expect(mlxScope('check', '--help').out).toContain('--exit-zero');
    expect(mlxScope().status).toBe(2);
  });

  it.each([
    [['chekc'], /no command chekc/],
    [['check'], /needs a file or folder/],
    [['check', 'none.py'], /none\.py: no such file or folder/],
    [['check', 'config.json'], /no Python file/],
    [['check', '--fromat', 'json', 'clean.py'], /--fromat/],
    [['check', '--format', 'xml', 'clean.py'], /one of text, json, github, sarif/],
    [['shapes', 'clean.py', 'faulty.py'], /needs one file/],
    [['shapes', 'model.py', '--entry', 'Nope'], /Nope is not defined/],
    [['shapes', 'model.py', '--entry', 'Model', '--config', '{'], /not valid JSON/],
    [['shapes', 'model.py', '--entry', 'Model', '--input', 'ids=int31[2]'], /no dtype int31/],
    [['shapes', 'model.py', '--entry', 'Model', '--input', 'ids'], /NAME=dtype\[dims\]/],
    [['summary', 'model.py'], /needs --entry/],
    [['run', 'model.py'], /needs --entry/],
    [['quantize', 'model.py'], /needs --entry/],
  ])('%j could not run, and says why', (args, message) => {
    const { status, err, out } = mlxScope(...args);
    expect(status).toBe(2);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
    expect(out).toBe('');
  });
});

describe('check', () => {
  it('ends with 0 when clean, 1 with findings', () => {
    expect(mlxScope('check', 'clean.py')).toMatchObject({
      status: 0,
      out: 'Nothing that MLX would refuse in 1 file.\n',
    });
    expect(mlxScope('check', 'faulty.py').status).toBe(1);
    expect(mlxScope('check', 'faulty.py', '--exit-zero').status).toBe(0);
  });

  it('shows findings with their source', () => {
    const { out } = mlxScope('check', 'faulty.py', '--select', 'MLX101');
    expect(out).toMatch(/^faulty\.py:5:5: error MLX101 .*128.*256/);
    expect(out).toContain(
      [
        '4 | layer = nn.Linear(128, 10)',
        '  |         ------------------ This Linear is 128 wide; it gets 256',
        '5 | y = layer(mx.zeros((32, 256)))',
        '  |     ^^^^^^^^^^^^^^^^^^^^^^^^^^',
        '  = fix: Make the Linear 256 wide',
      ].join('\n'),
    );
  });

  it('keeps the JSON contract', () => {
    const findings = json<Record<string, unknown>[]>(mlxScope('check', '.', '--format', 'json', '--select', 'MLX101'));
    expect(findings).toEqual([
      {
        code: 'MLX101',
        rule: 'linear-input',
        severity: 'error',
        message: expect.stringMatching(/128.*256/),
        file: 'faulty.py',
        range: { start: { line: 5, column: 5 }, end: { line: 5, column: 31 } },
        related: [
          {
            file: 'faulty.py',
            range: { start: { line: 4, column: 9 }, end: { line: 4, column: 27 } },
            message: 'This Linear is 128 wide; it gets 256',
          },
        ],
        fixes: [
          {
            title: 'Make the Linear 256 wide',
            edits: [
              {
                file: 'faulty.py',
                range: { start: { line: 4, column: 19 }, end: { line: 4, column: 22 } },
                newText: '256',
              },
            ],
          },
        ],
      },
    ]);
    expect(json(mlxScope('check', 'clean.py', '--format', 'json'))).toEqual([]);
  });

  it('finds habits of PyTorch and mends them', () => {
    const [finding] = json<{ code: string; fixes: { edits: { newText: string }[] }[] }[]>(
      mlxScope('check', 'faulty.py', '--format', 'json', '--ignore', 'MLX1'),
    );
    expect(finding.code).toBe('MLX401');
    expect(finding.fixes[0].edits[0].newText).toBe('axis');
  });

  it('annotates workflows of GitHub', () => {
    const { out } = mlxScope('check', 'faulty.py', '--format', 'github', '--select', 'MLX101');
    expect(out).toMatch(
      /^::error file=faulty\.py,line=5,col=5,endLine=5,endColumn=31,title=MLX101 linear-input::Linear /,
    );
  });

  it('writes SARIF', () => {
    const log = json<{
      version: string;
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; ruleIndex: number; level: string; locations: object[]; fixes: object[] }[];
      }[];
    }>(mlxScope('check', 'faulty.py', '--format', 'sarif'));
    expect(log.version).toBe('2.1.0');
    const [{ tool, results }] = log.runs;
    expect(results.map(r => [r.ruleId, r.level])).toEqual([
      ['MLX101', 'error'],
      ['MLX401', 'error'],
    ]);
    for (const r of results) expect(tool.driver.rules[r.ruleIndex].id).toBe(r.ruleId);
    expect(results[0].locations).toEqual([
      {
        physicalLocation: {
          artifactLocation: { uri: 'faulty.py', uriBaseId: 'ROOT' },
          region: { startLine: 5, startColumn: 5, endLine: 5, endColumn: 31 },
        },
      },
    ]);
    expect(results[0].fixes).toHaveLength(1);
  });

  it('counts by rule', () => {
    expect(mlxScope('check', 'faulty.py', '--statistics').out).toMatch(
      /\n {4}1 {2}MLX101 linear-input\n {4}1 {2}MLX401/,
    );
  });

  it('tells the cell of a notebook', () => {
    const [finding] = json<object[]>(mlxScope('check', 'book.ipynb', '--format', 'json'));
    expect(finding).toMatchObject({
      code: 'MLX102',
      file: 'book.ipynb',
      cell: 3,
      range: { start: { line: 1, column: 5 } },
    });
    expect(mlxScope('check', 'book.ipynb').out).toMatch(/^book\.ipynb:cell 3:1:5: error MLX102/);
  });

  it('heeds pyproject.toml: what to leave out, what to ignore, what to enter', () => {
    write(
      'sub/pyproject.toml',
      '[tool.mlx-scope]\nexclude = ["old"]\nignore = ["MLX401"]\n[tool.mlx-scope.per-file-ignores]\n"legacy.py" = ["MLX1"]\n[[tool.mlx-scope.entries]]\nfile = "model.py"\nconfig = { width = 8, vocab = 100 }\ninputs = ["ids=int32[2,7]"]\n',
    );
    write('sub/old/a.py', FAULTY);
    write('sub/legacy.py', FAULTY);
    write('sub/model.py', MODEL.replace('nn.Linear(args.width,', 'nn.Linear(16,'));
    const findings = json<{ code: string; file: string }[]>(mlxScope('check', 'sub', '--format', 'json'));
    expect(findings.map(f => `${f.file} ${f.code}`)).toEqual(['sub/model.py MLX101']);
  });

  it('reports what an entry meets on its way, with the calls that lead there', () => {
    const source = MODEL.replace('        self.out =', '        if args.width > 8:\n            self.out =');
    write('tied/model.py', source);
    const entry = ['--entry', 'Model', '--input', 'ids=int32[2,5]', '--format', 'json'];
    expect(json(mlxScope('check', 'tied/model.py', '--format', 'json'))).toEqual([]);
    expect(json(mlxScope('check', 'tied/model.py', '--config', '{"width": 16, "vocab": 9}', ...entry))).toEqual([]);
    write(
      'tied/run.py',
      'from model import Args, Model\n\n\ndef run(ids):\n    model = Model(Args(8, 9))\n    return model(ids)\n',
    );
    const line = (text: string): number => source.slice(0, source.indexOf(text)).split('\n').length;
    const at = { line: line('return self.out'), column: 21 };
    const config = ['--config', '{"width": 8, "vocab": 9}'];
    const [own, ...none] = json<unknown[]>(mlxScope('check', 'tied/model.py', ...config, ...entry));
    expect(none).toEqual([]);
    expect(own).toMatchObject({ code: 'MLX132', file: 'tied/model.py', range: { start: at }, related: [] });
    const run = mlxScope('check', 'tied/run.py', '--entry', 'run', '--input', 'ids=int32[2,5]', '--format', 'json');
    expect(json(run)).toMatchObject([
      {
        code: 'MLX132',
        message: 'Model has no attribute out',
        file: 'tied/model.py',
        range: { start: at },
        related: [
          { file: 'tied/run.py', range: { start: { line: 5, column: 13 } }, message: 'this Model was made here' },
          { file: 'tied/run.py', range: { start: { line: 6, column: 12 } }, message: 'called from here' },
        ],
      },
    ]);
    const text = mlxScope('check', 'tied/run.py', '--entry', 'run', '--input', 'ids=int32[2,5]');
    expect(text.status).toBe(1);
    expect(text.out).toContain('tied/run.py:6:12: called from here');
    expect(mlxScope('check', 'tied/model.py', '--config', '{}').err).toMatch(/--entry/);
  });

  it('tells of mistakes in pyproject.toml', () => {
    write('wrong/pyproject.toml', '[tool.mlx-scope]\nselct = []\n');
    write('wrong/a.py', '');
    expect(mlxScope('check', 'wrong').err).toContain('there is no setting `selct`');
  });
});

describe('shapes', () => {
  it('lists arrays with their places', () => {
    const rows = json<ShapeRow[]>(mlxScope('shapes', 'clean.py', '--format', 'json'));
    expect(rows.filter(r => r.kind !== 'expr')).toEqual([
      {
        file: 'clean.py',
        line: 3,
        column: 1,
        kind: 'assign',
        name: 'x',
        function: '<module>',
        shape: [2, 3],
        dtype: 'int32',
        view: 'program',
      },
    ]);
    expect(mlxScope('shapes', 'clean.py').out).toBe('clean.py:3:1: <module> x int32[2, 3]\n');
  });

  it('lists other values on request', () => {
    const rows = json<ShapeRow[]>(mlxScope('shapes', 'clean.py', '--format', 'json', '--all'));
    expect(rows.find(r => r.name === 'n')).toMatchObject({ shape: null, dtype: null, value: '3' });
  });

  it('enters a model with a config and inputs', () => {
    const entry = ['--entry', 'Model', '--input', 'ids=int32[2,L]', '--format', 'json'];
    for (const config of ['config.json', '{"width": 8, "vocab": 100}']) {
      const rows = json<ShapeRow[]>(mlxScope('shapes', 'model.py', ...entry, '--config', config));
      const find = (name: string) => rows.find(r => r.name === name);
      expect(find('ids')).toMatchObject({ kind: 'arg', shape: [2, 'L'], dtype: 'int32', view: 'entry' });
      expect(find('h')).toMatchObject({
        kind: 'assign',
        shape: [2, 'L', 8],
        dtype: 'float32',
        function: 'Model.__call__',
      });
      expect(find('<return>')).toMatchObject({ kind: 'return', shape: [2, 'L', 8] });
    }
  });

  it('gives a reader symbols', () => {
    const rows = json<ShapeRow[]>(mlxScope('shapes', 'model.py', '--format', 'json'));
    expect(rows.find(r => r.name === '<return>')).toMatchObject({ view: 'reader' });
  });
});

describe('summary', () => {
  it('counts parameters and memory', () => {
    const result = json<SummaryResult>(
      mlxScope('summary', 'model.py', '--entry', 'Model', '--config', 'config.json', '--format', 'json'),
    );
    expect(result).toEqual({
      name: 'Model',
      parameters: [
        { path: 'embed.weight', shape: [100, 8], dtype: 'float32', count: 800, trainable: true },
        { path: 'out.weight', shape: [8, 8], dtype: 'float32', count: 64, trainable: true },
      ],
      total: 864,
      bytes: { float32: 3456, bfloat16: 1728, affine4: 1728 },
    });
  });

  it('speaks in symbols without a config', () => {
    expect(mlxScope('summary', 'model.py', '--entry', 'Model').out).toMatch(/embed\.weight {2}float32\[vocab, width\]/);
  });
});

describe('lsp', () => {
  it('answers over standard streams', async () => {
    const client = new TestClient([cli, 'lsp', '--stdio']);
    await client.start();
    const { uri } = await client.open('faulty.py', FAULTY);
    expect((await client.diagnosticsOf(uri)).map(d => d.code)).toContain('MLX101');
    await client.stop();
  });
});
