/**
 * The parts of Python's standard library that model code uses, one table a module.
 *
 * What a module does not list is unknown, never an error.
 */
import { anonymous, ceilDiv, type Dim, floorDiv, isKnown } from '../../../../engine/src/dims/dim';
import { fieldMarker, makeDataclass } from '../dataclasses';
import type { Evaluator } from '../evaluator';
import { args, Unknowable } from '../interpreter';
import { known } from '../iteration';
import { namedTupleClass } from '../named-tuples';
import { setKey } from '../subscripts';
import {
  type Arguments,
  bool,
  builtin,
  dict,
  float,
  freshId,
  instance,
  int,
  iterator,
  list,
  type ModuleValue,
  module,
  NONE,
  nativeClass,
  openList,
  str,
  tuple,
  unknown,
  type Value,
} from '../values';
import { ARGPARSE } from './argparse';
import { PATH_MODULES } from './paths';
import { SERVICES } from './services';

type Run = (ev: Evaluator, passed: Arguments) => Value;
const fn = (name: string, run: Run): readonly [string, Value] => [
  name,
  builtin(name, (ev, passed) => run(ev as Evaluator, passed)),
];
const need = (passed: Arguments, i: number): Value => {
  const v = passed.positional[i];
  if (!v) throw new Unknowable('an argument is missing');
  return v;
};
const numberOf = (ev: Evaluator, v: Value): number | null => {
  const s = ev.settled(v);
  if (s.kind === 'float') return s.value;
  const d = s.kind === 'int' ? ev.facts.resolve(s.value) : null;
  return d !== null && isKnown(d) ? d : null;
};
/** Answers its first argument: a decorator without effect here. */
const identity: Run = (_, passed) => need(passed, 0);

// ---- math -------------------------------------------------------------------------------------------------------------

const real =
  (f: (...xs: number[]) => number): Run =>
  (ev, passed) => {
    const xs = passed.positional.map(p => numberOf(ev, p));
    return float(xs.includes(null) ? null : f(...(xs as number[])));
  };

/** Rounds a number, or the ratio of two dims, to an int. */
const rounding =
  (f: (x: number) => number, ofRatio: (n: Dim, d: Dim) => Dim): Run =>
  (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    if (v.kind === 'int') return v;
    if (v.kind !== 'float') return int(anonymous());
    if (v.value !== null) return Number.isSafeInteger(f(v.value)) ? int(f(v.value)) : int(anonymous());
    return int(
      v.ratio && v.ratio[1] !== 0 ? ofRatio(ev.facts.resolve(v.ratio[0]), ev.facts.resolve(v.ratio[1])) : anonymous(),
    );
  };

const gcd = (a: number, b: number): number => (b === 0 ? Math.abs(a) : gcd(b, a % b));
const integers =
  (f: (...xs: number[]) => number): Run =>
  (ev, passed) => {
    const xs = passed.positional.map(p => numberOf(ev, p));
    return int(xs.includes(null) ? anonymous() : f(...(xs as number[])));
  };

const MATH: readonly (readonly [string, Value])[] = [
  ...(
    [
      'sqrt',
      'exp',
      'log2',
      'log10',
      'sin',
      'cos',
      'tan',
      'tanh',
      'atan',
      'asin',
      'acos',
      'sinh',
      'cosh',
      'log1p',
      'expm1',
      'atan2',
    ] as const
  ).map(name =>
    fn(
      name,
      real((...xs) => (Math[name] as (...x: number[]) => number)(...xs)),
    ),
  ),
  fn(
    'log',
    real((x, base) => (base === undefined ? Math.log(x) : Math.log(x) / Math.log(base))),
  ),
  fn(
    'pow',
    real((x, y) => x ** y),
  ),
  fn('fabs', real(Math.abs)),
  fn(
    'radians',
    real(x => (x * Math.PI) / 180),
  ),
  fn(
    'degrees',
    real(x => (x * 180) / Math.PI),
  ),
  fn('floor', rounding(Math.floor, floorDiv)),
  fn('ceil', rounding(Math.ceil, ceilDiv)),
  fn('trunc', rounding(Math.trunc, floorDiv)),
  fn(
    'gcd',
    integers((...xs) => xs.reduce(gcd, 0)),
  ),
  fn(
    'lcm',
    integers((...xs) => xs.reduce((a, b) => (a && b ? Math.abs(a * b) / gcd(a, b) : 0), 1)),
  ),
  fn(
    'isqrt',
    integers(x => Math.floor(Math.sqrt(x))),
  ),
  fn(
    'comb',
    integers((n, k) => Array.from({ length: k }, (_, i) => (n - i) / (i + 1)).reduce((a, b) => a * b, 1)),
  ),
  fn(
    'factorial',
    integers(n => Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1)),
  ),
  fn('prod', (ev, passed) => {
    const over = ev.iterate(need(passed, 0));
    if (!over.items) return int(anonymous());
    return over.items.reduce((total, v) => ev.binary('*', total, v), passed.keywords.get('start') ?? int(1));
  }),
  fn('isnan', (ev, passed) =>
    bool(numberOf(ev, need(passed, 0)) === null ? null : Number.isNaN(numberOf(ev, need(passed, 0)))),
  ),
  fn('isinf', (ev, passed) => {
    const x = numberOf(ev, need(passed, 0));
    return bool(x === null ? null : Math.abs(x) === Number.POSITIVE_INFINITY);
  }),
  ['pi', float(Math.PI)],
  ['e', float(Math.E)],
  ['inf', float(Number.POSITIVE_INFINITY)],
  ['nan', float(Number.NaN)],
  ['tau', float(2 * Math.PI)],
];

