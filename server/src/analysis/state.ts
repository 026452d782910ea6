/**
 * What an object holds when one of its methods is called, as far as the class tells.
 *
 * A method read by itself meets an object of any age: what the constructor left there other methods may have replaced,
 * and lists that began empty may have been filled from anywhere. What the constructor left is then only usual.
 */
import { anonymous, isKnown, symbol } from '../../../engine/src/dims/dim';
import type { Evaluator } from '../interpreter/evaluator';
import { asMayBeGiven } from '../interpreter/usual';
import { type ClassValue, float, type InstanceValue, int, unknown, type Value } from '../interpreter/values';
import { isModuleClass } from '../mlx/nn/membership';
import type { ClassDef, Expr, FunctionDef } from '../python/ast';
import { walk } from '../python/walk';
import { usually } from './parameters';

/** Methods that Python calls to make the object. */
const CONSTRUCTORS: ReadonlySet<string> = new Set(['__init__', '__post_init__', '__new__']);

const writesByClass = new WeakMap<ClassDef, ReadonlySet<string>>();

/** The attributes of `self` that the methods of a class assign, but for its constructors. */
function writtenBy(cls: ClassDef): ReadonlySet<string> {
  const known = writesByClass.get(cls);
  if (known) return known;
  const names = new Set<string>();
  for (const stmt of cls.body)
    if (stmt.kind === 'FunctionDef' && !CONSTRUCTORS.has(stmt.name) && stmt.params.length > 0) writes(stmt, names);
  writesByClass.set(cls, names);
  return names;
}

function writes(method: FunctionDef, names: Set<string>): void {
  const self = method.params[0].name;
  const target = (e: Expr): void => {
    if (e.kind === 'Tuple' || e.kind === 'List') e.elts.forEach(target);
    else if (e.kind === 'Starred') target(e.value);
    else if (e.kind === 'Attribute' && e.value.kind === 'Name' && e.value.id === self) names.add(e.attr);
  };
  for (const stmt of method.body)
    walk(stmt, node => {
      if (node.kind === 'Assign') node.targets.forEach(target);
      else if (node.kind === 'AugAssign' || node.kind === 'AnnAssign' || node.kind === 'For') target(node.target);
    });
}

/** Makes of a new object one of any age. */
export function age(ev: Evaluator, self: InstanceValue): void {
  const written = new Set(self.cls.mro.flatMap((c: ClassValue) => (c.node ? [...writtenBy(c.node)] : [])));
  const layer = isModuleClass(self.cls);
  for (const [name, value] of self.attributes) {
    // what begins as None waits for someone to fill it, often from outside the class
    const aged = written.has(name) || value.kind === 'none' ? replaced(name, value, layer) : asMayBeGiven(value);
    if (aged !== value) ev.heap.set(self.attributes, name, aged);
  }
}

/** What an attribute may be that methods replace. */
function replaced(name: string, value: Value, layer: boolean): Value {
  switch (value.kind) {
    case 'int':
      return isKnown(value.value)
        ? int(value.value >= 0 ? symbol(name, { usual: value.value }) : anonymous(-Infinity))
        : value;
    case 'float':
      return float(null);
    case 'none':
    case 'bool':
    case 'str':
      return usually(name, value);
    case 'list':
    case 'tuple':
      return asMayBeGiven(value);
    // A layer's arrays keep their shapes; those of caches and the like grow.
    case 'array':
      return layer ? value : unknown(`${name} changes`);
    default:
      return value;
  }
}
