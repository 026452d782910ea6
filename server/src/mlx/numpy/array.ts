/**
 * NumPy's arrays and numbers, as far as MLX programs use them: shapes follow the rules of the MLX operation of the same
 * meaning, and where NumPy would differ or refuse nothing is known. What NumPy does is never reported.
 */
import { anonymous } from '../../../../engine/src/dims/dim';
import { type ArrayNode, source } from '../../../../engine/src/graph/graph';
import type { Shape } from '../../../../engine/src/graph/op';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { args, type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type ArrayValue,
  array,
  type BuiltinValue,
  bool,
  builtin,
  float,
  int,
  list,
  type ModuleValue,
  type NativeType,
  type NativeValue,
  str,
  unknown,
  type Value,
} from '../../interpreter/values';
import { arrayType, item, toList } from '../array';
import { type NumpyArray, numpyArray, scalarArray, scalarKind } from '../convert';
import { isOpaque } from '../define';
import { mlxDType, namedDType, sizeOfDType } from './dtypes';

/** The functions of `mlx.core`, whose rules shapes follow. */
let core: ModuleValue | null = null;
export const useCoreFunctions = (module: ModuleValue): void => {
  core = module;
};

// ---- making -----------------------------------------------------------------------------------------------------------

/** An ndarray, or a NumPy number where `shape` is empty and it is the result of reading one. */
export function ndarray(node: ArrayNode, dtype: string | null): NativeValue {
  return { kind: 'native', type: ndarrayType, data: { node, dtype } satisfies NumpyArray };
}

/** An ndarray of which only the type is known. */
export const ndarrayOf = (interpreter: Interpreter, shape: Shape, dtype: string | null): NativeValue =>
  ndarray(source({ shape, dtype: mlxDType(dtype) }, { origin: interpreter.origin() }), dtype);

/** A NumPy number. np.float64 is a Python float, so it is not one of these. */
export function numpyNumber(interpreter: Interpreter, number: Value, dtype: string): Value {
  if (dtype === 'float64' && number.kind === 'float') return number;
  if (dtype === 'float64' && (number.kind === 'int' || number.kind === 'bool'))
    return float(typeof number.value === 'object' ? null : Number(number.value));
  const type = mlxDType(dtype);
  const node = type
    ? scalarArray(interpreter, number, type)
    : source({ shape: [], dtype: type }, { origin: interpreter.origin() });
  return { kind: 'native', type: genericType, data: { node, dtype, number } satisfies NumpyArray };
}

// ---- dtypes ---------------------------------------------------------------------------------------------------------

/** `np.float32`, also what `x.dtype` answers. */
const numpyType: NativeType = {
  name: 'dtype',
  cls: null,
  getAttribute(_, value, name) {
    const dtype = (value as NativeValue).data as string;
    const plain = dtype.replace(/_$/, '');
    if (name === 'name' || name === '__name__') return str(plain);
    if (name === 'itemsize') return int(sizeOfDType(dtype));
    if (name === 'type') return value;
    return null;
  },
  compare(interpreter, op, value, other) {
    if (op !== '==' && op !== '!=') return null;
    if (isOpaque(other)) return bool(null);
    const named = namedDType(interpreter, other);
    if (named === null) return bool(null);
    return bool((named === (value as NativeValue).data) === (op === '=='));
  },
  /** `np.float32(2)` is a number of that dtype, `np.float32([1, 2])` an array. */
  call(interpreter, value, passed) {
    const dtype = (value as NativeValue).data as string;
    const [x] = passed.positional;
    const v = x && interpreter.settled(x);
    if (v && scalarKind(v)) return numpyNumber(interpreter, v, dtype);
    const shape = v && (numpyArray(v)?.node.shape ?? (v.kind === 'array' ? v.node.shape : null));
    return ndarrayOf(interpreter, shape ?? null, dtype);
  },
  format: value => ((value as NativeValue).data as string).replace(/_$/, ''),
};

export const numpyDType = (dtype: string): NativeValue => ({ kind: 'native', type: numpyType, data: dtype });

