import { describe, expect, it } from 'vitest';
import {
  byteText,
  memory,
  parameterCount,
  parameterTree,
  shortNumber,
  summarize,
} from '../../../server/src/features/parameters';
import { open } from '../../support/view';

const HEAD = 'import mlx.core as mx\nimport mlx.nn as nn\n\n';

/** The instance of the last class, with the facts of the view it was made in. */
function lastModule(code: string) {
  const { view } = open(HEAD + code);
  const site = view.analysis.classes.findLast(c => c.instance)!;
  return { name: site.name, instance: site.instance!, facts: view.analysis.facts.reader };
}
const paths = (code: string) => {
  const { instance, facts } = lastModule(code);
  return parameterTree(instance, facts).entries.map(e => e.path);
};
const net = (body: string, tail = '') =>
  `class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n${body
    .split('\n')
    .map(l => `        ${l}\n`)
    .join('')}${tail}\nnet = Net()\n`;

describe('the parameter tree', () => {
  it('goes through lists and dicts, not through tuples and private attributes', () => {
    expect(
      paths(
        net(
          'self.layers = [nn.Linear(2, 3, bias=False) for _ in range(2)]\nself.heads = {"a": nn.RMSNorm(3)}\nself.pair = (nn.Linear(2, 2),)\nself._hidden = nn.Linear(2, 2)\nself.scale = mx.ones((3,))',
        ),
      ),
    ).toEqual(['layers.0.weight', 'layers.1.weight', 'heads.a.weight', 'scale']);
  });

  it('knows frozen and quantizable parameters', () => {
    const { instance, facts } = lastModule(
      net('self.a = nn.Linear(64, 8)\nself.b = nn.Conv1d(64, 8, 3)\nself.a.freeze()'),
    );
    const { entries } = parameterTree(instance, facts);
    expect(entries.map(e => [e.path, e.trainable, e.quantizable])).toEqual([
      ['a.weight', false, true],
      ['a.bias', false, false],
      ['b.weight', true, false],
      ['b.bias', true, false],
    ]);
  });

  it('counts, and measures memory with 4-bit weights where groups fit', () => {
    const { instance, facts } = lastModule(
      net('self.a = nn.Linear(128, 64, bias=False)\nself.b = nn.Linear(100, 64, bias=False)'),
    );
    const tree = parameterTree(instance, facts);
    expect(parameterCount(tree)).toBe(128 * 64 + 100 * 64);
    expect(memory(tree)).toEqual({
      float32: 4 * 14592,
      bfloat16: 2 * 14592,
      affine4: (128 * 64 * 4.5) / 8 + 2 * 6400,
    });
  });

  it('is in symbols for a class that nobody makes', () => {
    const { name, instance, facts } = lastModule(
      'class Net(nn.Module):\n    def __init__(self, dims: int, depth: int):\n        super().__init__()\n        self.layers = [nn.Linear(dims, dims) for _ in range(depth)]\n',
    );
    const summary = summarize(name, instance, facts);
    expect(summary.parameters.map(p => [p.path, p.shape])).toEqual([
      ['layers.*.weight', ['dims', 'dims']],
      ['layers.*.bias', ['dims']],
    ]);
    expect(summary.total).toMatch(/^(dims \* depth|depth \* dims) \+ /);
    expect(summary.bytes).toBeNull();
  });
});

describe('numbers', () => {
  it('are short', () => {
    expect([9_999, 203_530, 16_777_216, 7_241_732_096].map(shortNumber)).toEqual(['9,999', '204K', '16.8M', '7.2B']);
    expect([12, 1_500, 16_777_216].map(byteText)).toEqual(['12 B', '1.50 kB', '16.8 MB']);
  });
});
