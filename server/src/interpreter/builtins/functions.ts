/**
 * Python's builtin functions and types, as every module sees them.
 */
import {
  anonymous,
  type Dim,
  floorDiv,
  isKnown,
  max as maxDim,
  min as minDim,
  negate,
} from '../../../../engine/src/dims/dim';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { lookupClass } from '../attributes';
import type { Evaluator } from '../evaluator';
import { dictOf } from '../expressions';
import { reprOf } from '../format';
import { type Interpreter, Unknowable } from '../interpreter';
import { known, lengthOf, zip } from '../iteration';
import {
  type Arguments,
  bool,
  builtin,
  type ClassValue,
  dict,
  ELLIPSIS,
  float,
  type Iteration,
  instance,
  int,
  iterator,
  list,
  NONE,
  nativeClass,
  openList,
  set,
  str,
  tuple,
  unknown,
  type Value,
} from '../values';
import { formatWith, roundTo } from './format-spec';
import { asList, asTuple, setOf, sortedOrder } from './types';

type Run = (ev: Evaluator, passed: Arguments) => Value;

const fn = (name: string, run: Run): readonly [string, Value] => [
  name,
  builtin(name, (ev, passed) => run(ev as Evaluator, passed)),
];

const arg = (passed: Arguments, i: number, name?: string): Value | undefined =>
  passed.positional[i] ?? (name ? passed.keywords.get(name) : undefined);
const need = (passed: Arguments, i: number): Value => {
  const v = passed.positional[i];
  if (!v) throw new Unknowable('an argument is missing');
  return v;
};
const dimOf = (ev: Interpreter, v: Value | undefined): Dim | null => {
  if (!v) return null;
  const s = ev.settleAs(v, 'int');
  return s.kind === 'int' ? ev.facts.resolve(s.value) : s.kind === 'bool' && s.value !== null ? Number(s.value) : null;
};

// ---- conversions ------------------------------------------------------------------------------------------------------

function toInt(ev: Evaluator, passed: Arguments): Value {
  const v = passed.positional[0] ? ev.settled(passed.positional[0]) : int(0);
  switch (v.kind) {
    case 'int':
      return v;
    case 'bool':
      return int(v.value === null ? anonymous() : Number(v.value));
    case 'float':
      if (v.value !== null)
        return Number.isSafeInteger(Math.trunc(v.value)) ? int(Math.trunc(v.value)) : int(anonymous());
      // Rounds toward zero, which is down for the sizes that ratios of dims are.
      return int(
        v.ratio && v.ratio[1] !== 0
          ? floorDiv(ev.facts.resolve(v.ratio[0]), ev.facts.resolve(v.ratio[1]))
          : anonymous(),
      );
    case 'str': {
      const base = passed.positional.length + passed.keywords.size > 1 ? dimOf(ev, arg(passed, 1, 'base')) : 10;
      if (v.value === null || base === null) return int(anonymous());
      const digits = v.value.trim().replace(/(?<=\w)_(?=\w)/g, '');
      if (base !== 10) {
        const n = Number.parseInt(digits, typeof base === 'number' ? base : 10);
        return int(Number.isSafeInteger(n) ? n : anonymous());
      }
      if (!/^[-+]?\d+$/.test(digits)) return ev.raised('ValueError', 'is no integer');
      return int(Number.isSafeInteger(Number(digits)) ? Number(digits) : anonymous());
    }
    case 'parameter':
      return ev.settleAs(v, 'int');
    case 'array':
    case 'native': {
      const item = ev.getAttribute(v, 'item');
      const value = item && item.kind !== 'unknown' ? ev.settled(ev.callWith(item)) : null;
      return value && (value.kind === 'int' || value.kind === 'float' || value.kind === 'bool')
        ? toInt(ev, { ...passed, positional: [value] })
        : int(anonymous());
    }
    default:
      return int(anonymous());
  }
}

