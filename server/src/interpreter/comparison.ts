/**
 * Comparison, membership and truth: of what is known the answer, of what is not either answer.
 */
import { type Dim, isKnown, lowerBound, symbolsOf } from '../../../engine/src/dims/dim';
import { lookupClass } from './attributes';
import type { Evaluator } from './evaluator';
import { guessedAmong, onGuess } from './guess';
import { args } from './interpreter';
import { lengthOf } from './iteration';
import { asDim, asNumber, hooksOf, isNumeric, settleBeside, spread } from './operators';
import { bool, keyOf, unknown, type Value } from './values';

const FLIPPED: Record<string, string> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '==': '==', '!=': '!=' };
const COMPARE_METHODS: Record<string, string> = {
  '<': 'lt',
  '<=': 'le',
  '>': 'gt',
  '>=': 'ge',
  '==': 'eq',
  '!=': 'ne',
};

export function compare(ev: Evaluator, op: string, left: Value, right: Value): Value {
  if (op === 'is' || op === 'is not') return identity(ev, left, right, op === 'is');
  if (op === 'in' || op === 'not in') {
    const answer = contains(ev, right, left);
    return bool(answer === null ? null : answer === (op === 'in'));
  }
  let a = ev.settled(left);
  let b = ev.settled(right);
  const many = spread(ev, a, b, (x, y) => compare(ev, op, x, y));
  if (many) return many;
  if (a.kind === 'parameter' && b.kind === 'int') a = settleBeside(ev, op, a, b);
  if (b.kind === 'parameter' && a.kind === 'int') b = settleBeside(ev, op, b, a);
  const hooks = () =>
    hooksOf(ev, a)?.compare?.(ev, op, a, b, false) ?? hooksOf(ev, b)?.compare?.(ev, FLIPPED[op], b, a, true) ?? null;
  const own = guessedAmong(a, b) ? onGuess(hooks) : hooks();
  if (own) return own;
  if (a.kind === 'instance' && COMPARE_METHODS[op]) {
    const found = ev.getAttribute(a, `__${COMPARE_METHODS[op]}__`);
    if (found && found.kind !== 'unknown') return ev.call(found, args([b]));
  }
  const answer = op === '==' || op === '!=' ? equal(ev, a, b) : ordered(ev, op, a, b);
  // Arrays answer with arrays: of what is not known, it is not even known that the answer is a bool.
  if (answer === null && (isUnknown(a) || isUnknown(b))) return unknown('compares what is not known');
  return bool(answer === null || op !== '!=' ? answer : !answer);
}

const isUnknown = (v: Value): boolean =>
  v.kind === 'unknown' || v.kind === 'parameter' || (v.kind === 'instance' && v.open);

function identity(ev: Evaluator, left: Value, right: Value, positive: boolean): Value {
  const answer = same(ev, ev.settled(left), ev.settled(right));
  return bool(answer === null ? null : answer === positive);
}

function same(ev: Evaluator, a: Value, b: Value): boolean | null {
  if (a.kind === 'union' || b.kind === 'union') {
    const [u, other] = a.kind === 'union' ? [a, b] : [b as Value & { kind: 'union' }, a];
    const answers = new Set(u.options.map(o => same(ev, o, other)));
    return answers.size === 1 ? [...answers][0] : null;
  }
  if (a.kind === 'unknown' || b.kind === 'unknown' || a.kind === 'parameter' || b.kind === 'parameter') return null;
  if (a.kind === 'none' || b.kind === 'none') return a.kind === b.kind;
  if (a.kind === 'array' && b.kind === 'array') return a.node === b.node ? true : null;
  if (a.kind === 'bool' && b.kind === 'bool') return a.value === null || b.value === null ? null : a.value === b.value;
  if (a === b) return true;
  if (a.kind !== b.kind) return false;
  if (a.kind === 'list' || a.kind === 'dict' || a.kind === 'instance') return a.id === (b as { id: number }).id;
  if (a.kind === 'int' || a.kind === 'str' || a.kind === 'tuple' || a.kind === 'native') return equal(ev, a, b);
  return a.kind === 'class' || a.kind === 'module' ? false : null;
}

