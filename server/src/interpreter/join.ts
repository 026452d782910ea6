/**
 * One value that stands for several, where paths meet.
 *
 * What the paths agree on is kept: equal axes of arrays, equal items of tuples. Where they differ in kind the result is a
 * small union, and past `MOST_OPTIONS` it is unknown.
 */
import { anonymous, type Dim, isKnown } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import { OpenShape } from '../../../engine/src/dims/shape';
import { source } from '../../../engine/src/graph/graph';
import type { Shape } from '../../../engine/src/graph/op';
import { isGuess } from './guess';
import {
  array,
  bool,
  EITHER,
  float,
  int,
  keyOf,
  type ListValue,
  list,
  openList,
  str,
  tuple,
  unknown,
  type Value,
} from './values';

const MOST_OPTIONS = 10;
const MOST_DEPTH = 6;

const ranked = (s: Shape): s is readonly Dim[] => Array.isArray(s);

type SameDim = (a: Dim, b: Dim) => boolean;

function sameShape(facts: Facts, a: Shape, b: Shape, same: SameDim): boolean {
  const [x, y] = [facts.shape(a), facts.shape(b)];
  if (x === null || y === null) return x === y;
  if (ranked(x) && ranked(y)) return x.length === y.length && x.every((d, i) => same(d, y[i]));
  if (x instanceof OpenShape && y instanceof OpenShape)
    return x.lead === y.lead && x.tail.length === y.tail.length && x.tail.every((d, i) => same(d, y.tail[i]));
  return false;
}

const equalIn =
  (facts: Facts): SameDim =>
  (a, b) =>
    facts.same(a, b);

/** Whether nothing tells the values apart: same contents, or arrays of the same type. */
export const sameValue = (facts: Facts, a: Value, b: Value): boolean => alike(facts, a, b, equalIn(facts), 0);

/** Whether as much is known of both: as `sameValue`, but any two numbers nothing is known of count as the same. */
export const sameKnowledge = (facts: Facts, a: Value, b: Value): boolean =>
  alike(facts, a, b, (x, y) => facts.same(x, y) || (isNameless(facts, x) && isNameless(facts, y)), 0);

/** Whether a dim is one nameless symbol: a number of which nothing is known. */
function isNameless(facts: Facts, d: Dim): boolean {
  const known = facts.resolve(d);
  if (isKnown(known) || known.terms.length !== 1) return false;
  const [{ coefficient, factors }] = known.terms;
  if (coefficient !== 1 || factors.length !== 1 || factors[0].power !== 1) return false;
  const { atom } = factors[0];
  return atom.form === 'symbol' && atom.anonymous;
}

function alike(facts: Facts, a: Value, b: Value, same: SameDim, depth: number): boolean {
  if (a === b) return true;
  if (a.kind === 'parameter' && a.settled) return alike(facts, a.settled, b, same, depth);
  if (b.kind === 'parameter' && b.settled) return alike(facts, a, b.settled, same, depth);
  if (a.kind !== b.kind) return false;
  const inner = (x: Value, y: Value): boolean => alike(facts, x, y, same, depth + 1);
  switch (a.kind) {
    case 'none':
    case 'ellipsis':
    case 'bytes':
    case 'unknown':
      return true;
    case 'bool':
    case 'str':
      return a.value === (b as typeof a).value;
    case 'float':
      return Object.is(a.value, (b as typeof a).value);
    case 'int':
      return same(a.value, (b as typeof a).value);
    case 'array': {
      const [x, y] = [a.node, (b as typeof a).node];
      return x === y || (x.dtype === y.dtype && sameShape(facts, x.shape, y.shape, same));
    }
    case 'tuple':
    case 'list': {
      const other = b as typeof a;
      if (depth > MOST_DEPTH) return false;
      if (!a.items || !other.items)
        return a.items === other.items && same(a.length, other.length) && inner(a.element!, other.element!);
      return a.items.length === other.items.length && a.items.every((v, i) => inner(v, other.items![i]));
    }
    case 'union': {
      const { options } = b as typeof a;
      return a.options.length === options.length && a.options.every((o, i) => inner(o, options[i]));
    }
    case 'method':
      return a.self === (b as typeof a).self && a.func === (b as typeof a).func;
    case 'range': {
      const r = b as typeof a;
      return (['start', 'stop', 'step'] as const).every(k => same(a[k], r[k]));
    }
    case 'native': {
      const other = b as typeof a;
      if (a.type.same && a.type === other.type) return a.type.same(a, b, (x, y) => sameShape(facts, x, y, same));
      const key = keyOf(a);
      return key !== null && key === keyOf(b);
    }
    default:
      return false;
  }
}

