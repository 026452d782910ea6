/**
 * Parameters in the reader's view: symbols named as the author names them.
 *
 * A width is an int called after its parameter or config field; an array has an open shape that its use refines; a
 * dataclass is an instance of such symbols. A default decides conditions, but never becomes a shape.
 */
import { type Dim, isKnown, symbol } from '../../../engine/src/dims/dim';
import { OpenShape, RowVariable } from '../../../engine/src/dims/shape';
import type { Evaluator } from '../interpreter/evaluator';
import { args } from '../interpreter/interpreter';
import {
  type ArrayValue,
  type ClassValue,
  configuringDict,
  type FunctionValue,
  float,
  type InstanceValue,
  instance,
  int,
  type ModuleValue,
  NONE,
  openList,
  str,
  unknown,
  type Value,
} from '../interpreter/values';
import { isModuleClass } from '../mlx/nn/membership';
import { ndarray } from '../mlx/numpy/array';
import type { Expr, Node } from '../python/ast';
import { parseJaxtypingShape } from '../python/comments';

const usualOf = (v: Value | undefined): number | null => (v?.kind === 'int' && isKnown(v.value) ? v.value : null);

/** The names an annotation is made of, outermost first: `Optional[mx.array]` → Optional, mx.array. */
function annotationNames(e: Node | null): string[] {
  if (!e) return [];
  switch (e.kind) {
    case 'Name':
      return [e.id];
    case 'Attribute':
      return [`${annotationNames(e.value)[0] ?? ''}.${e.attr}`];
    case 'Subscript':
      return [...annotationNames(e.value), ...annotationNames(e.slice)];
    case 'Tuple':
      return e.elts.flatMap(annotationNames);
    case 'BinOp':
      return [...annotationNames(e.left), ...annotationNames(e.right)];
    case 'Str':
      return e.value.split(/[^\w.]+/).filter(Boolean);
    case 'Keyword':
      return [e.value];
    default:
      return [];
  }
}

const WRAPPERS = new Set([
  'Optional',
  'Union',
  'None',
  'typing.Optional',
  'typing.Union',
  'Annotated',
  'Final',
  'typing.Any',
  'Any',
]);

const LISTS = new Set(['List', 'list', 'Sequence']);

/** `List[int]`, perhaps optional. */
function isListOf(annotation: Node | null, inner: string): boolean {
  const names = annotationNames(annotation).filter(n => !WRAPPERS.has(n));
  return names.length === 2 && LISTS.has(names[0]) && names[1] === inner;
}

/** What an annotation says a value is, by name; null for nothing usable. */
function annotated(
  ev: Evaluator,
  annotation: Node | null,
  module: ModuleValue | null,
): { type: string; cls: ClassValue | null } | null {
  const names = annotationNames(annotation).filter(n => !WRAPPERS.has(n));
  if (names.length === 0) return null;
  const [type] = names;
  if (
    names.length > 1 &&
    !['List', 'list', 'Tuple', 'tuple', 'Sequence', 'Dict', 'dict'].includes(type) &&
    !/^(Float|Int|UInt|Num|Shaped|Bool)/.test(type.split('.').pop()!)
  )
    return null; // several things: which one is not known
  if (type === 'array' || type.endsWith('.array')) return { type: 'array', cls: null };
  if (NUMPY_ARRAY.test(type)) return { type: 'ndarray', cls: null };
  const found = module?.attributes.get(type.split('.')[0]);
  const value = found && type.includes('.') ? ev.getAttribute(found, type.split('.').slice(1).join('.')) : found;
  if (value && value === ev.arrayType.cls) return { type: 'array', cls: null };
  return { type, cls: value?.kind === 'class' ? value : null };
}

/** The shape of `Float[mx.array, "b l d"]`; null for another annotation. */
function jaxtyping(e: Node | null): string | null {
  if (e?.kind !== 'Subscript') return null;
  const items = e.slice.kind === 'Tuple' ? e.slice.elts : [];
  const last: Expr | undefined = items[items.length - 1];
  return items.length === 2 &&
    last?.kind === 'Str' &&
    /^(Float|Int|UInt|Num|Shaped|Bool|Inexact|Real|Complex)\w*$/.test(annotationNames(e)[0]?.split('.').pop() ?? '')
    ? last.value
    : null;
}

/** An int that configures: a symbol, or a number where numbers are wanted. */
function width(ev: Evaluator, name: string, known: Value | undefined): Value {
  const usual = usualOf(known);
  return int(ev.chooseNumber?.(name, usual) ?? symbol(name, { least: 1, usual }));
}

/** What floats that configure layers usually are, by name. */
const FLOATS: readonly (readonly [RegExp, number])[] = [
  [/eps/, 1e-5],
  [/theta|base/, 10000],
  [/drop|^p$/, 0],
];
const usualFloat = (name: string): number => FLOATS.find(([pattern]) => pattern.test(name))?.[1] ?? 1;

const openArray = (ev: Evaluator, name: string): ArrayValue =>
  ev.source({ shape: new OpenShape(new RowVariable(name), []), dtype: null }, name);

/** Annotations of NumPy's arrays, as written. */
const NUMPY_ARRAY = /(^|\.)(ndarray|NDArray)$/;

/**
 * The value of a parameter or field nothing was passed for.
 * @param fallback its default, when it has one
 * @param sizes the axes that annotations of the same function name: equal names are one size
 */
