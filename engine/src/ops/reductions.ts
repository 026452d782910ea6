/**
 * Reductions: operations that combine the elements along some axes into one.
 *
 * `axes` null means all axes. Values are combined in double precision and rounded once; 64-bit integers exactly.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type DType, isInteger, kindOf, sizeOf } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp, type RankedType, type Shape } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import * as complex from '../numeric/complex';
import { allocate, elementCount, type Tensor } from '../tensor';
import { normalizeAxes } from './axes';
import { storing, toInexact } from './elementwise';
import { groupsOf } from './groups';
import { extendTail } from './rank';

export type Reduction = { readonly axes: readonly number[] | null; readonly keepdims: boolean };

/** The shape without the axes (counted from the front), or with length 1 in their place. */
export function reducedShape(shape: readonly Dim[], axes: readonly number[], keepdims: boolean): readonly Dim[] {
  if (keepdims) return shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The same for a shape of unknown rank: known for all axes, or for axes counted from the back. */
export function reducedOpen(shape: Shape, axes: readonly number[] | null, keepdims: boolean): Shape {
  if (axes === null && !keepdims) return [];
  if (axes?.length === 0) return shape;
  if (!(shape instanceof OpenShape) || axes === null) return null;
  const { tail } = shape;
  const fromBack = axes.map(axis => (axis < 0 ? axis + tail.length : -1));
  if (fromBack.some(axis => axis < 0)) return null;
  return new OpenShape(shape.lead, reducedShape(tail, fromBack, keepdims));
}

/** Learns from axes counted from the back that the array has that many. */
export function atLeastRank(facts: Facts, type: ArrayType, axes: readonly number[] | null): ArrayType {
  if (!axes || axes.length === 0 || !(type.shape instanceof OpenShape)) return type;
  const wanted = Math.max(...axes.map(axis => (axis < 0 ? -axis : 0)));
  return wanted === 0 ? type : { shape: extendTail(facts, type.shape, wanted), dtype: type.dtype };
}

// ---- dtypes -----------------------------------------------------------------------------------------------------------

/** Sums and products of small integers are taken in 32 bits. */
const accumulated = (dtype: DType): DType => {
  if (dtype === 'bool') return 'int32';
  if (!isInteger(dtype) || sizeOf(dtype) >= 4) return dtype;
  return kindOf(dtype) === 'unsigned' ? 'uint32' : 'int32';
};
const same = (dtype: DType): DType => dtype;
const toReal = (dtype: DType): DType => (dtype === 'complex64' ? 'float32' : toInexact(dtype));
const always =
  (dtype: DType) =>
  (_: DType): DType =>
    dtype;

const POSITION = always('uint32');

// ---- the table --------------------------------------------------------------------------------------------------------

interface Reducer {
  readonly dtype: (dtype: DType) => DType;
  /** What it does with no elements to combine: most answer their neutral element. */
  readonly whenEmpty?: 'refuses an empty group' | 'refuses an empty array';
  /** The dtype when no axis is named (`axis=()`) and nothing is combined, where it differs. */
  readonly dtypeWithoutAxes?: (dtype: DType) => DType;
  readonly real: (values: Float64Array) => number;
  readonly big?: (values: readonly bigint[]) => bigint;
  readonly complex?: (values: readonly complex.Complex[]) => complex.Complex | number;
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
const mean = (values: Float64Array): number => sum(values) / values.length;
const sumComplex = (values: readonly complex.Complex[]): complex.Complex => values.reduce(complex.add, [0, 0]);

function extremum(better: (a: number, b: number) => boolean): (values: Float64Array) => number {
  return values => {
    let best = values[0];
    for (const v of values) if (Number.isNaN(v) || better(v, best)) best = Number.isNaN(best) ? best : v;
    return best;
  };
}
const firstOf =
  <T>(better: (a: T, b: T) => boolean) =>
  (values: ArrayLike<T>): number => {
    let best = 0;
    for (let i = 1; i < values.length; i++) if (better(values[i], values[best])) best = i;
    return best;
  };
const largest = (a: number, b: number) => a > b;
const smallest = (a: number, b: number) => a < b;
const follows = (a: complex.Complex, b: complex.Complex) => complex.precedes(b, a);

export function logsumexp(values: Float64Array): number {
  const top = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(top)) return top;
  return top + Math.log(values.reduce((total, v) => total + Math.exp(v - top), 0));
}
function logsumexpComplex(values: readonly complex.Complex[]): complex.Complex {
  const top = Math.max(...values.map(z => z[0]));
  const total = values.reduce<complex.Complex>((t, z) => complex.add(t, complex.exp([z[0] - top, z[1]])), [0, 0]);
  return complex.add([top, 0], complex.log(total));
}

function median(values: Float64Array): number {
  if (values.some(Number.isNaN)) return NaN;
  const sorted = values.slice().sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function medianComplex(values: readonly complex.Complex[]): complex.Complex {
  const sorted = values.toSorted((a, b) => (complex.precedes(a, b) ? -1 : Number(complex.precedes(b, a))));
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : complex.scale(complex.add(sorted[half - 1], sorted[half]), 0.5);
}

const bigExtremum = (better: (a: bigint, b: bigint) => boolean) => (values: readonly bigint[]) =>
  values.reduce((a, b) => (better(b, a) ? b : a));

const REDUCERS: Record<string, Reducer> = {
  sum: {
    dtype: accumulated,
    dtypeWithoutAxes: same,
    real: sum,
    big: values => values.reduce((a, b) => a + b, 0n),
    complex: sumComplex,
  },
  prod: {
    dtype: accumulated,
    dtypeWithoutAxes: same,
    real: values => values.reduce((a, b) => a * b, 1),
    big: values => values.reduce((a, b) => BigInt.asIntN(64, a * b), 1n),
    complex: values => values.reduce(complex.multiply, complex.ONE),
  },
  mean: { dtype: toInexact, real: mean, complex: values => complex.scale(sumComplex(values), 1 / values.length) },
  max: {
    dtype: same,
    whenEmpty: 'refuses an empty group',
    real: extremum(largest),
    big: bigExtremum((a, b) => a > b),
    complex: values => values.reduce((a, b) => (complex.precedes(a, b) ? b : a)),
  },
  min: {
    dtype: same,
    whenEmpty: 'refuses an empty group',
    real: extremum(smallest),
    big: bigExtremum((a, b) => a < b),
    complex: values => values.reduce((a, b) => (complex.precedes(b, a) ? b : a)),
  },
  all: {
    dtype: always('bool'),
    real: values => Number(values.every(v => v !== 0)),
    complex: values => Number(values.every(z => z[0] !== 0 || z[1] !== 0)),
  },
  any: {
    dtype: always('bool'),
    real: values => Number(values.some(v => v !== 0)),
    complex: values => Number(values.some(z => z[0] !== 0 || z[1] !== 0)),
  },
  argmax: {
    dtype: POSITION,
    whenEmpty: 'refuses an empty array',
    real: firstOf(largest),
    complex: firstOf(follows),
  },
  argmin: {
    dtype: POSITION,
    whenEmpty: 'refuses an empty array',
    real: firstOf(smallest),
    complex: firstOf(complex.precedes),
  },
  logsumexp: {
    dtype: toInexact,
    whenEmpty: 'refuses an empty array',
    real: logsumexp,
    complex: logsumexpComplex,
  },
  median: { dtype: toInexact, whenEmpty: 'refuses an empty group', real: median, complex: medianComplex },
  count_nonzero: {
    dtype: always('int32'),
    real: values => values.reduce((n, v) => n + Number(v !== 0), 0),
    complex: values => values.filter(z => z[0] !== 0 || z[1] !== 0).length,
  },
};

/** @throws Refusal of kind 'value' where the array certainly has nothing to combine */
function checkEmpty(facts: Facts, name: string, def: Reducer, x: RankedType, axes: readonly number[]): void {
  if (!def.whenEmpty) return;
  const lengths = def.whenEmpty === 'refuses an empty array' ? x.shape : axes.map(axis => x.shape[axis]);
  if (lengths.some(d => facts.equal(d, 0) === 'yes'))
    throw new Refusal('value', `${name} of ${showType(x)}: there is nothing to take it of`);
}

function resultDType(def: Reducer, dtype: DType | null, axes: readonly number[] | null): DType | null {
  const rule = axes?.length === 0 ? (def.dtypeWithoutAxes ?? def.dtype) : def.dtype;
  if (dtype === null) {
    const answers = new Set((['bool', 'float16', 'int64'] as const).map(rule));
    return answers.size === 1 ? [...answers][0] : null;
  }
  return rule(dtype);
}

function defineReduction(name: string, def: Reducer): void {
  defineOp<Reduction>({
    name,
    infer(facts, [x], { axes, keepdims }) {
      if (name === 'logsumexp' && x.shape.length === 0 && axes && axes.length > 0)
        throw new Refusal('axis', `logsumexp over axes of a 0-d array: ${showType(x)} has none`);
      if (name === 'median' && x.shape.length > 0 && axes?.length === 0)
        throw new Refusal('axis', `median over no axes of ${showType(x)}: name at least one`);
      if (def.dtype === POSITION && x.shape.length === 0 && axes === null && keepdims)
        throw new Refusal('axis', `${name} cannot keep the axes of a 0-d array`);
      const reduced = normalizeAxes(name, x, axes);
      checkEmpty(facts, name, def, x, reduced);
      return { shape: reducedShape(x.shape, reduced, keepdims), dtype: resultDType(def, x.dtype, axes) };
    },
    inferOpen(facts, [x], { axes, keepdims }) {
      const known = atLeastRank(facts, x, axes);
      return { shape: reducedOpen(known.shape, axes, keepdims), dtype: resultDType(def, x.dtype, axes) };
    },
    kernel: ([x], { axes }, [out]) => reduce(def, x, normalizeAxes(name, x, axes), out),
  });
}

for (const [name, def] of Object.entries(REDUCERS)) defineReduction(name, def);

// ---- kernels ----------------------------------------------------------------------------------------------------------

type Numbers = { [i: number]: number };
type Bigs = { [i: number]: bigint };

/** The elements of each group handed to the reducer, in the dtype the result is computed in. */
function reduce(def: Reducer, x: Tensor, axes: readonly number[], out: ConcreteType): Tensor {
  const { starts, members } = groupsOf(x.shape, axes);
  const data = allocate(out.dtype, elementCount(out.shape));
  const store = storing(out.dtype);
  if (x.dtype === 'complex64') {
    if (!def.complex) throw new Error('no kernel for complex64');
    const pairs = out.dtype === 'complex64';
    for (const [o, start] of starts.entries()) {
      const group = Array.from(
        members,
        m => [x.data[2 * (start + m)], x.data[2 * (start + m) + 1]] as [number, number],
      );
      const value = def.complex(group);
      const [re, im] = typeof value === 'number' ? [value, 0] : value;
      (data as Numbers)[pairs ? 2 * o : o] = store(re);
      if (pairs) (data as Numbers)[2 * o + 1] = store(im);
    }
    return { shape: out.shape, dtype: out.dtype, data };
  }
  const exact = (out.dtype === 'int64' || out.dtype === 'uint64') && def.big;
  if (exact) {
    const source = cast(x, out.dtype).data as Bigs;
    for (const [o, start] of starts.entries()) (data as Bigs)[o] = exact(Array.from(members, m => source[start + m]));
    return { shape: out.shape, dtype: out.dtype, data };
  }
  const group = new Float64Array(members.length);
  for (const [o, start] of starts.entries()) {
    for (let m = 0; m < members.length; m++) group[m] = Number(x.data[start + members[m]]);
    (data as Numbers)[o] = store(def.real(group));
  }
  return { shape: out.shape, dtype: out.dtype, data };
}

// ---- variance ---------------------------------------------------------------------------------------------------------

type Spread = Reduction & { readonly ddof: number };

function spread(values: Float64Array, ddof: number): number {
  const centre = mean(values);
  const total = values.reduce((t, v) => t + (v - centre) ** 2, 0);
  return total / Math.max(values.length - ddof, 0);
}

/** Of complex numbers MLX takes the spread of both parts together. */
function defineSpread(name: string, finish: (variance: number) => number): void {
  defineOp<Spread>({
    name,
    infer(_, [x], { axes, keepdims }) {
      const reduced = normalizeAxes(name, x, axes);
      return { shape: reducedShape(x.shape, reduced, keepdims), dtype: x.dtype && toReal(x.dtype) };
    },
    inferOpen(facts, [x], { axes, keepdims }) {
      const known = atLeastRank(facts, x, axes);
      return { shape: reducedOpen(known.shape, axes, keepdims), dtype: x.dtype && toReal(x.dtype) };
    },
    kernel([x], { axes, ddof }, [out]) {
      const def: Reducer = {
        dtype: toReal,
        real: values => finish(spread(values, ddof)),
        complex: values =>
          finish(
            spread(
              Float64Array.from(values, z => z[0]),
              ddof,
            ) +
              spread(
                Float64Array.from(values, z => z[1]),
                ddof,
              ),
          ),
      };
      return reduce(def, x, normalizeAxes(name, x, axes), out);
    },
  });
}
defineSpread('var', v => v);
defineSpread('std', Math.sqrt);
