/**
 * The methods behind Python's operators on arrays, for code that calls them by name: `x.__add__(y)`, `x.__len__()`.
 */
import { BUILTINS } from '../interpreter/builtins/functions';
import { type BuiltinValue, type ModuleValue, unknown, type Value } from '../interpreter/values';
import { type Call, defineMethod } from './define';

/** Operators of two operands, with the name that their methods share. */
const OPERATORS: Readonly<Record<string, string>> = {
  add: '+',
  sub: '-',
  mul: '*',
  truediv: '/',
  div: '/',
  floordiv: '//',
  mod: '%',
  pow: '**',
  matmul: '@',
  and: '&',
  or: '|',
  xor: '^',
  lshift: '<<',
  rshift: '>>',
};
/** Those that MLX can be asked from the right operand, and in place. */
const REFLECTED = ['add', 'sub', 'mul', 'truediv', 'div', 'floordiv', 'mod', 'pow'];
const IN_PLACE = [
  'add',
  'sub',
  'mul',
  'truediv',
  'floordiv',
  'mod',
  'pow',
  'matmul',
  'and',
  'or',
  'xor',
  'lshift',
  'rshift',
];

const COMPARISONS: Readonly<Record<string, string>> = { eq: '==', ne: '!=', lt: '<', le: '<=', gt: '>', ge: '>=' };

/** Methods without arguments that are functions of `mlx.core`. */
const OF_CORE: Readonly<Record<string, string>> = { abs: 'abs', neg: 'negative', invert: 'bitwise_invert' };

/** Methods without arguments that are what a builtin of Python asks. */
const CONVERSIONS = ['int', 'float', 'bool', 'complex', 'len', 'iter', 'repr', 'bytes'] as const;

/** What only other libraries call. */
const OPAQUE: Readonly<Record<string, string>> = {
  array: 'dtype=None, copy=None',
  dlpack: '*, stream=None, max_version=None, dl_device=None, copy=None',
  dlpack_device: '',
  getstate: '',
  setstate: 'state, /',
};

const binary = (name: string, operator: string, isReflected: boolean): BuiltinValue =>
  defineMethod(`array.__${name}__(other, /)`, (c, self) => {
    const [left, right] = isReflected ? [c.value('other'), self] : [self, c.value('other')];
    return c.interpreter.binary(operator, left, right);
  });

/** What Python's builtin of this name answers. */
const asked = (c: Call, name: string, self: Value): Value => c.interpreter.callWith(BUILTINS.get(name)!, self);

/** The methods by name. */
export function dunders(core: ModuleValue): Map<string, BuiltinValue> {
  const methods = new Map<string, BuiltinValue>();
  const add = (name: string, method: BuiltinValue) => methods.set(`__${name}__`, method);
  for (const [name, operator] of Object.entries(OPERATORS)) add(name, binary(name, operator, false));
  for (const name of REFLECTED) add(`r${name}`, binary(`r${name}`, OPERATORS[name], true));
  for (const name of IN_PLACE) add(`i${name}`, binary(`i${name}`, OPERATORS[name], false));
  for (const [name, operator] of Object.entries(COMPARISONS))
    add(
      name,
      defineMethod(`array.__${name}__(other, /)`, (c, self) => c.interpreter.compare(operator, self, c.value('other'))),
    );
  for (const [name, func] of Object.entries(OF_CORE))
    add(
      name,
      defineMethod(`array.__${name}__()`, (c, self) => c.interpreter.callWith(core.attributes.get(func)!, self)),
    );
  for (const name of CONVERSIONS)
    add(
      name,
      defineMethod(`array.__${name}__()`, (c, self) => asked(c, name, self)),
    );
  add(
    'setitem',
    defineMethod('array.__setitem__(index, value, /)', () => unknown('changes an array that nothing names')),
  );
  add(
    'index',
    defineMethod('array.__index__()', (c, self) => asked(c, 'int', self)),
  );
  add(
    'pos',
    defineMethod('array.__pos__()', (_c, self) => self),
  );
  add(
    'copy',
    defineMethod('array.__copy__()', (_c, self) => self),
  );
  add(
    'deepcopy',
    defineMethod('array.__deepcopy__(memo, /)', (_c, self) => self),
  );
  add(
    'getitem',
    defineMethod('array.__getitem__(index, /)', (c, self) => c.interpreter.getItem(self, c.value('index'))),
  );
  add(
    'array_namespace',
    defineMethod('array.__array_namespace__(api_version=None)', () => core),
  );
  for (const [name, signature] of Object.entries(OPAQUE))
    add(
      name,
      defineMethod(`array.__${name}__(${signature})`, () => unknown('is read by other libraries')),
    );
  return methods;
}
