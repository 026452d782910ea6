/**
 * Elementwise operations in WGSL, one table row each.
 *
 * WGSL lets an implementation assume that NaN and infinity do not occur: NaN is told by its bits and passed on before
 * anything is computed, and functions are kept to ranges where they cannot overflow on the way.
 */
import type { ChainStep } from '../../src/ops/chain';
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
  reciprocal: '1.0 / x',
  log2: 'logarithm(x) * 1.4426950408889634',
  log10: 'logarithm(x) * 0.4342944819032518',
  floor: 'floor(x)',
  ceil: 'ceil(x)',
  stop_gradient: 'x',
};

/** Expressions in a and b, which are numbers. */
const BINARY: Readonly<Record<string, string>> = {
  add: 'a + b',
  subtract: 'a - b',
  multiply: 'a * b',
  divide: 'a / b',
  maximum: 'max(a, b)',
  minimum: 'min(a, b)',
};

/** Conditions on a and b, or on a alone, and what they are where one is NaN. */
const TESTS: Readonly<Record<string, readonly [condition: string, ofNan: string]>> = {
  equal: ['a == b', 'false'],
  not_equal: ['a != b', 'true'],
  less: ['a < b', 'false'],
  less_equal: ['a <= b', 'false'],
  greater: ['a > b', 'false'],
  greater_equal: ['a >= b', 'false'],
  logical_and: ['a != 0.0 && b != 0.0', 'holds(a) && holds(b)'],
  logical_or: ['a != 0.0 || b != 0.0', 'true'],
  logical_not: ['a == 0.0', 'false'],
};

/** Operations that a chain may have here. sin, cos and powers are left to others: WGSL promises too little of them. */
export const CHAIN_OPS: ReadonlySet<string> = new Set([
  ...Object.keys(UNARY),
  ...Object.keys(BINARY),
  ...Object.keys(TESTS),
  'where',
  'astype',
]);

const IS_NAN = `fn isNan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn holds(x: f32) -> bool { return isNan(x) || x != 0.0; }`;

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

/** Invocations in a workgroup; each computes one element. */
export const WORKGROUP = 64;
/** Workgroups along x in a dispatch: larger arrays take more rows of workgroups. */
export const ROW_OF_WORKGROUPS = 32768;

const ELEMENT = `let i = id.y * ${ROW_OF_WORKGROUPS * WORKGROUP}u + id.x;
  if (i >= params.count) { return; }`;

/** Axes that a broadcasting operation may have after neighbours were merged. */
export const MOST_AXES = 6;

const perAxis = (name: string) => Array.from({ length: MOST_AXES }, (_, axis) => `${name}${axis}`);

/** The function that a step calls. */
function functionOf(name: string, { op, operands, type }: ChainStep): string {
  if (op === 'where') return `fn ${name}(c: f32, a: f32, b: f32) -> f32 { if (holds(c)) { return a; } return b; }`;
  if (op === 'astype')
    return `fn ${name}(x: f32) -> f32 { ${type.dtype === 'bool' ? 'return select(0.0, 1.0, holds(x));' : 'return x;'} }`;
  if (Object.hasOwn(UNARY, op)) return `fn ${name}(x: f32) -> f32 { if (isNan(x)) { return x; } return ${UNARY[op]}; }`;
  const names = operands.length === 1 ? 'a: f32' : 'a: f32, b: f32';
  const anyNan = operands.length === 1 ? 'isNan(a)' : 'isNan(a) || isNan(b)';
  if (Object.hasOwn(TESTS, op)) {
    const [condition, ofNan] = TESTS[op];
    return `fn ${name}(${names}) -> f32 {
  if (${anyNan}) { return select(0.0, 1.0, ${ofNan}); }
  return select(0.0, 1.0, ${condition});
}`;
  }
  return `fn ${name}(${names}) -> f32 {
  if (isNan(a)) { return a; }
  if (isNan(b)) { return b; }
  return ${BINARY[op]};
}`;
}

/**
 * A chain over `inputs` arrays. Parameters: count, then MOST_AXES lengths (from the last axis, 1 where there are fewer),
 * then for each input MOST_AXES strides (0 where it is repeated).
 */
export function chain(inputs: number, steps: readonly ChainStep[]): Shader {
  const names = Array.from({ length: inputs }, (_, i) => `in${i}`);
  const code = `${bindings(
    ['count', ...perAxis('length'), ...names.flatMap(name => perAxis(`${name}_`))],
    Object.fromEntries(names.map(name => [name, 'f32'])),
    'out',
  )}
${IS_NAN}
${LOGARITHM}
${ERF}
${steps.map((step, s) => functionOf(`step${s}`, step)).join('\n')}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(global_invocation_id) id: vec3u) {
  ${ELEMENT}
  var rest = i;
${names.map(name => `  var at_${name} = 0u;`).join('\n')}
${perAxis('')
  .map(
    axis => `  {
    let position = rest % params.length${axis};
${names.map(name => `    at_${name} += position * params.${name}_${axis};`).join('\n')}
    rest /= params.length${axis};
  }`,
  )
  .join('\n')}
${names.map((name, k) => `  let v${k} = ${name}[at_${name}];`).join('\n')}
${steps
  .map((step, s) => `  let v${inputs + s} = step${s}(${step.operands.map(operand => `v${operand}`).join(', ')});`)
  .join('\n')}
  out[i] = v${inputs + steps.length - 1};
}`;
  return { key: `chain ${inputs} ${steps.map(s => `${s.op} ${s.type.dtype} ${s.operands}`).join('; ')}`, code };
}
