/**
 * Comparisons: arrays of booleans, and the two that compare whole arrays.
 */
import { defineOp } from '../graph/op';
import { toNumbers } from '../numeric/cast';
import { abs, type Complex, precedes, subtract } from '../numeric/complex';
import { allocate, elementCount, type Tensor } from '../tensor';
import { broadcastOpen, broadcastShapes } from './broadcast';
import { cannotBroadcast, defineBinary, type Elementwise, TEST } from './elementwise';
import { expandIndex } from './expand';

const same = (a: Complex, b: Complex): boolean => a[0] === b[0] && a[1] === b[1];

const COMPARISONS: Record<string, Elementwise<2>> = {
  equal: { rule: TEST, real: (x, y) => Number(x === y), complex: (a, b) => Number(same(a, b)) },
  not_equal: { rule: TEST, real: (x, y) => Number(x !== y), complex: (a, b) => Number(!same(a, b)) },
  less: { rule: TEST, real: (x, y) => Number(x < y), complex: (a, b) => Number(precedes(a, b)) },
  less_equal: { rule: TEST, real: (x, y) => Number(x <= y), complex: (a, b) => Number(precedes(a, b) || same(a, b)) },
  greater: { rule: TEST, real: (x, y) => Number(x > y), complex: (a, b) => Number(precedes(b, a)) },
  greater_equal: {
    rule: TEST,
    real: (x, y) => Number(x >= y),
    complex: (a, b) => Number(precedes(b, a) || same(a, b)),
  },
};

for (const [name, def] of Object.entries(COMPARISONS)) defineBinary(name, def);

type Closeness = { rtol: number; atol: number; equal_nan: boolean };

/** Elements of a and b, broadcast to `shape`, handed to `test` as numbers or complex numbers. */
function compareElements(
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
  test: (x: Complex, y: Complex) => boolean,
): Uint8Array {
  const result = allocate('bool', elementCount(shape));
  const parts = (x: Tensor) => {
    const index = expandIndex(x.shape, shape);
    const numbers = toNumbers(x.data);
    const width = x.dtype === 'complex64' ? 2 : 1;
    return (i: number): Complex => {
      const at = width * index[i];
      return [numbers[at], width === 2 ? numbers[at + 1] : 0];
    };
  };
  const [left, right] = [parts(a), parts(b)];
  for (let i = 0; i < result.length; i++) result[i] = Number(test(left(i), right(i)));
  return result;
}

const hasNaN = (z: Complex): boolean => z.some(Number.isNaN);

function close(x: Complex, y: Complex, { rtol, atol, equal_nan }: Closeness): boolean {
  if (same(x, y)) return true;
  if (hasNaN(x) || hasNaN(y)) return equal_nan && hasNaN(x) && hasNaN(y);
  if (![...x, ...y].every(Number.isFinite)) return false;
  return abs(subtract(x, y)) <= atol + rtol * abs(y);
}

/** |a - b| ≤ atol + rtol · |b|, element by element. */
defineOp<Closeness>({
  name: 'isclose',
  infer: (facts, [a, b]) => ({
    shape: broadcastShapes(facts, a.shape, b.shape, cannotBroadcast('isclose', a, b)),
    dtype: 'bool',
  }),
  inferOpen: (facts, [a, b]) => ({
    shape: broadcastOpen(facts, a.shape, b.shape, cannotBroadcast('isclose', a, b)),
    dtype: 'bool',
  }),
  kernel: ([a, b], attrs, [out]) => ({
    shape: out.shape,
    dtype: 'bool',
    data: compareElements(a, b, out.shape, (x, y) => close(x, y, attrs)),
  }),
});

/** Whether all elements are close. */
defineOp<Closeness>({
  name: 'allclose',
  infer(facts, [a, b]) {
    broadcastShapes(facts, a.shape, b.shape, cannotBroadcast('allclose', a, b));
    return { shape: [], dtype: 'bool' };
  },
  inferOpen(facts, [a, b]) {
    broadcastOpen(facts, a.shape, b.shape, cannotBroadcast('allclose', a, b));
    return { shape: [], dtype: 'bool' };
  },
  kernel([a, b], attrs) {
    const rank = Math.max(a.shape.length, b.shape.length);
    const shape = Array.from({ length: rank }, (_, i) => {
      const [m, n] = [a.shape.at(i - rank) ?? 1, b.shape.at(i - rank) ?? 1];
      return m === 1 ? n : m;
    });
    const every = compareElements(a, b, shape, (x, y) => close(x, y, attrs)).every(v => v === 1);
    return { shape: [], dtype: 'bool', data: Uint8Array.of(Number(every)) };
  },
});

/** Whether shapes and elements are equal; never refused. */
defineOp<{ equal_nan: boolean }>({
  name: 'array_equal',
  infer: () => ({ shape: [], dtype: 'bool' }),
  inferOpen: () => ({ shape: [], dtype: 'bool' }),
  kernel([a, b], { equal_nan }) {
    const alike = (x: Complex, y: Complex) => same(x, y) || (equal_nan && hasNaN(x) && hasNaN(y));
    const equal =
      a.shape.length === b.shape.length &&
      a.shape.every((d, i) => d === b.shape[i]) &&
      compareElements(a, b, a.shape, alike).every(v => v === 1);
    return { shape: [], dtype: 'bool', data: Uint8Array.of(Number(equal)) };
  },
});
