/** Operators between Python values, comparison and truth. Arrays and native types answer through their hooks. */
import {
  add,
  anonymous,
  type Dim,
  floorDiv,
  isKnown,
  lowerBound,
  mod,
  mul,
  negate,
  sub,
} from '../../../engine/src/dims/dim';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Node } from '../python/ast';
import { percentFormat } from './builtins/format-spec';
import type { Evaluator } from './evaluator';
import { guessedAmong, isGuess, onGuess } from './guess';
import { args } from './interpreter';
import { setKey } from './subscripts';
import {
  bool,
  float,
  freshId,
  int,
  type ListValue,
  list,
  type NativeType,
  openList,
  openTuple,
  set,
  str,
  tuple,
  unknown,
  type Value,
} from './values';

const METHODS: Record<string, string> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'truediv',
  '//': 'floordiv',
  '%': 'mod',
  '**': 'pow',
  '@': 'matmul',
  '&': 'and',
  '|': 'or',
  '^': 'xor',
  '<<': 'lshift',
  '>>': 'rshift',
};

export const hooksOf = (ev: Evaluator, v: Value): NativeType | null =>
  v.kind === 'array' ? ev.arrayType : v.kind === 'native' ? v.type : null;

/** Applies `run` to each option of the unions among two values; options that are refused drop out unless all are. */
export function spread(ev: Evaluator, a: Value, b: Value, run: (a: Value, b: Value) => Value): Value | null {
  if (a.kind !== 'union' && b.kind !== 'union') return null;
  const left = a.kind === 'union' ? a.options : [a];
  const right = b.kind === 'union' ? b.options : [b];
  if (left.length * right.length > 9) return unknown('has too many possible operands');
  const results: Value[] = [];
  let refusal: Refusal | null = null;
  for (const x of left)
    for (const y of right)
      try {
        results.push(run(x, y));
      } catch (e) {
        if (!(e instanceof Refusal)) throw e;
        refusal = e;
      }
  if (results.length === 0 && refusal) throw refusal;
  return ev.join(results);
}

export function binary(ev: Evaluator, op: string, left: Value, right: Value): Value {
  let a = ev.settled(left);
  let b = ev.settled(right);
  const many = spread(ev, a, b, (x, y) => binary(ev, op, x, y));
  if (many) return many;
  // What meets an int in integer arithmetic is an int, what meets an array is an array.
  if (a.kind === 'parameter') a = settleBeside(ev, op, a, b);
  if (b.kind === 'parameter') b = settleBeside(ev, op, b, a);
  const hooks = () =>
    hooksOf(ev, a)?.binary?.(ev, op, a, b, false) ?? hooksOf(ev, b)?.binary?.(ev, op, b, a, true) ?? null;
  const own = guessedAmong(a, b) ? onGuess(hooks) : hooks();
  if (own) return own;
  const method = METHODS[op];
  if (a.kind === 'instance') {
    const found = ev.getAttribute(a, `__${method}__`);
    if (found) return ev.call(found, args([b]));
  }
  if (b.kind === 'instance') {
    const found = ev.getAttribute(b, `__r${method}__`);
    if (found) return ev.call(found, args([a]));
  }
  if (a.kind === 'unknown') return a;
  if (b.kind === 'unknown') return b;
  return numeric(ev, op, a, b) ?? containers(ev, op, a, b) ?? unknown(`is worth ${a.kind} ${op} ${b.kind}`);
}

/** Integer-only operators and ints beside tell that a parameter is an int, but only in `__init__`-like code. */
export function settleBeside(ev: Evaluator, op: string, p: Value, other: Value): Value {
  if (other.kind === 'array') return ev.settleAs(p, 'array');
  const inInit = /(^|\.)(__init__|__post_init__|setup|build)$/.test(ev.frame.name);
  if (inInit && (other.kind === 'int' || other.kind === 'parameter') && op !== '@') return ev.settleAs(p, 'int');
  return p;
}