export function equal(ev: Evaluator, left: Value, right: Value): boolean | null {
  const [a, b] = [ev.settled(left), ev.settled(right)];
  const [x, y] = [asDim(a), asDim(b)];
  if (x !== null && y !== null) {
    const answer = ev.facts.equal(x, y);
    return answer !== 'unknown' ? answer === 'yes' : usually(ev, x, y, (p, q) => p === q);
  }
  if (isNumeric(a) && isNumeric(b)) {
    const [p, q] = [asNumber(a), asNumber(b)];
    return p === null || q === null ? null : p === q;
  }
  if (a.kind === 'unknown' || b.kind === 'unknown' || a.kind === 'parameter' || b.kind === 'parameter') return null;
  if (a.kind === 'str' && b.kind === 'str') return a.value === null || b.value === null ? null : a.value === b.value;
  if ((a.kind === 'tuple' && b.kind === 'tuple') || (a.kind === 'list' && b.kind === 'list')) {
    if (!a.items || !b.items) return null;
    if (a.items.length !== b.items.length) return false;
    const answers = a.items.map((v, i) => equal(ev, v, b.items![i]));
    return answers.includes(false) ? false : answers.includes(null) ? null : true;
  }
  if (a.kind === 'none' || b.kind === 'none') return a.kind === b.kind;
  if (a === b) return true;
  if (a.kind !== b.kind) return isOpenKind(a) || isOpenKind(b) ? null : false;
  const [k, l] = [keyOf(a), keyOf(b)];
  return k === null || l === null
    ? null
    : k === l
      ? true
      : a.kind === 'dict' || a.kind === 'instance' || a.kind === 'set'
        ? null
        : false;
}

/** Whether it may be equal to something of another kind. */
const isOpenKind = (v: Value): boolean =>
  (v.kind === 'instance' && (v.open || v.cls.open || lookupClass(v.cls, '__eq__') !== null)) ||
  v.kind === 'union' ||
  v.kind === 'native' ||
  v.kind === 'array';

/** Decides by the usual values of symbols where nothing else does; such a decision counts as usual. */
function usually(ev: Evaluator, a: Dim, b: Dim, decide: (a: number, b: number) => boolean): boolean | null {
  const [x, y] = [usual(ev, a), usual(ev, b)];
  if (x === null || y === null) return null;
  ev.usualReads++;
  return decide(x, y);
}

/** The dim with every symbol at its usual value; null when one has none. */
function usual(ev: Evaluator, d: Dim): number | null {
  const resolved = ev.facts.resolve(d);
  if (isKnown(resolved)) return resolved;
  const symbols = [...symbolsOf(resolved)];
  if (symbols.some(s => s.usual === null)) return null;
  let total = 0;
  for (const t of resolved.terms) {
    let value = t.coefficient;
    for (const { atom, power } of t.factors) {
      if (atom.form !== 'symbol') return null;
      value *= atom.usual! ** power;
    }
    total += value;
  }
  return total;
}

function ordered(ev: Evaluator, op: string, a: Value, b: Value): boolean | null {
  const [x, y] = [asDim(a), asDim(b)];
  if (x !== null && y !== null) {
    const [l, r] = op === '<' || op === '>=' ? [x, y] : [y, x];
    const answer = ev.facts.less(l, r); // x < y, or for > and <=: y < x
    if (answer !== 'unknown') return (answer === 'yes') === (op === '<' || op === '>');
    const decide = {
      '<': (p: number, q: number) => p < q,
      '<=': (p: number, q: number) => p <= q,
      '>': (p: number, q: number) => p > q,
      '>=': (p: number, q: number) => p >= q,
    }[op]!;
    return usually(ev, x, y, decide);
  }
  const [p, q] = [asNumber(a), asNumber(b)];
  if (p !== null && q !== null) return op === '<' ? p < q : op === '<=' ? p <= q : op === '>' ? p > q : p >= q;
  if (a.kind === 'str' && b.kind === 'str' && a.value !== null && b.value !== null)
    return op === '<'
      ? a.value < b.value
      : op === '<='
        ? a.value <= b.value
        : op === '>'
          ? a.value > b.value
          : a.value >= b.value;
  if ((a.kind === 'tuple' || a.kind === 'list') && b.kind === a.kind && a.items && b.items) {
    for (let i = 0; i < Math.min(a.items.length, b.items.length); i++) {
      const e = equal(ev, a.items[i], b.items[i]);
      if (e === null) return null;
      if (!e) return ordered(ev, op, ev.settled(a.items[i]), ev.settled(b.items[i]));
    }
    const [m, n] = [a.items.length, b.items.length];
    return op === '<' ? m < n : op === '<=' ? m <= n : op === '>' ? m > n : m >= n;
  }
  return null;
}

