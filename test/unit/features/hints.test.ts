import { describe, expect, it } from 'vitest';
import { symbol } from '../../../engine/src/dims/dim';
import { EVERYWHERE, inlayHints } from '../../../server/src/features/inlay-hints';
import { shapeComments } from '../../../server/src/features/shape-comments';
import { mergedDType, mergedShape } from '../../../server/src/features/show';
import { DEFAULT_SETTINGS, type Settings } from '../../../server/src/protocol';
import { open } from '../../support/view';

const HEAD = 'import mlx.core as mx\nimport mlx.nn as nn\n';

/** Lines with hints put in, those without left out. */
function hinted(code: string, settings: Partial<Settings['inlayHints']> = {}): string[] {
  const text = HEAD + code;
  const { view } = open(text, { settings: { inlayHints: { ...DEFAULT_SETTINGS.inlayHints, ...settings } } });
  const lines = text.split('\n');
  const touched = new Set<number>();
  for (const { position, label } of inlayHints(view, EVERYWHERE).reverse()) {
    const line = lines[position.line];
    lines[position.line] = line.slice(0, position.character) + label + line.slice(position.character);
    touched.add(position.line);
  }
  return lines.filter((_, i) => touched.has(i)).map(line => line.trim());
}

describe('inlay hints', () => {
  it('stand after names, parameters and results', () => {
    const code = 'def f(x: mx.array, n=2):\n    B, L, D = x.shape\n    y = x.reshape(-1, D)\n    return y @ y.T\n';
    expect(hinted(code)).toEqual([
      'def f(x: mx.array [B, L, D], n=2):',
      'y [B * L, D] = x.reshape(-1, D)',
      'return y @ y.T [B * L, B * L]',
    ]);
  });

  it('name the dtype where it is not float32', () => {
    expect(hinted('i = mx.arange(5)\nx = mx.array([1.0, 2.0])\n')).toEqual([
      'i int32[5] = mx.arange(5)',
      'x [2] = mx.array([1.0, 2.0])',
    ]);
    expect(hinted('x = mx.array([1.0, 2.0])\n', { dtype: 'always' })).toEqual(['x float32[2] = mx.array([1.0, 2.0])']);
    expect(hinted('i = mx.arange(5)\n', { dtype: 'never' })).toEqual(['i [5] = mx.arange(5)']);
  });

  it('are quiet where the line says it itself', () => {
    expect(
      hinted(
        'a = mx.zeros((2, 3))\nb = mx.ones([4])\nc = a.T  # [3, 2]\nd = a.T  # (2, 3)\ne = mx.ones((2, 3), mx.int8)\n',
      ),
    ).toEqual(['d [3, 2] = a.T  # (2, 3)']);
  });

  it('put several contexts together', () => {
    expect(
      hinted('def f(x):\n    return x * 2\na = f(mx.zeros((2, 3)))\nb = f(mx.zeros((4, 3)))\n').slice(0, 2),
    ).toEqual(['def f(x [2|4, 3]):', 'return x * 2 [2|4, 3]']);
  });

  it('say nothing of what is not known, or is no array', () => {
    expect(hinted('import os\nn = 3\nx = os.environ\ny = unknown_name\n')).toEqual([]);
  });

  it('can be turned off, in part and all', () => {
    const code = 'def f(x):\n    B, D = x.shape\n    y = x.T\n    return y\n';
    expect(hinted(code, { parameters: false, returns: false })).toEqual(['y [D, B] = x.T']);
    expect(hinted(code, { enabled: false })).toEqual([]);
  });
});

describe('shapes of several contexts', () => {
  const float = (...shape: (number | ReturnType<typeof symbol>)[]) => ({ shape, dtype: 'float32' as const });
  it('show alternatives of an axis, up to three', () => {
    expect(mergedShape([float(1, 8), float(2, 8), float(3, 8)])).toBe('[1|2|3, 8]');
    expect(mergedShape([float(1, 8), float(2, 8), float(3, 8), float(4, 8)])).toBe('[?, 8]');
  });
  it('are not put together when ranks differ', () => {
    expect(mergedShape([float(1, 8), float(8)])).toBeNull();
  });
  it('are one when the symbols read alike', () => {
    expect(mergedShape([float(symbol('B'), 8), float(symbol('B'), 8)])).toBe('[B, 8]');
  });
  it('agree on a dtype or have none', () => {
    expect(mergedDType([float(1), float(2)])).toBe('float32');
    expect(mergedDType([float(1), { shape: [1], dtype: 'int32' }])).toBeNull();
  });
});

describe('shape comments', () => {
  it('are written where there is room, and only there', () => {
    const text = `${HEAD}x = mx.zeros((2, 3))\na, b = mx.split(x, 3, axis=1)[:2]\nc = x.T  # kept\nd = mx.concatenate(\n    [x, x]\n)\n`;
    const { view } = open(text);
    const edits = shapeComments(view, null)[view.uri];
    expect(edits.map(e => [e.range.start.line, e.newText])).toEqual([
      [2, '  # [2, 3]'],
      [3, '  # a: [2, 1], b: [2, 1]'],
    ]);
  });
});
