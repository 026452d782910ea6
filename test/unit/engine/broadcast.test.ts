import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dim, mul, showDim, symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, RowVariable, showShape } from '../../../engine/src/dims/shape';
import { Refusal } from '../../../engine/src/graph/refusal';
import { broadcastAll, broadcastDim, broadcastOpen, broadcastShapes } from '../../../engine/src/ops/broadcast';
import { expandTo, reader } from '../../../engine/src/ops/expand';
import type { Tensor } from '../../../engine/src/tensor';

const refuse = () => new Refusal('broadcast', 'these shapes do not broadcast');
const shapes = fc.array(fc.constantFrom(0, 1, 2, 3), { maxLength: 4 });

/** The rule for numbers, written the other way round: null where it refuses. */
function plain(a: readonly number[], b: readonly number[]): number[] | null {
  const out: number[] = [];
  for (let i = 1; i <= Math.max(a.length, b.length); i++) {
    const [m, n] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (m !== n && m !== 1 && n !== 1) return null;
    out.unshift(m === 1 ? n : m);
  }
  return out;
}

function attempt(a: readonly Dim[], b: readonly Dim[], facts = new Facts()): readonly Dim[] | null {
  try {
    return broadcastShapes(facts, a, b, refuse);
  } catch (error) {
    if (error instanceof Refusal) return null;
    throw error;
  }
}

describe('broadcasting numbers', () => {
  it('is NumPy’s rule', () => {
    fc.assert(
      fc.property(shapes, shapes, (a, b) => {
        expect(attempt(a, b)).toEqual(plain(a, b));
      }),
    );
  });

  it('does not depend on order or grouping, and a scalar changes nothing', () => {
    fc.assert(
      fc.property(shapes, shapes, shapes, (a, b, c) => {
        expect(attempt(a, b)).toEqual(attempt(b, a));
        expect(attempt(a, [])).toEqual(a);
        const [ab, bc] = [attempt(a, b), attempt(b, c)];
        if (ab && bc) expect(attempt(ab, c)).toEqual(attempt(a, bc));
      }),
    );
  });

  it('of many is one by one', () => {
    expect(broadcastAll(new Facts(), [[3], [2, 1], [4, 1, 1]], refuse)).toEqual([4, 2, 3]);
    expect(broadcastAll(new Facts(), [], refuse)).toEqual([]);
  });
});

describe('broadcasting symbols', () => {
  const [B, L] = [symbol('B', { flexible: true }), symbol('L', { flexible: true })];
  const [D, H] = [symbol('D', { least: 1 }), symbol('H', { least: 1 })];
  const dim = (a: Dim, b: Dim, facts = new Facts()): string => showDim(broadcastDim(facts, a, b, refuse));

  it('keeps what is equal or meets 1', () => {
    expect([dim(D, D), dim(D, 1), dim(1, D)]).toEqual(['D', 'D', 'D']);
    expect(dim(mul(D, 2), mul(2, D))).toBe('2 * D');
  });

  it('answers the number that a symbol must equal if it is not 1', () => {
    expect([dim(D, 3), dim(0, D)]).toEqual(['3', '0']);
  });

  it('answers what is certainly longer than 1', () => {
    expect(dim(mul(D, 2), H)).toBe('2 * D');
  });

  it('lets an axis of an input follow what the code sizes, and names nothing else', () => {
    expect([dim(L, D), dim(D, L)]).toEqual(['D', 'D']);
    expect([dim(B, L), dim(D, H)]).toEqual(['?', '?']);
  });

  it('refuses lengths that can neither agree nor be 1', () => {
    expect(() => dim(mul(D, 2), 3)).toThrow(Refusal);
    expect(() => dim(mul(D, 4), 2)).toThrow(Refusal);
  });

  it('learns that two lengths above 1 are the same', () => {
    const facts = new Facts();
    const n = symbol('n', { flexible: true, least: 2 });
    expect(dim(n, 7, facts)).toBe('7');
    expect(facts.resolve(n)).toBe(7);
  });

  it('does not learn from what may be 1', () => {
    const facts = new Facts();
    expect(dim(L, 7, facts)).toBe('7');
    expect(facts.resolve(L)).toBe(L);
  });
});

describe('broadcasting shapes of unknown rank', () => {
  const x = new RowVariable('x');
  const D = symbol('D', { least: 1 });
  const open = (...tail: Dim[]) => new OpenShape(x, tail);
  const show = (a: Parameters<typeof broadcastOpen>[1], b: typeof a): string => {
    const shape = broadcastOpen(new Facts(), a, b, refuse);
    return shape === null ? 'unknown' : showShape(shape);
  };

  it('keeps the open one beside a scalar, or what its tail covers', () => {
    expect([show(open(), []), show([], open(D)), show(open(4, D), [1])]).toEqual(['[...]', '[..., D]', '[..., 4, D]']);
    expect(show(open(1, D), [4, 1])).toBe('[..., 4, D]');
  });

  it('keeps the leading axes that two share', () => {
    expect([show(open(D, 1), open(1, 3)), show(open(D), new OpenShape(new RowVariable('y'), [D]))]).toEqual([
      '[..., D, 3]',
      'unknown',
    ]);
  });

  it('does not know the rank when more axes come than the tail has', () => {
    expect([show(open(D), [2, 3, 1]), show(null, [2])]).toEqual(['unknown', 'unknown']);
  });

  it('refuses what the known axes exclude', () => {
    expect(() => show(open(3), [2, 4])).toThrow(Refusal);
    expect(() => show(open(3), new OpenShape(new RowVariable('y'), [4]))).toThrow(Refusal);
  });
});

describe('expanding arrays', () => {
  const x: Tensor = { shape: [2, 1], dtype: 'int32', data: Int32Array.of(5, 6) };

  it('repeats elements along new and short axes', () => {
    expect([...expandTo(x, [2, 2, 3]).data]).toEqual([5, 5, 5, 6, 6, 6, 5, 5, 5, 6, 6, 6]);
    expect(expandTo(x, [2, 1])).toBe(x);
    expect(expandTo(x, [0, 2, 3]).data).toHaveLength(0);
  });

  it('keeps the parts of complex numbers together', () => {
    const z: Tensor = { shape: [1], dtype: 'complex64', data: Float32Array.of(1, 2) };
    expect([...expandTo(z, [2]).data]).toEqual([1, 2, 1, 2]);
  });

  it('reads 64-bit integers as numbers', () => {
    const read = reader({ shape: [2], dtype: 'int64', data: BigInt64Array.of(3n, 4n) }, [2, 2]);
    expect([0, 1, 2, 3].map(read)).toEqual([3, 4, 3, 4]);
  });
});
