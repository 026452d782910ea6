/**
 * Arithmetic, bitwise and logical operations on two arrays.
 */
import { type ArrayType, defineOp, opNamed } from '../graph/op';
import * as complex from '../numeric/complex';
import type { Tensor } from '../tensor';
import { defineBinary, type Elementwise, FLOAT, NO_COMPLEX, NO_FLOATS, SAME, TEST } from './elementwise';

export const largerBig = (x: bigint, y: bigint): bigint => (x > y ? x : y);
export const smallerBig = (x: bigint, y: bigint): bigint => (x < y ? x : y);

/** Python's `%`: the sign is the divisor's. C's for what IEEE leaves open: x % ∞. */
function remainder(x: number, y: number): number {
  const rest = x % y;
  return rest !== 0 && rest < 0 !== y < 0 ? rest + y : rest;
}
/** MLX's CPU build answers 0 to a division of integers by 0, and the dividend is what remains. */
const divideInts = (x: number, y: number): number => (y === 0 ? 0 : Math.floor(x / y));
const remainderInts = (x: number, y: number): number => (y === 0 ? x : remainder(x, y));
function divideBigs(x: bigint, y: bigint): bigint {
  if (y === 0n) return 0n;
  const quotient = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient;
}
function remainderBigs(x: bigint, y: bigint): bigint {
  if (y === 0n) return x;
  const rest = x % y;
  return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest;
}

/** Integers to an integer power wrap around; a negative power is 0, but for that of 1 and -1. */
function powerInts(x: number, y: number): number {
  if (y < 0) return 0;
  let result = 1;
  for (let base = x, rest = y; rest > 0; rest >>>= 1) {
    if (rest & 1) result = Math.imul(result, base);
    base = Math.imul(base, base);
  }
  return result;
}
const powerBigs = (x: bigint, y: bigint): bigint => (y < 0n ? 0n : BigInt.asIntN(64, x ** y));

/** log(eˣ + eʸ) without overflow. */
export function logaddexp(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const [low, high] = x < y ? [x, y] : [y, x];
  return low === -Infinity || high === Infinity ? high : high + Math.log1p(Math.exp(low - high));
}
function logaddexpComplex(x: complex.Complex, y: complex.Complex): complex.Complex {
  const [low, high] = x[0] < y[0] ? [x, y] : [y, x];
  return complex.add(high, complex.log(complex.add(complex.ONE, complex.exp(complex.subtract(low, high)))));
}

/** C's truth of a number, here also of a bigint: NaN is true. */
const holds = (x: number): boolean => Boolean(x) || Number.isNaN(x);
const truth = (z: complex.Complex): boolean => z[0] !== 0 || z[1] !== 0;

const BINARY: Record<string, Elementwise<2>> = {
  add: { rule: SAME, real: (x, y) => x + y, big: (x, y) => x + y, complex: complex.add },
  subtract: { rule: SAME, real: (x, y) => x - y, big: (x, y) => x - y, complex: complex.subtract },
  multiply: { rule: SAME, real: (x, y) => x * y, int: Math.imul, big: (x, y) => x * y, complex: complex.multiply },
  divide: { rule: FLOAT, real: (x, y) => x / y, complex: complex.divide },
  floor_divide: {
    rule: SAME,
    real: (x, y) => Math.floor(x / y),
    int: divideInts,
    big: divideBigs,
    complex: complex.divide,
  },
  remainder: { rule: SAME, refuses: NO_COMPLEX, real: remainder, int: remainderInts, big: remainderBigs },
  power: { rule: SAME, real: (x, y) => x ** y, int: powerInts, big: powerBigs, complex: complex.power },
  maximum: {
    rule: SAME,
    real: Math.max, // NaN in either operand gives NaN
    big: largerBig,
    complex: (a, b) => (complex.precedes(a, b) ? b : a),
  },
  minimum: {
    rule: SAME,
    real: Math.min,
    big: smallerBig,
    complex: (a, b) => (complex.precedes(b, a) ? b : a),
  },
  arctan2: { rule: FLOAT, refuses: NO_COMPLEX, real: Math.atan2 },
  logaddexp: { rule: FLOAT, real: logaddexp, complex: logaddexpComplex },
  logical_and: {
    rule: TEST,
    real: (x, y) => (holds(x) && holds(y) ? 1 : 0),
    complex: (a, b) => (truth(a) && truth(b) ? 1 : 0),
  },
  logical_or: {
    rule: TEST,
    real: (x, y) => (holds(x) || holds(y) ? 1 : 0),
    complex: (a, b) => (truth(a) || truth(b) ? 1 : 0),
  },
  logical_xor: {
    rule: TEST,
    real: (x, y) => (holds(x) !== holds(y) ? 1 : 0),
    complex: (a, b) => (truth(a) !== truth(b) ? 1 : 0),
  },
};

const INTEGERS_ONLY = { refuses: NO_FLOATS, refusalType: 'RuntimeError' } as const;

const BITWISE: Record<string, Elementwise<2>> = {
  bitwise_and: { rule: SAME, real: (x, y) => x & y, big: (x, y) => x & y, ...INTEGERS_ONLY },
  bitwise_or: { rule: SAME, real: (x, y) => x | y, big: (x, y) => x | y, ...INTEGERS_ONLY },
  bitwise_xor: { rule: SAME, real: (x, y) => x ^ y, big: (x, y) => x ^ y, ...INTEGERS_ONLY },
};

/** Booleans are shifted as bytes. */
const SHIFT = {
  work: (dtype: Parameters<typeof SAME.work>[0]) => (dtype === 'bool' ? 'uint8' : dtype),
  result: SAME.result,
} as const;

const SHIFTS: Record<string, Elementwise<2>> = {
  left_shift: { rule: SHIFT, real: (x, y) => x << y, big: (x, y) => x << y, ...INTEGERS_ONLY },
  right_shift: { rule: SHIFT, real: (x, y) => x >> y, big: (x, y) => x >> y, ...INTEGERS_ONLY },
};

for (const [name, def] of Object.entries({ ...BINARY, ...BITWISE, ...SHIFTS })) defineBinary(name, def);

const both = (op: (name: string) => ArrayType | readonly ArrayType[]): readonly ArrayType[] =>
  ['floor_divide', 'remainder'].map(name => op(name) as ArrayType);

/** The floored quotient and what it leaves. */
defineOp({
  name: 'divmod',
  infer: (facts, inputs) => both(name => opNamed(name).infer(facts, inputs, {})),
  inferOpen: (facts, inputs) => both(name => opNamed(name).inferOpen!(facts, inputs, {})),
  kernel: (inputs, _attrs, out) =>
    ['floor_divide', 'remainder'].map((name, i) => opNamed(name).kernel!(inputs, {}, [out[i]]) as Tensor),
});
