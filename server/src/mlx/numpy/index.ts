/**
 * A little of NumPy: what MLX programs make arrays of, measure shapes with, and convert from. The rest is open.
 */
import { anonymous, type Dim, isKnown, product, sum } from '../../../../engine/src/dims/dim';
import { source } from '../../../../engine/src/graph/graph';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { elementCount, type Tensor, tensor } from '../../../../engine/src/tensor';
import type { Interpreter } from '../../interpreter/interpreter';
import {
  type Arguments,
  type BuiltinValue,
  builtin,
  ELLIPSIS,
  float,
  int,
  type ModuleValue,
  module,
  type NativeType,
  NONE,
  tuple,
  unknown,
  type Value,
} from '../../interpreter/values';
import { arrayOfSequence, numpyArray, scalarArray, scalarKind } from '../convert';
import { type Call, define, isOpaque } from '../define';
import { knownValues } from '../known';
import {
  always,
  floatDType,
  ndarray,
  ndarrayOf,
  numpyDType,
  numpyNumber,
  sameDType,
  throughMlx,
  useCoreFunctions,
} from './array';
import { mlxDType, NUMPY_DTYPES, namedDType } from './dtypes';

/** An argument by position or name. */
const argument = (passed: Arguments, position: number, name: string): Value | undefined =>
  passed.positional[position] ?? passed.keywords.get(name);

/** The dtype of a `dtype=` argument, or `fallback` without it; null where it is not known. */
function dtypeArgument(c: Call, fallback: string | null): string | null {
  const named = namedDType(c.interpreter, c.value('dtype'));
  return named === undefined ? fallback : named;
}

/** A shape argument; null where it is not known. Of NumPy's complaints only that of negative lengths is reported. */
function shapeArgument(c: Call, name: string): readonly Dim[] | null {
  if (!c.has(name)) return [];
  let shape: readonly Dim[];
  try {
    shape = c.dims(name);
  } catch {
    return null;
  }
  const negative = shape.find(d => isKnown(d) && d < 0);
  if (negative !== undefined) throw new Refusal('value', `${c.signature.name}: an axis cannot be ${negative} long`);
  return shape;
}

// ---- making arrays ----------------------------------------------------------------------------------------------------

/** NumPy's dtypes of Python's numbers. */
const NATURAL: Record<string, string> = {
  bool: 'bool_',
  int32: 'int64',
  int64: 'int64',
  float32: 'float64',
  complex64: 'complex128',
};

/** `np.array(x)`: of MLX's arrays, NumPy's, numbers and nested sequences. */
function makeArray(c: Call): Value {
  const { interpreter } = c;
  const v = c.value('object');
  const wanted = dtypeArgument(c, null);
  const numpy = numpyArray(v);
  if (numpy)
    return c.has('dtype') ? ndarrayOf(interpreter, numpy.node.shape, wanted) : ndarray(numpy.node, numpy.dtype);
  if (v.kind === 'array') {
    const { dtype } = v.node;
    if (c.has('dtype')) return ndarrayOf(interpreter, v.node.shape, wanted);
    // NumPy reads the values at once.
    const value = interpreter.values && knownValues(interpreter, v.node);
    const node = value ? source(value, { value, origin: interpreter.origin() }) : v.node;
    return ndarray(node, dtype === 'bool' ? 'bool_' : dtype);
  }
  const node = scalarKind(v)
    ? scalarArray(interpreter, v)
    : v.kind === 'list' || v.kind === 'tuple'
      ? sequenceNode(interpreter, v)
      : null;
  if (!node) return ndarrayOf(interpreter, null, wanted);
  const dtype = c.has('dtype') ? wanted : node.dtype && NATURAL[node.dtype];
  if (!dtype || mlxDType(dtype) !== node.dtype) return ndarrayOf(interpreter, node.shape, dtype ?? null);
  return ndarray(node, dtype);
}

function sequenceNode(interpreter: Interpreter, sequence: Value) {
  try {
    return arrayOfSequence(interpreter, sequence);
  } catch {
    return null; // rows of different lengths, objects
  }
}