function toFloat(ev: Evaluator, passed: Arguments): Value {
  const v = passed.positional[0] ? ev.settled(passed.positional[0]) : float(0);
  if (v.kind === 'float') return v;
  if (v.kind === 'int') return isKnown(v.value) ? float(v.value) : { kind: 'float', value: null, ratio: [v.value, 1] };
  if (v.kind === 'bool' && v.value !== null) return float(Number(v.value));
  if (v.kind === 'array' || v.kind === 'native') {
    const item = ev.getAttribute(v, 'item');
    const value = item && item.kind !== 'unknown' ? ev.settled(ev.callWith(item)) : null;
    return value && (value.kind === 'int' || value.kind === 'float' || value.kind === 'bool')
      ? toFloat(ev, { ...passed, positional: [value] })
      : float(null);
  }
  if (v.kind === 'str' && v.value !== null) {
    const text = v.value.trim().toLowerCase();
    const special = /^([-+]?)(inf|infinity|nan)$/.exec(text);
    if (special) return float(special[2] === 'nan' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity);
    const digits = text.replace(/(?<=\d)_(?=\d)/g, '');
    const isNumber = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/.test(digits);
    return isNumber ? float(Number(digits)) : ev.raised('ValueError', 'is no number');
  }
  return float(null);
}

const type = (
  name: string,
  construct: Run,
  attributes: Iterable<readonly [string, Value]> = [],
  bases: readonly ClassValue[] = [],
): ClassValue => nativeClass(name, bases, attributes, (ev, _, passed) => construct(ev as Evaluator, passed));

const OBJECT = nativeClass('object', []);

export const TYPES = {
  object: OBJECT,
  int: type('int', toInt),
  float: type('float', toFloat),
  bool: type('bool', (ev, passed) => bool(passed.positional[0] ? ev.truth(passed.positional[0]) : false)),
  str: type('str', (ev, passed) => str(passed.positional[0] ? ev.format(passed.positional[0]) : '')),
  bytes: type('bytes', () => ({ kind: 'bytes' })),
  complex: type('complex', () => unknown('is a complex number')),
  list: type('list', (ev, passed) => (passed.positional[0] ? asList(ev, passed.positional[0]) : list([]))),
  tuple: type('tuple', (ev, passed) => (passed.positional[0] ? asTuple(ev, passed.positional[0]) : tuple([]))),
  set: type('set', (ev, passed) => (passed.positional[0] ? setOf(ev, passed.positional[0]) : set())),
  frozenset: type('frozenset', (ev, passed) => (passed.positional[0] ? setOf(ev, passed.positional[0]) : set())),
  dict: type('dict', makeDict, [
    ['fromkeys', builtin('dict.fromkeys', (ev, passed) => fromKeys(ev as Evaluator, passed))],
  ]),
  slice: type('slice', (_, passed) => {
    const p = passed.positional;
    return p.length === 1
      ? { kind: 'slice', lower: NONE, upper: p[0], step: NONE }
      : { kind: 'slice', lower: p[0] ?? NONE, upper: p[1] ?? NONE, step: p[2] ?? NONE };
  }),
  range: type('range', range),
  property: type('property', (_, passed) => ({
    kind: 'property',
    get: passed.positional[0] ?? NONE,
    set: passed.positional[1] ?? null,
  })),
  staticmethod: type('staticmethod', (_, passed) => ({ kind: 'staticmethod', func: passed.positional[0] ?? NONE })),
  classmethod: type('classmethod', (_, passed) => ({ kind: 'classmethod', func: passed.positional[0] ?? NONE })),
};

function makeDict(ev: Evaluator, passed: Arguments): Value {
  const source = passed.positional[0] ? ev.settled(passed.positional[0]) : null;
  const made =
    source?.kind === 'dict'
      ? { ...source, ...fresh(), entries: new Map(source.entries) }
      : source
        ? dictOf(ev, ev.iterate(source))
        : dict();
  if (made.kind === 'dict') {
    for (const [name, v] of passed.keywords) made.entries.set(`s:${name}`, { key: str(name), value: v });
    if (passed.open) made.rest = unknown('may be passed by keyword');
  }
  return made;
}
const fresh = () => ({ id: dict().id });

