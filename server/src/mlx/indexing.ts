/**
 * `x[index]` and `x[index] = y` of arrays: Python's index values as the items of an `index` operation.
 */
import { anonymous, type Dim } from '../../../engine/src/dims/dim';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import type { IndexItem } from '../../../engine/src/ops/index_plan';
import { requireIntegers } from '../../../engine/src/ops/indexing';
import type { UpdateMode } from '../../../engine/src/ops/write_at';
import type { Interpreter } from '../interpreter/interpreter';
import type { ArrayValue, Value } from '../interpreter/values';
import { numpyArray, scalarArray, scalarBeside, scalarKind, toArray } from './convert';
import { isOpaque, typeName } from './define';

/** An index taken apart: items in order, the arrays among them, and whether there was a tuple around them. */
export interface Index {
  readonly items: readonly IndexItem[];
  readonly arrays: readonly ArrayNode[];
  readonly lone: boolean;
}

const MOST_ALTERNATIVES = 8;

/** The indices that an index with unions in it may be; null for too many. */
function alternatives(interpreter: Interpreter, index: Value): Value[] | null {
  const v = interpreter.settled(index);
  if (v.kind === 'union') return v.options.flatMap(o => alternatives(interpreter, o) ?? []);
  if (v.kind !== 'tuple' || !v.items) return [v];
  let tuples: Value[][] = [[]];
  for (const item of v.items) {
    const settled = interpreter.settled(item);
    const options = settled.kind === 'union' ? settled.options : [settled];
    tuples = tuples.flatMap(t => options.map(o => [...t, o]));
    if (tuples.length > MOST_ALTERNATIVES) return null;
  }
  return tuples.map(items => ({ ...v, items }));
}

/** Answers what `run` does for each index that `index` may be; those MLX refuses drop out unless it refuses all. */
function forEach(interpreter: Interpreter, index: Value, otherwise: () => Value, run: (index: Value) => Value): Value {
  const options = alternatives(interpreter, index);
  if (options === null) return otherwise();
  if (options.length === 1) return run(options[0]);
  const results: Value[] = [];
  let refusal: Refusal | null = null;
  for (const option of options)
    try {
      results.push(run(option));
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      refusal = e;
    }
  if (results.length === 0 && refusal) throw refusal;
  return interpreter.join(results);
}

/** Takes an index apart. @throws Refusal of kind 'index-dtype' for a value that MLX cannot index with */
export function parseIndex(interpreter: Interpreter, index: Value): Index {
  const arrays: ArrayNode[] = [];
  const v = interpreter.settled(index);
  if (v.kind !== 'tuple') return { items: [parseItem(interpreter, v, arrays)], arrays, lone: true };
  const items: readonly IndexItem[] = v.items
    ? v.items.map(item => parseItem(interpreter, interpreter.settled(item), arrays))
    : [{ kind: 'unknown' }];
  return { items, arrays, lone: false };
}

function parseItem(interpreter: Interpreter, v: Value, arrays: ArrayNode[]): IndexItem {
  switch (v.kind) {
    case 'int':
      return { kind: 'int', at: v.value };
    case 'none':
      return { kind: 'new' };
    case 'ellipsis':
      return { kind: 'ellipsis' };
    case 'slice':
      return {
        kind: 'slice',
        start: bound(interpreter, v.lower),
        stop: bound(interpreter, v.upper),
        step: bound(interpreter, v.step) ?? 1,
      };
    case 'array':
    case 'list':
      arrays.push(toArray(interpreter, v, () => wrongIndex(v)));
      return { kind: 'array' };
    case 'native': {
      const numpy = numpyArray(v);
      if (v.type.name === 'ndarray') throw wrongIndex(v);
      return numpy?.number?.kind === 'int' ? { kind: 'int', at: numpy.number.value } : { kind: 'unknown' };
    }
    case 'instance':
      return { kind: 'unknown' };
    default:
      if (isOpaque(v)) return { kind: 'unknown' };
      throw wrongIndex(v);
  }
}

