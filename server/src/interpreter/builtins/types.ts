/**
 * Methods of Python's own types: one table a type, each method a function of the value and its arguments.
 */
import { anonymous, isKnown } from '../../../../engine/src/dims/dim';
import { equal } from '../comparison';
import type { Evaluator } from '../evaluator';
import { dictOf } from '../expressions';
import { setKey } from '../subscripts';
import {
  type Arguments,
  bool,
  type DictValue,
  dict,
  freshId,
  int,
  iterator,
  keyOf,
  type ListValue,
  list,
  NONE,
  openList,
  openTuple,
  type SetValue,
  set,
  setOfValues,
  str,
  tuple,
  unknown,
  type Value,
} from '../values';
import { type Method, STR } from './strings';

const first = (passed: Arguments): Value | undefined => passed.positional[0];
const joined = (ev: Evaluator, values: readonly Value[], why = 'nothing is there'): Value =>
  values.length ? ev.join(values) : unknown(why);

// ---- list -------------------------------------------------------------------------------------------------------------

/** Makes a list one of unknown contents that may hold `extra` too. */
function loosen(ev: Evaluator, self: ListValue, extra: readonly Value[] = []): void {
  const parts = [...(self.items ?? [self.element!]), ...extra];
  ev.heap.openList(self, joined(ev, parts), anonymous());
}

const LIST: Record<string, Method<ListValue>> = {
  append: (ev, self, passed) => {
    const item = first(passed) ?? NONE;
    if (self.items) ev.heap.append(self, item);
    else loosen(ev, self, [item]);
    return NONE;
  },
  extend: (ev, self, passed) => {
    const over = ev.iterate(first(passed) ?? NONE);
    if (self.items && over.items) ev.heap.setItems(self, [...self.items, ...over.items]);
    else loosen(ev, self, over.items ?? [over.element]);
    return NONE;
  },
  insert: (ev, self, passed) => {
    const at = ev.settled(passed.positional[0] ?? NONE);
    const item = passed.positional[1] ?? NONE;
    if (self.items && at.kind === 'int' && isKnown(at.value)) {
      const items = [...self.items];
      items.splice(at.value < 0 ? Math.max(0, at.value + items.length) : at.value, 0, item);
      ev.heap.setItems(self, items);
    } else loosen(ev, self, [item]);
    return NONE;
  },
  pop: (ev, self, passed) => {
    const arg = first(passed);
    const at = arg ? ev.settled(arg) : int(-1);
    if (!self.items) return self.element!;
    if (at.kind !== 'int' || !isKnown(at.value)) {
      const any = joined(ev, self.items);
      loosen(ev, self);
      return any;
    }
    const k = at.value < 0 ? at.value + self.items.length : at.value;
    const item = self.items[k];
    if (!item) return ev.raised('IndexError', 'pops what is not there');
    ev.heap.setItems(self, self.items.toSpliced(k, 1));
    return item;
  },
  remove: (ev, self, passed) => {
    const at = ev.settled(indexOf(ev, self.items, first(passed)));
    if (self.items && at.kind === 'int' && isKnown(at.value)) ev.heap.setItems(self, self.items.toSpliced(at.value, 1));
    else if (at.kind === 'int') loosen(ev, self);
    return NONE;
  },
  clear: (ev, self) => {
    ev.heap.setItems(self, []);
    return NONE;
  },
  reverse: (ev, self) => {
    if (self.items) ev.heap.setItems(self, self.items.toReversed());
    return NONE;
  },
  sort: (ev, self, passed) => {
    const { items } = self;
    if (!items || items.length < 2) return NONE;
    const order = sortedOrder(ev, items, passed);
    ev.heap.setItems(self, order ? order.map(i => items[i]) : items.map(() => joined(ev, items)));
    return NONE;
  },
  copy: (_, self) => (self.items ? list(self.items) : openList(self.element!, self.length)),
  index: (ev, self, passed) => indexOf(ev, passed.positional.length > 1 ? null : self.items, first(passed)),
  count: (ev, self, passed) => countOf(ev, self.items, first(passed)),
};