function fromKeys(ev: Evaluator, passed: Arguments): Value {
  const over = ev.iterate(need(passed, 0));
  const value = passed.positional[1] ?? NONE;
  return dictOf(ev, {
    items: over.items?.map(k => tuple([k, value])) ?? null,
    element: tuple([over.element, value]),
    length: over.length,
  });
}

function range(ev: Evaluator, passed: Arguments): Value {
  const dims = passed.positional.map(p => dimOf(ev, p) ?? anonymous());
  if (dims.length === 1) return { kind: 'range', start: 0, stop: dims[0], step: 1 };
  return { kind: 'range', start: dims[0] ?? 0, stop: dims[1] ?? 0, step: dims[2] ?? 1 };
}

// ---- folding ----------------------------------------------------------------------------------------------------------

function extreme(which: 'min' | 'max'): Run {
  return (ev, passed) => {
    if (passed.open) return unknown('compares what is not known');
    const many = passed.positional.length > 1;
    const over: Iteration = many ? known(passed.positional) : ev.iterate(need(passed, 0));
    const fallback = passed.keywords.get('default');
    if (over.items?.length === 0) {
      // a list may have been filled where nothing was seen, a tuple is what it is
      if (!many && !fallback && ev.settled(passed.positional[0]).kind === 'tuple')
        throw new Refusal('value', `${which}() of an empty tuple`);
      return fallback ?? unknown('nothing is there');
    }
    if (passed.keywords.has('key') || !over.items) {
      const all = over.items ?? [over.element];
      return fallback && !over.items ? ev.join([...all, fallback]) : ev.join(all);
    }
    const values = over.items.map(v => ev.settled(v));
    const dims = values.map(v =>
      v.kind === 'parameter' ? dimOf(ev, v) : v.kind === 'int' ? ev.facts.resolve(v.value) : null,
    );
    if (!dims.includes(null)) return int((dims as Dim[]).reduce(which === 'min' ? minDim : maxDim));
    const numbers = values.map(v =>
      v.kind === 'float' ? v.value : v.kind === 'int' && isKnown(v.value) ? v.value : null,
    );
    if (numbers.includes(null))
      return values.every(v => v.kind === 'int' || v.kind === 'float') ? float(null) : ev.join(values);
    const best = Math[which](...(numbers as number[]));
    return values[numbers.indexOf(best)];
  };
}

const all: Run = (ev, passed) => {
  const over = ev.iterate(need(passed, 0));
  const answers = (over.items ?? []).map(v => ev.truth(v));
  if (answers.includes(false)) return bool(false);
  return bool(!over.items || answers.includes(null) ? null : true);
};
const any: Run = (ev, passed) => {
  const over = ev.iterate(need(passed, 0));
  const answers = (over.items ?? []).map(v => ev.truth(v));
  if (answers.includes(true)) return bool(true);
  return bool(!over.items || answers.includes(null) ? null : false);
};

const sum: Run = (ev, passed) => {
  const over = ev.iterate(need(passed, 0));
  const start = arg(passed, 1, 'start') ?? int(0);
  if (over.items) return over.items.reduce((total, v) => ev.binary('+', total, v), start);
  const one = ev.binary('+', start, over.element);
  return ev.settled(one).kind === 'int' ? int(anonymous()) : one;
};

function sorted(ev: Evaluator, passed: Arguments): Value {
  const over = ev.iterate(need(passed, 0));
  if (!over.items) return openList(over.element, over.length);
  if (over.items.length < 2) return list(over.items);
  const order = sortedOrder(ev, over.items, passed);
  return order ? list(order.map(i => over.items![i])) : openList(ev.join(over.items), over.items.length);
}

// ---- iteration --------------------------------------------------------------------------------------------------------

const enumerate: Run = (ev, passed) => {
  const over = ev.iterate(need(passed, 0));
  const start = dimOf(ev, arg(passed, 1, 'start')) ?? 0;
  if (over.items)
    return iterator(known(over.items.map((v, i) => tuple([int(isKnown(start) ? start + i : anonymous()), v]))));
  return iterator({ items: null, element: tuple([int(anonymous()), over.element]), length: over.length });
};