// ---- through MLX ------------------------------------------------------------------------------------------------------

/** NumPy's arrays in a value, also in sequences, as MLX's. */
function toMlx(interpreter: Interpreter, value: Value, seen: Set<string | null>): Value {
  const v = interpreter.settled(value);
  const numpy = numpyArray(v);
  if (numpy) {
    if (v.kind === 'native' && v.type === genericType) return numpy.number ?? array(numpy.node);
    seen.add(numpy.dtype);
    return array(numpy.node);
  }
  if (v.kind === 'array') {
    seen.add(v.node.dtype);
    return v;
  }
  if (v.kind === 'list' && v.items) return list(v.items.map(i => toMlx(interpreter, i, seen)));
  if (v.kind === 'tuple' && v.items) return { ...v, items: v.items.map(i => toMlx(interpreter, i, seen)) };
  return v;
}

/** What NumPy gives back: MLX's arrays as its own. */
function fromMlx(interpreter: Interpreter, value: Value, dtype: string | null): Value {
  if (value.kind === 'array') return ndarray(retyped(interpreter, value.node, dtype), dtype);
  if (value.kind === 'list' && value.items) return list(value.items.map(i => fromMlx(interpreter, i, dtype)));
  if (value.kind === 'tuple' && value.items)
    return { ...value, items: value.items.map(i => fromMlx(interpreter, i, dtype)) };
  return value;
}

function retyped(interpreter: Interpreter, node: ArrayNode, dtype: string | null): ArrayNode {
  const wanted = mlxDType(dtype);
  if (node.dtype === wanted) return node;
  if (wanted !== null) return interpreter.record('astype', [node], { dtype: wanted }).node;
  return source({ shape: node.shape, dtype: wanted }, { origin: node.origin });
}

/** The dtype of a result whose inputs have these: theirs where they agree. */
type ResultDType = (inputs: string | null) => string | null;
export const sameDType: ResultDType = dtype => dtype;
export const floatDType: ResultDType = dtype => (dtype === null || dtype.startsWith('float') ? dtype : 'float64');
export const always =
  (dtype: string): ResultDType =>
  () =>
    dtype;

/** Runs a function of MLX over NumPy's arrays; what it refuses, NumPy may know better. */
export function throughMlx(
  interpreter: Interpreter,
  name: string,
  positional: readonly Value[],
  keywords: Iterable<readonly [string, Value]> = [],
  result: ResultDType = sameDType,
): Value {
  const seen = new Set<string | null>();
  const mlx = positional.map(v => toMlx(interpreter, v, seen));
  const named = [...keywords].map(([n, v]) => [n, toMlx(interpreter, v, seen)] as const);
  const dtype = result(seen.size === 1 ? [...seen][0] : null);
  const func = core?.attributes.get(name);
  if (!func) throw new Error(`mlx.core has no ${name}`);
  try {
    const answer = interpreter.call(func, args(mlx, named));
    return answer.kind === 'unknown' ? ndarrayOf(interpreter, null, dtype) : fromMlx(interpreter, answer, dtype);
  } catch (e) {
    if (e instanceof Refusal || e instanceof Unknowable) return ndarrayOf(interpreter, null, dtype);
    throw e;
  }
}

// ---- attributes -------------------------------------------------------------------------------------------------------

const dataOf = (value: Value): NumpyArray => (value as NativeValue).data as NumpyArray;
const asArray = (value: Value): ArrayValue => array(dataOf(value).node);

/** Methods that are MLX functions of the same name, with the dtype of what they answer. */
const METHODS: Record<string, ResultDType> = {
  sum: dtype => (dtype === 'bool_' ? 'int64' : dtype),
  mean: floatDType,
  std: floatDType,
  var: floatDType,
  max: sameDType,
  min: sameDType,
  prod: sameDType,
  argmax: always('int64'),
  argmin: always('int64'),
  argsort: always('int64'),
  all: always('bool_'),
  any: always('bool_'),
  cumsum: sameDType,
  flatten: sameDType,
  squeeze: sameDType,
  swapaxes: sameDType,
  repeat: sameDType,
};

