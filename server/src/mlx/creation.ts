/**
 * Functions of `mlx.core` that make arrays: filled, counted, from nested lists, and matrices by name.
 */
import { anonymous, type Dim } from '../../../engine/src/dims/dim';
import { showShape } from '../../../engine/src/dims/shape';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { broadcastAll } from '../../../engine/src/ops/broadcast';
import { Unknowable } from '../interpreter/interpreter';
import { array, type BuiltinValue, int, tuple, type Value } from '../interpreter/values';
import { arrayOfSequence, numpyArray, numpyNode, scalarArray, scalarBeside, scalarKind, toArray } from './convert';
import { type Call, define, isOpaque, typeName } from './define';
import { element } from './elementwise';
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

const constant = (name: 'zeros' | 'ones' | 'empty', value: number): BuiltinValue =>
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

const like = (name: 'zeros_like' | 'ones_like' | 'empty_like', value: number): BuiltinValue =>
  define(`mx.${name}(a, /, dtype=None, *, stream=None)`, c => {
    const a = c.arrayOnly('a');
    const dtype = c.dtypeIsUnknown('dtype') ? null : (c.dtype('dtype') ?? a.dtype);
    if (dtype === null) return c.interpreter.source({ shape: a.shape, dtype: null });
    return c.interpreter.record('full_like', [a, scalarArray(c.interpreter, int(value), dtype)], { dtype });
  });

/** `dtype` is for numbers: an array keeps its own, and a complex number is complex. */
function full(c: Call): Value {
  const vals = c.value('vals');
  const kind = scalarKind(vals);
  const numpy = numpyArray(vals);
  if (numpy) return filled(c, () => c.dims('shape'), numpyNode(c.interpreter, numpy, c.dtype('dtype')), null);
  if (!kind || kind === 'complex') return filled(c, () => c.dims('shape'), element(c, 'vals'), null);
  if (c.dtypeIsUnknown('dtype')) return unknownDType(c, () => c.dims('shape'));
  const dtype = c.dtype('dtype');
  const value = dtype ? scalarBeside(c.interpreter, vals, dtype) : scalarArray(c.interpreter, vals);
  return filled(c, () => c.dims('shape'), value, null);
}

// ---- counted ----------------------------------------------------------------------------------------------------------

/** A number of `arange`: whether it is a float, and its value where known. */
function bound(c: Call, name: string): { value: Dim | null; isFloat: boolean } {
  const v = c.interpreter.settleAs(c.value(name), 'int');
  if (v.kind === 'float') return { value: v.value, isFloat: true };
  if (v.kind === 'int') return { value: v.value, isFloat: false };
  if (v.kind === 'bool' && v.value !== null) return { value: Number(v.value), isFloat: false };
  if (isOpaque(v) || v.kind === 'native') return { value: null, isFloat: false };
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

/** A value as an array of `dtype`, or of the one it asks for. @throws Refusal for what can be no array */
function convert(c: Call, name: string): Value {
  const dtype = givenDtype(c, 'dtype');
  const v = c.value(name);
  switch (v.kind) {
    case 'list':
    case 'tuple':
      return array(arrayOfSequence(c.interpreter, v, dtype));
    case 'none':
      throw c.wrong(name, 'an array, a number or a sequence of them');
    case 'bytes':
      return c.interpreter.source({ shape: [anonymous()], dtype: dtype ?? 'uint8' });
    case 'unknown':
    case 'instance':
      return c.interpreter.source({ shape: null, dtype });
  }
  if (scalarKind(v) && v.kind !== 'complex' && dtype !== null) return array(scalarArray(c.interpreter, v, dtype));
  if (['object_', 'str_'].includes(numpyArray(v)?.dtype ?? ''))
    throw new Refusal(
      'value',
      `${c.signature.name} cannot be made of NumPy's objects or strings`,
      { name },
      'RuntimeError',
    );
  const node = toArray(
    c.interpreter,
    v,
    () => new Refusal('value', `${c.signature.name} cannot be made of a ${typeName(v)}`, { name }),
  );
  return dtype === null ? array(node) : c.interpreter.record('astype', [node], { dtype });
}

/** `mx.array(val, dtype=None)`: what calling the class does. */
export const arrayConstructor = define('mx.array(val, dtype=None)', c => convert(c, 'val'));

// ---- matrices by name -------------------------------------------------------------------------------------------------

const triangle = (name: 'tril' | 'triu'): BuiltinValue =>
  define(`mx.${name}(x, k=0, *, stream=None)`, c => c.interpreter.record(name, [c.arrayOnly('x')], { k: c.int('k') }));

const dtypeOr = (c: Call, fallback: DType): DType =>
  c.given.has('dtype') ? (givenDtype(c, 'dtype') ?? fallback) : fallback;

const window = (name: 'bartlett' | 'blackman' | 'hamming' | 'hanning'): BuiltinValue =>
  define(`mx.${name}(M, /, *, stream=None)`, c => c.interpreter.record(name, [], { size: c.dim('M') }));

/** The shape that arrays of these shapes have together. */
function broadcastShapes(c: Call): Value {
  const shapes = c.items('shapes').map(shape => {
    const v = c.interpreter.settled(shape);
    if (v.kind !== 'tuple' && v.kind !== 'list') {
      if (isOpaque(v)) throw new Unknowable('a shape is not known');
      throw new Refusal(
        'signature',
        `mx.broadcast_shapes takes sequences of ints, not ${typeName(v)}`,
        {},
        'TypeError',
      );
    }
    if (!v.items) throw new Unknowable('a shape has an unknown length');
    return v.items.map(item => {
      const d = c.interpreter.settleAs(item, 'int');
      if (d.kind !== 'int') throw new Unknowable('a length is not known');
      return d.value;
    });
  });
  if (shapes.length === 0) throw new Refusal('value', 'mx.broadcast_shapes needs at least one shape');
  const refuse = () => new Refusal('broadcast', `the shapes ${shapes.map(showShape).join(' and ')} do not broadcast`);
  return tuple(broadcastAll(c.interpreter.facts, shapes, refuse).map(int));
}

export const creationFunctions: readonly BuiltinValue[] = [
  constant('zeros', 0),
  constant('ones', 1),
  constant('empty', 0),
  like('zeros_like', 0),
  like('empty_like', 0),
  like('ones_like', 1),
  define('mx.full(shape, vals, dtype=None, *, stream=None)', full),
  define('mx.full_like(a, /, vals, dtype=None, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return c.interpreter.record('full_like', [a, element(c, 'vals')], { dtype: givenDtype(c, 'dtype') ?? a.dtype });
  }),
  define('mx.arange(start, stop=None, step=None, dtype=None, *, stream=None)', arange),
  define('mx.linspace(start, stop, num=50, endpoint=True, dtype=None, *, stream=None)', c =>
    c.interpreter.record('linspace', [element(c, 'start'), element(c, 'stop')], {
      num: c.dim('num'),
      endpoint: c.flag('endpoint'),
      dtype: dtypeOr(c, 'float32'),
    }),
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

  define('mx.broadcast_shapes(*shapes)', broadcastShapes),
  window('bartlett'),
  window('blackman'),
  window('hamming'),
  window('hanning'),
  define('mx.asarray(a, /, dtype=None, *, copy=None)', c => convert(c, 'a')),
  define('mx.from_dlpack(x, /, *, copy=None)', c => array(c.array('x'))),
];
