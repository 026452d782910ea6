/**
 * What all elementwise operations share: shapes that carry over or broadcast, one dtype rule, one loop.
 *
 * An operation is a row of a table (unary.ts, binary.ts, comparison.ts): its dtype rule and its scalar functions. A
 * float16 or bfloat16 result is computed in double precision and rounded once, through float32 as MLX does.
 */

import type { Facts } from '../dims/facts';
import { type DType, isInexact, kindOf, promote } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp, type RankedType } from '../graph/op';
import { Refusal, type RefusalKind } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import type { Complex } from '../numeric/complex';
import { rounder } from '../numeric/round';
import { allocate, elementCount, type Tensor } from '../tensor';
import { broadcastOpen, broadcastShapes } from './broadcast';
import { expandIndex } from './expand';

/** At least float32: integers and booleans become it. */
export const toInexact = (dtype: DType): DType => (isInexact(dtype) ? dtype : 'float32');

/** The dtype an operation works in (what its inputs are cast to) and the one of its result. */
export interface DTypeRule {
  work(dtype: DType): DType;
  result(work: DType): DType;
}
const same = (dtype: DType): DType => dtype;
export const SAME: DTypeRule = { work: same, result: same };
/** Integers are computed as float32. */
export const FLOAT: DTypeRule = { work: toInexact, result: same };
/** Answers true or false. */
export const TEST: DTypeRule = { work: same, result: () => 'bool' };
/** Complex numbers give their real dtype. */
export const REAL: DTypeRule = { work: same, result: dtype => (dtype === 'complex64' ? 'float32' : dtype) };

/** `{ complex: … }`: the dtypes MLX refuses, with the reason as it goes into the message. */
export type Refused = (dtype: DType) => string | null;
export const NO_COMPLEX: Refused = dtype => (dtype === 'complex64' ? 'complex64 is not supported' : null);
export const NO_FLOATS: Refused = dtype =>
  isInexact(dtype) ? `it works on integers and booleans, not on ${dtype}` : null;

/** Scalar functions, by what storage holds; integers of at most 32 bits are `real` unless `int` says otherwise. */
export interface Scalars<N extends 1 | 2> {
  readonly real: N extends 1 ? (x: number) => number : (x: number, y: number) => number;
  readonly int?: N extends 1 ? (x: number) => number : (x: number, y: number) => number;
  /** Where booleans are not simply the integers 0 and 1. */
  readonly bool?: N extends 1 ? (x: number) => number : (x: number, y: number) => number;
  readonly big?: N extends 1 ? (x: bigint) => bigint : (x: bigint, y: bigint) => bigint;
  /** A number stands for a complex one without imaginary part. */
  readonly complex?: N extends 1 ? (z: Complex) => Complex | number : (z: Complex, w: Complex) => Complex | number;
}

export interface Elementwise<N extends 1 | 2> extends Scalars<N> {
  readonly rule: DTypeRule;
  readonly refuses?: Refused;
  /** What `refuses` raises; ValueError by default. */
  readonly refusalType?: 'RuntimeError';
}

/** @throws Refusal of kind 'dtype' */
function resultDType(name: string, def: Elementwise<1 | 2>, dtype: DType | null): DType | null {
  if (dtype === null) return def.rule === TEST ? 'bool' : null;
  const reason = def.refuses?.(dtype);
  if (reason) throw new Refusal('dtype', `${name}: ${reason}`, {}, def.refusalType);
  return def.rule.result(def.rule.work(dtype));
}

/** Registers an operation on one array. */
export function defineUnary(name: string, def: Elementwise<1>): void {
  const infer = (_: Facts, [x]: readonly ArrayType[]): ArrayType => ({
    shape: x.shape,
    dtype: resultDType(name, def, x.dtype),
  });
  defineOp({
    name,
    infer,
    inferOpen: infer,
    kernel: ([x], _attrs, [out]) => mapUnary(def, cast(x, def.rule.work(x.dtype)), out),
  });
}

/** Registers an operation on two arrays that broadcast. */
export function defineBinary(name: string, def: Elementwise<2>, kind: RefusalKind = 'broadcast'): void {
  const dtypeOf = (a: ArrayType, b: ArrayType) => resultDType(name, def, promote(a.dtype, b.dtype));
  defineOp({
    name,
    infer(facts, [a, b]) {
      const dtype = dtypeOf(a, b);
      return { shape: broadcastShapes(facts, a.shape, b.shape, cannotBroadcast(name, a, b, kind)), dtype };
    },
    inferOpen(facts, [a, b]) {
      const dtype = dtypeOf(a, b);
      return { shape: broadcastOpen(facts, a.shape, b.shape, cannotBroadcast(name, a, b, kind)), dtype };
    },
    kernel([a, b], _attrs, [out]) {
      const work = def.rule.work(promote(a.dtype, b.dtype)!);
      return mapBinary(def, cast(a, work), cast(b, work), out);
    },
  });
}