const map: Run = (ev, passed) => {
  const [f, ...sources] = passed.positional;
  const over =
    sources.length === 1
      ? ev.iterate(sources[0])
      : zip(
          ev,
          sources.map(s => ev.iterate(s)),
        );
  const apply = (v: Value) =>
    sources.length === 1 ? ev.callWith(f, v) : ev.callWith(f, ...(ev.iterate(v).items ?? []));
  if (over.items) return iterator(known(over.items.map(apply)));
  return iterator({ items: null, element: apply(over.element), length: over.length });
};

const filter: Run = (ev, passed) => {
  const [f, source] = [need(passed, 0), need(passed, 1)];
  const over = ev.iterate(source);
  const test = (v: Value) => ev.truth(ev.settled(f).kind === 'none' ? v : ev.callWith(f, v));
  if (over.items) {
    const answers = over.items.map(test);
    if (!answers.includes(null)) return iterator(known(over.items.filter((_, i) => answers[i])));
  }
  const parts = over.items ?? [over.element];
  return iterator({
    items: null,
    element: parts.length ? ev.join(parts) : unknown('nothing is there'),
    length: anonymous(),
  });
};

const next: Run = (ev, passed) => {
  const it = ev.settled(need(passed, 0));
  const fallback = passed.positional[1];
  if (it.kind === 'iterator' && it.items) {
    if (it.position < it.items.length) {
      const value = it.items[it.position];
      ev.heap.advance(it, it.position + 1);
      return value;
    }
    return fallback ?? unknown('the iterator is at its end');
  }
  const { element } = ev.iterate(it);
  return fallback ? ev.join([element, fallback]) : element;
};

const reversed: Run = (ev, passed) => {
  const over = ev.iterate(need(passed, 0));
  return iterator(over.items ? known(over.items.toReversed()) : over);
};

// ---- objects ----------------------------------------------------------------------------------------------------------

const getattr: Run = (ev, passed) => {
  const name = ev.settled(need(passed, 1));
  if (name.kind !== 'str' || name.value === null) return unknown('is an attribute whose name is not known');
  return (
    ev.getAttribute(need(passed, 0), name.value) ?? passed.positional[2] ?? unknown(`has no attribute ${name.value}`)
  );
};

const hasattr: Run = (ev, passed) => {
  const name = ev.settled(need(passed, 1));
  if (name.kind !== 'str' || name.value === null) return bool(null);
  const v = ev.settled(need(passed, 0));
  if (v.kind === 'parameter') return bool(null);
  if (v.kind === 'union') {
    const answers = new Set(v.options.map(o => ev.getAttribute(o, name.value!) !== null));
    return bool(answers.size === 1 ? [...answers][0] : null);
  }
  const found = ev.getAttribute(v, name.value);
  // An unknown attribute of something that is itself out of reach may or may not be there.
  if (found?.kind === 'unknown' && (v.kind === 'unknown' || v.kind === 'module' || isOpen(v))) return bool(null);
  return bool(found !== null);
};

const isOpen = (v: Value): boolean =>
  v.kind === 'instance' && !v.attributes.size
    ? v.open
    : v.kind === 'instance'
      ? v.open || v.cls.open
      : v.kind === 'class' && v.open;

const isinstance: Run = (ev, passed) => {
  const v = need(passed, 0);
  const classes = flatten(ev, need(passed, 1));
  const answers = classes.map(c => (c.kind === 'class' ? ev.isInstance(v, c) : c.kind === 'builtin' ? null : null));
  return bool(answers.includes(true) ? true : answers.includes(null) ? null : false);
};

function flatten(ev: Evaluator, v: Value): readonly Value[] {
  const s = ev.settled(v);
  return s.kind === 'tuple' && s.items ? s.items.flatMap(i => flatten(ev, i)) : s.kind === 'union' ? s.options : [s];
}

const issubclass: Run = (ev, passed) => {
  const c = ev.settled(need(passed, 0));
  const of = flatten(ev, need(passed, 1));
  if (c.kind !== 'class') return bool(null);
  const answers = of.map(o => (o.kind === 'class' ? (c.mro.includes(o) ? true : c.open ? null : false) : null));
  return bool(answers.includes(true) ? true : answers.includes(null) ? null : false);
};