export function contains(ev: Evaluator, container: Value, item: Value): boolean | null {
  const c = ev.settled(container);
  const i = ev.settled(item);
  switch (c.kind) {
    case 'tuple':
    case 'list': {
      if (!c.items) return null;
      const answers = c.items.map(x => (same(ev, ev.settled(x), i) === true ? true : equal(ev, x, i)));
      return answers.includes(true) ? true : answers.includes(null) ? null : false;
    }
    case 'dict': {
      const key = keyOf(i);
      if (key === null) return null;
      return c.entries.has(key) ? true : c.rest ? null : false;
    }
    case 'set': {
      const key = keyOf(i);
      if (key === null) return null;
      return c.entries.has(key) ? true : c.open ? null : false;
    }
    case 'str':
      return i.kind === 'str' && c.value !== null && i.value !== null ? c.value.includes(i.value) : null;
    case 'range':
      if (isKnown(c.start) && isKnown(c.stop) && isKnown(c.step) && i.kind === 'int' && isKnown(i.value))
        return (
          (i.value - c.start) % c.step === 0 &&
          (c.step > 0 ? i.value >= c.start && i.value < c.stop : i.value <= c.start && i.value > c.stop)
        );
      return null;
    case 'instance': {
      const found = ev.getAttribute(c, '__contains__');
      if (found && found.kind !== 'unknown') return truthOf(ev, ev.call(found, args([i])));
      return null;
    }
    case 'array':
      return ev.arrayType.contains?.(ev, c, i) ?? null;
    case 'native':
      return c.type.contains?.(ev, c, i) ?? null;
    default:
      return null;
  }
}

// ---- truth ------------------------------------------------------------------------------------------------------------

export function truthOf(ev: Evaluator, value: Value): boolean | null {
  const v = ev.settled(value);
  switch (v.kind) {
    case 'none':
      return false;
    case 'bool':
      return v.value;
    case 'int': {
      const answer = ev.facts.equal(v.value, 0);
      if (answer !== 'unknown') return answer === 'no';
      return lowerBound(v.value) > 0 ? true : usually(ev, v.value, 0, p => p !== 0);
    }
    case 'float':
      return v.value === null ? null : v.value !== 0;
    case 'str':
      return v.value === null ? null : v.value !== '';
    case 'tuple':
    case 'list':
    case 'range':
    case 'dict':
    case 'set': {
      if ((v.kind === 'dict' || v.kind === 'set') && v.entries.size > 0) return true;
      const length = lengthOf(ev, v);
      if (length === null) return null;
      if (isKnown(length)) return length > 0;
      return lowerBound(length) > 0 ? true : null;
    }
    case 'array':
      return ev.arrayType.truth?.(ev, v) ?? null;
    case 'native':
      return v.type.truth ? v.type.truth(ev, v) : true;
    case 'instance': {
      const own = ev.getAttribute(v, '__bool__') ?? ev.getAttribute(v, '__len__');
      if (!own) return v.open ? null : true;
      return own.kind === 'unknown' ? null : truthOf(ev, ev.call(own, args([])));
    }
    case 'union': {
      const answers = new Set(v.options.map(o => truthOf(ev, o)));
      return answers.size === 1 ? [...answers][0] : null;
    }
    case 'unknown':
    case 'parameter':
    case 'super':
    case 'bytes':
    case 'iterator':
      return v.kind === 'iterator' ? true : null;
    default:
      return true;
  }
}