/** Items that are put in order one by one. */
const MOST_COMPARED = 64;

/**
 * The places of items in the order that `sorted` and `list.sort` put them, by `key` and `reverse`; null where values
 * decide that are not known.
 */
export function sortedOrder(ev: Evaluator, items: readonly Value[], { keywords }: Arguments): number[] | null {
  const key = keywords.get('key');
  const keyed = key && ev.settled(key).kind !== 'none' ? key : null;
  const keys = items.map(v => ev.settled(keyed ? ev.callWith(keyed, v) : v));
  const reversed = keywords.has('reverse') ? ev.truth(keywords.get('reverse')!) : false;
  if (reversed === null || keys.some(k => k.kind === 'array' || k.kind === 'instance')) return null;
  const plain = plainKeys(keys);
  if (plain) {
    const sign = reversed ? -1 : 1;
    return [...keys.keys()].sort((i, j) => (plain[i] < plain[j] ? -sign : plain[i] > plain[j] ? sign : i - j));
  }
  if (keys.length > MOST_COMPARED) return null;
  const before = (i: number, j: number): boolean | null => ev.truth(ev.compare('<', keys[i], keys[j]));
  const order: number[] = [];
  for (const i of keys.keys()) {
    // Equal ones keep their order, in reverse as well.
    let at = order.length;
    while (at > 0) {
      const goesBefore = reversed ? before(order[at - 1], i) : before(i, order[at - 1]);
      if (goesBefore === null) return null;
      if (!goesBefore) break;
      at--;
    }
    order.splice(at, 0, i);
  }
  return order;
}

/** Keys that JavaScript orders as Python does: numbers, or texts; null for others. */
function plainKeys(keys: readonly Value[]): readonly (number | string)[] | null {
  const plain = keys.map(k =>
    k.kind === 'int' && isKnown(k.value) ? k.value : k.kind === 'float' || k.kind === 'str' ? k.value : null,
  );
  const isText = typeof plain[0] === 'string';
  return plain.every(k => k !== null && !Number.isNaN(k) && (typeof k === 'string') === isText)
    ? (plain as (number | string)[])
    : null;
}

function countOf(ev: Evaluator, items: readonly Value[] | null, item: Value | undefined): Value {
  const answers = items && item ? items.map(v => equal(ev, v, item)) : [null];
  return int(answers.includes(null) ? anonymous() : answers.filter(Boolean).length);
}

function indexOf(ev: Evaluator, items: readonly Value[] | null, item: Value | undefined): Value {
  if (!items || !item) return int(anonymous());
  for (const [i, v] of items.entries()) {
    const answer = equal(ev, v, item);
    if (answer === true) return int(i);
    if (answer === null) return int(anonymous());
  }
  return ev.raised('ValueError', 'is not in the sequence');
}

const TUPLE: Record<string, Method> = {
  index: (ev, self, passed) =>
    indexOf(ev, self.kind === 'tuple' && passed.positional.length < 2 ? self.items : null, first(passed)),
  count: (ev, self, passed) => countOf(ev, self.kind === 'tuple' ? self.items : null, first(passed)),
  _replace: (_, self, passed) =>
    self.kind === 'tuple' && self.items && self.fields
      ? tuple(
          self.items.map((v, i) => passed.keywords.get(self.fields![i]) ?? v),
          self.fields,
        )
      : unknown('is a tuple of unknown fields'),
  _asdict: (_, self) =>
    self.kind === 'tuple' && self.items && self.fields
      ? dict(self.fields.map((f, i) => [f, self.items![i]] as const))
      : unknown('is a tuple of unknown fields'),
};

// ---- dict -------------------------------------------------------------------------------------------------------------