const maker = (name: string): BuiltinValue => define(`np.${name}(object, dtype=None, **kwargs)`, makeArray);

/** Filled with one number, where that is known. */
function filledWith(c: Call, number: Value | null, dtype: string | null): Value {
  const shape = shapeArgument(c, 'shape');
  const type = mlxDType(dtype);
  if (shape === null || type === null || number === null) return ndarrayOf(c.interpreter, shape, dtype);
  const value = scalarArray(c.interpreter, number, type);
  return ndarray(c.interpreter.record('full', [value], { shape, dtype: type }).node, dtype);
}

const filled = (name: string, number: Value | null): BuiltinValue =>
  define(`np.${name}(shape, dtype=None, order='C')`, c => filledWith(c, number, dtypeArgument(c, 'float64')));

const like = (name: string, parameters: string): BuiltinValue =>
  define(`np.${name}(${parameters}, dtype=None, **kwargs)`, c => {
    const a = c.value('a');
    const numpy = numpyArray(a);
    const shape = numpy?.node.shape ?? (a.kind === 'array' ? a.node.shape : null);
    return ndarrayOf(c.interpreter, shape, dtypeArgument(c, numpy?.dtype ?? null));
  });

const full = define("np.full(shape, fill_value, dtype=None, order='C')", c => {
  const kind = scalarKind(c.value('fill_value'));
  const natural = kind && { bool: 'bool_', int: 'int64', float: 'float64', complex: 'complex128' }[kind];
  return filledWith(c, kind && kind !== 'complex' ? c.value('fill_value') : null, dtypeArgument(c, natural));
});

/** As MLX counts, but in 64 bits. */
const arange = builtin('np.arange', (interpreter, passed) => {
  const positional = passed.positional.slice(0, 3);
  const wanted = namedDType(interpreter, argument(passed, 3, 'dtype'));
  const keywords = ['start', 'stop', 'step'].flatMap(name => {
    const value = passed.keywords.get(name);
    return value ? [[name, value] as const] : [];
  });
  const isFloat = [...positional, ...keywords.map(([, v]) => v)].some(v => interpreter.settled(v).kind === 'float');
  const dtype = wanted === undefined ? (isFloat ? 'float64' : 'int64') : wanted;
  return throughMlx(interpreter, 'arange', positional, keywords, () => dtype);
});

const linspace = define('np.linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0)', c => {
  const num = shapeArgument(c, 'num');
  return ndarrayOf(c.interpreter, scalarKind(c.value('start')) ? num : null, dtypeArgument(c, 'float64'));
});

// ---- functions of numbers ---------------------------------------------------------------------------------------------

/** Functions of one number, which an array keeps its shape under. */
const NUMBER_FUNCTIONS: Record<string, (x: number) => number> = {
  sqrt: Math.sqrt,
  exp: Math.exp,
  log: Math.log,
  log2: Math.log2,
  log10: Math.log10,
  log1p: Math.log1p,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  tanh: Math.tanh,
  ceil: Math.ceil,
  floor: Math.floor,
};

const numberFunction = (name: string, f: (x: number) => number): BuiltinValue =>
  builtin(`np.${name}`, (interpreter, passed) => {
    const [x] = passed.positional;
    const v = x && interpreter.settled(x);
    if (!v || isOpaque(v)) return unknown('NumPy computes it');
    if (v.kind === 'float') return float(v.value === null ? null : f(v.value));
    if (v.kind === 'int' || v.kind === 'bool') return float(typeof v.value === 'object' ? null : f(Number(v.value)));
    return throughMlx(interpreter, name, [v], [], floatDType);
  });

/** The sum or product of a sequence of ints as an int of NumPy; null for anything else. */
function integerFold(interpreter: Interpreter, name: 'sum' | 'prod', value: Value): Value | null {
  const v = interpreter.settled(value);
  if ((v.kind !== 'tuple' && v.kind !== 'list') || !v.items) return null;
  const dims: Dim[] = [];
  for (const item of v.items) {
    const settled = interpreter.settled(item);
    if (settled.kind !== 'int') return null;
    dims.push(settled.value);
  }
  if (dims.length === 0) return null; // a float
  return numpyNumber(interpreter, int(name === 'sum' ? sum(dims) : product(dims)), 'int64');
}

