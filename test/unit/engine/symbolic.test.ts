/**
 * Products and quantization of arrays whose axes are symbols, or whose rank is not known.
 */
import { describe, expect, it } from 'vitest';
import '../../../engine/src/ops/einsum';
import '../../../engine/src/ops/matmul';
import '../../../engine/src/ops/quantize';
import '../../../engine/src/ops/quantized_products';
import { floorDiv, mul, symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, RowVariable, showShape } from '../../../engine/src/dims/shape';
import type { DType } from '../../../engine/src/dtype';
import { record, source } from '../../../engine/src/graph/graph';
import type { Attrs, Shape } from '../../../engine/src/graph/op';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';

type Operand = Shape | readonly [Shape, DType];

const open = (name: string, ...tail: (number | ReturnType<typeof symbol>)[]) =>
  new OpenShape(new RowVariable(name), tail);

/** The results as text. Operands are float32 unless a dtype stands beside their shape. */
function show(op: string, operands: readonly Operand[], attrs: Attrs = {}, facts = new Facts()): string {
  const nodes = operands.map(operand => {
    const typed = Array.isArray(operand) && typeof operand[1] === 'string';
    const [shape, dtype] = (typed ? operand : [operand, 'float32']) as unknown as readonly [Shape, DType];
    return source({ shape, dtype });
  });
  return record(facts, op, nodes, attrs).map(showType).join(' ');
}