const typeOf: Run = (ev, passed) => {
  const v = ev.settled(need(passed, 0));
  if (v.kind === 'instance') return v.cls;
  if (v.kind === 'array' && ev.arrayType.cls) return ev.arrayType.cls;
  const named = (TYPES as Record<string, ClassValue>)[v.kind];
  return named ?? unknown('is a type');
};

const callable: Run = (ev, passed) => {
  const v = ev.settled(need(passed, 0));
  if (['function', 'method', 'builtin', 'class'].includes(v.kind)) return bool(true);
  if (v.kind === 'instance') return bool(lookupClass(v.cls, '__call__') ? true : v.cls.open ? null : false);
  return bool(
    v.kind === 'unknown' || v.kind === 'union' || v.kind === 'parameter' || v.kind === 'native' ? null : false,
  );
};

/** What a program printed, as far as it is known; `mlx-scope run` shows it with the arrays' values. */
export interface Printed {
  readonly values: readonly Value[];
  readonly end: string;
}

const print: Run = (ev, passed) => {
  const printed = (ev.session.get('printed') as Printed[] | undefined) ?? [];
  const end = passed.keywords.get('end');
  const text = end && ev.settled(end);
  if (ev.muted === 0)
    printed.push({ values: passed.positional, end: text?.kind === 'str' && text.value !== null ? text.value : '\n' });
  ev.session.set('printed', printed);
  return NONE;
};

const EXCEPTIONS = [
  'BaseException',
  'Exception',
  'ValueError',
  'TypeError',
  'IndexError',
  'KeyError',
  'AttributeError',
  'RuntimeError',
  'NotImplementedError',
  'ImportError',
  'ModuleNotFoundError',
  'AssertionError',
  'StopIteration',
  'OSError',
  'FileNotFoundError',
  'KeyboardInterrupt',
  'ZeroDivisionError',
  'OverflowError',
  'UserWarning',
  'Warning',
  'DeprecationWarning',
  'FutureWarning',
  'RuntimeWarning',
  'EOFError',
  'LookupError',
  'PermissionError',
  'TimeoutError',
  'ConnectionError',
  'UnicodeDecodeError',
  'SystemExit',
  'MemoryError',
];

/** Exceptions are instances whose contents do not matter. */
const exceptions = EXCEPTIONS.map((name): readonly [string, Value] => [
  name,
  nativeClass(name, [], [], (ev, cls) => {
    const made = instance(cls, ev.origin());
    made.open = true;
    return made;
  }),
]);

/** Names every module sees. */
const inBase =
  (base: number, prefix: string): Run =>
  (ev, passed) => {
    const d = dimOf(ev, need(passed, 0));
    return str(d !== null && isKnown(d) ? `${d < 0 ? '-' : ''}${prefix}${Math.abs(d).toString(base)}` : null);
  };

