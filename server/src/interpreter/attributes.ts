/** Reading and writing attributes of every kind of value. */
import { typeMethod } from './builtins/types';
import type { Evaluator } from './evaluator';
import { onGuess } from './guess';
import { args } from './interpreter';
import { classOfTuple } from './named-tuples';
import {
  type ClassValue,
  dict,
  type InstanceValue,
  instance,
  NONE,
  nativeClass,
  str,
  tuple,
  unknown,
  type Value,
} from './values';

/** The attribute as the class and its bases have it. */
export function lookupClass(cls: ClassValue, name: string): Value | null {
  for (const c of cls.mro) {
    const v = c.attributes.get(name);
    if (v) return v;
  }
  return null;
}

/** Makes what a class holds into what reading it through `self` gives. */
function bind(ev: Evaluator, found: Value, self: Value, cls: ClassValue): Value {
  const v = ev.settled(found);
  switch (v.kind) {
    case 'function':
    case 'builtin':
      return { kind: 'method', self, func: v };
    case 'classmethod':
      return v.func.kind === 'function' || v.func.kind === 'builtin'
        ? { kind: 'method', self: cls, func: v.func }
        : v.func;
    case 'staticmethod':
      return v.func;
    case 'property':
      return ev.call(v.get, args([self]));
    case 'unknown':
      ev.escape([self]); // as a method it may do anything
      return found;
    default:
      return found;
  }
}

export function getAttribute(ev: Evaluator, value: Value, name: string): Value | null {
  let v = ev.settled(value);
  if (v.kind === 'parameter' && ARRAY_ONLY.has(name)) v = ev.settleAs(v, 'array');
  switch (v.kind) {
    case 'instance':
      return instanceAttribute(ev, v, name);
    case 'class':
      return classAttribute(ev, v, name);
    case 'module': {
      const own = v.attributes.get(name);
      if (own) return own;
      const inner = ev.importModule(`${v.name}.${name}`, 0, v);
      return inner ?? (v.open ? unknown(`${v.name} is not in reach`) : null);
    }
    case 'super': {
      const self = ev.settled(v.self);
      const cls = self.kind === 'instance' ? self.cls : self.kind === 'class' ? self : null;
      if (!cls) return unknown('super() of an unknown object');
      for (const c of cls.mro.slice(cls.mro.indexOf(v.after) + 1)) {
        const found = c.attributes.get(name);
        if (found) return bind(ev, found, self, cls);
      }
      if (name === '__init__' || name === '__init_subclass__' || name === '__post_init__')
        return { kind: 'builtin', name, signature: null, call: () => NONE };
      return cls.open ? unknown('comes from a base class out of reach') : null;
    }
    case 'array': {
      const read = () => ev.arrayType.getAttribute?.(ev, v, name) ?? null;
      return v.guessed ? onGuess(read) : read();
    }
    case 'native':
      return v.type.getAttribute?.(ev, v, name) ?? null;
    case 'function':
      if (name === '__name__') return str(v.name);
      return v.attributes.get(name) ?? null;
    case 'method':
      if (name === '__self__') return v.self;
      return getAttribute(ev, v.func, name);
    case 'builtin':
      if (name === '__name__') return str(v.name.split('.').pop()!);
      return v.attributes?.get(name) ?? null;
    case 'property':
      // @x.setter and @x.deleter answer the property itself, extended.
      if (name === 'setter')
        return {
          kind: 'builtin',
          name,
          signature: null,
          call: (_, passed) => ({ kind: 'property', get: v.get, set: passed.positional[0] ?? null }),
        };
      if (name === 'getter' || name === 'deleter') return { kind: 'builtin', name, signature: null, call: () => v };
      return null;
    case 'union': {
      const found = v.options.filter(o => o.kind !== 'none').map(o => getAttribute(ev, o, name));
      const present = found.filter(f => f !== null);
      return present.length ? ev.join(present) : null;
    }
    case 'unknown':
      return conventional(ev, name, 'it') ?? unknown(v.reason);
    case 'parameter':
      return conventional(ev, name, v.name) ?? unknown(`${v.name} is a parameter nothing is known of`);
    case 'tuple': {
      const field = v.fields?.indexOf(name) ?? -1;
      if (field >= 0 && v.items) return v.items[field];
      const cls = classOfTuple(v);
      const found = cls && lookupClass(cls, name);
      return found ? bind(ev, found, v, cls) : typeMethod(ev, v, name);
    }
    default:
      return typeMethod(ev, v, name);
  }
}