const refusal = (run: () => unknown): Refusal => {
  try {
    run();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('nothing was refused');
};

const [B, L] = ['B', 'L'].map(name => symbol(name, { flexible: true }));
const [D, H] = ['D', 'H'].map(name => symbol(name, { least: 1 }));

describe('matmul', () => {
  it('keeps the names of axes', () => {
    expect(
      show('matmul', [
        [B, L, D],
        [D, mul(4, D)],
      ]),
    ).toBe('float32[B, L, 4 * D]');
    expect(
      show('matmul', [
        [B, H, L, D],
        [B, H, D, L],
      ]),
    ).toBe('float32[B, H, L, L]');
    expect(show('matmul', [[D], [D, 3]])).toBe('float32[3]');
    expect(show('matmul', [[L, D], [D]])).toBe('float32[L]');
  });

  it('teaches an input its last axis', () => {
    const facts = new Facts();
    const n = symbol('n', { flexible: true });
    show(
      'matmul',
      [
        [B, n],
        [128, 10],
      ],
      {},
      facts,
    );
    expect(facts.resolve(n)).toBe(128);
    const x = open('x');
    expect(show('matmul', [x, [128, 10]], {}, facts)).toBe('float32[..., 10]');
    expect(showShape(facts.shape(x))).toBe('[..., 128]');
  });

  it('follows open shapes as far as their axes are known', () => {
    expect(show('matmul', [open('q', L, D), open('k', D, L)])).toBe('float32[...]');
    const lead = new RowVariable('q');
    expect(show('matmul', [new OpenShape(lead, [L, D]), new OpenShape(lead, [D, L])])).toBe('float32[..., L, L]');
    expect(show('matmul', [open('x', L, D), [D]])).toBe('float32[..., L]');
    expect(show('matmul', [[2, 3], open('y')])).toBe('float32[...]');
    expect(show('matmul', [null, [3, 4]])).toBe('float32[...]');
    expect(show('matmul', [[3], open('y', 3, 5)])).toBe('float32[..., 5]');
  });

  it('refuses what no values of the symbols allow, naming both arrays', () => {
    const error = refusal(() =>
      show('matmul', [
        [32, 256],
        [128, 10],
      ]),
    );
    expect(error.message).toBe(
      'matmul: the last axis of the first array is 256 long, the second has 128 rows: float32[32, 256] @ float32[128, 10]',
    );
    expect(error.detail).toEqual({ input: 0, axis: 1, expected: 128, actual: 256 });
    expect(
      refusal(() =>
        show('matmul', [
          [L, mul(2, D)],
          [7, 3],
        ]),
      ).kind,
    ).toBe('matmul');
    expect(refusal(() => show('matmul', [open('x', 5), [7, 3]])).kind).toBe('matmul');
    expect(
      refusal(() =>
        show('matmul', [
          [2, 3, 4],
          [3, 4, 5],
        ]),
      ).message,
    ).toContain('leading axes do not broadcast');
  });

  it('says nothing of what may hold', () => {
    expect(
      show('matmul', [
        [L, D],
        [H, 3],
      ]),
    ).toBe('float32[L, 3]');
  });

  it('does not know a dtype that rests on an unknown one', () => {
    const node = record(new Facts(), 'matmul', [
      source({ shape: [2, D], dtype: null }),
      source({ shape: [D, 3], dtype: 'float16' }),
    ]);
    expect(node[0]).toMatchObject({ shape: [2, 3], dtype: null });
  });
});

describe('addmm, tensordot, gather_mm', () => {
  it('carry symbols', () => {
    expect(show('addmm', [[mul(4, D)], [B, L, D], [D, mul(4, D)]])).toBe('float32[B, L, 4 * D]');
    expect(show('addmm', [[10], open('x'), [D, 10]])).toBe('float32[..., 10]');
    expect(refusal(() => show('addmm', [[3], [B, D], [D, 10]])).kind).toBe('broadcast');
    expect(
      show(
        'tensordot',
        [
          [B, L, D],
          [D, H],
        ],
        { axes: 1 },
      ),
    ).toBe('float32[B, L, H]');
    const routed: Operand = [[B, L, 2], 'uint32'];
    expect(show('gather_mm', [[B, L, 1, 1, D], [8, D, H], routed], { given: ['rhs_indices'] })).toBe(
      'float32[B, L, 2, 1, H]',
    );
    expect(show('gather_mm', [open('x', 1, D), [8, D, H], routed], { given: ['rhs_indices'] })).toBe('float32[...]');
    expect(show('gather_mm', [open('x', B, L, 2, 1, D), [8, D, H], routed], { given: ['rhs_indices'] })).toBe(
      'float32[..., B, L, 2, 1, H]',
    );
  });
});

describe('einsum', () => {
  it('sums and keeps symbols by letter', () => {
    expect(
      show(
        'einsum',
        [
          [B, L, D],
          [H, D, 64],
        ],
        { subscripts: 'bld,hdk->bhlk' },
      ),
    ).toBe('float32[B, H, L, 64]');
    expect(
      show(
        'einsum',
        [
          [B, 4, D],
          [D, H],
        ],
        { subscripts: '...d,dh->...h' },
      ),
    ).toBe('float32[B, 4, H]');
  });

  it('names the axes of an array of unknown rank by its letters', () => {
    const x = open('x');
    const facts = new Facts();
    expect(show('einsum', [x, [512, 8]], { subscripts: 'bld,dk->blk' }, facts)).toBe('float32[b, l, 8]');
    expect(show('einsum', [open('x'), [512, 8]], { subscripts: '...d,dk->...k' })).toBe('float32[...]');
    expect(refusal(() => show('einsum', [open('x', 2, 3, 4)], { subscripts: 'ij->ji' })).kind).toBe('einsum');
  });
});

describe('quantization', () => {
  const affine = { mode: 'affine', group_size: null, bits: null };
  it('packs symbolic lengths, and unpacks them again', () => {
    const facts = new Facts();
    expect(show('quantize', [[H, D]], affine, facts)).toBe('uint32[H, D // 8] float32[H, D // 64] float32[H, D // 64]');
    const parts: readonly Operand[] = [
      [[H, floorDiv(D, 8)], 'uint32'],
      [H, floorDiv(D, 64)],
      [H, floorDiv(D, 64)],
    ];
    const biased = { ...affine, given: ['biases'] };
    expect(show('dequantize', parts, biased, facts)).toBe('float32[H, D]');
    const product = { ...biased, transpose: true };
    expect(show('quantized_matmul', [[B, L, D], ...parts], product, facts)).toBe('float32[B, L, H]');
    expect(show('quantized_matmul', [[B, L, H], ...parts], { ...product, transpose: false }, facts)).toBe(
      'float32[B, L, D]',
    );
    expect(show('quantized_matmul', [open('x'), ...parts], product, facts)).toBe('float32[..., H]');
  });

  it('packs 3-bit codes of symbolic lengths', () => {
    expect(show('quantize', [[H, D]], { mode: 'affine', group_size: 32, bits: 3 })).toBe(
      'uint32[H, 3 * (D // 32)] float32[H, D // 32] float32[H, D // 32]',
    );
  });

  it('knows what does not rest on a symbolic number of bits', () => {
    const bits = symbol('bits', { least: 1 });
    const attrs = { ...affine, bits };
    expect(show('quantize', [[H, 128]], attrs)).toBe('uint32[H, ?] float32[H, 2] float32[H, 2]');
    const parts: readonly Operand[] = [
      [[H, 16], 'uint32'],
      [H, 2],
      [H, 2],
    ];
    expect(show('quantized_matmul', [[B, 128], ...parts], { ...attrs, given: ['biases'], transpose: true })).toBe(
      'float32[B, H]',
    );
  });

  it('refuses lengths that no group divides, and says so', () => {
    const error = refusal(() => show('quantize', [[B, 100]], affine));
    expect([error.kind, error.message]).toEqual([
      'quantize-group',
      'quantize: groups of 64 do not divide the last axis of float32[B, 100], which is 100 long',
    ]);
    expect(refusal(() => show('quantize', [[2, 64]], { ...affine, bits: 7 })).message).toBe(
      'quantize: affine has codes of 1, 2, 3, 4, 5, 6 and 8 bits, not of 7',
    );
    expect(refusal(() => show('quantize', [[2, 64]], { ...affine, mode: 'int4' })).message).toBe(
      "quantize: there is no mode 'int4'; MLX has affine, mxfp4, mxfp8 and nvfp4",
    );
    expect(refusal(() => show('quantize', [open('w', 100)], affine)).kind).toBe('quantize-group');
  });

  it('chooses experts of a batch of unknown rank', () => {
    const parts: readonly Operand[] = [
      [[8, H, 16], 'uint32'],
      [8, H, 2],
      [8, H, 2],
    ];
    const attrs = { ...affine, given: ['biases', 'rhs_indices'], transpose: true };
    const lead = new RowVariable('x');
    const indices: Operand = [new OpenShape(lead, [4]), 'uint32'];
    expect(show('gather_qmm', [new OpenShape(lead, [1, 1, 128]), ...parts, indices], attrs)).toBe(
      'float32[..., 4, 1, H]',
    );
  });
});
