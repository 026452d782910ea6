/**
 * Scans: running sums, products, extrema and logsumexp along one axis.
 *
 * `reverse` runs from the end; without `inclusive` each element sees only those before it.
 */
import type { Facts } from '../dims/facts';
import type { DType } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp } from '../graph/op';
import { cast } from '../numeric/cast';
import * as complex from '../numeric/complex';
import { allocate, elementCount, type Tensor } from '../tensor';
import { normalizeAxis } from './axes';
import { largerBig, logaddexp, smallerBig } from './binary';
import { storing, toInexact } from './elementwise';
import { groupsOf } from './groups';
import { stridesOf } from './positions';
import { atLeastRank } from './reductions';

export type Scan = { readonly axis: number; readonly reverse: boolean; readonly inclusive: boolean };

interface Scanner {
  readonly dtype: (dtype: DType) => DType;
  /** What the first element of an exclusive scan is. */
  readonly start: (dtype: DType) => number | bigint;
  readonly real: (a: number, b: number) => number;
  readonly big?: (a: bigint, b: bigint) => bigint;
  readonly complex?: (a: complex.Complex, b: complex.Complex) => complex.Complex;
}

const same = (dtype: DType): DType => dtype;

/** The least and greatest value of each integer dtype. */
function bounds(dtype: DType): readonly [number | bigint, number | bigint] {
  const data = allocate(dtype, 1);
  if (data instanceof BigInt64Array) return [-(2n ** 63n), 2n ** 63n - 1n];
  if (data instanceof BigUint64Array) return [0n, 2n ** 64n - 1n];
  if (dtype === 'bool') return [0, 1];
  if (dtype.startsWith('uint')) return [0, 2 ** (8 * data.BYTES_PER_ELEMENT) - 1];
  if (dtype.startsWith('int'))
    return [-(2 ** (8 * data.BYTES_PER_ELEMENT - 1)), 2 ** (8 * data.BYTES_PER_ELEMENT - 1) - 1];
  return [-Infinity, Infinity];
}

const SCANNERS: Record<string, Scanner> = {
  cumsum: {
    dtype: dtype => (dtype === 'bool' ? 'int32' : dtype),
    start: () => 0,
    real: (a, b) => a + b,
    big: (a, b) => a + b,
    complex: complex.add,
  },
  cumprod: { dtype: same, start: () => 1, real: (a, b) => a * b, big: (a, b) => a * b, complex: complex.multiply },
  cummax: {
    dtype: same,
    start: dtype => bounds(dtype)[0],
    real: Math.max,
    big: largerBig,
    complex: (a, b) => (complex.precedes(a, b) ? b : a),
  },
  cummin: {
    dtype: same,
    start: dtype => bounds(dtype)[1],
    real: Math.min,
    big: smallerBig,
    complex: (a, b) => (complex.precedes(b, a) ? b : a),
  },
  logcumsumexp: { dtype: toInexact, start: () => -Infinity, real: logaddexp },
};

function defineScan(name: string, def: Scanner): void {
  const dtypeOf = (x: ArrayType) => x.dtype && def.dtype(x.dtype);
  defineOp<Scan>({
    name,
    infer(_, [x], { axis }) {
      normalizeAxis(name, x, axis);
      return { shape: x.shape, dtype: dtypeOf(x) };
    },
    inferOpen: (facts: Facts, [x], { axis }) => ({ shape: atLeastRank(facts, x, [axis]).shape, dtype: dtypeOf(x) }),
    kernel: ([x], attrs, [out]) =>
      scan(def, cast(x, out.dtype), normalizeAxis(name, { shape: x.shape, dtype: x.dtype }, attrs.axis), attrs, out),
  });
}

for (const [name, def] of Object.entries(SCANNERS)) defineScan(name, def);

/** Walks each line along the axis; `step` reads element `from`, combines, and writes `to`. */
function scan(def: Scanner, x: Tensor, axis: number, { reverse, inclusive }: Scan, out: ConcreteType): Tensor {
  const data = allocate(out.dtype, elementCount(out.shape));
  const length = x.shape[axis];
  const stride = stridesOf(x.shape)[axis];
  const { starts } = groupsOf(x.shape, [axis]);
  const at = (start: number, i: number) => start + stride * (reverse ? length - 1 - i : i);
  const run = <T>(first: T, read: (at: number) => T, write: (at: number, value: T) => void, f: (a: T, b: T) => T) => {
    for (const start of starts) {
      let total = first;
      for (let i = 0; i < length; i++) {
        const place = at(start, i);
        const value = read(place);
        if (!inclusive) write(place, total);
        total = i === 0 && inclusive ? value : f(total, value);
        if (inclusive) write(place, total);
      }
    }
  };
  const first = def.start(out.dtype);
  if (out.dtype === 'complex64') {
    if (!def.complex) throw new Error('no kernel for complex64');
    const numbers = data as Float32Array;
    run<complex.Complex>(
      [Number(first), 0],
      place => [x.data[2 * place] as number, x.data[2 * place + 1] as number],
      (place, value) => numbers.set(value, 2 * place),
      def.complex,
    );
  } else if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    const wrap = (value: bigint) =>
      data instanceof BigInt64Array ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
    const combine = (a: bigint, b: bigint) => wrap(def.big!(a, b));
    run<bigint>(
      BigInt(first),
      place => x.data[place] as bigint,
      (place, value) => {
        data[place] = value;
      },
      combine,
    );
  } else {
    const numbers = data as { [i: number]: number };
    const store = storing(out.dtype);
    run<number>(
      Number(first),
      place => x.data[place] as number,
      (place, value) => {
        numbers[place] = store(value);
      },
      def.real,
    );
  }
  return { shape: out.shape, dtype: out.dtype, data };
}