const wrongIndex = (v: Value): Refusal =>
  new Refusal(
    'index-dtype',
    `An array cannot be indexed with ${v.kind === 'bool' ? 'True or False' : `a ${typeName(v)}`}${v.kind === 'tuple' ? ' inside a tuple; use a list' : ''}`,
  );

/** A bound of a slice; null where it is left out. */
function bound(interpreter: Interpreter, value: Value): Dim | null {
  const v = interpreter.settleAs(value, 'int');
  if (v.kind === 'none') return null;
  if (v.kind === 'int') return v.value;
  if (isOpaque(v) || v.kind === 'native' || v.kind === 'instance') return anonymous(-Infinity);
  // What is annotated as an array is often called with an int.
  if (v.kind === 'array' && !Array.isArray(v.node.shape)) return anonymous(-Infinity);
  throw new Refusal('index-dtype', `The bounds of a slice must be ints or None, not ${typeName(v)}`);
}

const nodeOf = (value: Value): ArrayNode => (value as ArrayValue).node;

/** `value[index]` */
export function getItem(interpreter: Interpreter, value: Value, index: Value): Value {
  const node = nodeOf(value);
  const otherwise = () => interpreter.source({ shape: null, dtype: node.dtype });
  return forEach(interpreter, index, otherwise, option => {
    const { items, arrays, lone } = parseIndex(interpreter, option);
    return interpreter.record('index', [node, ...arrays], { items, lone });
  });
}

/** What `value` is worth after `value[index] = to`. */
export function setItem(interpreter: Interpreter, value: Value, index: Value, to: Value): Value {
  return update(interpreter, value, index, to, 'set');
}

/** What `value.at[index].<mode>(by)` answers, and for `set` what assignment leaves. */
export function update(interpreter: Interpreter, value: Value, index: Value, by: Value, mode: UpdateMode): Value {
  const node = nodeOf(value);
  const values = updateValues(interpreter, node, by);
  return forEach(
    interpreter,
    index,
    () => value,
    option => {
      const v = interpreter.settled(option);
      if (v.kind === 'bool' && mode === 'set') {
        const mask = scalarArray(interpreter, v);
        return interpreter.record('mask_update', [node, mask, values]);
      }
      const { items, arrays, lone } = parseIndex(interpreter, v);
      if (arrays.some(a => a.dtype === 'bool')) {
        if (lone && mode === 'set') return interpreter.record('mask_update', [node, arrays[0], values]);
        throw new Refusal(
          'index-dtype',
          mode === 'set'
            ? `A mask can be assigned through only when it is the whole index, not inside a tuple: ${showType(arrays.find(a => a.dtype === 'bool')!)}`
            : `array.at cannot take a boolean mask, use mx.where: ${showType(arrays[0])}`,
        );
      }
      if (arrays.some(a => a.dtype === null)) return interpreter.source({ shape: node.shape, dtype: node.dtype });
      for (const array of arrays) requireIntegers(array);
      return interpreter.record('index_update', [node, values, ...arrays], { items, lone, mode });
    },
  );
}

/** The right side of an index assignment: Python numbers take the array's dtype, sequences are refused. */
function updateValues(interpreter: Interpreter, node: ArrayNode, by: Value): ArrayNode {
  const v = interpreter.settled(by);
  const refuse = () =>
    new Refusal(
      'value',
      `Only arrays and numbers can be written into an array, not ${typeName(v)}${v.kind === 'list' || v.kind === 'tuple' ? ': wrap it in mx.array' : ''}`,
      {},
      v.kind === 'none' ? 'TypeError' : 'ValueError',
    );
  if (v.kind === 'list' || v.kind === 'tuple') throw refuse();
  if (scalarKind(v) && node.dtype !== null && v.kind !== 'complex') return scalarBeside(interpreter, v, node.dtype);
  return toArray(interpreter, v, refuse);
}