// ---- functions of arrays ----------------------------------------------------------------------------------------------

/** Functions with the name, arguments and shapes of MLX's, and the dtype they answer. */
const SHARED: Record<string, typeof sameDType> = {
  abs: sameDType,
  all: always('bool_'),
  any: always('bool_'),
  argmax: always('int64'),
  argmin: always('int64'),
  argsort: always('int64'),
  broadcast_to: sameDType,
  clip: sameDType,
  concatenate: sameDType,
  cumsum: sameDType,
  equal: always('bool_'),
  expand_dims: sameDType,
  isfinite: always('bool_'),
  isinf: always('bool_'),
  isnan: always('bool_'),
  max: sameDType,
  maximum: sameDType,
  mean: floatDType,
  min: sameDType,
  minimum: sameDType,
  moveaxis: sameDType,
  multiply: sameDType,
  power: sameDType,
  prod: sameDType,
  repeat: sameDType,
  reshape: sameDType,
  round: sameDType,
  sort: sameDType,
  squeeze: sameDType,
  stack: sameDType,
  std: floatDType,
  sum: dtype => (dtype === 'bool_' ? 'int64' : dtype),
  swapaxes: sameDType,
  tile: sameDType,
  transpose: sameDType,
  var: floatDType,
};

const sharedFunction = (name: string, result: typeof sameDType): BuiltinValue =>
  builtin(`np.${name}`, (interpreter, passed) => {
    const [first] = passed.positional;
    if (passed.open || !first || isOpaque(interpreter.settled(first))) return ndarrayOf(interpreter, null, null);
    if (name === 'sum' || name === 'prod') {
      const folded = integerFold(interpreter, name, first);
      if (folded) return folded;
    }
    const inputs = [asNumpy(interpreter, name, first), ...passed.positional.slice(1)];
    return throughMlx(interpreter, name, inputs, passed.keywords, result);
  });

/** NumPy takes sequences for arrays; those of arrays (`concatenate`, `stack`) stay. */
function asNumpy(interpreter: Interpreter, name: string, value: Value): Value {
  const v = interpreter.settled(value);
  if (name === 'concatenate' || name === 'stack' || (v.kind !== 'list' && v.kind !== 'tuple')) return v;
  return interpreter.callWith(ARRAY, v);
}

/** The indices along each axis of the elements that are not zero. */
function placesOf(interpreter: Interpreter, { shape, data }: Tensor): Value {
  const found = [...data.keys()].filter(i => Number(data[i]) !== 0);
  const strides = shape.map((_, axis) => elementCount(shape.slice(axis + 1)));
  return tuple(
    shape.map((length, axis) => {
      const at = BigInt64Array.from(found, i => BigInt(Math.floor(i / strides[axis]) % length));
      const value = tensor('int64', [found.length], at);
      return ndarray(source(value, { value, origin: interpreter.origin() }), 'int64');
    }),
  );
}

/** With a condition alone the places where it holds, whose number is known where the values are. */
const where = builtin('np.where', (interpreter, passed) => {
  if (passed.positional.length === 1) {
    const condition = numpyArray(interpreter.settled(passed.positional[0]));
    const values = condition && knownValues(interpreter, condition.node);
    if (values && values.dtype !== 'complex64' && values.shape.length > 0) return placesOf(interpreter, values);
    const places = ndarrayOf(interpreter, [anonymous()], 'int64');
    return { kind: 'tuple', items: null, element: places, length: anonymous() };
  }
  return throughMlx(interpreter, 'where', passed.positional);
});

// ---- random numbers ---------------------------------------------------------------------------------------------------

/** Draws: the parameters before `size`, and the dtype. Those without draw one number. */
const DRAWS: Record<string, readonly [parameters: string, dtype: string]> = {
  normal: ['loc=0.0, scale=1.0, size=None', 'float64'],
  uniform: ['low=0.0, high=1.0, size=None', 'float64'],
  standard_normal: ['size=None, dtype=None, out=None', 'float64'],
  random: ['size=None, dtype=None, out=None', 'float64'],
  random_sample: ['size=None', 'float64'],
  randint: ['low, high=None, size=None, dtype=None', 'int64'],
  integers: ['low, high=None, size=None, dtype=None, endpoint=False', 'int64'],
};

