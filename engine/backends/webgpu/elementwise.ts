/**
 * Elementwise operations in WGSL, one table row each.
 *
 * WGSL lets an implementation assume that NaN and infinity do not occur: NaN is told by its bits and passed on before
 * anything is computed, and functions are kept to ranges where they cannot overflow on the way.
 */
import { bindings, type Shader } from './shader';

/** Expressions in x. */
const UNARY: Readonly<Record<string, string>> = {
  exp: 'exp(x)',
  log: 'logarithm(x)',
  sqrt: 'sqrt(x)',
  rsqrt: 'inverseSqrt(x)',
  tanh: 'tanh(clamp(x, -10.0, 10.0))',
  sigmoid: '1.0 / (1.0 + exp(-clamp(x, -88.0, 88.0)))',
  erf: 'erf(x)',
  negative: '-x',
  abs: 'abs(x)',
  square: 'x * x',
};

/** Expressions in a and b. */
const BINARY: Readonly<Record<string, string>> = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'a / b',
  maximum: 'max(a, b)',
  minimum: 'min(a, b)',
};

export const UNARY_OPS = Object.keys(UNARY);
export const BINARY_OPS = Object.keys(BINARY);

const IS_NAN = 'fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }';

/** The power series below 1, where it keeps relative accuracy; Abramowitz and Stegun 7.1.26 above. */
const ERF = `
fn erf(x: f32) -> f32 {
  let s = x * x;
  let series = 1.1283791671 * x * (1.0 - s * (0.33333333333 - s * (0.1 - s * (0.02380952381 - s * (0.0046296296296
    - s * (7.5757575758e-4 - s * (1.0683760684e-4 - s * (1.3227513228e-5 - s * (1.4589169e-6 - s * 1.4503852e-7)))))))));
  let size = min(abs(x), 10.0);
  let t = 1.0 / (1.0 + 0.3275911 * size);
  let tail = 1.0 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    * exp(-size * size);
  return select(select(tail, -tail, x < 0.0), series, abs(x) < 1.0);
}`;

/** log at the ends of its range: of 0 of either sign, of negative numbers, and of infinity. */
const LOGARITHM = `
fn fromBits(bits: u32) -> f32 { return bitcast<f32>(bits); }
fn logarithm(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  if ((bits & 0x7fffffffu) == 0u) { return fromBits(0xff800000u); }
  if (bits > 0x7f800000u) { return fromBits(0x7fc00000u); }
  if (bits == 0x7f800000u) { return x; }
  return log(x);
}`;

/** What expressions call, by operation. */
const HELPERS: Readonly<Record<string, string>> = { erf: ERF, log: LOGARITHM };

/** Invocations in a workgroup; each computes one element. */
export const WORKGROUP = 64;
/** Workgroups along x in a dispatch: larger arrays take more rows of workgroups. */
export const ROW_OF_WORKGROUPS = 32768;

const ELEMENT = `let i = id.y * ${ROW_OF_WORKGROUPS * WORKGROUP}u + id.x;
  if (i >= params.count) { return; }`;

/** Input: x. Parameters: count. */
export const unary = (op: string): Shader => ({
  key: op,
  code: `${bindings(['count'], { values: 'f32' }, 'out')}
${IS_NAN}
${HELPERS[op] ?? ''}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${ELEMENT}
  let x = values[i];
  if (isNan(x)) { out[i] = x; return; }
  out[i] = ${UNARY[op]};
}`,
});

/** Axes that a broadcasting operation may have after neighbours were merged. */
export const MOST_AXES = 6;

const perAxis = (name: string) => Array.from({ length: MOST_AXES }, (_, axis) => `${name}${axis}`);

/**
 * Inputs: a, b. Parameters: count, then MOST_AXES each of lengths (from the last axis, 1 where there are fewer), strides
 * of a and strides of b (0 where it is repeated).
 */
export const binary = (op: string): Shader => ({
  key: op,
  code: `${bindings(['count', ...perAxis('length'), ...perAxis('a'), ...perAxis('b')], { left: 'f32', right: 'f32' }, 'out')}
${IS_NAN}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${ELEMENT}
  var rest = i;
  var ofA = 0u;
  var ofB = 0u;
${perAxis('')
  .map(
    axis => `  {
    let position = rest % params.length${axis};
    ofA += position * params.a${axis};
    ofB += position * params.b${axis};
    rest /= params.length${axis};
  }`,
  )
  .join('\n')}
  let a = left[ofA];
  let b = right[ofB];
  if (isNan(a)) { out[i] = a; return; }
  if (isNan(b)) { out[i] = b; return; }
  out[i] = ${BINARY[op]};
}`,
});

/** An axis of a broadcast, with its stride in each input; 0 where it is repeated. */
export interface Broadcast {
  length: number;
  a: number;
  b: number;
}

/** How `a` and `b` lie along the axes of `out`, from the last; neighbours are merged where both allow it. */
export function broadcastAxes(a: readonly number[], b: readonly number[], out: readonly number[]): Broadcast[] {
  const axes: Broadcast[] = [];
  let [strideA, strideB] = [1, 1];
  for (let axis = 1; axis <= out.length; axis++) {
    const [length, lengthA, lengthB] = [out[out.length - axis], a[a.length - axis] ?? 1, b[b.length - axis] ?? 1];
    if (length === 1) continue;
    const next: Broadcast = { length, a: lengthA === 1 ? 0 : strideA, b: lengthB === 1 ? 0 : strideB };
    strideA *= lengthA;
    strideB *= lengthB;
    const last = axes.at(-1);
    if (last && next.a === last.a * last.length && next.b === last.b * last.length) last.length *= length;
    else axes.push(next);
  }
  return axes;
}