// ---- functools, itertools, collections, copy --------------------------------------------------------------------------

const partial: Run = (_, passed) => {
  const [f, ...bound] = passed.positional;
  const keywords = passed.keywords;
  return builtin('partial', (ev, more) =>
    ev.call(f, {
      positional: [...bound, ...more.positional],
      keywords: new Map([...keywords, ...more.keywords]),
      open: passed.open || more.open,
    }),
  );
};

const FUNCTOOLS: readonly (readonly [string, Value])[] = [
  fn('partial', partial),
  fn('partialmethod', partial),
  fn('lru_cache', (_, passed) =>
    passed.positional[0]?.kind === 'function'
      ? passed.positional[0]
      : builtin('lru_cache', (ev, p) => identity(ev as Evaluator, p)),
  ),
  fn('cache', identity),
  fn('cached_property', (_, passed) => ({ kind: 'property', get: need(passed, 0), set: null })),
  fn('wraps', () => builtin('wraps', (ev, p) => identity(ev as Evaluator, p))),
  fn('total_ordering', identity),
  fn('singledispatch', identity),
  fn('reduce', (ev, passed) => {
    const [f, source, start] = passed.positional;
    const over = ev.iterate(source);
    if (!over.items) return unknown('folds a sequence of unknown length');
    const items = start ? [start, ...over.items] : over.items;
    return items.length
      ? items.slice(1).reduce((total, v) => ev.callWith(f, total, v), items[0])
      : unknown('folds nothing');
  }),
];

/** All ways to take one of each; bounded. */
/** More are not told apart. */
const MOST_COMBINATIONS = 4096;

function combinations(lists: readonly (readonly Value[])[]): Value[][] {
  return lists.reduce<Value[][]>((rows, items) => rows.flatMap(r => items.map(i => [...r, i])), [[]]);
}

const ITERTOOLS: readonly (readonly [string, Value])[] = [
  fn('chain', (ev, passed) => (passed.open ? unknownMany() : chain(ev, passed.positional))),
  fn('product', (ev, passed) => {
    if (passed.open) return unknownMany();
    const repeat = ev.settled(passed.keywords.get('repeat') ?? int(1));
    if (repeat.kind !== 'int' || !isKnown(repeat.value)) return unknownMany();
    const once = passed.positional.map(p => ev.iterate(p));
    const overs = Array.from({ length: Math.max(0, repeat.value) }, () => once).flat();
    const count = overs.reduce((n, o) => n * (o.items?.length ?? Infinity), 1);
    if (!(count <= MOST_COMBINATIONS))
      return iterator({ items: null, element: tuple(overs.map(o => o.element)), length: anonymous() });
    return iterator(known(combinations(overs.map(o => o.items!)).map(r => tuple(r))));
  }),
  fn('accumulate', (ev, passed) => {
    const over = ev.iterate(need(passed, 0));
    if (!over.items) return iterator({ items: null, element: int(anonymous()), length: over.length });
    const sums: Value[] = [];
    const f = passed.positional[1];
    for (const v of over.items)
      sums.push(
        sums.length ? (f ? ev.callWith(f, sums[sums.length - 1], v) : ev.binary('+', sums[sums.length - 1], v)) : v,
      );
    return iterator(known(sums));
  }),
  fn('count', () => iterator({ items: null, element: int(anonymous()), length: anonymous(1) })),
  fn('repeat', (ev, passed) => {
    const times = passed.positional[1] && numberOf(ev, passed.positional[1]);
    return typeof times === 'number'
      ? iterator(known(Array.from({ length: times }, () => need(passed, 0))))
      : iterator({ items: null, element: need(passed, 0), length: anonymous(1) });
  }),
  fn('islice', (ev, passed) => {
    const over = ev.iterate(need(passed, 0));
    const bounds = passed.positional.slice(1).map(p => numberOf(ev, p));
    if (over.items && !bounds.includes(null)) {
      const [from, to] = bounds.length === 1 ? [0, bounds[0]!] : [bounds[0]!, bounds[1]!];
      return iterator(known(over.items.slice(from, to)));
    }
    return iterator({
      items: null,
      element: over.items?.length ? ev.join(over.items) : over.element,
      length: anonymous(),
    });
  }),
  fn('pairwise', (ev, passed) => {
    const over = ev.iterate(need(passed, 0));
    if (!over.items)
      return iterator({ items: null, element: tuple([over.element, over.element]), length: anonymous() });
    return iterator(known(over.items.slice(1).map((v, i) => tuple([over.items![i], v]))));
  }),
  fn('zip_longest', () => unknown('pads sequences')),
];

