/** Forms of shape comments, taken from how MLX code writes them, and the prose that only looks like one. */

import { describe, expect, test } from 'vitest';
import { parseJaxtypingShape, parseShapeComment } from '../../../server/src/python/comments';

describe('shape comments', () => {
  test.each<[string, string | null, (number | string)[]]>([
    [' x: [B, L, 512]', 'x', ['B', 'L', 512]],
    [' (B, T, C)', null, ['B', 'T', 'C']],
    [' B x L x D', null, ['B', 'L', 'D']],
    [' [B, L, D]', null, ['B', 'L', 'D']],
    [' (batch, seq, dim)', null, ['batch', 'seq', 'dim']],
    ['(B,T,C)', null, ['B', 'T', 'C']],
    [' BxTxC', null, ['B', 'T', 'C']],
    [' B × T × C', null, ['B', 'T', 'C']],
    [' codebook: (N x D)', 'codebook', ['N', 'D']],
    [' self.weight: [out, in]', 'self.weight', ['out', 'in']],
    [' hidden_states shape: (B, L, D)', 'hidden_states', ['B', 'L', 'D']],
    [' x.shape = (2, 3)', 'x', [2, 3]],
    [' Shape: (B, C, k*k, L)', null, ['B', 'C', 'k*k', 'L']],
    [' output shape: [B, 1]', null, ['B', 1]],
    [' (1, H*W, 2)', null, [1, 'H*W', 2]],
    [' [T, 2 * dim, n // 2 + 1, D/4]', null, ['T', '2*dim', 'n//2+1', 'D//4']],
    [' [B, 3*224, (P + 1) * 2]', null, ['B', 672, '(P+1)*2']],
    [' (..., 3, 3)', null, ['...', 3, 3]],
    [' [*, channels, H]', null, ['...', 'channels', 'H']],
    [' (B, T, C) -> (B, C, T)', null, ['B', 'C', 'T']],
    [' x: (B, T) → (B, 1, T).', 'x', ['B', 1, 'T']],
    [' -> [B, L]', null, ['B', 'L']],
    [' (B, L) float32', null, ['B', 'L']],
    [' (128, 1, 20)', null, [128, 1, 20]],
    [' (D,)', null, ['D']],
    [' mask: [L]', 'mask', ['L']],
  ])('#%s', (comment, name, axes) => expect(parseShapeComment(comment)).toEqual({ name, axes }));

  test.each([
    '',
    ' ',
    ' shape',
    ' map to [-1, 1]',
    ' [-1, 1]',
    ' [0, 255]',
    ' x: [0, 1]',
    ' [1]',
    ' (optional)',
    ' (2, 3)',
    ' (q, k, v)',
    ' (cos, sin)',
    ' (from, module, args)',
    ' (anchor, positive, negative)',
    ' model input (w, h)',
    ' ()',
    ' (B, L',
    ' (B, L))',
    ' (B, , L)',
    ' (B, 2kd)',
    ' [..., B, ...]',
    ' (B, T, C) after pooling',
    ' (B, T) or (B, 1)',
    ' q: (B, L), k: (B, S)',
    ' 3x3',
    ' x = foo(B, T)',
    ' [i for i in x]',
    ' noqa: E501',
    ' type: ignore[attr-defined]',
    ' https://example.com/a',
    ' TODO: (B, L)? check',
    " (1, 'a')",
    ' (1.5, B)',
  ])('#%s is no shape', comment => expect(parseShapeComment(comment)).toBeNull());
});

describe('jaxtyping strings', () => {
  test.each<[string, (number | string)[]]>([
    ['b l d', ['b', 'l', 'd']],
    ['', []],
    ['batch 3 n+1', ['batch', 3, 'n+1']],
    ['... d', ['...', 'd']],
    ['*batch d', ['...', 'd']],
    ['#b d', ['_', 'd']],
    ['_ d _skip', ['_', 'd', '_']],
    ['rows=4 cols=3', [4, 3]],
    ['{self.dim} n//2', ['_', 'n//2']],
    ['  b   l ', ['b', 'l']],
  ])('%j', (text, axes) => expect(parseJaxtypingShape(text)).toEqual(axes));

  test.each(['... ...', '*a *b', 'b, l', 'b (h w)', 'b -1', 'b %', '#', 'b 1.5'])('%j is none', text =>
    expect(parseJaxtypingShape(text)).toBeNull(),
  );
});
