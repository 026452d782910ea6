/**
 * Functions of `mlx.core` that make arrays: filled, counted, from nested lists, and matrices by name.
 */
import { anonymous, type Dim, isKnown } from '../../../engine/src/dims/dim';
import { type DType, promote } from '../../../engine/src/dtype';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { allocate, elementCount, tensor } from '../../../engine/src/tensor';
import { Unknowable } from '../interpreter/interpreter';
import { array, type BuiltinValue, float, int, type Value } from '../interpreter/values';
import { scalarArray, scalarKind } from './convert';
import { type Call, define, isOpaque } from './define';
import { givenDtype } from './sequences';

// ---- filled -----------------------------------------------------------------------------------------------------------

/** An array of `shape` filled with a number; where the shape is not known, one of unknown shape. */
function filled(c: Call, shape: () => readonly Dim[], value: ArrayNode, dtype: DType | null): Value {
  try {
    return c.interpreter.record('full', [value], { shape: shape(), dtype });
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    return c.interpreter.source({ shape: null, dtype: dtype ?? value.dtype });
  }
}

const constant = (name: 'zeros' | 'ones', value: number): BuiltinValue =>
  define(`mx.${name}(shape, dtype=None, *, stream=None)`, c => {
    if (c.dtypeIsUnknown('dtype')) return unknownDType(c, () => c.dims('shape'));
    const dtype = c.given.has('dtype') ? (c.dtype('dtype') ?? 'float32') : 'float32';
    return filled(c, () => c.dims('shape'), scalarArray(c.interpreter, int(value), dtype), dtype);
  });

/** Of known shape, whatever the dtype turns out to be. */
function unknownDType(c: Call, shape: () => readonly Dim[]): Value {
  try {
    return c.interpreter.source({ shape: shape(), dtype: null });
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    return c.interpreter.source({ shape: null, dtype: null });
  }
}

const like = (name: 'zeros_like' | 'ones_like', value: number): BuiltinValue =>
  define(`mx.${name}(a, /, dtype=None, *, stream=None)`, c => {
    const a = c.arrayOnly('a');
    const dtype = c.dtypeIsUnknown('dtype') ? null : (c.dtype('dtype') ?? a.dtype);
    if (dtype === null) return c.interpreter.source({ shape: a.shape, dtype: null });
    return c.interpreter.record('full_like', [a, scalarArray(c.interpreter, int(value), dtype)], { dtype });
  });

// ---- counted ----------------------------------------------------------------------------------------------------------

/** A number of `arange`: whether it is a float, and its value where known. */
function bound(c: Call, name: string): { value: Dim | null; isFloat: boolean } {
  const v = c.interpreter.settleAs(c.value(name), 'int');
  if (v.kind === 'float') return { value: v.value, isFloat: true };
  if (v.kind === 'int') return { value: v.value, isFloat: false };
  if (v.kind === 'bool' && v.value !== null) return { value: Number(v.value), isFloat: false };
  if (isOpaque(v) || v.kind === 'array' || v.kind === 'native') return { value: null, isFloat: false };
  throw c.wrong(name, 'a number');
}

function arange(c: Call): Value {
  const single = !c.has('stop');
  const start = single ? { value: 0, isFloat: false } : bound(c, 'start');
  const stop = bound(c, single ? 'start' : 'stop');
  const step = c.has('step') ? bound(c, 'step') : { value: 1, isFloat: false };
  if (c.dtypeIsUnknown('dtype')) throw new Unknowable('the dtype of arange is not known');
  const dtype = c.dtype('dtype') ?? (start.isFloat || stop.isFloat || step.isFloat ? 'float32' : 'int32');
  if (start.value === null || stop.value === null || step.value === null)
    return c.interpreter.source({ shape: [anonymous()], dtype });
  return c.interpreter.record('arange', [], { start: start.value, stop: stop.value, step: step.value, dtype });
}

// ---- from Python values -----------------------------------------------------------------------------------------------

/** What a nested list holds: its shape, its numbers in order (null where unknown), and the dtype they ask for. */
interface Contents {
  shape: Dim[];
  values: (number | null)[] | null;
  dtype: DType | null;
}