function joinDims(facts: Facts, a: Dim, b: Dim): Dim {
  return facts.same(a, b) ? a : anonymous();
}

/** The shape both have; null where even the rank differs. */
export function joinShapes(facts: Facts, a: Shape, b: Shape): Shape {
  const [x, y] = [facts.shape(a), facts.shape(b)];
  if (sameShape(facts, x, y, equalIn(facts))) return x;
  if (ranked(x) && ranked(y) && x.length === y.length) return x.map((d, i) => joinDims(facts, d, y[i]));
  return null;
}

function join2(facts: Facts, a: Value, b: Value, depth: number): Value {
  if (a.kind === 'list' && b.kind === 'list' && a.id !== b.id && depth <= MOST_DEPTH)
    return joinLists(facts, a, b, depth);
  if (sameValue(facts, a, b)) {
    // Two arrays of one type are not one array: what follows must not compute with the first.
    if (a.kind === 'array' && b.kind === 'array' && a.node !== b.node)
      return array(source({ shape: a.node.shape, dtype: a.node.dtype }), isGuess(a) || isGuess(b));
    return a;
  }
  if (a.kind === 'unknown') return a;
  if (b.kind === 'unknown') return b;
  if (depth > MOST_DEPTH) return unknown('differs between paths');
  if (a.kind === b.kind)
    switch (a.kind) {
      case 'bool':
        return EITHER;
      case 'int':
        return int(anonymous());
      case 'float':
        return float(null);
      case 'array': {
        const [x, y] = [a.node, (b as typeof a).node];
        const shape = joinShapes(facts, x.shape, y.shape);
        if (shape === null && x.shape !== null && y.shape !== null) break; // different ranks: keep both
        return array(source({ shape, dtype: x.dtype === y.dtype ? x.dtype : null }), isGuess(a) || isGuess(b));
      }
      case 'tuple': {
        const other = b as typeof a;
        if (a.items && other.items && a.items.length === other.items.length)
          return tuple(
            a.items.map((v, i) => join2(facts, v, other.items![i], depth + 1)),
            a.fields,
          );
        break;
      }
      case 'list': {
        return joinLists(facts, a, b as typeof a, depth);
      }
      case 'native':
        if (a.type.join && a.type === (b as typeof a).type) return a.type.join(a, b, (x, y) => joinShapes(facts, x, y));
        break;
      default:
        break;
    }
  const options: Value[] = [];
  for (const v of [...optionsOf(a), ...optionsOf(b)]) {
    if (v.kind === 'unknown') return v;
    if (!options.some(o => sameValue(facts, o, v))) options.push(v);
  }
  const folded = fold(facts, options);
  if (folded.length === 1) return folded[0];
  if (folded.length > MOST_OPTIONS) return unknown('may be too many different things');
  return { kind: 'union', options: folded };
}

function joinLists(facts: Facts, a: ListValue, b: ListValue, depth: number): ListValue {
  const contents = [...(a.items ?? [a.element!]), ...(b.items ?? [b.element!])];
  const joined =
    a.items && b.items && a.items.length === b.items.length
      ? list(a.items.map((v, i) => join2(facts, v, b.items![i], depth + 1)))
      : openList(
          contents.length ? joinAll(facts, contents, depth + 1) : unknown('the list is empty'),
          joinDims(facts, a.length, b.length),
        );
  // Two states of one list are no two lists.
  return a.id === b.id ? joined : { ...joined, oneOf: [a, b] };
}

/** The value of a kind that says no more than its kind; null for kinds that have none. */
function nothingKnown(kind: Value['kind']): Value | null {
  switch (kind) {
    case 'bool':
      return EITHER;
    case 'int':
      return int(anonymous());
    case 'float':
      return float(null);
    case 'str':
      return str(null);
    default:
      return null;
  }
}