const method = (self: Value, func: BuiltinValue): Value => ({ kind: 'method', self, func });

const through = (name: string, result: ResultDType): BuiltinValue =>
  builtin(`ndarray.${name}`, (interpreter, passed) => {
    if (passed.open) return ndarrayOf(interpreter, null, null);
    return throughMlx(interpreter, name, passed.positional, passed.keywords, result);
  });

/** `x.reshape(2, 3)` and `x.reshape((2, 3))` are the same. */
const spread = (name: 'reshape' | 'transpose'): BuiltinValue =>
  builtin(`ndarray.${name}`, (interpreter, passed) => {
    const [self, ...items] = passed.positional;
    if (passed.open) return ndarrayOf(interpreter, null, dataOf(self).dtype);
    if (name === 'transpose' && items.length === 0) return throughMlx(interpreter, name, [self]);
    const first = items.length === 1 ? interpreter.settled(items[0]) : null;
    const sequence: Value =
      first && first.kind !== 'int' ? first : { kind: 'tuple', items, element: null, length: items.length };
    return throughMlx(interpreter, name, [self, sequence]);
  });

const BUILTINS = new Map<string, BuiltinValue>([
  ...Object.entries(METHODS).map(([name, result]) => [name, through(name, result)] as const),
  [
    'ravel',
    builtin('ndarray.ravel', (interpreter, passed) => throughMlx(interpreter, 'flatten', [passed.positional[0]])),
  ],
  ['reshape', spread('reshape')],
  ['transpose', spread('transpose')],
  ['copy', builtin('ndarray.copy', (_, passed) => passed.positional[0])],
  ['item', builtin('ndarray.item', (interpreter, { positional: [self] }) => item(interpreter, dataOf(self).node))],
  [
    'tolist',
    builtin('ndarray.tolist', (interpreter, { positional: [self] }) => toList(interpreter, dataOf(self).node)),
  ],
  [
    'astype',
    builtin('ndarray.astype', (interpreter, passed) => {
      const [self, dtype = passed.keywords.get('dtype')] = passed.positional;
      const named = namedDType(interpreter, dtype) ?? null;
      return ndarray(retyped(interpreter, dataOf(self).node, named), named);
    }),
  ],
]);

/** Read as MLX reads them. */
const SHARED = new Set(['shape', 'ndim', 'size', 'nbytes']);

function getAttribute(interpreter: Interpreter, value: Value, name: string): Value {
  if (SHARED.has(name)) return arrayType.getAttribute!(interpreter, asArray(value), name)!;
  const { node, dtype } = dataOf(value);
  if (name === 'dtype') return dtype === null ? unknown('the dtype is not known') : numpyDType(dtype);
  if (name === 'T') return fromMlx(interpreter, interpreter.record('transpose', [node], { axes: null }), dtype);
  const func = BUILTINS.get(name);
  return func ? method(value, func) : unknown(`ndarray.${name} is not followed`);
}

// ---- operators --------------------------------------------------------------------------------------------------------

const ARITHMETIC: Record<string, string> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '//': 'floor_divide',
  '%': 'remainder',
  '**': 'power',
  '@': 'matmul',
  '&': 'bitwise_and',
  '|': 'bitwise_or',
  '^': 'bitwise_xor',
};
const COMPARISONS: Record<string, string> = {
  '==': 'equal',
  '!=': 'not_equal',
  '<': 'less',
  '<=': 'less_equal',
  '>': 'greater',
  '>=': 'greater_equal',
};

const combines = (v: Value): boolean => numpyArray(v) !== null || scalarKind(v) !== null;

function binary(interpreter: Interpreter, op: string, value: Value, other: Value, reflected: boolean): Value | null {
  if (isOpaque(other)) return ndarrayOf(interpreter, null, null);
  if (other.kind === 'array') return reflected ? null : unknown('NumPy and MLX are mixed');
  if (!combines(other) || !ARITHMETIC[op]) return unknown('NumPy computes it');
  const operands = reflected ? [other, value] : [value, other];
  return throughMlx(interpreter, ARITHMETIC[op], operands, [], op === '/' ? floatDType : sameDType);
}