/** What several sequences of unknown number give. */
const unknownMany = (): Value =>
  iterator({ items: null, element: unknown('comes from sequences that are not known'), length: anonymous() });

function chain(ev: Evaluator, sources: readonly Value[]): Value {
  const overs = sources.map(s => ev.iterate(s));
  if (overs.every(o => o.items)) return iterator(known(overs.flatMap(o => o.items!)));
  return iterator({ items: null, element: ev.join(overs.flatMap(o => o.items ?? [o.element])), length: anonymous() });
}

const copyValue = (ev: Evaluator, value: Value, deep: boolean, seen = new Map<Value, Value>()): Value => {
  const v = ev.settled(value);
  const before = seen.get(v);
  if (before) return before;
  const inner = (x: Value) => (deep ? copyValue(ev, x, true, seen) : x);
  switch (v.kind) {
    case 'list': {
      const made = v.items ? list(v.items.map(inner)) : openList(inner(v.element!), v.length);
      seen.set(v, made);
      return made;
    }
    case 'tuple':
      return v.items ? tuple(v.items.map(inner), v.fields) : v;
    case 'dict': {
      const made = {
        ...v,
        id: freshId(),
        entries: new Map([...v.entries].map(([k, e]) => [k, { key: e.key, value: inner(e.value) }])),
      };
      return made;
    }
    case 'instance': {
      const made = instance(v.cls, v.origin);
      seen.set(v, made);
      for (const [k, x] of v.attributes) made.attributes.set(k, inner(x));
      made.open = v.open;
      made.native = v.native;
      return made;
    }
    default:
      return v;
  }
};

const COLLECTIONS: readonly (readonly [string, Value])[] = [
  fn('defaultdict', (ev, passed) => {
    const factory = passed.positional[0] ? ev.settled(passed.positional[0]) : NONE;
    return { ...dict(), factory: factory.kind === 'none' ? null : factory };
  }),
  fn('OrderedDict', (ev, passed) => {
    const made = dict();
    const source = passed.positional[0] ? ev.settled(passed.positional[0]) : null;
    if (source?.kind === 'dict') return { ...source, id: made.id, entries: new Map(source.entries) };
    for (const pair of source ? (ev.iterate(source).items ?? []) : []) {
      const both = ev.iterate(pair).items;
      if (both?.length === 2) setKey(ev, made, ev.settled(both[0]), both[1]);
    }
    return made;
  }),
  fn('Counter', () => dict([], int(anonymous()))),
  fn('deque', (ev, passed) => {
    if (!passed.positional[0]) return list([]);
    const over = ev.iterate(passed.positional[0]);
    return over.items ? list(over.items) : openList(over.element, over.length);
  }),
  fn('namedtuple', (ev, passed) => namedTuple(ev, need(passed, 0), need(passed, 1))),
];

function namedTuple(ev: Evaluator, name: Value, fields: Value): Value {
  const n = ev.settled(name);
  const f = ev.settled(fields);
  const names =
    f.kind === 'str' && f.value !== null
      ? f.value.split(/[\s,]+/).filter(Boolean)
      : (ev.iterate(f).items ?? []).flatMap(i => (i.kind === 'str' && i.value ? [i.value] : []));
  return namedTupleClass(n.kind === 'str' && n.value ? n.value : 'namedtuple', names, new Map());
}

