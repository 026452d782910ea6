import { expect, test } from 'vitest';
import { toCsv } from '../../../client/webview/quantize/export';
import { settingKey, settingsOf } from '../../../client/webview/quantize/settings';
import type { ErrorMeasures, QuantizeResult, QuantizeRow } from '../../../server/src/protocol';

const measures = (relativeError: number): ErrorMeasures => ({
  relativeError,
  sqnrDb: -20 * Math.log10(relativeError),
  cosine: 1 - relativeError ** 2 / 2,
  p50: relativeError / 10,
  p95: relativeError / 4,
  max: relativeError,
});

const row = (parameter: string, bits: number, bytes: number, error: number): QuantizeRow => ({
  parameter,
  mode: 'affine',
  bits,
  groupSize: 64,
  bitsPerWeight: bits + 0.5,
  bytes,
  weight: measures(error),
  output: null,
  seconds: 0.1,
});

const result: QuantizeResult = {
  rows: [row('a', 4, 450, 0.1), row('a', 8, 850, 0.01), row('b', 4, 1350, 0.2), row('b', 8, 2550, 0.02)],
  parameters: [
    { parameter: 'a', shape: [1, 800], dtype: 'float32', bytes: 3200, skipped: null },
    { parameter: 'b', shape: [3, 800], dtype: 'float32', bytes: 9600, skipped: null },
    { parameter: 'c', shape: [10], dtype: 'float32', bytes: 40, skipped: 'one axis' },
  ],
  worst: [],
  histograms: [],
  outliers: [],
  sampled: false,
  source: 'random',
  backend: 'reference',
  seconds: 0.1,
  notes: [],
};

test('one parameter keeps its own figures', () => {
  const [four, eight] = settingsOf(result, 'a', 'weight');
  expect(four).toMatchObject({ bits: 4, bytes: 450, covered: 1, weight: measures(0.1) });
  expect(eight).toMatchObject({ bits: 8, bytes: 850 });
});

test('all parameters together: sizes add up, errors are weighted by elements', () => {
  const [four] = settingsOf(result, null, 'weight');
  expect(four.bytes).toBe(1800);
  expect(four.bitsPerWeight).toBeCloseTo(4.5);
  expect(four.weight.relativeError).toBeCloseTo(Math.sqrt((0.1 ** 2 + 3 * 0.2 ** 2) / 4));
  expect(four.weight.max).toBe(0.2);
});

test('a setting that cannot quantize a parameter keeps it at its size', () => {
  const partial = { ...result, rows: result.rows.filter(one => one.parameter === 'a' || one.bits === 8) };
  const [four] = settingsOf(partial, null, 'weight');
  expect(four).toMatchObject({ bits: 4, bytes: 450 + 9600, covered: 1 });
  expect(four.bitsPerWeight).toBeCloseTo((4.5 + 3 * 32) / 4);
  expect(four.weight.relativeError).toBeCloseTo(Math.sqrt(0.1 ** 2 / 4));
  expect(four.weight.cosine).toBeCloseTo((1 - 0.1 ** 2 / 2 + 3) / 4);
});

test('the frontier leaves out what another setting beats in size and error', () => {
  const rows = [...result.rows.filter(one => one.parameter === 'a'), { ...row('a', 6, 900, 0.05) }];
  const best = settingsOf({ ...result, rows }, 'a', 'weight').filter(setting => setting.best);
  expect(best.map(settingKey)).toEqual(['affine/4/64', 'affine/8/64']);
});

test('without outputs no setting is best by its output', () => {
  expect(settingsOf(result, 'a', 'output').some(setting => setting.best)).toBe(false);
});

test('CSV has a line a row, and quotes what needs it', () => {
  const text = toCsv({ ...result, rows: [row('x,"y"', 4, 450, 0.1)] });
  const [head, line, end] = text.split('\n');
  expect(head.split(',')).toHaveLength(19);
  expect(line).toMatch(/^"x,""y""",affine,4,64,4\.5,450,0\.1,0\.1,20,/);
  expect(line).toMatch(/,,,,,,$/);
  expect(end).toBe('');
});