export const BUILTINS: ReadonlyMap<string, Value> = new Map<string, Value>([
  ...Object.entries(TYPES),
  ...exceptions,
  fn('len', (ev, passed) => {
    const length = lengthOf(ev, need(passed, 0));
    return int(length ?? anonymous());
  }),
  fn('min', extreme('min')),
  fn('max', extreme('max')),
  fn('all', all),
  fn('any', any),
  fn('sum', sum),
  fn('sorted', sorted),
  fn('enumerate', enumerate),
  fn('zip', (ev, passed) =>
    passed.open
      ? iterator({ items: null, element: unknown('pairs what is not known'), length: anonymous() })
      : iterator(
          zip(
            ev,
            passed.positional.map(p => ev.iterate(p)),
          ),
        ),
  ),
  fn('map', map),
  fn('filter', filter),
  fn('next', next),
  fn('iter', (ev, passed) => iterator(ev.iterate(need(passed, 0)))),
  fn('reversed', reversed),
  fn('getattr', getattr),
  fn('hasattr', hasattr),
  fn('setattr', (ev, passed) => {
    const name = ev.settled(need(passed, 1));
    if (name.kind === 'str' && name.value !== null) ev.setAttribute(need(passed, 0), name.value, need(passed, 2));
    else {
      const owner = ev.settled(need(passed, 0));
      if (owner.kind === 'instance') ev.heap.openInstance(owner);
    }
    return NONE;
  }),
  fn('delattr', (ev, passed) => {
    const name = ev.settled(need(passed, 1));
    const owner = ev.settled(need(passed, 0));
    if (owner.kind === 'instance' && name.kind === 'str' && name.value !== null)
      ev.heap.set(owner.attributes, name.value, undefined);
    return NONE;
  }),
  fn('isinstance', isinstance),
  fn('issubclass', issubclass),
  fn('type', typeOf),
  fn('callable', callable),
  fn('id', () => int(anonymous())),
  fn('hash', () => int(anonymous())),
  fn('abs', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    if (v.kind === 'int') return int(isKnown(v.value) ? Math.abs(v.value) : maxDim(v.value, negate(v.value)));
    if (v.kind === 'float') return float(v.value === null ? null : Math.abs(v.value));
    const method = ev.getAttribute(v, 'abs') ?? ev.getAttribute(v, '__abs__');
    return method ? ev.callWith(method) : unknown('is an absolute value');
  }),
  fn('round', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    const digits = dimOf(ev, arg(passed, 1, 'ndigits'));
    if (v.kind === 'int') return v;
    if (v.kind === 'array') {
      const method = ev.getAttribute(v, 'round');
      return method ? ev.callWith(method, ...passed.positional.slice(1)) : unknown('is rounded');
    }
    if (v.kind !== 'float') return unknown('is rounded');
    if (passed.positional.length > 1 || digits !== null)
      return float(v.value !== null && typeof digits === 'number' ? roundTo(v.value, digits) : null);
    return int(v.value === null ? anonymous() : halfEven(v.value));
  }),
  fn('divmod', (ev, passed) =>
    tuple([ev.binary('//', need(passed, 0), need(passed, 1)), ev.binary('%', need(passed, 0), need(passed, 1))]),
  ),
  fn('pow', (ev, passed) => ev.binary('**', need(passed, 0), need(passed, 1))),
  fn('repr', (ev, passed) => str(reprOf(ev, need(passed, 0)))),
  fn('format', (ev, passed) => {
    const spec = passed.positional[1] ? ev.settled(passed.positional[1]) : str('');
    return str(spec.kind === 'str' && spec.value !== null ? formatWith(ev, need(passed, 0), spec.value) : null);
  }),
  fn('print', print),
  fn('input', () => str(null)),
  fn('open', () => unknown('reads a file at run time')),
  fn('vars', (ev, passed) =>
    passed.positional[0]
      ? (ev.getAttribute(passed.positional[0], '__dict__') ?? unknown('is a namespace'))
      : unknown('is a namespace'),
  ),
  fn('dir', () => openList(str(null), anonymous())),
  fn('globals', () => unknown('is the namespace of the module')),
  fn('locals', () => unknown('is a namespace')),
  fn('eval', () => unknown('evaluates text at run time')),
  fn('exec', () => unknown('runs text')),
  fn('chr', (ev, passed) => {
    const d = dimOf(ev, need(passed, 0));
    return str(d !== null && isKnown(d) && d >= 0 && d <= 0x10ffff ? String.fromCodePoint(d) : null);
  }),
  fn('ord', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    const code = v.kind === 'str' && v.value !== null && [...v.value].length === 1 ? v.value.codePointAt(0) : undefined;
    return int(code ?? anonymous());
  }),
  fn('bin', inBase(2, '0b')),
  fn('oct', inBase(8, '0o')),
  fn('hex', inBase(16, '0x')),
  ['__name__', str('__main__')],
  ['NotImplemented', unknown('is NotImplemented')],
  ['Ellipsis', ELLIPSIS],
  ['__file__', str(null)],
]);

const halfEven = (x: number): number => {
  const low = Math.floor(x);
  const rest = x - low;
  return rest < 0.5 ? low : rest > 0.5 ? low + 1 : low % 2 === 0 ? low : low + 1;
};