// ---- dataclasses, typing, abc, enum, inspect --------------------------------------------------------------------------

const dataclass: Run = (ev, passed) => {
  const options = { keywordOnly: passed.keywords.has('kw_only') && ev.truth(passed.keywords.get('kw_only')!) === true };
  const apply = (v: Value): Value => {
    const cls = ev.settled(v);
    if (cls.kind === 'class') makeDataclass(ev, cls, options);
    return v;
  };
  return passed.positional[0] ? apply(passed.positional[0]) : builtin('dataclass', (_, p) => apply(need(p, 0)));
};

const DATACLASSES: readonly (readonly [string, Value])[] = [
  fn('dataclass', dataclass),
  fn('field', (ev, passed) =>
    fieldMarker({
      default: passed.keywords.get('default'),
      factory: passed.keywords.get('default_factory'),
      init: passed.keywords.has('init') ? ev.truth(passed.keywords.get('init')!) !== false : true,
      keywordOnly: passed.keywords.has('kw_only') ? ev.truth(passed.keywords.get('kw_only')!) === true : false,
    }),
  ),
  fn('fields', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    const cls = v.kind === 'instance' ? v.cls : v.kind === 'class' ? v : null;
    if (!cls?.dataclass) return unknown('lists the fields of an unknown class');
    return tuple(
      cls.dataclass.map(f =>
        namedTupleClass('Field', ['name', 'default', 'type'], new Map()).construct!(
          ev,
          FIELD,
          args([str(f.name), f.default ?? NONE, unknown('is an annotation')]),
        ),
      ),
    );
  }),
  fn('asdict', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    return v.kind === 'instance' && v.cls.dataclass
      ? dict(
          v.cls.dataclass.flatMap(f =>
            v.attributes.has(f.name) ? [[f.name, copyValue(ev, v.attributes.get(f.name)!, true)] as const] : [],
          ),
        )
      : unknown('is a dict of an unknown object');
  }),
  fn('replace', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    if (v.kind !== 'instance') return unknown('replaces fields of an unknown object');
    const made = copyValue(ev, v, false);
    if (made.kind === 'instance') for (const [k, x] of passed.keywords) made.attributes.set(k, x);
    return made;
  }),
  fn('is_dataclass', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    const cls = v.kind === 'instance' ? v.cls : v.kind === 'class' ? v : null;
    return bool(cls ? (cls.dataclass ? true : cls.open ? null : false) : null);
  }),
  ['MISSING', unknown('is dataclasses.MISSING')],
  ['KW_ONLY', unknown('is dataclasses.KW_ONLY')],
];
const FIELD = nativeClass('Field', []);

/** A name of `typing`: as a base class or in an annotation it has no effect. */
const marker = (name: string): readonly [string, Value] => [name, nativeClass(name, [])];
const TYPING: readonly (readonly [string, Value])[] = [
  ...[
    'Generic',
    'Protocol',
    'Any',
    'Optional',
    'Union',
    'List',
    'Dict',
    'Tuple',
    'Set',
    'Callable',
    'Iterable',
    'Iterator',
    'Sequence',
    'Mapping',
    'MutableMapping',
    'Type',
    'Literal',
    'ClassVar',
    'Final',
    'Annotated',
    'Generator',
    'Self',
    'AsyncIterator',
    'AsyncGenerator',
    'Awaitable',
    'Hashable',
    'Deque',
    'DefaultDict',
    'NoReturn',
    'Never',
    'Required',
    'NotRequired',
    'TypeAlias',
    'Text',
    'IO',
    'BinaryIO',
    'SupportsFloat',
    'Collection',
    'Container',
    'FrozenSet',
    'OrderedDict',
    'Counter',
    'ParamSpec',
    'Concatenate',
    'TypeGuard',
    'Unpack',
  ].map(marker),
  ['TYPE_CHECKING', bool(false)],
  fn('TypeVar', () => unknown('is a type variable')),
  fn('TypeVarTuple', () => unknown('is a type variable')),
  fn('NewType', (_, passed) => passed.positional[1] ?? NONE),
  fn('cast', (_, passed) => passed.positional[1] ?? NONE),
  fn('overload', identity),
  fn('final', identity),
  fn('override', identity),
  fn('runtime_checkable', identity),
  fn('no_type_check', identity),
  fn('get_type_hints', () => unknown('reads annotations')),
  fn('get_args', () => unknown('reads annotations')),
  fn('get_origin', () => unknown('reads annotations')),
  ['NamedTuple', nativeClass('NamedTuple', [])],
  ['TypedDict', nativeClass('TypedDict', [])],
];

