/**
 * Methods of `mx.array`, made from the functions of the same name: `x.sum(axis=-1)` is `mx.sum(x, axis=-1)`.
 *
 * A method's signature is its function's without the array, so that what is reported of a wrong call reads as the caller
 * wrote it. The few that differ (`reshape(*shape)`, `transpose(*axes)`, …) are written out.
 */
import type { Interpreter } from '../interpreter/interpreter';
import { type Arguments, type ArrayValue, type BuiltinValue, builtin, type Value } from '../interpreter/values';
import { item, toList } from './array';
import { numpyArray } from './convert';
import { bind, defineMethod, numpyAlone, type Parameter, parseSignature } from './define';

/** Functions that are methods with the signature left over when the array is taken away. */
const FROM_FUNCTIONS = [
  'abs',
  'all',
  'any',
  'argmax',
  'argmin',
  'astype',
  'conj',
  'cos',
  'cummax',
  'cummin',
  'cumprod',
  'cumsum',
  'diag',
  'diagonal',
  'exp',
  'flatten',
  'log',
  'log10',
  'log1p',
  'log2',
  'logcumsumexp',
  'logsumexp',
  'max',
  'mean',
  'min',
  'moveaxis',
  'prod',
  'reciprocal',
  'round',
  'rsqrt',
  'sin',
  'split',
  'sqrt',
  'square',
  'squeeze',
  'sum',
  'swapaxes',
  'view',
];

/** `*, ` before keyword-only parameters, in the order of a signature. */
function showParameters(parameters: readonly Parameter[]): string {
  const parts: string[] = [];
  let starred = false;
  for (const p of parameters) {
    if (p.form === 'keyword' && !starred) {
      parts.push('*');
      starred = true;
    }
    parts.push(p.default === null ? p.name : `${p.name}=${p.default}`);
  }
  return parts.join(', ');
}

/** The method of a function: the array goes first, the rest as it was passed. */
function methodOf(name: string, func: BuiltinValue): BuiltinValue {
  const own = parseSignature(func.signature!);
  const [, ...rest] = own.parameters;
  const text = `array.${name}(${showParameters(rest)})`;
  const signature = parseSignature(text);
  return builtin(
    signature.name,
    (interpreter, passed) => {
      const [self, ...positional] = passed.positional;
      if (self === undefined || passed.open) return func.call(interpreter, passed);
      const given = bind(signature, { ...passed, positional });
      return func.call(interpreter, regroup([self], rest, given));
    },
    text,
  );
}

/** Bound arguments as a call of a function with parameters `rest` after `first`. */
function regroup(first: readonly Value[], rest: readonly Parameter[], given: ReadonlyMap<string, Value>): Arguments {
  const positional = [...first];
  const keywords = new Map<string, Value>();
  for (const p of rest) {
    const value = given.get(p.name);
    if (value === undefined) continue;
    if (p.form === 'positional') positional.push(value);
    else keywords.set(p.name, value);
  }
  return { positional, keywords, open: false };
}

/** A method that takes one sequence or its items: `x.reshape(2, -1)`, `x.reshape((2, -1))`. */
function spreadMethod(text: string, func: BuiltinValue, whenEmpty: (self: Value) => readonly Value[]): BuiltinValue {
  return builtin(
    parseSignature(text).name,
    (interpreter, passed) => {
      const [self, ...items] = passed.positional;
      if (self === undefined) return func.call(interpreter, passed);
      bind(parseSignature(text), { ...passed, positional: items });
      if (items.length === 0 && !passed.open)
        return func.call(interpreter, { ...passed, positional: whenEmpty(self), keywords: new Map() });
      if (items.some(v => numpyArray(interpreter.settled(v))))
        throw numpyAlone(parseSignature(text).name, 'an argument');
      const [only] = items;
      const sequence = items.length === 1 && isSequence(interpreter, only) ? only : tupleOf(items, passed.open);
      return func.call(interpreter, { positional: [self, sequence], keywords: new Map(), open: false });
    },
    text,
  );
}

/** Whether the one argument of `reshape` or `transpose` stands for all: anything but an int. */
function isSequence(interpreter: Interpreter, value: Value): boolean {
  const v = interpreter.settled(value);
  return v.kind !== 'int' && v.kind !== 'bool' && v.kind !== 'parameter' && v.kind !== 'array';
}

/** The items as a tuple; of unknown length when more of them were passed than is known. */
const tupleOf = (items: readonly Value[], open: boolean): Value =>
  open
    ? { kind: 'unknown', reason: 'the number of arguments is not known' }
    : { kind: 'tuple', items, element: null, length: items.length };

/** `correction=` is another name of `ddof`, which methods alone know. */
function spreadOf(name: 'var' | 'std', func: BuiltinValue): BuiltinValue {
  return defineMethod(
    `array.${name}(axis=None, keepdims=False, ddof=0, *, correction=None, stream=None)`,
    (c, self) => {
      const ddof = c.has('correction') ? c.value('correction') : c.value('ddof');
      return func.call(c.interpreter, {
        positional: [self, c.value('axis'), c.value('keepdims'), ddof],
        keywords: new Map(),
        open: false,
      });
    },
    { spread: false },
  );
}

const node = (self: Value) => (self as ArrayValue).node;

/** Methods of arrays by name, from the functions of `mlx.core`. */
export function arrayMethods(core: ReadonlyMap<string, Value>): Map<string, BuiltinValue> {
  const find = (name: string): BuiltinValue => {
    const value = core.get(name);
    if (value?.kind !== 'builtin') throw new Error(`mx.${name} is not defined`);
    return value;
  };
  const methods = new Map<string, BuiltinValue>(FROM_FUNCTIONS.map(name => [name, methodOf(name, find(name))]));
  methods.set(
    'reshape',
    spreadMethod('array.reshape(*shape, stream=None)', find('reshape'), self => [self, EMPTY]),
  );
  methods.set(
    'transpose',
    spreadMethod('array.transpose(*axes, stream=None)', find('transpose'), self => [self]),
  );
  methods.set('var', spreadOf('var', find('var')));
  methods.set('std', spreadOf('std', find('std')));
  methods.set(
    'item',
    defineMethod('array.item()', (c, self) => item(c.interpreter, node(self))),
  );
  methods.set(
    'tolist',
    defineMethod('array.tolist()', (c, self) => toList(c.interpreter, node(self))),
  );
  return methods;
}

const EMPTY: Value = { kind: 'tuple', items: [], element: null, length: 0 };
