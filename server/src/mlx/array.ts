/**
 * `mx.array` as Python sees it: attributes, operators, comparison, truth, iteration.
 *
 * Methods come from the functions of the same name (./methods).
 */
import { anonymous, type Dim, isKnown, mul, product } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import { type DType, isInexact, sizeOf } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import type { Interpreter } from '../interpreter/interpreter';
import {
  type ArrayValue,
  bool,
  type ClassValue,
  float,
  type Iteration,
  int,
  list,
  type NativeType,
  nativeClass,
  openList,
  tuple,
  unknown,
  type Value,
} from '../interpreter/values';
import { atAttribute } from './at';
import { operands, scalarKind, toArray } from './convert';
import { arrayConstructor } from './creation';
import { isOpaque, typeName } from './define';
import { dtypeValue } from './dtypes';
import { getItem, setItem } from './indexing';
import { knownValues } from './known';

const nodeOf = (value: Value): ArrayNode => (value as ArrayValue).node;

/** The shape with all that is known put in; null when not even an open one is. */
const shapeOf = (interpreter: Interpreter, node: ArrayNode): readonly Dim[] | OpenShape | null =>
  interpreter.facts.shape(node.shape);

const rankedShape = (interpreter: Interpreter, node: ArrayNode): readonly Dim[] | null => {
  const shape = shapeOf(interpreter, node);
  return shape === null || shape instanceof OpenShape ? null : shape;
};

// ---- attributes -------------------------------------------------------------------------------------------------------

/** The array's shape as a tuple of ints; open, but linked to the array, where the rank is not known. */
function shapeTuple(interpreter: Interpreter, node: ArrayNode): Value {
  const shape = rankedShape(interpreter, node);
  if (shape) return { ...tuple(shape.map(int)), shapeOf: node };
  return { kind: 'tuple', items: null, element: int(anonymous()), length: anonymous(), shapeOf: node };
}

function elementsOf(interpreter: Interpreter, node: ArrayNode): Dim | null {
  const shape = rankedShape(interpreter, node);
  return shape && product(shape);
}

type Attribute = (interpreter: Interpreter, node: ArrayNode, value: Value) => Value;

const record =
  (op: string, attrs = {}): Attribute =>
  (interpreter, node) =>
    interpreter.record(op, [node], attrs);

const ATTRIBUTES: Record<string, Attribute> = {
  shape: shapeTuple,
  ndim: (interpreter, node) => int(rankedShape(interpreter, node)?.length ?? anonymous()),
  size: (interpreter, node) => int(elementsOf(interpreter, node) ?? anonymous()),
  dtype: (_, node) => dtypeValue(node.dtype),
  itemsize: (_, node) => int(node.dtype ? sizeOf(node.dtype) : anonymous(1)),
  nbytes: (interpreter, node) => {
    const size = elementsOf(interpreter, node);
    return int(size !== null && node.dtype ? mul(size, sizeOf(node.dtype)) : anonymous());
  },
  T: record('transpose', { axes: null }),
  mT: record('matrix_transpose'),
  real: record('real'),
  imag: record('imag'),
  at: (interpreter, _, value) => atAttribute(interpreter, value),
};

// ---- operators --------------------------------------------------------------------------------------------------------

const OPERATIONS: Record<string, string> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '//': 'floor_divide',
  '%': 'remainder',
  '**': 'power',
  '&': 'bitwise_and',
  '|': 'bitwise_or',
  '^': 'bitwise_xor',
  '<<': 'left_shift',
  '>>': 'right_shift',
};
/** Operators that a number on the left does not know how to hand over to an array: there is no `__rand__`. */
const NOT_REFLECTED = new Set(['&', '|', '^', '<<', '>>', '@']);

const COMPARISONS: Record<string, string> = {
  '==': 'equal',
  '!=': 'not_equal',
  '<': 'less',
  '<=': 'less_equal',
  '>': 'greater',
  '>=': 'greater_equal',
};