function compare(interpreter: Interpreter, op: string, value: Value, other: Value): Value | null {
  if (!COMPARISONS[op]) return null;
  if (!combines(other)) return unknown('NumPy compares it');
  return throughMlx(interpreter, COMPARISONS[op], [value, other], [], always('bool_'));
}

/** Items by ints, slices and None; by arrays NumPy has rules of its own. */
function getItem(interpreter: Interpreter, value: Value, index: Value): Value {
  const { dtype } = dataOf(value);
  const i = interpreter.settled(index);
  const parts = i.kind === 'tuple' && i.items ? i.items.map(p => interpreter.settled(p)) : [i];
  const plain = parts.every(p => ['int', 'slice', 'none', 'ellipsis'].includes(p.kind));
  if (!plain) return ndarrayOf(interpreter, null, dtype);
  try {
    return fromMlx(interpreter, arrayType.getItem!(interpreter, asArray(value), i), dtype);
  } catch (e) {
    if (e instanceof Refusal) return ndarrayOf(interpreter, null, dtype);
    throw e;
  }
}

const ndarrayType: NativeType = {
  name: 'ndarray',
  cls: null,
  getAttribute,
  binary,
  compare,
  unary: (interpreter, op, value) =>
    op === '+' ? value : op === '-' ? throughMlx(interpreter, 'negative', [value]) : unknown('NumPy computes it'),
  getItem,
  setItem: (_, value) => value,
  iterate(interpreter, value) {
    const shape = interpreter.facts.shape(dataOf(value).node.shape);
    const rest = Array.isArray(shape) && shape.length > 0 ? shape.slice(1) : null;
    const length = Array.isArray(shape) && shape.length > 0 ? shape[0] : anonymous();
    return { items: null, element: ndarrayOf(interpreter, rest, dataOf(value).dtype), length };
  },
  length(interpreter, value) {
    const shape = interpreter.facts.shape(dataOf(value).node.shape);
    return Array.isArray(shape) && shape.length > 0 ? shape[0] : null;
  },
  truth: () => null,
  same: (a, b, sameShape) =>
    dataOf(a).dtype === dataOf(b).dtype && sameShape(dataOf(a).node.shape, dataOf(b).node.shape),
  join(a, b, join) {
    const [x, y] = [dataOf(a), dataOf(b)];
    const dtype = x.dtype === y.dtype ? x.dtype : null;
    return ndarray(source({ shape: join(x.node.shape, y.node.shape), dtype: mlxDType(dtype) }), dtype);
  },
};

/** What a NumPy number does, its Python number does. */
const genericType: NativeType = {
  name: 'generic',
  cls: null,
  getAttribute(interpreter, value, name) {
    const { number, dtype } = dataOf(value);
    if (name === 'item') return builtin('generic.item', () => number ?? unknown('is a NumPy number'));
    if (name === 'dtype' && dtype) return numpyDType(dtype);
    return number ? interpreter.getAttribute(number, name) : unknown('is a NumPy number');
  },
  binary(interpreter, op, value, other, reflected) {
    const { number, dtype } = dataOf(value);
    if (other.kind === 'array') return null;
    const right = numpyArray(other) ? dataOf(other).number : other;
    if (!number || !right || !scalarKind(right) || !dtype) return unknown('NumPy computes it');
    const result = interpreter.binary(op, reflected ? right : number, reflected ? number : right);
    return result.kind === 'int' ? numpyNumber(interpreter, result, dtype) : result;
  },
  compare(interpreter, op, value, other) {
    const { number } = dataOf(value);
    return number && scalarKind(other) ? interpreter.compare(op, number, other) : null;
  },
  truth: (interpreter, value) => {
    const { number } = dataOf(value);
    return number ? interpreter.truth(number) : null;
  },
};