/** What a key may be worth: the entry, any entry, or null when it is certainly absent. */
function entryOf(ev: Evaluator, self: DictValue, key: Value | undefined): { value: Value; certain: boolean } | null {
  const id = key ? keyOf(ev.settled(key)) : null;
  if (id !== null) {
    const entry = self.entries.get(id);
    if (entry) return { value: entry.value, certain: true };
    const at = ev.settled(key!);
    // Of a dict that anything may have filled, entries under different keys are different things.
    if (self.rest?.kind === 'parameter' && at.kind === 'str' && at.value !== null)
      return { value: { kind: 'parameter', name: at.value, settled: null }, certain: false };
    return self.rest ? { value: self.rest, certain: false } : null;
  }
  const all = [...[...self.entries.values()].map(e => e.value), ...(self.rest ? [self.rest] : [])];
  return all.length ? { value: ev.join(all), certain: false } : null;
}

const DICT: Record<string, Method<DictValue>> = {
  get: (ev, self, passed) => {
    const fallback = passed.positional[1] ?? passed.keywords.get('default') ?? NONE;
    const found = entryOf(ev, self, first(passed));
    return !found ? fallback : found.certain ? found.value : ev.join([found.value, fallback]);
  },
  pop: (ev, self, passed) => {
    const found = entryOf(ev, self, first(passed));
    const id = first(passed) ? keyOf(ev.settled(first(passed)!)) : null;
    if (id !== null && self.entries.has(id)) ev.heap.setDictEntry(self, id, undefined);
    const fallback = passed.positional[1];
    if (!found) return fallback ?? ev.raised('KeyError', 'is not a key of the dict');
    return found.certain || !fallback ? found.value : ev.join([found.value, fallback]);
  },
  setdefault: (ev, self, passed) => {
    const key = ev.settled(first(passed) ?? NONE);
    const found = entryOf(ev, self, key);
    if (found?.certain) return found.value;
    const value = passed.positional[1] ?? NONE;
    setKey(ev, self, key, found ? ev.join([found.value, value]) : value);
    return found ? ev.join([found.value, value]) : value;
  },
  keys: (ev, self) => iterator(ev.iterate(self)),
  values: (ev, self) => {
    const values = [...self.entries.values()].map(e => e.value);
    if (!self.rest) return iterator({ items: values, element: unknown('is a value of a dict'), length: values.length });
    return iterator({ items: null, element: ev.join([...values, self.rest]), length: anonymous() });
  },
  items: (ev, self) => {
    const pairs = [...self.entries.values()].map(e => tuple([e.key, e.value]));
    if (!self.rest) return iterator({ items: pairs, element: unknown('is an item of a dict'), length: pairs.length });
    const any = tuple([str(null), ev.join([...[...self.entries.values()].map(e => e.value), self.rest])]);
    return iterator({ items: null, element: any, length: anonymous() });
  },
  update: (ev, self, passed) => {
    const arg = first(passed);
    if (arg) {
      const other = ev.settled(arg);
      const from = other.kind === 'dict' ? other : dictOf(ev, ev.iterate(other));
      if (from.kind === 'dict') {
        for (const e of from.entries.values()) setKey(ev, self, e.key, e.value);
        if (from.rest) ev.heap.setDictRest(self, self.rest ? ev.join([self.rest, from.rest]) : from.rest);
      }
    }
    for (const [name, v] of passed.keywords) setKey(ev, self, str(name), v);
    return NONE;
  },
  copy: (_, self) => ({ ...self, id: freshId(), entries: new Map(self.entries) }),
  clear: (ev, self) => {
    for (const key of [...self.entries.keys()]) ev.heap.setDictEntry(self, key, undefined);
    ev.heap.setDictRest(self, null);
    return NONE;
  },
  popitem: () => unknown('is an item of a dict'),
};

// ---- set --------------------------------------------------------------------------------------------------------------