/** A method that code counts on by its name alone; a guess for readers, which proves nothing. */
const conventional = (ev: Evaluator, name: string, owner: string): Value | null =>
  ev.followsAll ? null : (ev.host.conventionalMethod?.(name, owner) ?? null);

/** Attributes that only arrays have: reading one tells what a parameter is. */
const ARRAY_ONLY = new Set([
  'shape',
  'ndim',
  'dtype',
  'astype',
  'reshape',
  'transpose',
  'swapaxes',
  'moveaxis',
  'squeeze',
  'flatten',
  'T',
  'argmax',
  'argmin',
  'mean',
  'logsumexp',
  'cumsum',
  'tolist',
  'nbytes',
]);

function instanceAttribute(ev: Evaluator, v: InstanceValue, name: string): Value | null {
  const found = lookupClass(v.cls, name);
  if (found?.kind === 'property') return bind(ev, found, v, v.cls);
  const own = v.attributes.get(name);
  // Under a condition that nothing decides, the default that made it need not hold.
  if (own && ev.doubts > 0 && ev.usualPlaces.has(v.attributes, name)) return unknown(`${name} depends on a default`);
  if (own) return own;
  if (found) return bind(ev, found, v, v.cls);
  if (name === '__class__') return v.cls;
  if (name === '__dict__') {
    ev.escape([v]);
    return dict(v.attributes);
  }
  const fallback = lookupClass(v.cls, '__getattr__');
  if (fallback?.kind === 'function') return ev.call(fallback, args([v, str(name)]));
  if (v.open || v.cls.open) return unknown(`${v.cls.name} has parts that are out of reach`);
  const unusual = ev.unusual.get(v.attributes, name);
  if (unusual) ev.usualReads++;
  return unusual ?? null;
}

const FIELD = nativeClass('Field', []);

/** One of `__dataclass_fields__`, as far as its name. */
function fieldValue(name: string): Value {
  const made = instance(FIELD, null);
  made.attributes.set('name', str(name));
  made.open = true;
  return made;
}

function classAttribute(ev: Evaluator, cls: ClassValue, name: string): Value | null {
  const found = lookupClass(cls, name);
  if (found) {
    if (found.kind === 'classmethod' || found.kind === 'staticmethod') return bind(ev, found, cls, cls);
    return found;
  }
  if (name === '__name__' || name === '__qualname__') return str(cls.name);
  if (name === '__mro__') return tuple(cls.mro);
  if (name === '__dict__') return dict(cls.attributes);
  if (name === '__dataclass_fields__' && cls.dataclass)
    return dict(cls.dataclass.map(f => [f.name, fieldValue(f.name)] as const));
  if (name === '__annotations__' && cls.dataclass)
    return dict(cls.dataclass.map(f => [f.name, unknown('is an annotation')] as const));
  return cls.open ? unknown(`${cls.name} has a base out of reach`) : null;
}

export function setAttribute(ev: Evaluator, value: Value, name: string, to: Value): void {
  const v = ev.settled(value);
  switch (v.kind) {
    case 'instance': {
      const found = lookupClass(v.cls, name);
      if (found?.kind === 'property') {
        if (found.set) ev.call(found.set, args([v, to]));
        return;
      }
      const hook = lookupClass(v.cls, '__setattr__');
      if (hook && (hook.kind === 'builtin' || hook.kind === 'function')) {
        ev.call(hook, args([v, str(name), to]));
        return;
      }
      ev.heap.set(v.attributes, name, to);
      return;
    }
    case 'class':
    case 'module':
    case 'function':
      ev.heap.set(v.attributes, name, to);
      return;
    case 'native':
      v.type.setAttribute?.(ev, v, name, to);
      return;
    case 'super':
      setAttribute(ev, v.self, name, to);
      return;
    case 'union':
      for (const o of v.options) setAttribute(ev, o, name, ev.join([getAttribute(ev, o, name) ?? to, to]));
      return;
    default:
      return;
  }
}