export function symbolic(
  ev: Evaluator,
  name: string,
  annotation: Node | null,
  fallback: Value | undefined,
  module: ModuleValue | null,
  depth = 0,
  sizes = new Map<string, Dim>(),
): Value {
  const jax = jaxtyping(annotation);
  if (jax) {
    const axis = (size: string): Dim => {
      const known = sizes.get(size) ?? symbol(size);
      sizes.set(size, known);
      return known;
    };
    const axes = parseJaxtypingShape(jax);
    if (axes && !axes.includes('...'))
      return ev.source(
        {
          shape: axes.map(a => (typeof a === 'number' ? a : a === '_' ? symbol('?', { flexible: true }) : axis(a))),
          dtype: null,
        },
        name,
      );
    return openArray(ev, name);
  }
  const told = annotated(ev, annotation, module);
  const known = fallback && ev.settled(fallback);
  switch (told?.type) {
    case 'int':
      return width(ev, name, known);
    case 'float':
      if (ev.chooseNumber)
        return float(
          known?.kind === 'float'
            ? known.value
            : known?.kind === 'int' && isKnown(known.value)
              ? known.value
              : usualFloat(name),
        );
      return known?.kind === 'none' ? usually(name, known) : float(null);
    case 'bool':
      return known ? usually(name, known) : { kind: 'bool', value: null };
    case 'str':
      return known ? usually(name, known) : str(null);
    case 'array':
      return known?.kind === 'none' ? usually(name, known) : openArray(ev, name);
    case 'ndarray':
      return known?.kind === 'none' ? usually(name, known) : ndarray(openArray(ev, name).node, null);
    default:
      break;
  }
  if (told?.cls?.dataclass && depth < 4) return symbolicInstance(ev, told.cls, depth + 1);
  if (told?.cls?.node && depth < 4 && known?.kind !== 'none') {
    const made = instance(told.cls, null);
    made.open = true;
    return made;
  }
  // An empty default stands for what is to be given.
  const empty = (known?.kind === 'list' || known?.kind === 'tuple') && known.items?.length === 0;
  if (known && !empty) {
    if (known.kind === 'int') return width(ev, name, known);
    return usually(name, known);
  }
  if (told && LISTS.has(told.type) && isListOf(annotation, 'int'))
    return openList(
      { kind: 'parameter', name: `${name}[i]`, settled: null },
      symbol(`len(${name})`, { least: depth > 0 ? 1 : 0 }),
    );
  if (told && LISTS.has(told.type))
    return openList(unknown(`is an element of ${name}`), symbol(`len(${name})`, { least: depth > 0 ? 1 : 0 }));
  if (told && ['Dict', 'dict', 'Mapping'].includes(told.type)) return configuringDict(name);
  return { kind: 'parameter', name, settled: null };
}

/** A parameter that has its default here; decisions that rest on it are usual, not certain. */
export const usually = (name: string, value: Value): Value => ({
  kind: 'parameter',
  name,
  settled: value,
  usual: true,
});

/** An instance of a dataclass whose fields are symbols named after them. */
export function symbolicInstance(ev: Evaluator, cls: ClassValue, depth = 0): Value {
  const made = instance(cls, null);
  for (const f of cls.dataclass ?? []) {
    const fallback = f.default ?? (f.factory ? ev.callWith(f.factory) : undefined);
    made.attributes.set(f.name, symbolic(ev, f.name, f.annotation, fallback, f.module, depth));
  }
  const post = ev.getAttribute(made, '__post_init__');
  if (post && post.kind !== 'unknown') {
    ev.muted++;
    try {
      ev.call(post, args([]));
    } finally {
      ev.muted--;
    }
    for (const f of cls.dataclass ?? []) if (f.default?.kind === 'none') asConfigured(ev, made, f.name);
  }
  return made;
}

/** What only `__post_init__` fills holds other widths, or is of another shape, where it is passed. */
function asConfigured(ev: Evaluator, made: InstanceValue, name: string): void {
  const filled = ev.settled(made.attributes.get(name) ?? NONE);
  if (filled.kind === 'array') made.attributes.set(name, openArray(ev, name));
  if (filled.kind !== 'list' && filled.kind !== 'tuple') return;
  const widths = filled.items ?? [filled.element!];
  if (widths.length === 0 || !widths.every(w => w.kind === 'int')) return;
  made.attributes.set(name, openList(int(symbol(`${name}[i]`, { least: 0 })), filled.length));
}

/** Whether it is what calling a layer runs: the arrays that layers are given are MLX's. */
const isLayerCall = (f: FunctionValue): boolean =>
  (f.name === '__call__' || f.name === 'forward') && f.owner !== null && isModuleClass(f.owner);

/** Symbolic arguments for a call of `f`, after `bound` positional ones (self). */
export function symbolicArguments(ev: Evaluator, f: FunctionValue, bound: readonly Value[]) {
  const positional = [...bound];
  const keywords: [string, Value][] = [];
  const ours = isLayerCall(f);
  const sizes = new Map<string, Dim>();
  for (const [i, p] of f.node.params.entries()) {
    if (i < bound.length || p.form === 'vararg' || p.form === 'kwarg') continue;
    // What a layer is called with first is what it works on, whether or not it has a default.
    const isInput = ours && i === bound.length && p.form !== 'keyword';
    const fallback = f.defaults.get(p.name);
    const given = isInput && fallback?.kind === 'none' ? undefined : fallback;
    let value = symbolic(ev, p.name, p.annotation, given, f.module, 0, sizes);
    if (ours && value.kind === 'parameter' && !value.settled) value = { ...value, ours };
    if (p.form === 'keyword') keywords.push([p.name, value]);
    else positional.push(value);
  }
  // What a *sequence or **mapping may bring is not known.
  const open = f.node.params.some(p => p.form === 'vararg' || p.form === 'kwarg');
  return { ...args(positional, keywords), open };
}
