/**
 * What a Python expression can be worth to the interpreter.
 *
 * A value is as precise as what is known: an int is a dimension (a number or a polynomial over symbols), a list may have
 * an unknown length, and what cannot be known is an `UnknownValue` with a reason a user can read. Values are immutable
 * but for the containers (list, dict, set, instance, class, module, scope), which change through `Heap` alone so that
 * forks can be undone and joined.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Shape } from '../../../engine/src/graph/op';
import type { ClassDef, FunctionDef, Lambda, Node } from '../python/ast';
import type { Interpreter } from './interpreter';

/** A place in a source file. */
export interface Origin {
  /** The file's path as the workspace knows it. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

export interface NoneValue {
  readonly kind: 'none';
}
/** `value` is null when it may be either. */
export interface BoolValue {
  readonly kind: 'bool';
  readonly value: boolean | null;
}
export interface IntValue {
  readonly kind: 'int';
  readonly value: Dim;
}
export interface FloatValue {
  readonly kind: 'float';
  readonly value: number | null;
  /** Where a float of symbols came from, so that `int(a / b)` is known: numerator and denominator. */
  readonly ratio?: readonly [Dim, Dim];
}
export interface ComplexValue {
  readonly kind: 'complex';
  readonly real: number;
  readonly imaginary: number;
}
export interface StrValue {
  readonly kind: 'str';
  readonly value: string | null;
}
export interface BytesValue {
  readonly kind: 'bytes';
}
export interface EllipsisValue {
  readonly kind: 'ellipsis';
}

/**
 * The contents of a sequence: `items` when all are known; otherwise null, with `element` a value that stands for each of
 * them and `length` their number.
 */
interface Sequence {
  items: readonly Value[] | null;
  element: Value | null;
  length: Dim;
}
export interface TupleValue extends Readonly<Sequence> {
  readonly kind: 'tuple';
  /** Field names of a namedtuple. */
  readonly fields?: readonly string[];
  /** The array whose shape this is: unpacking it tells that array's rank. */
  readonly shapeOf?: ArrayNode;
}
export interface ListValue extends Sequence {
  readonly kind: 'list';
  readonly id: number;
  /** The lists of which it is one, where paths or unknown indices meet: what is done to it is done to one of them. */
  readonly oneOf?: readonly ListValue[];
}
/** An iterator or generator; reading it moves `position`. */
export interface IteratorValue extends Sequence {
  readonly kind: 'iterator';
  readonly id: number;
  position: number;
}
export interface DictEntry {
  readonly key: Value;
  readonly value: Value;
}
export interface DictValue {
  readonly kind: 'dict';
  readonly id: number;
  /** By `keyOf(key)`, in insertion order. */
  readonly entries: Map<string, DictEntry>;
  /** When there may be other keys than those of `entries`: what their values look like. */
  rest: Value | null;
  /** The default factory of a defaultdict. */
  readonly factory: Value | null;
}
export interface SetValue {
  readonly kind: 'set';
  readonly id: number;
  readonly entries: Map<string, Value>;
  /** Whether there may be other members. */
  open: boolean;
}
export interface SliceValue {
  readonly kind: 'slice';
  readonly lower: Value;
  readonly upper: Value;
  readonly step: Value;
}
export interface RangeValue {
  readonly kind: 'range';
  readonly start: Dim;
  readonly stop: Dim;
  readonly step: Dim;
}

/** An `mx.array`. */
export interface ArrayValue {
  readonly kind: 'array';
  readonly node: ArrayNode;
  /** It may be an array of another library: that a parameter is used like an array does not tell whose it is. */
  readonly guessed?: boolean;
}

export interface FunctionValue {
  readonly kind: 'function';
  readonly name: string;
  /** `Class.method`, as the `function` field of reports shows it. */
  readonly qualifiedName: string;
  readonly node: FunctionDef | Lambda;
  readonly module: ModuleValue;
  readonly closure: Scope;
  /** Values of the parameters' defaults, made when the `def` ran. */
  readonly defaults: ReadonlyMap<string, Value>;
  /** The class whose body defined it: what `super()` needs. */
  readonly owner: ClassValue | null;
  readonly attributes: Map<string, Value>;
  /** It is a generator under `contextlib.contextmanager`. */
  readonly manages?: boolean;
}
export interface MethodValue {
  readonly kind: 'method';
  readonly self: Value;
  readonly func: FunctionValue | BuiltinValue;
}
export interface Arguments {
  readonly positional: readonly Value[];
  readonly keywords: ReadonlyMap<string, Value>;
  /** A `*args` or `**kwargs` of unknown contents was passed: missing and surplus arguments cannot be judged. */
  readonly open: boolean;
  /** What a `*args` of unknown length holds, where all it may hold is alike. */
  readonly rest?: Value;
}
export interface BuiltinValue {
  readonly kind: 'builtin';
  readonly name: string;
  /** As users know it, `mx.reshape(a, /, shape, *, stream=None)`; null when it has none worth showing. */
  readonly signature: string | null;
  call(interpreter: Interpreter, args: Arguments): Value;
  readonly attributes?: Map<string, Value>;
}
export interface ClassValue {
  readonly kind: 'class';
  readonly name: string;
  readonly bases: readonly ClassValue[];
  /** Itself first. */
  readonly mro: readonly ClassValue[];
  readonly attributes: Map<string, Value>;
  readonly node: ClassDef | null;
  readonly module: ModuleValue | null;
  /** A base could not be resolved: attributes that are not found are unknown, not absent. */
  readonly open: boolean;
  /** Makes the instance of a class written here instead of in Python (dtypes, int, dict, …). */
  readonly construct?: (interpreter: Interpreter, cls: ClassValue, args: Arguments) => Value;
  /** Of a class written here: its instances have the attributes that code gives them, and no others. */
  readonly bare?: boolean;
  /** Fields of a dataclass in order, inherited ones included. */
  readonly dataclass?: readonly DataclassField[];
}
export interface DataclassField {
  readonly name: string;
  readonly annotation: Node | null;
  /** Absent when required. */
  readonly default?: Value;
  readonly factory?: Value;
  readonly init: boolean;
  readonly keywordOnly: boolean;
  /** The module whose names the annotation uses. */
  readonly module: ModuleValue | null;
}
export interface InstanceValue {
  readonly kind: 'instance';
  readonly id: number;
  readonly cls: ClassValue;
  readonly attributes: Map<string, Value>;
  /** The call that made it. */
  readonly origin: Origin | null;
  /** It was made from unknown arguments or an unknown base: absent attributes are unknown. */
  open: boolean;
  /** State that a class written here keeps out of Python's sight. */
  native?: unknown;
}
export interface ModuleValue {
  readonly kind: 'module';
  readonly name: string;
  readonly file: string | null;
  readonly attributes: Map<string, Value>;
  /** Attributes that are not listed may exist. */
  open: boolean;
}
export interface PropertyValue {
  readonly kind: 'property';
  readonly get: Value;
  readonly set: Value | null;
}
export interface StaticMethodValue {
  readonly kind: 'staticmethod' | 'classmethod';
  readonly func: Value;
}
export interface SuperValue {
  readonly kind: 'super';
  readonly after: ClassValue;
  readonly self: Value;
}
/** A value of a type implemented here: dtypes, devices, numpy scalars. */
export interface NativeValue {
  readonly kind: 'native';
  readonly type: NativeType;
  readonly data: unknown;
}
/** How a native type, or the array type, takes part in Python. A hook that is absent or answers null does not apply. */
export interface NativeType {
  readonly name: string;
  readonly cls: ClassValue | null;
  /** null: no such attribute. */
  getAttribute?(interpreter: Interpreter, value: Value, name: string): Value | null;
  setAttribute?(interpreter: Interpreter, value: Value, name: string, to: Value): boolean;
  /** `reflected` when `value` stood on the right. */
  binary?(interpreter: Interpreter, op: string, value: Value, other: Value, reflected: boolean): Value | null;
  /** In-place `value op= other`; default: `binary`. */
  augmented?(interpreter: Interpreter, op: string, value: Value, other: Value): Value | null;
  unary?(interpreter: Interpreter, op: string, value: Value): Value | null;
  compare?(interpreter: Interpreter, op: string, value: Value, other: Value, reflected: boolean): Value | null;
  getItem?(interpreter: Interpreter, value: Value, index: Value): Value;
  /** Answers what the name is worth afterwards: MLX's index assignment replaces the array behind the name. */
  setItem?(interpreter: Interpreter, value: Value, index: Value, to: Value): Value;
  /** What iterating yields. */
  iterate?(interpreter: Interpreter, value: Value): Iteration;
  length?(interpreter: Interpreter, value: Value): Dim | null;
  truth?(interpreter: Interpreter, value: Value): boolean | null;
  call?(interpreter: Interpreter, value: Value, args: Arguments): Value;
  contains?(interpreter: Interpreter, value: Value, item: Value): boolean | null;
  /** Whether nothing tells two values apart, where `sameShape` says that of shapes. */
  same?(a: Value, b: Value, sameShape: (a: Shape, b: Shape) => boolean): boolean;
  /** One value for two, where `join` makes one shape of two. */
  join?(a: Value, b: Value, join: (a: Shape, b: Shape) => Shape): Value;
  format?(value: Value): string | null;
}
/** What a loop goes over: known items, or `length` times something like `element`. */
export interface Iteration {
  readonly items: readonly Value[] | null;
  readonly element: Value;
  readonly length: Dim;
}
/** One of a few values, where paths met. Never nested; at least two options. */
export interface UnionValue {
  readonly kind: 'union';
  readonly options: readonly Value[];
}
export interface UnknownValue {
  readonly kind: 'unknown';
  /** Why, for a reader: "loads weights at run time". */
  readonly reason: string;
}
/**
 * A parameter in the reader's view of which nothing is known yet. The first use that tells (`x.shape`, passing it to a
 * layer, integer arithmetic) settles what it is; `settled` changes through `Heap` alone.
 */
export interface ParameterValue {
  readonly kind: 'parameter';
  readonly name: string;
  settled: Value | null;
  /** Where it is an array, it is certainly an `mx.array`. */
  readonly ours?: boolean;
  /** `settled` is the parameter's default: what a decision that rests on it decides is usual, not certain. */
  readonly usual?: boolean;
}

export type Value =
  | NoneValue
  | BoolValue
  | IntValue
  | FloatValue
  | ComplexValue
  | StrValue
  | BytesValue
  | EllipsisValue
  | TupleValue
  | ListValue
  | IteratorValue
  | DictValue
  | SetValue
  | SliceValue
  | RangeValue
  | ArrayValue
  | FunctionValue
  | MethodValue
  | BuiltinValue
  | ClassValue
  | InstanceValue
  | ModuleValue
  | PropertyValue
  | StaticMethodValue
  | SuperValue
  | NativeValue
  | UnionValue
  | UnknownValue
  | ParameterValue;

/** Names of a function, class body or module, with the scopes around it. */
export interface Scope {
  readonly names: Map<string, Value>;
  readonly parent: Scope | null;
  readonly kind: 'module' | 'class' | 'function';
}

let nextId = 1;
/** Identities of containers, which are also the order in which they were made. */
export const freshId = (): number => nextId++;

const MADE = Symbol('made');
/** Names of a scope or an instance, which know when they were made. */
export const freshNames = (): Map<string, Value> => Object.assign(new Map<string, Value>(), { [MADE]: freshId() });
/** When a container was made, by the count of `freshId`; 0 for those that do not know. */
export const madeAt = (container: { id?: number; [MADE]?: number }): number => container.id ?? container[MADE] ?? 0;

export const NONE: NoneValue = { kind: 'none' };
export const TRUE: BoolValue = { kind: 'bool', value: true };
export const FALSE: BoolValue = { kind: 'bool', value: false };
export const EITHER: BoolValue = { kind: 'bool', value: null };
export const ELLIPSIS: EllipsisValue = { kind: 'ellipsis' };
export const bool = (value: boolean | null): BoolValue => (value === null ? EITHER : value ? TRUE : FALSE);
export const int = (value: Dim): IntValue => ({ kind: 'int', value });
export const float = (value: number | null): FloatValue => ({ kind: 'float', value });
export const str = (value: string | null): StrValue => ({ kind: 'str', value });
export const array = (node: ArrayNode, guessed = false): ArrayValue =>
  guessed ? { kind: 'array', node, guessed } : { kind: 'array', node };
export const unknown = (reason: string): UnknownValue => ({ kind: 'unknown', reason });
export const tuple = (items: readonly Value[], fields?: readonly string[]): TupleValue => ({
  kind: 'tuple',
  items,
  element: null,
  length: items.length,
  fields,
});
/** A tuple of unknown length whose items look like `element`. */
export const openTuple = (element: Value, length: Dim): TupleValue => ({ kind: 'tuple', items: null, element, length });
export const list = (items: readonly Value[]): ListValue => ({
  kind: 'list',
  id: freshId(),
  items: [...items], // `Heap.append` grows it in place
  element: null,
  length: items.length,
});
export const openList = (element: Value, length: Dim): ListValue => ({
  kind: 'list',
  id: freshId(),
  items: null,
  element,
  length,
});
export const iterator = (over: Iteration): IteratorValue => ({
  kind: 'iterator',
  id: freshId(),
  items: over.items,
  element: over.element,
  length: over.length,
  position: 0,
});
export const dict = (entries: Iterable<readonly [string, Value]> = [], rest: Value | null = null): DictValue => ({
  kind: 'dict',
  id: freshId(),
  entries: new Map([...entries].map(([name, value]) => [`s:${name}`, { key: str(name), value }])),
  rest,
  factory: null,
});
/** A dict that configures: each key's value is a parameter of its own, called after the key. */
export const configuringDict = (name: string): DictValue => dict([], { kind: 'parameter', name, settled: null });
export const set = (members: Iterable<readonly [string, Value]> = [], open = false): SetValue => ({
  kind: 'set',
  id: freshId(),
  entries: new Map(members),
  open,
});
/** A set of these; of a member that cannot be told from others it is only known that there may be more. */
export const setOfValues = (members: readonly Value[], open = false): SetValue => {
  const made = set([], open);
  for (const member of members) {
    const key = keyOf(member);
    if (key === null) made.open = true;
    else made.entries.set(key, member);
  }
  return made;
};
export const module = (
  name: string,
  attributes: Iterable<readonly [string, Value]> = [],
  open = false,
): ModuleValue => ({
  kind: 'module',
  name,
  file: null,
  attributes: new Map(attributes),
  open,
});
export const instance = (cls: ClassValue, origin: Origin | null): InstanceValue => ({
  kind: 'instance',
  id: freshId(),
  cls,
  attributes: freshNames(),
  origin,
  open: cls.open,
});
/** A class written here. `attributes` are its methods and class attributes. */
export const nativeClass = (
  name: string,
  bases: readonly ClassValue[],
  attributes: Iterable<readonly [string, Value]> = [],
  construct?: ClassValue['construct'],
  bare = false,
): ClassValue => {
  const cls: ClassValue = {
    kind: 'class',
    name,
    bases,
    mro: [],
    attributes: new Map(attributes),
    node: null,
    module: null,
    open: bases.some(b => b.open),
    construct,
    bare,
  };
  (cls as { mro: readonly ClassValue[] }).mro = [cls, ...new Set(bases.flatMap(b => b.mro))];
  return cls;
};
/** A function written here. Use `define.ts` of the mlx room where arguments have to be bound to a signature. */
export const builtin = (name: string, call: BuiltinValue['call'], signature: string | null = null): BuiltinValue => ({
  kind: 'builtin',
  name,
  signature,
  call,
});

/**
 * The identity of a dict key or set member, or null where it cannot be told (an unknown string).
 * Python's equalities hold: True is 1 is 1.0.
 */
export function keyOf(value: Value): string | null {
  switch (value.kind) {
    case 'str':
      return value.value === null ? null : `s:${value.value}`;
    case 'int':
      return typeof value.value === 'number' ? `n:${value.value}` : null;
    case 'bool':
      return value.value === null ? null : `n:${Number(value.value)}`;
    case 'float':
      return value.value === null ? null : `n:${value.value}`;
    case 'none':
      return 'none';
    case 'tuple': {
      if (!value.items) return null;
      const keys = value.items.map(keyOf);
      return keys.includes(null) ? null : `(${keys.join(',')})`;
    }
    case 'list':
    case 'dict':
    case 'instance':
      return `#${value.id}`;
    case 'class':
      return `c:${value.module?.name ?? ''}.${value.name}`;
    case 'native':
      return typeof value.data === 'object' ? null : `t:${value.type.name}:${String(value.data)}`;
    case 'builtin':
    case 'function':
      return `f:${value.name}`;
    case 'array':
      return `a:${value.node.id}`;
    default:
      return null;
  }
}