/** Whether MLX takes the value beside an array: arrays, numbers, and NumPy's. */
function combines(v: Value): boolean {
  return v.kind === 'array' || scalarKind(v) !== null || isOpaque(v) || v.kind === 'instance' || isNumpy(v);
}
const isNumpy = (v: Value): boolean => v.kind === 'native' && (v.type.name === 'ndarray' || v.type.name === 'generic');

function notCombined(op: string, value: Value, other: Value, reflected: boolean): Refusal {
  const [left, right] = reflected ? [other, value] : [value, other];
  const show = (v: Value) => (v.kind === 'array' ? showType(v.node) : typeName(v));
  const type = other.kind === 'none' || (reflected && NOT_REFLECTED.has(op)) || op === '@' ? 'TypeError' : 'ValueError';
  return new Refusal('value', `${show(left)} ${op} ${show(right)}: MLX cannot combine these`, {}, type);
}

function combine(
  interpreter: Interpreter,
  operation: string,
  value: Value,
  other: Value,
  reflected: boolean,
  refuse: () => Refusal,
): Value {
  const [a, b] = reflected ? [other, value] : [value, other];
  return interpreter.record(operation, operands(interpreter, a, b, refuse));
}

function binary(interpreter: Interpreter, op: string, value: Value, other: Value, reflected: boolean): Value | null {
  const refuse = () => notCombined(op, value, other, reflected);
  if (op === '@') {
    if (other.kind !== 'array' && !isOpaque(other) && other.kind !== 'instance') throw refuse();
    const [a, b] = [nodeOf(value), toArray(interpreter, other, refuse)];
    return interpreter.record('matmul', reflected ? [b, a] : [a, b]);
  }
  const operation = OPERATIONS[op];
  if (!operation) return null;
  if (!combines(other) || (reflected && NOT_REFLECTED.has(op) && scalarKind(other))) throw refuse();
  return combine(interpreter, operation, value, other, reflected, refuse);
}

function augmented(interpreter: Interpreter, op: string, value: Value, other: Value): Value | null {
  const { dtype } = nodeOf(value);
  if (op === '/' && dtype !== null && !isInexact(dtype))
    throw new Refusal('dtype', `/= cannot store a quotient in an array of ${dtype}; use a = a / b`);
  return binary(interpreter, op, value, other, false);
}

function compare(interpreter: Interpreter, op: string, value: Value, other: Value, reflected: boolean): Value | null {
  const operation = COMPARISONS[op];
  if (!operation) return null;
  const refuse = () => notCombined(op, value, other, reflected);
  if (!combines(other)) {
    // Python's own identity decides between an array and, say, a list
    if ((op === '==' || op === '!=') && other.kind !== 'none') return bool(op === '!=');
    throw refuse();
  }
  return combine(interpreter, operation, value, other, reflected, refuse);
}

const UNARY: Record<string, string> = { '-': 'negative', '~': 'bitwise_invert', abs: 'abs' };

function unary(interpreter: Interpreter, op: string, value: Value): Value | null {
  if (op === '+') return value;
  return UNARY[op] ? interpreter.record(UNARY[op], [nodeOf(value)]) : null;
}

// ---- values -----------------------------------------------------------------------------------------------------------

/** A number of `dtype` as a Python one; null for one that is not known. */
export function pythonNumber(dtype: DType | null, value: number | bigint | null): Value {
  if (dtype === null) return unknown('the dtype is not known');
  if (dtype === 'bool') return bool(value === null ? null : value !== 0);
  if (dtype === 'complex64') return unknown('is a complex number');
  if (isInexact(dtype)) return float(value === null ? null : Number(value));
  return int(value === null ? anonymous(dtype.startsWith('u') ? 0 : -Infinity) : Number(value));
}

/** @throws Refusal when the array certainly has not exactly one element */
function requireOne(interpreter: Interpreter, node: ArrayNode, what: string): void {
  const size = elementsOf(interpreter, node);
  if (size !== null && interpreter.facts.equal(size, 1) === 'no')
    throw new Refusal('value', `${what} takes an array of one element, not ${showType(node)}`);
}