const saysNothing = (facts: Facts, v: Value): boolean =>
  v.kind === 'int'
    ? isNameless(facts, v.value)
    : (v.kind === 'float' || v.kind === 'str' || v.kind === 'bool') && v.value === null;

/**
 * Another value of which as much is known: what stands for each item of a sequence, for one of them more. Numbers that
 * nothing is known of are not the same number.
 */
export function anotherOf(facts: Facts, v: Value): Value {
  const other = (d: Dim): Dim => (isNameless(facts, d) ? anonymous() : d);
  switch (v.kind) {
    case 'int':
      return isNameless(facts, v.value) ? int(anonymous()) : v;
    case 'tuple':
      return v.items ? { ...v, items: v.items.map(item => anotherOf(facts, item)) } : v;
    case 'array': {
      const shape = facts.shape(v.node.shape);
      if (!ranked(shape) || !shape.some(d => isNameless(facts, d))) return v;
      return array(source({ shape: shape.map(other), dtype: v.node.dtype }, {}), v.guessed);
    }
    default:
      return v;
  }
}

/** Options that say less together: both truths, numbers beside an unknown number, arrays of one rank. */
function fold(facts: Facts, options: readonly Value[]): Value[] {
  const folded = new Map<Value['kind'], Value>();
  for (const { kind } of options) {
    const alike = options.filter(o => o.kind === kind);
    const whole = nothingKnown(kind);
    if (whole && alike.length > 1 && (kind === 'bool' || alike.some(o => saysNothing(facts, o))))
      folded.set(kind, whole);
  }
  const rest = options.filter(o => o.kind !== 'array' && !folded.has(o.kind));
  return [...rest, ...folded.values(), ...mergeArrays(facts, options)];
}

/** Arrays of one rank become one. */
function mergeArrays(facts: Facts, arrays: readonly Value[]): Value[] {
  const merged: Value[] = [];
  for (const v of arrays) {
    if (v.kind !== 'array') continue;
    const at = merged.findIndex(
      m =>
        m.kind === 'array' &&
        (m.node.shape === null || v.node.shape === null || joinShapes(facts, m.node.shape, v.node.shape) !== null),
    );
    if (at < 0) merged.push(v);
    else {
      const m = merged[at];
      if (m.kind === 'array')
        merged[at] = array(
          source({
            shape: joinShapes(facts, m.node.shape, v.node.shape),
            dtype: m.node.dtype === v.node.dtype ? m.node.dtype : null,
          }),
          isGuess(m) || isGuess(v),
        );
    }
  }
  return merged;
}

export const optionsOf = (v: Value): readonly Value[] =>
  v.kind === 'union' ? v.options : v.kind === 'parameter' && v.settled ? optionsOf(v.settled) : [v];

function joinAll(facts: Facts, values: readonly Value[], depth: number): Value {
  let total = values[0];
  for (let i = 1; i < values.length; i++) total = join2(facts, total, values[i], depth);
  return total;
}

/** One value for all of these (at least one). */
export function joinValues(facts: Facts, values: readonly Value[]): Value {
  if (values.length === 0) return unknown('nothing reaches this');
  return joinAll(facts, values, 0);
}

/** The options of a union for which `keep` holds, as a value; null when none is left. */
export function filterOptions(facts: Facts, value: Value, keep: (v: Value) => boolean): Value | null {
  const kept = optionsOf(value).filter(keep);
  return kept.length === 0 ? null : kept.length === 1 ? kept[0] : joinValues(facts, kept);
}

/** A value for "one more round may change this": keeps the kind of thing, drops what varies. */
export function widen(value: Value): Value {
  switch (value.kind) {
    case 'int':
      return int(anonymous());
    case 'float':
      return float(null);
    case 'bool':
      return bool(null);
    case 'str':
      return str(null);
    case 'array':
      return array(
        source({
          shape: ranked(value.node.shape) ? value.node.shape.map(() => anonymous()) : null,
          dtype: value.node.dtype,
        }),
        value.guessed,
      );
    case 'list':
      return openList(
        value.items?.length ? widen(value.items[0]) : (value.element ?? unknown('changes in a loop')),
        anonymous(),
      );
    default:
      return unknown('changes in a loop');
  }
}
