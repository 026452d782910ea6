/**
 * A module as the dict it is: `self["weight"]`, `"bias" in self`, `items()`.
 */
import { anonymous } from '../../../../engine/src/dims/dim';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  type InstanceValue,
  list,
  NONE,
  openList,
  str,
  tuple,
  unknown,
  type Value,
} from '../../interpreter/values';
import type { Call } from '../define';
import { isMember, moduleEntries } from './membership';
import { moduleMethod } from './methods';
import { oneOf } from './tree';

/** `name in module`; null when it cannot be told. */
export function hasMember(self: InstanceValue, name: string): boolean | null {
  const value = self.attributes.get(name);
  if (value === undefined) return self.open ? null : false;
  return isMember(value);
}

/** `module[name]`, or null where there certainly is none. */
function member(self: InstanceValue, name: string): Value | null {
  const present = hasMember(self, name);
  if (present === false) return null;
  return self.attributes.get(name) ?? unknown(`whether ${self.cls.name} has a member ${name} is not known`);
}

function knownKey(c: Call, name: string): string {
  const key = c.value(name);
  if (key.kind === 'str' && key.value !== null) return key.value;
  throw new Unknowable('the key is not known');
}

const isKnownKey = (c: Call): boolean => {
  const key = c.value('key');
  return key.kind === 'str' && key.value !== null;
};

const noSuchMember = (self: InstanceValue, name: string): Refusal =>
  new Refusal('attribute', `${self.cls.name} has no member ${name}`, { name, layer: self }, 'KeyError');

/** The entries as a list; one of unknown length when the module may have others. */
function entryList(c: Call, self: InstanceValue, entry: (name: string, value: Value) => Value): Value {
  const { entries, open } = moduleEntries(self);
  const items = entries.map(([name, value]) => entry(name, value));
  return open ? openList(oneOf(c.interpreter, items), anonymous(items.length)) : list(items);
}

export const dictMethods: readonly BuiltinValue[] = [
  moduleMethod('Module.__getitem__(key)', (c, self) => {
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value === null) throw noSuchMember(self, key);
    return value;
  }),
  moduleMethod('Module.__setitem__(key, value)', (c, self) => {
    if (!isKnownKey(c)) c.interpreter.heap.openInstance(self);
    c.interpreter.heap.set(self.attributes, knownKey(c, 'key'), c.value('value'));
    return NONE;
  }),
  moduleMethod('Module.__delitem__(key)', (c, self) => {
    const key = knownKey(c, 'key');
    if (hasMember(self, key) === false) throw noSuchMember(self, key);
    c.interpreter.heap.set(self.attributes, key, undefined);
    return NONE;
  }),
  moduleMethod('Module.__contains__(key)', (c, self) => bool(hasMember(self, knownKey(c, 'key')))),
  moduleMethod('Module.__len__()', (_c, self) => {
    const { entries, open } = moduleEntries(self);
    if (open) throw new Unknowable('the module may have other members');
    return { kind: 'int', value: entries.length };
  }),
  moduleMethod('Module.__iter__()', (c, self) => entryList(c, self, str)),
  moduleMethod('Module.get(key, default=None, /)', (c, self) => member(self, knownKey(c, 'key')) ?? c.value('default')),
  moduleMethod('Module.keys()', (c, self) => entryList(c, self, str)),
  moduleMethod('Module.values()', (c, self) => entryList(c, self, (_name, value) => value)),
  moduleMethod('Module.items()', (c, self) => entryList(c, self, (name, value) => tuple([str(name), value]))),
  moduleMethod('Module.pop(key, default=None, /)', (c, self) => {
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value === null && !c.given.has('default')) throw noSuchMember(self, key);
    if (value !== null) c.interpreter.heap.set(self.attributes, key, undefined);
    return value ?? c.value('default');
  }),
  moduleMethod('Module.setdefault(key, default=None, /)', (c, self) => {
    if (!isKnownKey(c)) c.interpreter.heap.openInstance(self);
    const key = knownKey(c, 'key');
    const value = member(self, key);
    if (value !== null) return value;
    c.interpreter.heap.set(self.attributes, key, c.value('default'));
    return c.value('default');
  }),
  ...['copy', 'clear', 'popitem'].map(name =>
    moduleMethod(`Module.${name}()`, (c, self) => {
      c.interpreter.heap.openInstance(self);
      throw new Unknowable(`${name} of a module is not followed`);
    }),
  ),
];
