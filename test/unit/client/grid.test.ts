import { expect, test } from 'vitest';
import { parseShape } from '../../../client/webview/run/shape';
import { gridOf, planesOf } from '../../../client/webview/shared/grid';
import type { ArrayResult, Scalar } from '../../../server/src/protocol';

const array = (shape: number[], values?: Scalar[], dtype = 'float32'): ArrayResult => ({
  name: 'output',
  shape,
  dtype,
  stats: { min: null, max: null, mean: null, std: null, nan: 0, inf: 0, histogram: null },
  values: values ?? Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
  complete: true,
});

test('a matrix is shown as it stands', () => {
  const grid = gridOf(array([2, 3]), 0);
  expect(grid).toMatchObject({ rows: 2, columns: 3, offset: 0 });
  expect([...grid.values]).toEqual([0, 1, 2, 3, 4, 5]);
  expect(grid.indexAt(4)).toBe('[1, 1]');
});

test('an array of more axes is shown plane by plane', () => {
  const cube = array([2, 2, 2, 3]);
  expect(planesOf(cube)).toEqual(['[0, 0, :, :]', '[0, 1, :, :]', '[1, 0, :, :]', '[1, 1, :, :]']);
  const grid = gridOf(cube, 3);
  expect(grid.values[0]).toBe(18);
  expect(grid.indexAt(0)).toBe('[1, 1, 0, 0]');
});

test('of an array that is not whole only known planes and rows are shown', () => {
  const part = { ...array([4, 100, 10]), values: Array.from({ length: 1500 }, (_, i) => i), complete: false };
  expect(planesOf(part)).toHaveLength(1);
  const first = { ...array([100, 10]), values: Array.from({ length: 55 }, (_, i) => i), complete: false };
  expect(gridOf(first, 0)).toMatchObject({ rows: 5, columns: 10 });
  expect(gridOf(first, 0).caption).toContain('first 50 of 1,000');
});

test('a long row is folded', () => {
  const grid = gridOf(array([4096]), 0);
  expect(grid.columns).toBe(64);
  expect(grid.rows).toBe(64);
  expect(grid.caption).toContain('folded every 64');
});

test('a scalar is one cell', () => {
  expect(gridOf(array([], [3]), 0)).toMatchObject({ rows: 1, columns: 1 });
});

test('complex numbers show their absolute value, and strings what JSON has no number for', () => {
  expect([...gridOf(array([2], [3, 4, 0, 1], 'complex64'), 0).values]).toEqual([5, 1]);
  expect([...gridOf(array([3], ['nan', 'inf', true]), 0).values]).toEqual([Number.NaN, Number.POSITIVE_INFINITY, 1]);
});

test('shapes are read as people write them', () => {
  expect(parseShape('B, 28, 28')).toEqual(['B', 28, 28]);
  expect(parseShape('(2, 16,)')).toEqual([2, 16]);
  expect(parseShape('[]')).toEqual([]);
  expect(parseShape('')).toEqual([]);
  expect(parseShape('2 by 3')).toBeNull();
  expect(parseShape('-1, 4')).toBeNull();
});