const INSPECT: readonly (readonly [string, Value])[] = [
  fn('signature', (ev, passed) => {
    const v = ev.settled(need(passed, 0));
    const names = parameterNames(v);
    if (!names) return unknown('is a signature');
    const made = instance(SIGNATURE, ev.origin());
    made.attributes.set('parameters', dict(names.map(n => [n, unknown('is a parameter')] as const)));
    return made;
  }),
  fn('isfunction', (ev, passed) => bool(ev.settled(need(passed, 0)).kind === 'function')),
  fn('isclass', (ev, passed) => bool(ev.settled(need(passed, 0)).kind === 'class')),
];
const SIGNATURE = nativeClass('Signature', []);

/** Parameters of a function, or of a class's `__init__` without self; null when not known. */
function parameterNames(v: Value): readonly string[] | null {
  if (v.kind === 'function') return v.node.params.map(p => p.name);
  if (v.kind === 'method') return parameterNames(v.func)?.slice(1) ?? null;
  if (v.kind !== 'class') return null;
  if (v.dataclass) return v.dataclass.filter(f => f.init).map(f => f.name);
  for (const c of v.mro) {
    const init = c.attributes.get('__init__');
    if (init) return parameterNames(init)?.slice(1) ?? null;
  }
  return v.open ? null : [];
}

// ---- the rest ---------------------------------------------------------------------------------------------------------

const nullContext: Run = (_, passed) => iterator(known([passed.positional[0] ?? NONE]));

/** Modules by name. Every one is open: what it does not list is unknown. */
export function standardLibrary(): Map<string, ModuleValue> {
  const tables: Record<string, readonly (readonly [string, Value])[]> = {
    math: MATH,
    functools: FUNCTOOLS,
    itertools: ITERTOOLS,
    collections: COLLECTIONS,
    'collections.abc': TYPING,
    dataclasses: DATACLASSES,
    typing: TYPING,
    typing_extensions: TYPING,
    inspect: INSPECT,
    copy: [
      fn('copy', (ev, passed) => copyValue(ev, need(passed, 0), false)),
      fn('deepcopy', (ev, passed) => copyValue(ev, need(passed, 0), true)),
    ],
    abc: [
      marker('ABC'),
      marker('ABCMeta'),
      fn('abstractmethod', identity),
      fn('abstractproperty', (_, p) => ({ kind: 'property', get: need(p, 0), set: null })),
    ],
    enum: [
      ...['Enum', 'IntEnum', 'StrEnum', 'Flag', 'IntFlag'].map((name): readonly [string, Value] => [
        name,
        { ...nativeClass(name, []), open: true },
      ]),
      fn('auto', () => int(anonymous())),
    ],
    contextlib: [
      fn('contextmanager', (ev, passed) => {
        const f = ev.settled(need(passed, 0));
        return f.kind === 'function' && f.node.kind === 'FunctionDef' && f.node.isGenerator
          ? { ...f, manages: true }
          : f;
      }),
      fn('nullcontext', nullContext),
      fn('suppress', () => unknown('swallows exceptions')),
      marker('ExitStack'),
    ],
    operator: [
      fn('mul', (ev, passed) => ev.binary('*', need(passed, 0), need(passed, 1))),
      fn('add', (ev, passed) => ev.binary('+', need(passed, 0), need(passed, 1))),
      fn('sub', (ev, passed) => ev.binary('-', need(passed, 0), need(passed, 1))),
      fn('floordiv', (ev, passed) => ev.binary('//', need(passed, 0), need(passed, 1))),
    ],
    types: [
      fn('SimpleNamespace', (ev, passed) => {
        const made = instance(NAMESPACE, ev.origin());
        for (const [k, v] of passed.keywords) made.attributes.set(k, v);
        made.open = passed.open;
        return made;
      }),
    ],
  };
  const modules = new Map<string, ModuleValue>(Object.entries(PATH_MODULES));
  for (const [name, attributes] of Object.entries({ ...tables, ...SERVICES, argparse: ARGPARSE }))
    modules.set(name, module(name, attributes, true));
  return modules;
}
const NAMESPACE = nativeClass('SimpleNamespace', []);
