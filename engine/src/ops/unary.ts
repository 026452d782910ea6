/**
 * Operations on one array, element by element.
 */
import { type DType, isInexact } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import * as complex from '../numeric/complex';
import { rint } from '../numeric/float';
import { erf, erfinv } from '../numeric/transcendental';
import {
  defineUnary,
  type Elementwise,
  FLOAT,
  NO_COMPLEX,
  NO_FLOATS,
  REAL,
  type Refused,
  SAME,
  storing,
  TEST,
} from './elementwise';

const identity = (x: number) => x;
const NO_BOOL: Refused = dtype => (dtype === 'bool' ? 'booleans have no negative; use mx.logical_not' : null);

/** A function to a whole number: integers already are. */
const whole = (real: (x: number) => number): Elementwise<1> => ({
  rule: SAME,
  refuses: NO_COMPLEX,
  real,
  int: identity,
});

const LN2 = Math.LN2;
const LN10 = Math.LN10;

const UNARY: Record<string, Elementwise<1>> = {
  abs: { rule: REAL, real: Math.abs, big: x => (x < 0n ? -x : x), complex: complex.abs },
  negative: { rule: SAME, refuses: NO_BOOL, real: x => -x, big: x => -x, complex: complex.negate },
  sign: {
    rule: SAME,
    real: x => (x > 0 ? 1 : x < 0 ? -1 : x === 0 ? x : 0), // of NaN it is 0
    big: x => (x > 0n ? 1n : x < 0n ? -1n : 0n),
    complex: z => (z[0] === 0 && z[1] === 0 ? z : complex.scale(z, 1 / complex.abs(z))),
  },
  floor: whole(Math.floor),
  ceil: whole(Math.ceil),
  trunc: whole(Math.trunc),
  square: { rule: SAME, real: x => x * x, int: x => Math.imul(x, x), big: x => x * x, complex: complex.square },
  sqrt: { rule: FLOAT, real: Math.sqrt, complex: complex.sqrt },
  rsqrt: { rule: FLOAT, real: x => 1 / Math.sqrt(x), complex: z => complex.divide(complex.ONE, complex.sqrt(z)) },
  reciprocal: { rule: FLOAT, real: x => 1 / x, complex: z => complex.divide(complex.ONE, z) },
  exp: { rule: FLOAT, real: Math.exp, complex: complex.exp },
  expm1: { rule: FLOAT, refuses: NO_COMPLEX, real: Math.expm1 },
  log: { rule: FLOAT, real: Math.log, complex: complex.log },
  log2: { rule: FLOAT, real: Math.log2, complex: z => complex.scale(complex.log(z), 1 / LN2) },
  log10: { rule: FLOAT, real: Math.log10, complex: z => complex.scale(complex.log(z), 1 / LN10) },
  log1p: { rule: FLOAT, real: Math.log1p, complex: z => complex.log([1 + z[0], z[1]]) },
  sin: { rule: FLOAT, real: Math.sin, complex: complex.sin },
  cos: { rule: FLOAT, real: Math.cos, complex: complex.cos },
  tan: { rule: FLOAT, real: Math.tan, complex: complex.tan },
  arcsin: { rule: FLOAT, real: Math.asin, complex: complex.arcsin },
  arccos: { rule: FLOAT, real: Math.acos, complex: complex.arccos },
  arctan: { rule: FLOAT, real: Math.atan, complex: complex.arctan },
  sinh: { rule: FLOAT, real: Math.sinh, complex: complex.sinh },
  cosh: { rule: FLOAT, real: Math.cosh, complex: complex.cosh },
  tanh: { rule: FLOAT, real: Math.tanh, complex: complex.tanh },
  arcsinh: { rule: FLOAT, real: Math.asinh, complex: complex.arcsinh },
  arccosh: { rule: FLOAT, real: Math.acosh, complex: complex.arccosh },
  arctanh: { rule: FLOAT, real: Math.atanh, complex: complex.arctanh },
  erf: { rule: FLOAT, refuses: NO_COMPLEX, real: erf },
  erfinv: { rule: FLOAT, refuses: NO_COMPLEX, real: erfinv },
  sigmoid: { rule: FLOAT, refuses: NO_COMPLEX, real: x => 1 / (1 + Math.exp(-x)) },
  logical_not: {
    rule: TEST,
    real: x => (x === 0 ? 1 : 0),
    complex: z => (z[0] === 0 && z[1] === 0 ? 1 : 0),
  },
  isnan: { rule: TEST, real: x => (Number.isNaN(x) ? 1 : 0), complex: z => (z.some(Number.isNaN) ? 1 : 0) },
  isinf: {
    rule: TEST,
    real: x => (Math.abs(x) === Infinity ? 1 : 0),
    complex: z => (z.some(x => Math.abs(x) === Infinity) ? 1 : 0),
  },
  isfinite: {
    rule: TEST,
    real: x => (Number.isFinite(x) ? 1 : 0),
    complex: z => (z.every(Number.isFinite) ? 1 : 0),
  },
  isposinf: { rule: TEST, real: x => (x === Infinity ? 1 : 0), complex: z => (z[0] === Infinity ? 1 : 0) },
  isneginf: { rule: TEST, real: x => (x === -Infinity ? 1 : 0), complex: z => (z[0] === -Infinity ? 1 : 0) },
  real: { rule: REAL, real: identity, complex: z => z[0] },
  imag: { rule: REAL, real: () => 0, big: () => 0n, complex: z => z[1] },
  bitwise_invert: { rule: SAME, refuses: NO_FLOATS, real: x => ~x, bool: x => 1 - x, big: x => ~x },
  conjugate: { rule: SAME, real: identity, complex: z => [z[0], -z[1]] },
  degrees: { rule: FLOAT, real: x => x * (180 / Math.PI), complex: z => complex.scale(z, 180 / Math.PI) },
  radians: { rule: FLOAT, real: x => x * (Math.PI / 180), complex: z => complex.scale(z, Math.PI / 180) },
  // the same values: what differs is what gradients flow through
  stop_gradient: { rule: SAME, real: identity, complex: z => z },
};