/** `array.item()`, and what `int`, `float` and `bool` read. */
export function item(interpreter: Interpreter, node: ArrayNode, what = 'array.item'): Value {
  requireOne(interpreter, node, what);
  const constant = knownValues(interpreter, node);
  if (constant?.dtype === 'complex64')
    return { kind: 'complex', real: constant.data[0] as number, imaginary: constant.data[1] as number };
  return pythonNumber(node.dtype, constant ? constant.data[0] : null);
}

/** Lists of unknown numbers longer than this in all are not written out. */
const MOST_LISTED = 1024;

/** `array.tolist()`: nested lists, with values where they are known. */
export function toList(interpreter: Interpreter, node: ArrayNode): Value {
  const shape = rankedShape(interpreter, node);
  if (!shape) return unknown('is the list of an array of unknown rank');
  if (shape.length === 0) return item(interpreter, node, 'array.tolist');
  const constant = knownValues(interpreter, node);
  const element = () => pythonNumber(node.dtype, null);
  const build = (axis: number, offset: number): Value => {
    if (axis === shape.length) return constant ? pythonNumber(node.dtype, constant.data[offset]) : element();
    const length = shape[axis] as number;
    const stride = (product(shape.slice(axis + 1)) as number) || 1;
    return list(Array.from({ length }, (_, i) => build(axis + 1, offset + i * stride)));
  };
  if (shape.every(isKnown) && (product(shape) as number) <= MOST_LISTED) return build(0, 0);
  return shape.reduceRight((inner: Value, length) => openList(inner, length), element());
}

// ---- the type ---------------------------------------------------------------------------------------------------------

/** The length of the first axis; null when the rank is not known. @throws Refusal for a 0-d array */
function firstAxis(interpreter: Interpreter, node: ArrayNode, what: string): Dim | null {
  const shape = rankedShape(interpreter, node);
  if (!shape) return null;
  if (shape.length === 0)
    throw new Refusal('index-rank', `${what} of a 0-d array: ${showType(node)} has no axes`, {}, 'TypeError');
  return shape[0];
}

/** Arrays of more rows than this are iterated over by an example. */
const MOST_ROWS = 256;

function iterate(interpreter: Interpreter, value: Value): Iteration {
  const node = nodeOf(value);
  const length = firstAxis(interpreter, node, 'iteration');
  const rest = rankedShape(interpreter, node)?.slice(1) ?? null;
  const element = interpreter.source({ shape: rest, dtype: node.dtype });
  if (length === null || !isKnown(length) || length > MOST_ROWS)
    return { items: null, element, length: length ?? anonymous() };
  const items = Array.from({ length }, (_, i) => interpreter.getItem(value, int(i)));
  return { items, element, length };
}

function truth(interpreter: Interpreter, value: Value): boolean | null {
  const v = item(interpreter, nodeOf(value), 'bool()');
  if (v.kind === 'bool') return v.value;
  if (v.kind === 'float') return v.value === null ? null : v.value !== 0;
  if (v.kind === 'int') return isKnown(v.value) ? v.value !== 0 : null;
  return null;
}

export const arrayClass: ClassValue = nativeClass('array', [], [], (interpreter, _, passed) =>
  arrayConstructor.call(interpreter, passed),
);

const methods = new Map<string, Value>();

/** Says what the methods are; they are also the attributes of the class `mx.array`. */
export function registerMethods(table: Iterable<readonly [string, Value]>): void {
  for (const [name, method] of table) {
    methods.set(name, method);
    arrayClass.attributes.set(name, method);
  }
}

export const arrayType: NativeType = {
  name: 'array',
  cls: arrayClass,
  getAttribute(interpreter, value, name) {
    const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name] : undefined;
    if (attribute) return attribute(interpreter, nodeOf(value), value);
    if (name === '__class__') return arrayClass;
    const method = methods.get(name);
    return method?.kind === 'builtin' ? { kind: 'method', self: value, func: method } : null;
  },
  binary,
  augmented,
  getItem,
  setItem,
  unary,
  compare,
  iterate,
  length: (interpreter, value) => firstAxis(interpreter, nodeOf(value), 'len()'),
  truth,
  // Python walks the rows and compares each
  contains: () => null,
};