/** The refusal of arrays that do not broadcast; names the axis where they part, counted from the back. */
export function cannotBroadcast(
  name: string,
  a: ArrayType,
  b: ArrayType,
  kind: RefusalKind = 'broadcast',
): () => Refusal {
  return () => new Refusal(kind, `${name} cannot combine ${showType(a)} with ${showType(b)}${whereTheyPart(a, b)}`);
}

function whereTheyPart(a: ArrayType, b: ArrayType): string {
  const [left, right] = [a, b].map(t => (Array.isArray(t.shape) ? (t as RankedType).shape : []));
  for (let axis = -1; axis >= -Math.min(left.length, right.length); axis--) {
    const [m, n] = [left.at(axis), right.at(axis)];
    if (typeof m === 'number' && typeof n === 'number' && m !== n && m !== 1 && n !== 1)
      return `: axis ${axis} is ${m} in one and ${n} in the other`;
  }
  return '';
}

const isBig = (dtype: DType): boolean => dtype === 'int64' || dtype === 'uint64';

type Numbers = { readonly length: number; [i: number]: number };
type Bigs = { [i: number]: bigint };

/** Rounds what a kernel computed to what `dtype` can hold; integer storage wraps by itself. */
export const storing = (dtype: DType): ((x: number) => number) =>
  dtype === 'bool' ? x => (x ? 1 : 0) : isInexact(dtype) ? rounder(dtype) : x => x;

/** The scalar function for a dtype whose storage holds plain numbers. */
function realFunction<N extends 1 | 2>(def: Elementwise<N>, dtype: DType): Scalars<N>['real'] {
  if (kindOf(dtype) === 'float') return def.real;
  return ((dtype === 'bool' ? def.bool : undefined) ?? def.int ?? def.real) as Scalars<N>['real'];
}

function mapUnary(def: Elementwise<1>, x: Tensor, out: ConcreteType): Tensor {
  const count = elementCount(out.shape);
  const data = allocate(out.dtype, count);
  const round = storing(out.dtype);
  if (x.dtype === 'complex64') {
    const { complex } = def;
    if (!complex) throw new Error('no kernel for complex64');
    const pairs = out.dtype === 'complex64';
    for (let i = 0; i < count; i++) {
      const value = complex([x.data[2 * i] as number, x.data[2 * i + 1] as number]);
      const [re, im] = typeof value === 'number' ? [value, 0] : value;
      (data as Numbers)[pairs ? 2 * i : i] = round(re);
      if (pairs) (data as Numbers)[2 * i + 1] = round(im);
    }
  } else if (isBig(x.dtype) && isBig(out.dtype)) {
    const big = def.big ?? (v => v);
    for (let i = 0; i < count; i++) (data as Bigs)[i] = big(x.data[i] as bigint);
  } else {
    const f = realFunction(def, x.dtype);
    for (let i = 0; i < count; i++) (data as Numbers)[i] = round(f(Number(x.data[i])));
  }
  return { shape: out.shape, dtype: out.dtype, data };
}

const sameShape = (x: Tensor, out: ConcreteType): boolean =>
  x.shape.length === out.shape.length && x.shape.every((d, i) => d === out.shape[i]);

function mapBinary(def: Elementwise<2>, a: Tensor, b: Tensor, out: ConcreteType): Tensor {
  const count = elementCount(out.shape);
  const data = allocate(out.dtype, count);
  const round = storing(out.dtype);
  const ia = sameShape(a, out) ? null : expandIndex(a.shape, out.shape);
  const ib = sameShape(b, out) ? null : expandIndex(b.shape, out.shape);
  const at = (index: Int32Array | null, i: number) => (index ? index[i] : i);
  if (a.dtype === 'complex64') {
    const { complex } = def;
    if (!complex) throw new Error('no kernel for complex64');
    const part = (x: Tensor, i: number): Complex => [x.data[2 * i] as number, x.data[2 * i + 1] as number];
    const pairs = out.dtype === 'complex64';
    for (let i = 0; i < count; i++) {
      const value = complex(part(a, at(ia, i)), part(b, at(ib, i)));
      const [re, im] = typeof value === 'number' ? [value, 0] : value;
      (data as Numbers)[pairs ? 2 * i : i] = round(re);
      if (pairs) (data as Numbers)[2 * i + 1] = round(im);
    }
  } else if (isBig(a.dtype)) {
    const { big } = def;
    if (big && isBig(out.dtype)) {
      for (let i = 0; i < count; i++) (data as Bigs)[i] = big(a.data[at(ia, i)] as bigint, b.data[at(ib, i)] as bigint);
    } else {
      // comparisons: numbers and bigints compare alike
      const f = def.real as unknown as (x: bigint, y: bigint) => number;
      for (let i = 0; i < count; i++)
        (data as Numbers)[i] = round(f(a.data[at(ia, i)] as bigint, b.data[at(ib, i)] as bigint));
    }
  } else {
    const f = realFunction(def, a.dtype);
    for (let i = 0; i < count; i++)
      (data as Numbers)[i] = round(f(a.data[at(ia, i)] as number, b.data[at(ib, i)] as number));
  }
  return { shape: out.shape, dtype: out.dtype, data };
}