function contents(c: Call, value: Value, depth = 0): Contents | null {
  const v = c.interpreter.settled(value);
  const kind = scalarKind(v);
  if (kind === 'complex') return { shape: [], values: null, dtype: 'complex64' };
  if (kind) {
    const node = scalarArray(c.interpreter, v);
    return { shape: [], values: [node.value ? Number(node.value.data[0]) : null], dtype: node.dtype };
  }
  if (v.kind === 'array') {
    const shape = c.interpreter.facts.shape(v.node.shape);
    return Array.isArray(shape) ? { shape: [...shape], values: null, dtype: v.node.dtype } : null;
  }
  if (v.kind !== 'list' && v.kind !== 'tuple') return null;
  if (!v.items) {
    const inner = contents(c, v.element!, depth + 1);
    return inner && { shape: [v.length, ...inner.shape], values: null, dtype: inner.dtype };
  }
  if (v.items.length === 0) return { shape: [0], values: [], dtype: 'float32' };
  const parts = v.items.map(i => contents(c, i, depth + 1));
  if (parts.includes(null)) return null;
  const [first, ...rest] = parts as Contents[];
  for (const p of rest) {
    const { facts } = c.interpreter;
    if (p.shape.length !== first.shape.length || p.shape.some((d, i) => facts.equal(d, first.shape[i]) === 'no'))
      throw new Refusal(
        'value',
        'mx.array: the nested lists have different lengths; an array has rows of one length',
        {},
        'ValueError',
      );
  }
  const flat = (parts as Contents[]).map(p => p.values);
  return {
    shape: [v.items.length, ...first.shape],
    values: flat.includes(null) ? null : flat.flatMap(f => f!),
    dtype: (parts as Contents[]).map(p => p.dtype).reduce((a, b) => promote(a, b)),
  };
}

function makeArray(c: Call): Value {
  const wanted = givenDtype(c, 'dtype');
  const v = c.interpreter.settled(c.value('val'));
  if (v.kind === 'array') return wanted ? c.interpreter.record('astype', [v.node], { dtype: wanted }) : v;
  const made = contents(c, v);
  if (!made) return c.interpreter.source({ shape: null, dtype: wanted });
  const dtype = wanted ?? made.dtype;
  const shape = made.shape;
  if (dtype && made.values && !made.values.includes(null) && shape.every(isKnown)) {
    const numbers = made.values as number[];
    const data = allocate(dtype, elementCount(shape as number[]));
    for (const [i, x] of numbers.entries()) {
      if (data instanceof BigInt64Array || data instanceof BigUint64Array) data[i] = BigInt(Math.trunc(x));
      else data[dtype === 'complex64' ? 2 * i : i] = dtype === 'bool' ? Number(x !== 0) : x;
    }
    return array(
      source({ shape, dtype }, { value: tensor(dtype, shape as number[], data), origin: c.interpreter.origin() }),
    );
  }
  return c.interpreter.source({ shape, dtype });
}

/** `mx.array(val, dtype=None)`: what calling the class does. */
export const arrayConstructor = define('mx.array(val, dtype=None)', makeArray, { spread: true });

// ---- matrices by name -------------------------------------------------------------------------------------------------

const triangle = (name: 'tril' | 'triu'): BuiltinValue =>
  define(`mx.${name}(x, k=0, *, stream=None)`, c => c.interpreter.record(name, [c.arrayOnly('x')], { k: c.int('k') }));

const dtypeOr = (c: Call, fallback: DType): DType =>
  c.given.has('dtype') ? (givenDtype(c, 'dtype') ?? fallback) : fallback;

export const creationFunctions: readonly BuiltinValue[] = [
  constant('zeros', 0),
  constant('ones', 1),
  like('zeros_like', 0),
  like('ones_like', 1),
  define('mx.full(shape, vals, dtype=None, *, stream=None)', c => {
    const dtype = c.dtypeIsUnknown('dtype') ? null : c.dtype('dtype');
    const vals = c.array('vals');
    return filled(c, () => c.dims('shape'), vals, dtype ?? vals.dtype);
  }),
  define('mx.full_like(a, vals, dtype=None, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return c.interpreter.record('full_like', [a, c.array('vals')], { dtype: givenDtype(c, 'dtype') ?? a.dtype });
  }),
  define('mx.arange(start, stop=None, step=None, dtype=None, *, stream=None)', arange),
  define('mx.linspace(start, stop, num=50, dtype=None, endpoint=True, *, stream=None)', c =>
    c.interpreter.record(
      'linspace',
      [scalarArray(c.interpreter, float(c.float('start'))), scalarArray(c.interpreter, float(c.float('stop')))],
      { num: c.dim('num'), endpoint: c.flag('endpoint'), dtype: dtypeOr(c, 'float32') },
    ),
  ),
  define('mx.eye(n, m=None, k=0, dtype=None, *, stream=None)', c =>
    c.interpreter.record('eye', [], {
      n: c.dim('n'),
      m: c.has('m') ? c.dim('m') : c.dim('n'),
      k: c.int('k'),
      dtype: dtypeOr(c, 'float32'),
    }),
  ),
  define('mx.identity(n, dtype=None, *, stream=None)', c =>
    c.interpreter.record('eye', [], { n: c.dim('n'), m: c.dim('n'), k: 0, dtype: dtypeOr(c, 'float32') }),
  ),
  define('mx.tri(n, m=None, k=0, dtype=None, *, stream=None)', c =>
    c.interpreter.record('tri', [], {
      n: c.dim('n'),
      m: c.has('m') ? c.dim('m') : c.dim('n'),
      k: c.int('k'),
      dtype: dtypeOr(c, 'float32'),
    }),
  ),
  triangle('tril'),
  triangle('triu'),
];
