/**
 * Methods of Python's own types: one table a type, each method a function of the value and its arguments.
 */
import { anonymous, isKnown } from '../../../../engine/src/dims/dim';
import type { Evaluator } from '../evaluator';
import { dictOf } from '../expressions';
import { equal } from '../operators';
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

type Method<V extends Value = Value> = (ev: Evaluator, self: V, passed: Arguments) => Value;

const first = (passed: Arguments): Value | undefined => passed.positional[0];
const joined = (ev: Evaluator, values: readonly Value[], why = 'nothing is there'): Value =>
  values.length ? ev.join(values) : unknown(why);

/** The known text of an argument; null otherwise. */
function text(ev: Evaluator, v: Value | undefined): string | null {
  const s = v && ev.settled(v);
  return s?.kind === 'str' ? s.value : null;
}

// ---- str --------------------------------------------------------------------------------------------------------------

/** A method from text (and text arguments) to text, a flag or a number. */
const onText =
  (run: (s: string, ...parts: string[]) => string | boolean | number | null): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const parts = passed.positional.map(p => text(ev, p));
    const known = s !== null && !parts.includes(null);
    const probe = run(known ? s : '', ...((known ? parts : parts.map(() => '')) as string[]));
    if (typeof probe === 'boolean') return bool(known ? probe : null);
    if (typeof probe === 'number') return int(known ? probe : anonymous());
    return str(known ? probe : null);
  };

const affix =
  (test: (s: string, part: string) => boolean): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const arg = first(passed);
    const options = arg && ev.settled(arg).kind === 'tuple' ? (ev.iterate(arg).items ?? []) : arg ? [arg] : [];
    const answers = options.map(o => {
      const part = text(ev, o);
      return s === null || part === null ? null : test(s, part);
    });
    return bool(answers.includes(true) ? true : answers.includes(null) || answers.length === 0 ? null : false);
  };

const splitting =
  (run: (s: string, by: string | null, most: number) => string[]): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const by = first(passed);
    const separator = by && ev.settled(by).kind !== 'none' ? text(ev, by) : null;
    const most = passed.positional[1] ?? passed.keywords.get('maxsplit');
    const limit = most && ev.settled(most);
    if (s === null || (by && ev.settled(by).kind === 'str' && separator === null))
      return openList(str(null), anonymous(1));
    return list(run(s, separator, limit?.kind === 'int' && isKnown(limit.value) ? limit.value : -1).map(str));
  };

function split(s: string, by: string | null, most: number): string[] {
  const parts = by === null ? s.trim().split(/\s+/).filter(Boolean) : s.split(by);
  if (most < 0 || parts.length <= most + 1) return parts;
  const glue = by ?? ' ';
  return [...parts.slice(0, most), parts.slice(most).join(glue)];
}

function rsplit(s: string, by: string | null, most: number): string[] {
  const parts = split(s, by, -1);
  if (most < 0 || parts.length <= most + 1) return parts;
  const cut = parts.length - most;
  return [parts.slice(0, cut).join(by ?? ' '), ...parts.slice(cut)];
}

const trim = (s: string, chars: string | undefined, left: boolean, right: boolean): string => {
  const drop = (c: string) => (chars === undefined ? /\s/.test(c) : chars.includes(c));
  let [from, to] = [0, s.length];
  if (left) while (from < to && drop(s[from])) from++;
  if (right) while (to > from && drop(s[to - 1])) to--;
  return s.slice(from, to);
};

const STR: Record<string, Method> = {
  lower: onText(s => s.toLowerCase()),
  upper: onText(s => s.toUpperCase()),
  capitalize: onText(s => s.charAt(0).toUpperCase() + s.slice(1).toLowerCase()),
  title: onText(s => s.replace(/\w+/g, w => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase())),
  strip: onText((s, c) => trim(s, c, true, true)),
  lstrip: onText((s, c) => trim(s, c, true, false)),
  rstrip: onText((s, c) => trim(s, c, false, true)),
  removeprefix: onText((s, p) => (s.startsWith(p) ? s.slice(p.length) : s)),
  removesuffix: onText((s, p) => (p && s.endsWith(p) ? s.slice(0, -p.length) : s)),
  startswith: affix((s, p) => s.startsWith(p)),
  endswith: affix((s, p) => s.endsWith(p)),
  isdigit: onText(s => /^\d+$/.test(s)),
  isalpha: onText(s => /^\p{L}+$/u.test(s)),
  isidentifier: onText(s => /^[\p{L}_][\p{L}\d_]*$/u.test(s)),
  find: onText((s, p) => s.indexOf(p)),
  rfind: onText((s, p) => s.lastIndexOf(p)),
  count: onText((s, p) => s.split(p).length - 1),
  encode: () => ({ kind: 'bytes' }),
  split: splitting(split),
  rsplit: splitting(rsplit),
  splitlines: splitting(s => s.split(/\r\n|\r|\n/)),
  partition: (ev, self, passed) => {
    const [s, p] = [text(ev, self), text(ev, first(passed))];
    if (s === null || p === null) return tuple([str(null), str(null), str(null)]);
    const at = s.indexOf(p);
    return tuple((at < 0 ? [s, '', ''] : [s.slice(0, at), p, s.slice(at + p.length)]).map(str));
  },
  rpartition: (ev, self, passed) => {
    const [s, p] = [text(ev, self), text(ev, first(passed))];
    if (s === null || p === null) return tuple([str(null), str(null), str(null)]);
    const at = s.lastIndexOf(p);
    return tuple((at < 0 ? ['', '', s] : [s.slice(0, at), p, s.slice(at + p.length)]).map(str));
  },
  replace: (ev, self, passed) => {
    const [s, a, b] = [text(ev, self), text(ev, passed.positional[0]), text(ev, passed.positional[1])];
    return str(s === null || a === null || b === null || passed.positional.length > 2 ? null : s.split(a).join(b));
  },
  join: (ev, self, passed) => {
    const glue = text(ev, self);
    const over = first(passed) && ev.iterate(first(passed)!);
    const parts = over?.items?.map(i => text(ev, i));
    return str(glue !== null && parts && !parts.includes(null) ? parts.join(glue) : null);
  },
  format: (ev, self, passed) => {
    const s = text(ev, self);
    if (s === null || /\{[^}]*[:!.[]/.test(s)) return str(null);
    let next = 0;
    let known = true;
    const filled = s.replace(/\{(\w*)\}/g, (_, name: string) => {
      const v =
        name === ''
          ? passed.positional[next++]
          : /^\d+$/.test(name)
            ? passed.positional[Number(name)]
            : passed.keywords.get(name);
      const shown = v ? ev.format(v) : null;
      if (shown === null) known = false;
      return shown ?? '';
    });
    return str(known ? filled : null);
  },
};

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
    if (!item) return unknown('pops from an empty list');
    ev.heap.setItems(self, self.items.toSpliced(k, 1));
    return item;
  },
  remove: (ev, self) => {
    loosen(ev, self);
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
  sort: (ev, self) => {
    if (self.items && self.items.length > 1)
      ev.heap.setItems(
        self,
        self.items.map(() => joined(ev, self.items!)),
      );
    return NONE;
  },
  copy: (_, self) => (self.items ? list(self.items) : openList(self.element!, self.length)),
  index: (ev, self, passed) => indexOf(ev, self.items, first(passed)),
  count: () => int(anonymous()),
};

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
  index: (ev, self, passed) => indexOf(ev, self.kind === 'tuple' ? self.items : null, first(passed)),
  count: () => int(anonymous()),
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
    if (!found) return fallback ?? unknown('is not a key of the dict');
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