const drawing = (owner: string, name: string): BuiltinValue => {
  const [parameters, fallback] = DRAWS[name];
  return define(`${owner}.${name}(${parameters})`, c => {
    const dtype = parameters.includes('dtype') ? dtypeArgument(c, fallback) : fallback;
    if (c.has('size')) return ndarrayOf(c.interpreter, shapeArgument(c, 'size'), dtype);
    return fallback === 'int64' ? numpyNumber(c.interpreter, int(anonymous(-Infinity)), fallback) : float(null);
  });
};

/** `rand(2, 3)` and `randn(2, 3)` take the lengths one by one. */
const drawingOf = (name: 'rand' | 'randn'): BuiltinValue =>
  define(`np.random.${name}(*shape)`, c => {
    const shape = shapeArgument(c, 'shape');
    return shape?.length === 0 ? float(null) : ndarrayOf(c.interpreter, shape, 'float64');
  });

/** The numbers below an int, or the rows of an array, in another order. */
const permutation = (owner: string): BuiltinValue =>
  define(`${owner}.permutation(x)`, c => {
    const x = c.value('x');
    if (x.kind === 'int') return ndarrayOf(c.interpreter, [x.value], 'int64');
    const given = numpyArray(x);
    if (given) return ndarrayOf(c.interpreter, given.node.shape, given.dtype);
    return ndarrayOf(c.interpreter, null, null);
  });

const GENERATOR_METHODS = new Map<string, Value>([
  ...Object.keys(DRAWS).map(name => [name, drawing('Generator', name)] as const),
  ['permutation', permutation('Generator')],
]);

const generator: NativeType = {
  name: 'Generator',
  cls: null,
  getAttribute: (_, __, name) => GENERATOR_METHODS.get(name) ?? unknown(`Generator.${name} is not followed`),
};

const randomModule = module(
  'numpy.random',
  [
    ...Object.keys(DRAWS).map(name => [name, drawing('np.random', name)] as const),
    ['rand', drawingOf('rand')],
    ['randn', drawingOf('randn')],
    ['permutation', permutation('np.random')],
    ['seed', builtin('np.random.seed', () => NONE)],
    ['default_rng', builtin('np.random.default_rng', () => ({ kind: 'native', type: generator, data: null }))],
  ],
  true,
);

// ---- the module -------------------------------------------------------------------------------------------------------

const ARRAY = maker('array');

/** NumPy as far as it is known here. `core` is `mlx.core`, whose rules shapes follow. */
export function numpyModules(core: ModuleValue): readonly ModuleValue[] {
  useCoreFunctions(core);
  const named = (functions: readonly BuiltinValue[]) =>
    functions.map(f => [f.name.slice('np.'.length), f] as readonly [string, Value]);
  const numpy = module(
    'numpy',
    [
      ['pi', float(Math.PI)],
      ['e', float(Math.E)],
      ['inf', float(Infinity)],
      ['nan', float(Number.NaN)],
      ['newaxis', NONE],
      ['Ellipsis', ELLIPSIS],
      ...NUMPY_DTYPES.map(name => [name, numpyDType(name)] as const),
      ...named([
        ARRAY,
        maker('asarray'),
        maker('ascontiguousarray'),
        filled('zeros', int(0)),
        filled('ones', int(1)),
        filled('empty', null),
        like('zeros_like', 'a'),
        like('ones_like', 'a'),
        like('empty_like', 'a'),
        like('full_like', 'a, fill_value'),
        full,
        arange,
        linspace,
        where,
        ...Object.entries(NUMBER_FUNCTIONS).map(([name, f]) => numberFunction(name, f)),
        ...Object.entries(SHARED).map(([name, result]) => sharedFunction(name, result)),
      ]),
      ['random', randomModule],
    ],
    true,
  );
  return [numpy, randomModule];
}
