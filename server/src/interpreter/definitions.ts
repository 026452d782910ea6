/** `def`, `lambda` and `class`: making functions and classes, decorators, dataclasses. */
import type { ClassDef, FunctionDef, Lambda } from '../python/ast';
import { makeDataclass } from './dataclasses';
import type { Evaluator, Frame } from './evaluator';
import { evaluate } from './expressions';
import { args } from './interpreter';
import { namedTupleOf } from './named-tuples';
import { block } from './statements';
import { type ClassValue, type FunctionValue, freshNames, type Scope, str, type Value } from './values';

export function makeFunction(ev: Evaluator, node: FunctionDef | Lambda): FunctionValue {
  const { frame } = ev;
  const name = node.kind === 'Lambda' ? '<lambda>' : node.name;
  const defaults = new Map<string, Value>();
  for (const p of node.params) if (p.default) defaults.set(p.name, evaluate(ev, p.default));
  const owner = frame.cls;
  const outer = owner ? owner.name : frame.func ? `${frame.func.qualifiedName}.<locals>` : '';
  return {
    kind: 'function',
    name,
    qualifiedName: outer ? `${outer}.${name}` : name,
    node,
    module: frame.module,
    // A class body's names are not seen by its methods.
    closure: owner ? outerScope(frame.scope) : frame.scope,
    defaults,
    owner,
    attributes: new Map(),
  };
}

const outerScope = (scope: Scope): Scope => (scope.kind === 'class' && scope.parent ? outerScope(scope.parent) : scope);

export function functionDefinition(ev: Evaluator, node: FunctionDef): Value {
  let value: Value = makeFunction(ev, node);
  for (let i = node.decorators.length - 1; i >= 0; i--) {
    const decorator = evaluate(ev, node.decorators[i]);
    const place = ev.at(node.decorators[i]);
    value = ev.call(decorator, args([value]));
    ev.restore(place);
  }
  return value;
}

export function classDefinition(ev: Evaluator, node: ClassDef): Value {
  const bases: ClassValue[] = [];
  let open = false;
  for (const base of node.bases) {
    const v = ev.settled(evaluate(ev, base));
    if (v.kind === 'class') bases.push(v);
    else if (base.kind === 'Subscript') {
      // Generic[T], Protocol[T]: the class before the brackets is what matters.
      const origin = ev.settled(evaluate(ev, base.value));
      if (origin.kind === 'class') bases.push(origin);
    } else open = true;
  }
  const { frame } = ev;
  const scope: Scope = { names: freshNames(), parent: frame.scope, kind: 'class' };
  const cls: ClassValue = {
    kind: 'class',
    name: node.name,
    bases,
    mro: [],
    attributes: scope.names,
    node,
    module: frame.module,
    open: open || bases.some(b => b.open),
  };
  (cls as { mro: readonly ClassValue[] }).mro = linearize(cls, bases);
  scope.names.set('__module__', str(frame.module.name));
  const inner: Frame = {
    scope,
    module: frame.module,
    func: null,
    cls,
    name: node.name,
    globals: new Set(),
    nonlocals: new Set(),
    pending: [],
    yields: null,
    caller: null,
  };
  ev.frames.push(inner);
  try {
    block(ev, node.body);
  } finally {
    ev.frames.pop();
  }
  let value: Value = namedTupleOf(cls) ?? cls;
  const inherited = cls.mro.find(c => c !== cls && c.dataclass);
  for (let i = node.decorators.length - 1; i >= 0; i--) {
    const decorator = ev.settled(evaluate(ev, node.decorators[i]));
    // An unknown class decorator nearly always answers the class it got (registries, doc decorators).
    value = decorator.kind === 'unknown' ? value : ev.call(decorator, args([value]));
  }
  if (value === cls && inherited && !cls.dataclass && isFieldsOnly(cls)) makeDataclass(ev, cls, { inheritOnly: true });
  return value.kind === 'unknown' ? cls : value;
}

/** A subclass of a dataclass without the decorator keeps the base's fields and `__init__`. */
const isFieldsOnly = (cls: ClassValue): boolean => !cls.attributes.has('__init__');

/** Python's C3 order; falls back to depth first where it does not exist. */
export function linearize(cls: ClassValue, bases: readonly ClassValue[]): ClassValue[] {
  const lists = [...bases.map(b => [...b.mro]), [...bases]].filter(l => l.length > 0);
  const order: ClassValue[] = [cls];
  while (lists.some(l => l.length > 0)) {
    const candidate = lists.find(l => l.length > 0 && !lists.some(o => o.indexOf(l[0]) > 0))?.[0];
    if (!candidate) return [cls, ...new Set(bases.flatMap(b => b.mro))];
    order.push(candidate);
    for (const l of lists) if (l[0] === candidate) l.shift();
  }
  return order;
}
