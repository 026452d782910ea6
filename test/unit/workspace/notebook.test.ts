import { describe, expect, it } from 'vitest';
import { parse } from '../../../server/src/python/parse';
import { cellAt, joinCells, readNotebook } from '../../../server/src/workspace/notebook';

const notebook = (...cells: { type?: string; source: string | string[] }[]) =>
  JSON.stringify({ cells: cells.map(({ type = 'code', source }) => ({ cell_type: type, source })) });

describe('a notebook', () => {
  it('is its code cells in order, with a map back', () => {
    const read = readNotebook(
      notebook({ source: ['a = 1\n', 'b = 2'] }, { type: 'markdown', source: '# hello' }, { source: 'c = 3' }),
    );
    expect(read.text).toBe('a = 1\nb = 2\nc = 3');
    expect(read.cells.map(c => [c.index, c.firstLine, c.lineCount])).toEqual([
      [0, 0, 2],
      [2, 2, 1],
    ]);
    expect(cellAt(read, 1)?.index).toBe(0);
    expect(cellAt(read, 2)?.index).toBe(2);
  });

  it('in another language has no Python', () => {
    const julia = JSON.stringify({ cells: [], metadata: { kernelspec: { language: 'julia' } } });
    expect(readNotebook(julia).text).toBe('');
  });

  it('that is none is refused readably', () => {
    expect(() => readNotebook('{')).toThrow(/not valid JSON/);
    expect(() => readNotebook('{}')).toThrow(/no list of cells/);
  });

  it.each([
    ['%matplotlib inline', '0                 '],
    ['!pip install mlx', '0               '],
    ['%time y = f(x)', '0;    y = f(x)'],
    ['if x:\n    !ls', 'if x:\n    0  '],
    ['files = !ls', 'files = 0  '],
    ['mx.matmul?', '0         '],
    ['x = 5 % 3', 'x = 5 % 3'],
    ['# is it so?', '# is it so?'],
    ['%%time\ny = 1', '0     \ny = 1'],
    ['%%bash\nls -l', '      \n     '],
  ])('reads %j as Python of the same columns', (source, expected) => {
    const { text } = joinCells([{ index: 0, source }]);
    expect(text).toBe(expected);
    expect(parse(text).problems).toEqual([]);
  });
});