export const asDim = (v: Value): Dim | null =>
  v.kind === 'int' ? v.value : v.kind === 'bool' && v.value !== null ? Number(v.value) : null;
export const asNumber = (v: Value): number | null => {
  const d = asDim(v);
  if (d !== null) return isKnown(d) ? d : null;
  return v.kind === 'float' ? v.value : null;
};
export const isNumeric = (v: Value): boolean => v.kind === 'int' || v.kind === 'float' || v.kind === 'bool';

/** An int that stays exact in a double, or one nothing is known of. */
const safeInt = (x: number): Value => (Number.isSafeInteger(x) ? int(x) : unknown('is a very large int'));

function numeric(ev: Evaluator, op: string, a: Value, b: Value): Value | null {
  if (!isNumeric(a) || !isNumeric(b))
    return a.kind === 'complex' || b.kind === 'complex' ? unknown('is a complex number') : null;
  const x = asDim(a);
  const y = asDim(b);
  if (x !== null && y !== null) {
    const known = isKnown(x) && isKnown(y);
    switch (op) {
      case '+':
        return known ? safeInt(x + y) : int(add(x, y));
      case '-':
        return known ? safeInt(x - y) : int(sub(x, y));
      case '*':
        return known ? safeInt(x * y) : int(mul(x, y));
      case '//':
        return y === 0 ? byZero(ev) : int(floorDiv(ev.facts.resolve(x), ev.facts.resolve(y)));
      case '%':
        return y === 0 ? byZero(ev) : int(mod(ev.facts.resolve(x), ev.facts.resolve(y)));
      case '/':
        if (y === 0) return byZero(ev);
        return known ? float(x / y) : { kind: 'float', value: null, ratio: [x, y] };
      case '**':
        if (known) return y >= 0 ? safeInt(x ** y) : float(x ** y);
        if (isKnown(y) && y >= 0 && y <= 8) return int(Array<Dim>(y).fill(x).reduce(mul, 1));
        return lowerBound(y) >= 0
          ? int(anonymous(lowerBound(x) >= 1 ? 1 : -Infinity))
          : unknown('is an int or a float');
      default:
        return known ? bits(op, x, y, a.kind === 'bool' && b.kind === 'bool') : int(anonymous());
    }
  }
  if ((a.kind === 'bool' && a.value === null) || (b.kind === 'bool' && b.value === null))
    if (a.kind !== 'float' && b.kind !== 'float') return op === '/' ? float(null) : int(anonymous());
  const p = asNumber(a);
  const q = asNumber(b);
  if (p === null || q === null) return { kind: 'float', value: null, ratio: ratioOf(op, a, b) };
  switch (op) {
    case '+':
      return float(p + q);
    case '-':
      return float(p - q);
    case '*':
      return float(p * q);
    case '/':
      return q === 0 ? byZero(ev) : float(p / q);
    case '//':
      return q === 0 ? byZero(ev) : float(floorQuotient(p, q));
    case '%':
      return q === 0 ? byZero(ev) : float(remainder(p, q));
    case '**':
      return p < 0 && !Number.isInteger(q) ? unknown('is a complex number') : float(p ** q);
    default:
      return null;
  }
}

const byZero = (ev: Evaluator): Value => ev.raised('ZeroDivisionError', 'divides by zero');

/** `p % q` of floats: it has the sign of `q`, a zero too. */
function remainder(p: number, q: number): number {
  const rest = p % q;
  if (rest === 0) return q < 0 ? -0 : 0;
  return rest < 0 === q < 0 ? rest : rest + q;
}

/** `p // q` of floats. */
function floorQuotient(p: number, q: number): number {
  const quotient = (p - remainder(p, q)) / q;
  if (quotient === 0) return p < 0 === q < 0 ? 0 : -0;
  return Math.round(quotient);
}

