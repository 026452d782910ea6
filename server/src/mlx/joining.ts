/**
 * Functions of `mlx.core` that join arrays, copy them, take them apart or pad them.
 */
import { anonymous, type Dim, isKnown, mul, symbolsOf } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Shape } from '../../../engine/src/graph/op';
import { Refusal } from '../../../engine/src/graph/refusal';
import { normalizeAxis } from '../../../engine/src/ops/axes';
import type { PadWidth } from '../../../engine/src/ops/padding';
import { partLength } from '../../../engine/src/ops/splitting';
import { Unknowable } from '../interpreter/interpreter';
import {
  type ArrayValue,
  type BuiltinValue,
  int,
  list,
  NONE,
  openList,
  openTuple,
  type SliceValue,
  tuple,
  unknown,
  type Value,
} from '../interpreter/values';
import { scalarArray, scalarBeside } from './convert';
import { type Call, define } from './define';
import { arraysIn, keepingDtype } from './sequences';

// ---- joining ----------------------------------------------------------------------------------------------------------

/** The array that stands for each of an unknown number of others, with that number; null where they are all known. */
function repeated(c: Call, name: string): { readonly each: ArrayNode; readonly count: Dim } | null {
  const v = c.value(name);
  if (v.kind !== 'list' && v.kind !== 'tuple') return null;
  if (v.items || !v.element) return null;
  const element = c.interpreter.settled(v.element);
  if (element.kind !== 'array') throw new Unknowable(`${name} of ${c.signature.name} is not known`);
  return { each: element.node, count: v.length };
}

/** The arrays of an argument that is a sequence of them, or an array whose rows they are. */
function arraysOf(c: Call, name: string): ArrayNode[] {
  const v = c.value(name);
  if (v.kind !== 'array') return arraysIn(c, name);
  const { items } = c.interpreter.iterate(v);
  if (!items) throw new Unknowable(`the length of ${name} is not known`);
  return items.map(item => (item as ArrayValue).node);
}

function requireSome(c: Call, arrays: readonly ArrayNode[]): void {
  if (arrays.length === 0) throw new Refusal('concatenate', `${c.signature.name} needs at least one array`);
}

/** A length that several unknown ones add up to cannot be told when they may differ. */
const times = (d: Dim, count: Dim): Dim => ([...symbolsOf(d)].some(s => s.anonymous) ? anonymous() : mul(d, count));

/** The shape with axis `axis` replaced, or with a new one put there; null where it cannot be found. */
function editAxis(c: Call, shape: Shape, axis: number, grow: 0 | 1, edit: (d: Dim) => Dim): Shape {
  const known = c.interpreter.facts.shape(shape);
  if (known === null) return null;
  if (known instanceof OpenShape) {
    const at = known.tail.length + grow + axis;
    if (axis >= 0 || at < 0 || at >= known.tail.length + grow) return null;
    return new OpenShape(known.lead, known.tail.toSpliced(at, 1 - grow, edit(known.tail[at])));
  }
  const at = normalizeAxis(c.signature.name, { shape: grow ? [...known, 1] : known, dtype: null }, axis);
  return known.toSpliced(at, 1 - grow, edit(known[at]));
}

function concatenate(c: Call): Value {
  const axis = c.has('axis') ? c.int('axis') : null;
  const many = repeated(c, 'arrays');
  if (many) {
    const { each, count } = many;
    const shape = axis === null ? [anonymous()] : editAxis(c, each.shape, axis, 0, d => times(d, count));
    return c.interpreter.source({ shape, dtype: each.dtype });
  }
  const arrays = arraysOf(c, 'arrays');
  requireSome(c, arrays);
  return c.interpreter.record('concatenate', arrays, { axis });
}

function stack(c: Call): Value {
  const axis = c.has('axis') ? c.int('axis') : 0;
  const many = repeated(c, 'arrays');
  if (many) {
    const shape = editAxis(c, many.each.shape, axis, 1, () => many.count);
    return c.interpreter.source({ shape, dtype: many.each.dtype });
  }
  const arrays = arraysOf(c, 'arrays');
  requireSome(c, arrays);
  return c.interpreter.record('stack', arrays, { axis });
}

// ---- taking apart -----------------------------------------------------------------------------------------------------

/** `mx.split(x, 3)` gives three equal parts, `mx.split(x, [3])` those before and from position 3. */
function split(c: Call): Value {
  const a = c.arrayOnly('a');
  const axis = c.int('axis');
  const v = c.value('indices_or_sections');
  if (v.kind === 'list' || v.kind === 'tuple') {
    if (!v.items) return unknown('the number of parts is not known');
    const positions = c.dims('indices_or_sections');
    return list(c.interpreter.recordAll('split', [a], { sections: null, positions, axis }));
  }
  if (v.kind === 'float' || v.kind === 'str' || v.kind === 'none')
    throw c.wrong('indices_or_sections', 'an int or a sequence of ints');
  const sections = c.interpreter.facts.resolve(c.dim('indices_or_sections'));
  if (isKnown(sections) && sections > 0)
    return list(c.interpreter.recordAll('split', [a], { sections, positions: null, axis }));
  const { facts } = c.interpreter;
  const shape = editAxis(c, a.shape, axis, 0, d => partLength(facts, a, d, sections, axis));
  return openList(c.interpreter.source({ shape, dtype: a.dtype }), sections);
}

