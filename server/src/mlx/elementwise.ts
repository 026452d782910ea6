/**
 * Functions of `mlx.core` that work element by element: they take numbers as well as arrays, but no lists.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { BuiltinValue, Value } from '../interpreter/values';
import { array, list } from '../interpreter/values';
import { operands, toArray } from './convert';
import { type Call, define, typeName } from './define';

/** A value that MLX turns into an array here. @throws Refusal for a sequence, a string or None */
function checkElement(c: Call, name: string): Value {
  const v = c.value(name);
  if (v.kind === 'none') throw c.wrong(name, 'an array or a number');
  if (v.kind === 'list' || v.kind === 'tuple' || v.kind === 'str' || v.kind === 'range' || v.kind === 'dict')
    throw new Refusal(
      'value',
      `${c.signature.name}: ${name} must be an array or a number, not a ${typeName(v)}; wrap it in mx.array`,
      { name },
    );
  return v;
}

export function element(c: Call, name: string): ArrayNode {
  return toArray(c.interpreter, checkElement(c, name), () => c.wrong(name, 'an array or a number'));
}

/** Two arguments as arrays; a Python number takes the dtype that MLX gives it beside the other. */
export function elements(c: Call, a: string, b: string): [ArrayNode, ArrayNode] {
  const [left, right] = [checkElement(c, a), checkElement(c, b)];
  return operands(c.interpreter, left, right, () => c.wrong(a, 'an array or a number'));
}

// ---- one array --------------------------------------------------------------------------------------------------------

/** Name, then the operation where it has another name. */
const UNARY: readonly (readonly [name: string, op?: string])[] = [
  ['abs'],
  ['arccos'],
  ['arccosh'],
  ['arcsin'],
  ['arcsinh'],
  ['arctan'],
  ['arctanh'],
  ['acos', 'arccos'],
  ['acosh', 'arccosh'],
  ['asin', 'arcsin'],
  ['asinh', 'arcsinh'],
  ['atan', 'arctan'],
  ['atanh', 'arctanh'],
  ['ceil'],
  ['cos'],
  ['cosh'],
  ['degrees'],
  ['erf'],
  ['erfinv'],
  ['exp'],
  ['expm1'],
  ['floor'],
  ['imag'],
  ['log'],
  ['log10'],
  ['log1p'],
  ['log2'],
  ['logical_not'],
  ['negative'],
  ['radians'],
  ['real'],
  ['reciprocal'],
  ['rsqrt'],
  ['sigmoid'],
  ['sign'],
  ['sin'],
  ['sinh'],
  ['sqrt'],
  ['square'],
  ['tan'],
  ['tanh'],
  ['trunc'],
  ['bitwise_invert'],
  ['conj', 'conjugate'],
  ['conjugate'],
  ['isfinite'],
  ['isinf'],
  ['isnan'],
  ['isneginf'],
  ['isposinf'],
];

const unary = (name: string, op: string): BuiltinValue =>
  define(`mx.${name}(a, /, *, stream=None)`, c => c.interpreter.record(op, [element(c, 'a')]));

// ---- two arrays -------------------------------------------------------------------------------------------------------

/** MLX takes the operands by position alone, whatever its own signatures print. */
const BINARY: readonly (readonly [name: string, op?: string])[] = [
  ['add'],
  ['arctan2'],
  ['atan2', 'arctan2'],
  ['bitwise_and'],
  ['bitwise_left_shift', 'left_shift'],
  ['bitwise_or'],
  ['bitwise_right_shift', 'right_shift'],
  ['bitwise_xor'],
  ['divide'],
  ['equal'],
  ['floor_divide'],
  ['greater'],
  ['greater_equal'],
  ['left_shift'],
  ['less'],
  ['less_equal'],
  ['logaddexp'],
  ['logical_and'],
  ['logical_or'],
  ['logical_xor'],
  ['maximum'],
  ['minimum'],
  ['multiply'],
  ['not_equal'],
  ['pow', 'power'],
  ['power'],
  ['remainder'],
  ['right_shift'],
  ['subtract'],
];

