/** `isinstance`: of what builtin kinds of values are instances, and what only their methods tell. */
import { lookupClass } from './attributes';
import type { Evaluator } from './evaluator';
import { classOfTuple } from './named-tuples';
import type { ClassValue, InstanceValue, Value } from './values';

const COLLECTION = ['Sized', 'Iterable', 'Container', 'Collection'];
const SEQUENCE = ['Sequence', 'Reversible', ...COLLECTION];
const NUMBER = ['Number', 'Complex', 'Hashable'];
const CALLABLE = ['Callable', 'Hashable'];

/** The classes that each kind of value is an instance of, by name, `object` apart. */
const CLASSES: Partial<Record<Value['kind'], readonly string[]>> = {
  none: ['NoneType', 'Hashable'],
  bool: ['bool', 'int', 'Integral', 'Rational', 'Real', ...NUMBER],
  int: ['int', 'Integral', 'Rational', 'Real', ...NUMBER],
  float: ['float', 'Real', ...NUMBER],
  complex: ['complex', ...NUMBER],
  str: ['str', 'Text', 'Hashable', ...SEQUENCE],
  bytes: ['bytes', 'Hashable', ...SEQUENCE],
  tuple: ['tuple', 'Tuple', 'Hashable', ...SEQUENCE],
  list: ['list', 'List', 'MutableSequence', ...SEQUENCE],
  dict: ['dict', 'Dict', 'Mapping', 'MutableMapping', 'Reversible', ...COLLECTION],
  set: ['set', 'Set', 'MutableSet', 'AbstractSet', ...COLLECTION],
  range: ['range', 'Hashable', ...SEQUENCE],
  slice: ['slice'],
  iterator: ['Iterator', 'Iterable'],
  function: ['FunctionType', 'LambdaType', ...CALLABLE],
  method: ['MethodType', ...CALLABLE],
  builtin: CALLABLE,
  class: ['type', 'Type', ...CALLABLE],
  module: ['ModuleType', 'Hashable'],
};

/** Classes that are told apart at run time and are one kind here. */
const ALSO: Partial<Record<Value['kind'], readonly string[]>> = {
  list: ['deque', 'Deque'],
  dict: ['defaultdict', 'DefaultDict', 'OrderedDict', 'Counter'],
  set: ['frozenset', 'FrozenSet'],
  iterator: ['Generator', 'Sized'],
  builtin: ['FunctionType', 'LambdaType', 'MethodType', 'partial'],
};

/** Classes of which everything is an instance that has these methods. */
const STRUCTURAL: Readonly<Record<string, readonly string[]>> = {
  Callable: ['__call__'],
  Iterable: ['__iter__'],
  Iterator: ['__iter__', '__next__'],
  Sized: ['__len__'],
  Container: ['__contains__'],
  Collection: ['__len__', '__iter__', '__contains__'],
  Hashable: [],
};

/** true, false, or null where it is not known. */
export function isInstance(ev: Evaluator, value: Value, cls: ClassValue): boolean | null {
  const v = ev.settled(value);
  if (v.kind === 'unknown' || v.kind === 'parameter') return null;
  if (isNative(cls) && cls.name === 'object') return true;
  switch (v.kind) {
    case 'instance':
      if (v.cls.mro.includes(cls)) return true;
      if (v.cls.open) return null;
      if (isProtocol(cls)) return v.open ? null : hasMembers(v, cls);
      return isNative(cls) && hasMethods(v, STRUCTURAL[cls.name]);
    case 'union': {
      const answers = new Set(v.options.map(o => isInstance(ev, o, cls)));
      return answers.size === 1 ? [...answers][0] : null;
    }
    case 'native':
      return v.type.cls ? v.type.cls.mro.includes(cls) || (isAbstract(cls) ? null : false) : null;
    case 'array':
      if (!ev.arrayType.cls || v.guessed || isAbstract(cls)) return null;
      return ev.arrayType.cls === cls;
    default:
      if (cls.open || isProtocol(cls)) return null;
      if (isNative(cls)) {
        if (CLASSES[v.kind]?.includes(cls.name)) return true;
        if (ALSO[v.kind]?.includes(cls.name)) return null;
      }
      return v.kind === 'tuple' && classOfTuple(v) === cls;
  }
}

const isNative = (cls: ClassValue): boolean => cls.node === null;
const isProtocol = (cls: ClassValue): boolean => cls.mro.some(c => isNative(c) && c.name === 'Protocol');
/** Whether something may be an instance without deriving from it. */
const isAbstract = (cls: ClassValue): boolean => isProtocol(cls) || (isNative(cls) && cls.name in STRUCTURAL);

/** Whether everything that a protocol names is there. */
function hasMembers(v: InstanceValue, protocol: ClassValue): boolean {
  const members = protocol.mro.flatMap(c =>
    (c.node?.body ?? []).flatMap(stmt =>
      stmt.kind === 'FunctionDef'
        ? [stmt.name]
        : stmt.kind === 'AnnAssign' && stmt.target.kind === 'Name'
          ? [stmt.target.id]
          : [],
    ),
  );
  return members.every(name => v.attributes.has(name) || lookupClass(v.cls, name) !== null);
}

const hasMethods = ({ cls }: InstanceValue, methods: readonly string[] | undefined): boolean =>
  methods?.every(name => lookupClass(cls, name) !== null) ?? false;
