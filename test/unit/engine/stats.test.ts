import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DTYPES } from '../../../engine/src/dtype';
import { cast } from '../../../engine/src/numeric/cast';
import { preview, slice, statistics } from '../../../engine/src/stats';
import type { Tensor } from '../../../engine/src/tensor';

const floats = (...values: number[]): Tensor => ({
  shape: [values.length],
  dtype: 'float32',
  data: Float32Array.from(values),
});

describe('statistics', () => {
  it('set aside what is not finite', () => {
    expect(statistics(floats(1, NaN, 3, Infinity, -Infinity, 5), 2)).toEqual({
      count: 6,
      min: 1,
      max: 5,
      mean: 3,
      std: Math.sqrt(8 / 3),
      nanCount: 1,
      infCount: 2,
      histogram: { from: 1, to: 5, counts: [1, 2] },
    });
  });

  it('have no moments of nothing', () => {
    expect(statistics(floats())).toMatchObject({ count: 0, min: null, std: null, histogram: null });
    expect(statistics(floats(NaN))).toMatchObject({ count: 1, mean: null, nanCount: 1 });
  });

  it.each(DTYPES)('work for %s', dtype => {
    const x = cast(floats(0, 1, 1, 0), dtype);
    expect(statistics(x, 2)).toMatchObject({
      count: 4,
      min: 0,
      max: 1,
      mean: 0.5,
      std: 0.5,
      histogram: { counts: [2, 2] },
    });
    expect(slice(x)).toHaveLength(4);
  });

  it('stay exact far from zero', () => {
    const x: Tensor = { shape: [3], dtype: 'float64', data: Float64Array.of(1e9, 1e9 + 1, 1e9 + 2) };
    expect(statistics(x).std).toBeCloseTo(Math.sqrt(2 / 3), 9);
  });

  it('count every finite value in one bin', () => {
    fc.assert(
      fc.property(fc.array(fc.float(), { maxLength: 50 }), fc.integer({ min: 1, max: 20 }), (values, bins) => {
        const { histogram } = statistics(floats(...values), bins);
        const finite = values.filter(Number.isFinite);
        expect(histogram?.counts.reduce((n, c) => n + c, 0) ?? 0).toBe(finite.length);
        if (histogram) expect(histogram.counts).toHaveLength(bins);
      }),
    );
  });

  it('give a constant a bin in the middle', () => {
    expect(statistics(floats(2, 2), 3).histogram).toEqual({ from: 1.5, to: 2.5, counts: [0, 2, 0] });
  });

  it('cover the whole range of float64', () => {
    const x: Tensor = { shape: [2], dtype: 'float64', data: Float64Array.of(-Number.MAX_VALUE, Number.MAX_VALUE) };
    expect(statistics(x, 4).histogram!.counts).toEqual([1, 0, 0, 1]);
  });
});

describe('values shown', () => {
  it('are nested, and cut in the middle', () => {
    const x: Tensor = { shape: [2, 10], dtype: 'int32', data: Int32Array.from({ length: 20 }, (_, i) => i) };
    expect(preview(x, 2)).toEqual([
      [0, 1, '…', 8, 9],
      [10, 11, '…', 18, 19],
    ]);
    expect(preview({ shape: [], dtype: 'int32', data: Int32Array.of(7) })).toBe(7);
    expect(preview({ shape: [0, 3], dtype: 'int32', data: new Int32Array(0) })).toEqual([]);
  });

  it('stay few at any rank', () => {
    const x: Tensor = { shape: Array(12).fill(2), dtype: 'bool', data: new Uint8Array(4096) };
    expect(JSON.stringify(preview(x, 50)).length).toBeLessThan(100_000);
  });

  it('survive JSON', () => {
    expect(slice(floats(NaN, Infinity, -Infinity, 1.5))).toEqual(['nan', 'inf', '-inf', 1.5]);
    expect(slice({ shape: [2], dtype: 'bool', data: Uint8Array.of(1, 0) })).toEqual([true, false]);
    expect(slice({ shape: [2], dtype: 'int64', data: BigInt64Array.of(5n, 2n ** 62n) })).toEqual([
      5,
      '4611686018427387904',
    ]);
    expect(slice({ shape: [2], dtype: 'complex64', data: Float32Array.of(1, -2, 0.5, 3) })).toEqual(['1-2j', '0.5+3j']);
  });

  it('are a bounded slice', () => {
    expect(slice(floats(1, 2, 3, 4), 1, 2)).toEqual([2, 3]);
    expect(slice(floats(1), 5)).toEqual([]);
  });
});