const binary = (name: string, op: string): BuiltinValue =>
  define(`mx.${name}(a, b, /, *, stream=None)`, c => c.interpreter.record(op, elements(c, 'a', 'b')));

/** `a_min` and `a_max` one after the other, as MLX clips. */
function clip(c: Call): Value {
  let result = array(c.arrayOnly('a'));
  if (!c.has('a_min') && !c.has('a_max')) throw new Refusal('value', 'mx.clip needs a_min or a_max: both are None');
  for (const [bound, op] of [
    ['a_min', 'maximum'],
    ['a_max', 'minimum'],
  ] as const) {
    if (!c.has(bound)) continue;
    const limit = checkElement(c, bound);
    result = c.interpreter.record(
      op,
      operands(c.interpreter, result, limit, () => c.wrong(bound, 'an array or a number')),
    );
  }
  return result;
}

/** `nan`, and what replaces the infinities: by default the dtype's extremes. */
function nanToNum(c: Call): Value {
  const [nan, posinf, neginf] = (['nan', 'posinf', 'neginf'] as const).map(n => (c.has(n) ? c.float(n) : null));
  return c.interpreter.record('nan_to_num', [element(c, 'a')], { nan, posinf, neginf });
}

const closeness = (c: Call) => ({
  rtol: c.float('rtol') ?? 1e-5,
  atol: c.float('atol') ?? 1e-8,
  equal_nan: c.flag('equal_nan'),
});

export const elementwiseFunctions: readonly BuiltinValue[] = [
  ...UNARY.map(([name, op]) => unary(name, op ?? name)),
  ...BINARY.map(([name, op]) => binary(name, op ?? name)),

  define('mx.positive(a, /, *, stream=None)', c => array(c.arrayOnly('a'))),
  define('mx.stop_gradient(a, /, *, stream=None)', c => c.interpreter.record('stop_gradient', [c.arrayOnly('a')])),
  define('mx.round(a, /, decimals=0, *, stream=None)', c =>
    c.interpreter.record('round', [element(c, 'a')], { decimals: c.int('decimals') }),
  ),
  define('mx.divmod(a, b, /, *, stream=None)', c => list(c.interpreter.recordAll('divmod', elements(c, 'a', 'b')))),
  define('mx.where(condition, x, y, /, *, stream=None)', c => {
    const condition = element(c, 'condition');
    return c.interpreter.record('where', [condition, ...elements(c, 'x', 'y')]);
  }),
  define('mx.clip(a, /, a_min, a_max, *, stream=None)', clip),
  define('mx.nan_to_num(a, /, nan=0, posinf=None, neginf=None, *, stream=None)', nanToNum),
  define('mx.isclose(a, b, /, rtol=1e-05, atol=1e-08, *, equal_nan=False, stream=None)', c =>
    c.interpreter.record('isclose', [c.arrayOnly('a'), c.arrayOnly('b')], closeness(c)),
  ),
  define('mx.allclose(a, b, /, rtol=1e-05, atol=1e-08, *, equal_nan=False, stream=None)', c =>
    c.interpreter.record('allclose', [c.arrayOnly('a'), c.arrayOnly('b')], closeness(c)),
  ),
  define('mx.array_equal(a, b, /, equal_nan=False, *, stream=None)', c =>
    c.interpreter.record('array_equal', elements(c, 'a', 'b'), { equal_nan: c.flag('equal_nan') }),
  ),
  define('mx.astype(a, /, dtype, *, stream=None)', c => {
    if (c.value('dtype').kind === 'none') throw c.wrong('dtype', 'a dtype');
    return c.interpreter.record('astype', [c.arrayOnly('a')], { dtype: c.dtype('dtype') });
  }),
  define('mx.to_fp8(x, /, *, stream=None)', c => c.interpreter.record('to_fp8', [c.arrayOnly('x')])),
  define('mx.from_fp8(x, /, dtype=None, *, stream=None)', c => {
    const dtype = c.given.has('dtype') ? c.dtype('dtype') : 'bfloat16';
    return c.interpreter.record('from_fp8', [c.arrayOnly('x')], { dtype });
  }),
];
