import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { add, type Dim, floorDiv, lowerBound, mul, showDim, sub, symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { selection, sliceLength } from '../../../engine/src/ops/slices';

const cut = (axis: Dim, start: Dim | null, stop: Dim | null, step: Dim = 1) =>
  showDim(sliceLength(new Facts(), axis, { start, stop, step }));

describe('slices of an axis of symbolic length', () => {
  const L = symbol('L', { flexible: true });
  const D = symbol('D', { least: 1 });
  const offset = symbol('offset');

  it('keeps what is certain', () => {
    expect(cut(L, null, null)).toBe('L');
    expect(cut(L, -1, null)).toBe('1');
    expect(cut(L, null, -1)).toBe('L - 1');
    expect(cut(L, 1, null)).toBe('L - 1');
    expect(cut(L, null, 1)).toBe('1');
    expect(cut(L, null, 0)).toBe('0');
    expect(cut(L, null, null, -1)).toBe('L');
    expect(cut(D, null, floorDiv(D, 2))).toBe('D // 2');
    expect(cut(D, floorDiv(D, 2), null)).toBe('D - D // 2');
    expect(cut(D, null, null, 2)).toBe('(D + 1) // 2');
    expect(cut(D, 1, null, 2)).toBe('D // 2');
    expect(cut(mul(D, 2), null, D)).toBe('D');
    expect(cut(mul(D, 2), D, null)).toBe('D');
    expect(cut(add(L, 3), -3, null)).toBe('3');
    expect(cut(mul(D, 4), mul(D, 2), mul(D, 3))).toBe('D');
  });

  it('clamps to what the axis has', () => {
    expect(cut(L, 3, null)).toMatch(/^max\((L - 3, 0|0, L - 3)\)$/);
    expect(cut(L, null, 3)).toMatch(/^min\((3, L|L, 3)\)$/);
    expect(cut(L, null, offset)).toMatch(/^min\((L, offset|offset, L)\)$/);
    expect(cut(256, null, offset)).toMatch(/^min\((256, offset|offset, 256)\)$/);
  });

  it('sees that a buffer in steps of 256 holds what was asked for', () => {
    const buffer = mul(256, floorDiv(add(L, 255), 256));
    expect(lowerBound(sub(buffer, L))).toBe(0);
    expect(cut(buffer, null, L)).toBe('L');
  });

  it('answers a nameless length where signs are not known', () => {
    const any = symbol('i', { least: -Infinity });
    expect(cut(L, any, null)).toBe('?');
    expect(cut(L, null, null, any)).toBe('?');
    expect(cut(L, 5, 2, -1)).toBe('?');
  });

  it('agrees with Python on numbers', () => {
    const bound = fc.option(fc.integer({ min: -12, max: 12 }));
    const step = fc.integer({ min: -4, max: 4 }).filter(n => n !== 0);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9 }), bound, bound, step, (length, start, stop, by) => {
        const { start: first, count } = selection(length, start, stop, by);
        const wrap = (i: number) => (i < 0 ? i + length : i);
        const low = by < 0 ? -1 : 0;
        const high = by < 0 ? length - 1 : length;
        const clamp = (i: number) => Math.max(low, Math.min(wrap(i), high));
        const from = start === null ? (by < 0 ? high : 0) : clamp(start);
        const to = stop === null ? (by < 0 ? -1 : length) : clamp(stop);
        const expected: number[] = [];
        for (let i = from; by < 0 ? i > to : i < to; i += by) expected.push(i);
        expect(count).toBe(expected.length);
        if (count > 0) expect(first).toBe(expected[0]);
      }),
    );
  });
});