function unstack(c: Call): Value {
  const a = c.arrayOnly('x');
  const axis = c.int('axis');
  const shape = c.interpreter.facts.shape(a.shape);
  if (shape === null || shape instanceof OpenShape) return unknown('the number of parts is not known');
  const at = normalizeAxis('unstack', { shape, dtype: a.dtype }, axis);
  const length = shape[at];
  if (isKnown(length)) return tuple(c.interpreter.recordAll('unstack', [a], { axis }));
  return openTuple(c.interpreter.source({ shape: shape.toSpliced(at, 1), dtype: a.dtype }), length);
}

/** `n` times the difference of neighbours along an axis; of booleans whether they differ. */
function diff(c: Call): Value {
  const a = c.arrayOnly('a');
  const n = c.int('n');
  const axis = c.int('axis');
  if (n < 0) throw new Refusal('value', `mx.diff takes a number of times that is not negative, not ${n}`);
  const shape = c.interpreter.facts.shape(a.shape);
  if (shape === null || shape instanceof OpenShape) return c.interpreter.source({ shape: null, dtype: a.dtype });
  const at = normalizeAxis('diff', { shape, dtype: a.dtype }, axis);
  let result: Value = { kind: 'array', node: a };
  const part = (lower: Value, upper: Value): Value => {
    const cut: SliceValue = { kind: 'slice', lower, upper, step: NONE };
    const whole: SliceValue = { kind: 'slice', lower: NONE, upper: NONE, step: NONE };
    return c.interpreter.getItem(result, tuple(shape.map((_, i) => (i === at ? cut : whole))));
  };
  for (let i = 0; i < n; i++) {
    const [next, last] = [part(int(1), NONE) as ArrayValue, part(NONE, int(-1)) as ArrayValue];
    result = c.interpreter.record(a.dtype === 'bool' ? 'not_equal' : 'subtract', [next.node, last.node]);
  }
  return result;
}

// ---- padding ----------------------------------------------------------------------------------------------------------

/** `pad_width`: one int, one pair, or a pair for each axis. */
function padWidths(c: Call): PadWidth[] {
  const name = 'pad_width';
  const wanted = 'an int, a pair of ints, or a pair for each axis';
  if (c.isInt(name)) return [{ low: c.dim(name), high: c.dim(name) }];
  const items = c.items(name).map(item => c.interpreter.settled(item));
  const pairs = items.map(item => (item.kind === 'tuple' || item.kind === 'list' ? item : null));
  if (pairs.every(p => p === null)) {
    if (items.length === 0) return [];
    if (items.length > 2) throw c.wrong(name, wanted);
    const [low, high = low] = c.dims(name);
    return [{ low, high }];
  }
  return pairs.map(pair => {
    if (!pair?.items) throw pair ? new Unknowable(`${name} is not known`) : c.wrong(name, wanted);
    if (pair.items.length !== 2) throw c.wrong(name, wanted);
    const [low, high] = pair.items.map(side => c.asDim(c.interpreter.settleAs(side, 'int'), name));
    return { low, high };
  });
}

function pad(c: Call): Value {
  const a = c.arrayOnly('a');
  return keepingDtype(c, a, () => {
    const constant = c.value('constant_values');
    const value =
      constant.kind === 'array'
        ? constant.node
        : constant.kind === 'int' || constant.kind === 'bool' || constant.kind === 'float'
          ? a.dtype
            ? scalarBeside(c.interpreter, constant, a.dtype)
            : scalarArray(c.interpreter, constant)
          : c.array('constant_values');
    return c.interpreter.record('pad', [a, value], { widths: padWidths(c), mode: c.text('mode') });
  });
}

export const joiningFunctions: readonly BuiltinValue[] = [
  define('mx.concatenate(arrays, /, axis=0, *, stream=None)', concatenate),
  define('mx.concat(arrays, /, axis=0, *, stream=None)', concatenate),
  define('mx.stack(arrays, /, axis=0, *, stream=None)', stack),
  define('mx.split(a, /, indices_or_sections, axis=0, *, stream=None)', split),
  define('mx.unstack(x, /, *, axis=0, stream=None)', unstack),
  define('mx.repeat(array, /, repeats, axis=None, *, stream=None)', c => {
    const a = c.arrayOnly('array');
    return keepingDtype(c, a, () =>
      c.interpreter.record('repeat', [a], { repeats: c.dim('repeats'), axis: c.has('axis') ? c.int('axis') : null }),
    );
  }),
  define('mx.tile(a, reps, /, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return keepingDtype(c, a, () => c.interpreter.record('tile', [a], { reps: c.dims('reps') }));
  }),
  define('mx.kron(a, b, *, stream=None)', c => c.interpreter.record('kron', [c.arrayOnly('a'), c.arrayOnly('b')])),
  define("mx.meshgrid(*arrays, sparse=False, indexing='xy', stream=None)", c => {
    const arrays = arraysIn(c, 'arrays');
    const attrs = { sparse: c.flag('sparse'), indexing: c.text('indexing') };
    return tuple(arrays.length === 0 ? [] : c.interpreter.recordAll('meshgrid', arrays, attrs));
  }),
  define('mx.diff(a, /, n=1, axis=-1, *, stream=None)', diff),
  define("mx.pad(a, pad_width, mode='constant', constant_values=0, *, stream=None)", pad),
];
