/** `@dataclass`: fields, the generated `__init__`, `replace`, `asdict`, `fields`. */
import type { Evaluator } from './evaluator';
import { args, type Interpreter } from './interpreter';
import { type Arguments, builtin, type ClassValue, type DataclassField, NONE, unknown, type Value } from './values';

/** The marker that `field(...)` answers; read when the class is made. */
export interface FieldMarker {
  readonly default?: Value;
  readonly factory?: Value;
  readonly init: boolean;
  readonly keywordOnly: boolean;
}

const markers = new WeakMap<object, FieldMarker>();

/** What `dataclasses.field(...)` is worth. */
export function fieldMarker(marker: FieldMarker): Value {
  const value = unknown('is a dataclass field');
  markers.set(value, marker);
  return value;
}

/** Gives a class its fields and, unless it has its own, an `__init__`. */
export function makeDataclass(
  _ev: Interpreter,
  cls: ClassValue,
  options: { inheritOnly?: boolean; keywordOnly?: boolean } = {},
): void {
  const fields = new Map<string, DataclassField>();
  for (const base of [...cls.mro].reverse())
    if (base !== cls && base.dataclass) for (const f of base.dataclass) fields.set(f.name, f);
  if (!options.inheritOnly)
    for (const stmt of cls.node?.body ?? []) {
      if (stmt.kind !== 'AnnAssign' || stmt.target.kind !== 'Name') continue;
      const { annotation } = stmt;
      if (annotation.kind === 'Subscript' && annotation.value.kind === 'Name' && annotation.value.id === 'ClassVar')
        continue;
      const name = stmt.target.id;
      const given = cls.attributes.get(name);
      const marker = given && markers.get(given);
      if (marker?.default) cls.attributes.set(name, marker.default);
      else if (marker) cls.attributes.delete(name);
      fields.set(name, {
        name,
        annotation,
        default: marker ? marker.default : given,
        factory: marker?.factory,
        init: marker?.init ?? true,
        keywordOnly: marker?.keywordOnly ?? options.keywordOnly ?? false,
        module: cls.module,
      });
    }
  (cls as { dataclass?: readonly DataclassField[] }).dataclass = [...fields.values()];
  if (options.inheritOnly || cls.attributes.has('__init__')) return;
  cls.attributes.set(
    '__init__',
    builtin(`${cls.name}.__init__`, (interpreter, passed) => initialize(interpreter as Evaluator, cls, passed)),
  );
}

function initialize(ev: Evaluator, cls: ClassValue, { positional, keywords, open }: Arguments): Value {
  const self = ev.settled(positional[0]);
  if (self.kind !== 'instance') return NONE;
  const slots = (cls.dataclass ?? []).filter(f => f.init && !f.keywordOnly);
  for (const f of cls.dataclass ?? []) {
    const at = slots.indexOf(f) + 1;
    const value =
      f.init && at > 0 && at < positional.length
        ? positional[at]
        : f.init && keywords.has(f.name)
          ? keywords.get(f.name)!
          : open && f.init
            ? unknown(`${f.name} may be passed in a *sequence or **mapping`)
            : f.factory
              ? ev.callWith(f.factory)
              : (f.default ?? (f.init ? unknown(`${f.name} was not given`) : null));
    if (value) ev.heap.set(self.attributes, f.name, value);
  }
  const post = ev.getAttribute(self, '__post_init__');
  if (post && post.kind !== 'unknown') ev.call(post, args([]));
  return NONE;
}
