import { describe, expect, it } from 'vitest';
import { RULES } from '../../../server/src/rules';
import { isSelected, Suppressions } from '../../../server/src/rules/selection';
import { sourceFile } from '../../support/hand_made';

const linear = RULES.find(r => r.code === 'MLX101')!;

describe('selecting rules', () => {
  it.each([
    [[], [], true],
    [['MLX1'], [], true],
    [['MLX2'], [], false],
    [['linear-input'], [], true],
    [[], ['MLX101'], false],
    [[], ['MLX'], false],
    [['MLX101'], ['MLX1'], true],
    [['MLX1'], ['MLX101'], false],
    [['MLX101'], ['MLX101'], false],
  ])('select %j, ignore %j: %s', (select, ignore, expected) => {
    expect(isSelected(linear, { select, ignore })).toBe(expected);
  });

  it('gives every rule its own code and name', () => {
    expect(new Set(RULES.map(r => r.code)).size).toBe(RULES.length);
    expect(new Set(RULES.map(r => r.name)).size).toBe(RULES.length);
  });
});

describe('a comment', () => {
  const silences = (text: string, code = 'y = f(x)') => {
    const source = sourceFile(text);
    const start = text.indexOf(code);
    return new Suppressions(source).silences(linear, start, start + code.length);
  };

  it.each([
    ['y = f(x)  # mlx-scope: ignore[MLX101]\n', true],
    ['y = f(x)  # mlx-scope: ignore[MLX2, MLX1]\n', true],
    ['y = f(x)  # mlx-scope: ignore[linear-input]\n', true],
    ['y = f(x)  # mlx-scope: ignore\n', true],
    ['y = f(x)  # mlx-scope: ignore[MLX102]\n', false],
    ['z = 1  # mlx-scope: ignore\ny = f(x)\n', false],
    ['# mlx-scope: ignore[MLX101]\ny = f(x)\n', true],
    ['# mlx-scope: ignore-file[MLX1]\n\n\ny = f(x)\n', true],
    ['# mlx-scope: ignored\ny = f(x)\n', false],
  ])('%j: %s', (text, expected) => {
    expect(silences(text)).toBe(expected);
  });

  it('counts on any line of what it silences', () => {
    expect(
      silences('y = f(\n    x,  # mlx-scope: ignore[MLX101]\n)\n', 'y = f(\n    x,  # mlx-scope: ignore[MLX101]\n)'),
    ).toBe(true);
  });
});