/** A symbol times a whole float (`dim * 4.0`) stays known, so that `int(dim * mlp_ratio)` is. */
function ratioOf(op: string, a: Value, b: Value): [Dim, Dim] | undefined {
  const part = (v: Value): [Dim, Dim] | null => {
    if (v.kind === 'int') return [v.value, 1];
    if (v.kind !== 'float') return null;
    if (v.ratio) return [...v.ratio];
    if (v.value === null) return null;
    for (const denominator of [1, 2, 3, 4, 8, 10, 100]) {
      const numerator = v.value * denominator;
      if (Number.isInteger(numerator)) return [numerator, denominator];
    }
    return null;
  };
  const [x, y] = [part(a), part(b)];
  if (!x || !y) return undefined;
  if (op === '*') return [mul(x[0], y[0]), mul(x[1], y[1])];
  if (op === '/') return [mul(x[0], y[1]), mul(x[1], y[0])];
  return undefined;
}

function bits(op: string, x: number, y: number, flags: boolean): Value {
  const big = { '&': BigInt(x) & BigInt(y), '|': BigInt(x) | BigInt(y), '^': BigInt(x) ^ BigInt(y) }[op];
  if (big !== undefined) return flags ? bool(big !== 0n) : safeInt(Number(big));
  if (op === '<<' && y >= 0 && y < 1024) return safeInt(x * 2 ** y);
  if (op === '>>' && y >= 0) return safeInt(Math.floor(x / 2 ** y));
  return int(anonymous());
}

function containers(ev: Evaluator, op: string, a: Value, b: Value): Value | null {
  if (op === '+' && a.kind === 'str' && b.kind === 'str')
    return str(a.value === null || b.value === null ? null : a.value + b.value);
  if (op === '%' && a.kind === 'str') return str(a.value === null ? null : percentFormat(ev, a.value, b));
  if (op === '+' && a.kind === 'list' && b.kind === 'list') return concatenate(ev, a, b);
  if (op === '+' && a.kind === 'tuple' && b.kind === 'tuple') {
    if (a.items && b.items) return tuple([...a.items, ...b.items]);
    return openTuple(ev.join([...(a.items ?? [a.element!]), ...(b.items ?? [b.element!])]), add(a.length, b.length));
  }
  if (op === '*') return repeat(ev, a, b) ?? repeat(ev, b, a);
  if (op === '|' && a.kind === 'dict' && b.kind === 'dict') {
    const merged = { ...a, id: freshId(), entries: new Map([...a.entries, ...b.entries]) };
    merged.rest = a.rest && b.rest ? ev.join([a.rest, b.rest]) : (a.rest ?? b.rest);
    return merged;
  }
  if (a.kind === 'set' && b.kind === 'set') {
    const keep = {
      '&': [...a.entries].filter(([k]) => b.entries.has(k)),
      '|': [...a.entries, ...b.entries],
      '-': [...a.entries].filter(([k]) => !b.entries.has(k)),
      '^': [...[...a.entries].filter(([k]) => !b.entries.has(k)), ...[...b.entries].filter(([k]) => !a.entries.has(k))],
    }[op];
    // What an open set may hold as well may be what the other is rid of.
    const rids = (op === '-' && b.open) || (op === '^' && (a.open || b.open));
    if (keep) return set(rids ? [] : keep, a.open || b.open);
  }
  return null;
}

function concatenate(ev: Evaluator, a: ListValue, b: ListValue): Value {
  if (a.items && b.items) return list([...a.items, ...b.items]);
  const parts = [...(a.items ?? [a.element!]), ...(b.items ?? [b.element!])];
  return openList(parts.length ? ev.join(parts) : unknown('nothing is there'), add(a.length, b.length));
}

const LONGEST = 4096;