for (const [name, def] of Object.entries(UNARY)) defineUnary(name, def);

/** To `decimals` places, ties to even; negative ones round to tens, hundreds, … */
defineOp<{ decimals: number }>({
  name: 'round',
  infer: (_, [x]) => x,
  inferOpen: (_, [x]) => x,
  kernel([x], { decimals }, [out]) {
    const discrete = !isInexact(x.dtype);
    if (discrete && decimals >= 0) return x;
    const data = x.data.slice() as Float32Array;
    const scale = 10 ** decimals;
    const store = storing(discrete ? 'float32' : out.dtype);
    const places = (value: number) =>
      decimals === 0 ? rint(value) : store(rint(store(value * scale)) * store(1 / scale));
    if (x.data instanceof BigInt64Array || x.data instanceof BigUint64Array) {
      const big = x.data.map(value => BigInt(Math.trunc(places(Number(value))))) as typeof x.data;
      return { shape: x.shape, dtype: x.dtype, data: big };
    }
    for (let i = 0; i < data.length; i++) data[i] = places(data[i]);
    return { shape: x.shape, dtype: x.dtype, data };
  },
});

type Replacements = { readonly nan: number | null; readonly posinf: number | null; readonly neginf: number | null };

const LARGEST: Partial<Record<DType, number>> = {
  float16: 65504,
  bfloat16: 3.3895313892515355e38,
  float32: 3.4028234663852886e38,
};

/** Numbers in place of NaN and the infinities: by default 0 and the dtype's extremes. Integers have none of them. */
defineOp<Replacements>({
  name: 'nan_to_num',
  infer: (_, [x]) => checkReplaced(x),
  inferOpen: (_, [x]) => checkReplaced(x),
  kernel([x], { nan, posinf, neginf }) {
    const largest = LARGEST[x.dtype];
    if (largest === undefined) return x;
    const store = storing(x.dtype);
    const replace = (value: number) =>
      Number.isNaN(value)
        ? (nan ?? 0)
        : value === Infinity
          ? (posinf ?? largest)
          : value === -Infinity
            ? (neginf ?? -largest)
            : value;
    const data = (x.data as Float32Array).map(value => store(replace(value)));
    return { shape: x.shape, dtype: x.dtype, data };
  },
});

function checkReplaced(x: ArrayType): ArrayType {
  if (x.dtype === 'float64' || x.dtype === 'complex64')
    throw new Refusal('dtype', `nan_to_num does not support ${x.dtype}`);
  return x;
}