const SET: Record<string, Method<SetValue>> = {
  add: (ev, self, passed) => {
    const item = first(passed) ?? NONE;
    const key = keyOf(ev.settled(item));
    if (key !== null) ev.heap.setMember(self, key, item);
    else ev.heap.openSet(self);
    return NONE;
  },
  update: (ev, self, passed) => {
    for (const arg of passed.positional) {
      const over = ev.iterate(arg);
      for (const item of over.items ?? []) {
        const key = keyOf(ev.settled(item));
        if (key !== null) ev.heap.setMember(self, key, item);
        else ev.heap.openSet(self);
      }
      if (!over.items) ev.heap.openSet(self);
    }
    return NONE;
  },
  discard: (ev, self, passed) => {
    const key = first(passed) ? keyOf(ev.settled(first(passed)!)) : null;
    if (key !== null) ev.heap.setMember(self, key, undefined);
    return NONE;
  },
  copy: (_, self) => set(self.entries, self.open),
  union: (ev, self, passed) => combine(ev, '|', self, passed),
  intersection: (ev, self, passed) => combine(ev, '&', self, passed),
  difference: (ev, self, passed) => combine(ev, '-', self, passed),
  issubset: () => bool(null),
  issuperset: () => bool(null),
};
SET.remove = SET.discard;

function combine(ev: Evaluator, op: string, self: SetValue, passed: Arguments): Value {
  const other = first(passed);
  if (!other) return self;
  return ev.binary(op, self, setOf(ev, other));
}

/** A set of what a value iterates over. */
export function setOf(ev: Evaluator, value: Value): SetValue {
  const over = ev.iterate(value);
  return setOfValues(over.items?.map(v => ev.settled(v)) ?? [], !over.items);
}

// ---- numbers ----------------------------------------------------------------------------------------------------------

const INT: Record<string, Method> = {
  bit_length: (_, self) =>
    int(
      self.kind === 'int' && isKnown(self.value)
        ? Math.abs(self.value).toString(2).length - Number(self.value === 0)
        : anonymous(),
    ),
  is_integer: () => bool(true),
};
const FLOAT: Record<string, Method> = {
  is_integer: (_, self) => bool(self.kind === 'float' && self.value !== null ? Number.isInteger(self.value) : null),
};

const METHODS: Partial<Record<Value['kind'], Record<string, Method<never>>>> = {
  str: STR,
  list: LIST,
  tuple: TUPLE,
  dict: DICT,
  set: SET,
  int: INT,
  bool: INT,
  float: FLOAT,
};

/** A method of a builtin type bound to its value; null when the type has none of that name. */
export function typeMethod(_: Evaluator, value: Value, name: string): Value | null {
  const table = METHODS[value.kind];
  const method = table && Object.hasOwn(table, name) ? (table[name] as Method) : undefined;
  if (method)
    return { kind: 'builtin', name, signature: null, call: (ev, passed) => method(ev as Evaluator, value, passed) };
  if (value.kind === 'int' && (name === 'real' || name === 'numerator')) return value;
  if (value.kind === 'slice' && (name === 'start' || name === 'stop' || name === 'step'))
    return value[name === 'start' ? 'lower' : name === 'stop' ? 'upper' : 'step'];
  if (value.kind === 'range' && (name === 'start' || name === 'stop' || name === 'step')) return int(value[name]);
  if (table && !name.startsWith('__')) return null;
  return value.kind === 'none' || value.kind === 'tuple' || value.kind === 'list'
    ? null
    : unknown(`${name} of a ${value.kind}`);
}

/** Builtin types as constructors use these. */
export const asTuple = (ev: Evaluator, v: Value): Value => {
  const s = ev.settled(v);
  if (s.kind === 'tuple') return s;
  const over = ev.iterate(s);
  // A copy: what a list holds grows in place.
  return over.items ? tuple([...over.items]) : openTuple(over.element, over.length);
};
export const asList = (ev: Evaluator, v: Value): Value => {
  const over = ev.iterate(v);
  return over.items ? list(over.items) : openList(over.element, over.length);
};