function repeat(ev: Evaluator, a: Value, b: Value): Value | null {
  const times = asDim(b);
  if (times === null) return null;
  const count = ev.facts.resolve(times);
  if (a.kind === 'str')
    return str(a.value !== null && isKnown(count) && count < 1000 ? a.value.repeat(Math.max(0, count)) : null);
  if (a.kind !== 'list' && a.kind !== 'tuple') return null;
  if (a.items && isKnown(count) && count * a.items.length <= LONGEST) {
    const { items } = a;
    const all = Array.from({ length: Math.max(0, count) }, () => items).flat();
    return a.kind === 'list' ? list(all) : tuple(all);
  }
  const element = a.items ? (a.items.length ? ev.join(a.items) : unknown('nothing is there')) : a.element!;
  const length = mul(a.length, count);
  return a.kind === 'list' ? openList(element, length) : openTuple(element, length);
}

/** What `op=` makes of a dict or set in place; null for others. */
function updated(ev: Evaluator, op: string, a: Value, b: Value): Value | null {
  if (a.kind === 'dict' && b.kind === 'dict' && op === '|') {
    for (const e of b.entries.values()) setKey(ev, a, e.key, e.value);
    if (b.rest) ev.heap.setDictRest(a, a.rest ? ev.join([a.rest, b.rest]) : b.rest);
    return a;
  }
  if (a.kind !== 'set' || b.kind !== 'set') return null;
  const made = containers(ev, op, a, b);
  if (made?.kind !== 'set') return null;
  for (const key of [...a.entries.keys()]) if (!made.entries.has(key)) ev.heap.setMember(a, key, undefined);
  for (const [key, member] of made.entries) if (!a.entries.has(key)) ev.heap.setMember(a, key, member);
  if (made.open) ev.heap.openSet(a);
  return a;
}

/** `left op= right`: in place for lists, dicts and sets, otherwise `left op right`. */
export function augmented(ev: Evaluator, op: string, left: Value, right: Value, node: Node): Value {
  const a = ev.settled(left);
  const b = ev.settled(right);
  try {
    if (a.kind === 'list' && op === '+') {
      const over = ev.iterate(b);
      if (a.items && over.items) ev.heap.setItems(a, [...a.items, ...over.items]);
      else
        ev.heap.openList(
          a,
          ev.join([...(a.items ?? [a.element!]), ...(over.items ?? [over.element])]),
          add(a.length, over.length),
        );
      return a;
    }
    if (a.kind === 'list' && op === '*') {
      const made = repeat(ev, a, b);
      if (made?.kind !== 'list') return binary(ev, op, a, b);
      if (made.items) ev.heap.setItems(a, made.items);
      else ev.heap.openList(a, made.element!, made.length);
      return a;
    }
    const inPlace = updated(ev, op, a, b);
    if (inPlace) return inPlace;
    const hook = () => hooksOf(ev, a)?.augmented?.(ev, op, a, b) ?? null;
    const own = guessedAmong(a, b) ? onGuess(hook) : hook();
    if (own) return own;
    if (a.kind === 'instance') {
      const found = ev.getAttribute(a, `__i${METHODS[op]}__`);
      if (found && found.kind !== 'unknown') return ev.call(found, args([b]));
    }
    return binary(ev, op, a, b);
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    ev.refused(e, node);
    return unknown('was refused');
  }
}

export function unary(ev: Evaluator, op: string, operand: Value): Value {
  const v = ev.settled(operand);
  const hook = () => hooksOf(ev, v)?.unary?.(ev, op, v) ?? null;
  const own = isGuess(v) ? onGuess(hook) : hook();
  if (own) return own;
  const d = asDim(v);
  if (d !== null && op === '-') return int(negate(d));
  if (d !== null && op === '+') return int(d);
  if (d !== null && op === '~') return isKnown(d) ? int(-d - 1) : int(sub(negate(d), 1));
  if (v.kind === 'float') return op === '-' ? float(v.value === null ? null : -v.value) : v;
  if (v.kind === 'union') return ev.join(v.options.map(o => unary(ev, op, o)));
  if (v.kind === 'instance') {
    const found = ev.getAttribute(v, { '-': '__neg__', '+': '__pos__', '~': '__invert__' }[op]!);
    if (found) return ev.call(found, args([]));
  }
  return unknown('is worth a unary operation of an unknown value');
}
