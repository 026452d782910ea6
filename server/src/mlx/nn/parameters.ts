/**
 * The tree below a module: reading it through a filter, and writing arrays and modules back into it.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import { dict, type InstanceValue, keyOf, list, openList, str, unknown, type Value } from '../../interpreter/values';
import { typeName } from '../define';
import { isModule, moduleEntries } from './membership';
import { branchOf, dictOf, leavesOf } from './tree';

/** Asks about one entry of a module; `key` is null where it cannot be known. Null answers: it may be either. */
export type Filter = (module: InstanceValue, key: string | null, value: Value) => boolean | null;

const isContainer = (v: Value): boolean => v.kind === 'dict' || v.kind === 'list' || isModule(v);

export const validChild: Filter = (_module, _key, v) => (maybe(v) ? null : isContainer(v));
export const validParameter: Filter = (_module, key, v) => {
  if (key?.startsWith('_')) return false;
  return maybe(v) ? null : v.kind === 'array' || isContainer(v);
};
/** Whether training changes the entry: a parameter that is not frozen. */
export const trainableParameter: Filter = (module, key, v) => {
  const valid = validParameter(module, key, v);
  if (valid === false || key === null) return valid;
  const frozen = module.attributes.get('_no_grad');
  if (frozen?.kind !== 'set') return module.open ? null : valid;
  if (frozen.entries.has(keyOf(str(key))!)) return false;
  return frozen.open ? null : valid;
};
const maybe = (v: Value): boolean => v.kind === 'unknown' || v.kind === 'union' || v.kind === 'parameter';

export const notContainer: Filter = (_module, _key, v) => !isContainer(v);
export const aModule: Filter = (_module, _key, v) => isModule(v);

/** `module.filter_and_map`: the entries that pass, as a dict of dicts and lists with `map` of the leaves. */
export function filterAndMap(
  interpreter: Interpreter,
  module: InstanceValue,
  filter: Filter,
  map: (leaf: Value) => Value = leaf => leaf,
  isLeaf: Filter = notContainer,
): Value {
  const below = (owner: InstanceValue, key: string | null, value: Value): Value => {
    const leaf = isLeaf(owner, key, value);
    if (leaf === null) return unknown('whether this is a leaf of the module is not known');
    if (leaf) return map(value);
    if (isModule(value)) return members(value);
    const branch = branchOf(interpreter, value);
    if (branch === null || (branch.kind !== 'dict' && branch.kind !== 'list'))
      throw new Refusal('value', 'Unexpected leaf found while traversing the module', {}, 'RuntimeError');
    const inner = (name: string | null, child: Value): Value => {
      const path = key === null || name === null ? null : `${key}.${name}`;
      const kept = filter(owner, path, child);
      if (kept === null) return unknown('whether this belongs to the module is not known');
      return kept ? below(owner, path, child) : dict();
    };
    if (branch.kind === 'dict') {
      const entries = branch.entries.map(e => ({ key: e.key, value: inner(interpreter.format(e.key), e.value) }));
      return dictOf(interpreter, entries, branch.rest && inner(null, branch.rest));
    }
    if (branch.items) return list(branch.items.map((child, i) => inner(`${i}`, child)));
    return openList(inner(null, branch.element ?? unknown('nothing is known of the elements')), branch.length);
  };
  const inside = new Set<InstanceValue>();
  const members = (owner: InstanceValue): Value => {
    if (inside.has(owner)) throw new Unknowable(`${owner.cls.name} contains itself`);
    inside.add(owner);
    const { entries, open } = moduleEntries(owner);
    let rest: Value | null = open ? unknown('the module may have other members') : null;
    const kept: [string, Value][] = [];
    for (const [name, value] of entries) {
      const passes = filter(owner, name, value);
      if (passes) kept.push([name, below(owner, name, value)]);
      else if (passes === null) rest = unknown('whether a member passes the filter is not known');
    }
    inside.delete(owner);
    return dict(kept, rest);
  };
  return members(module);
}

export const parametersOf = (interpreter: Interpreter, module: InstanceValue): Value =>
  filterAndMap(interpreter, module, validParameter);
export const trainableParametersOf = (interpreter: Interpreter, module: InstanceValue): Value =>
  filterAndMap(interpreter, module, trainableParameter);
export const childrenOf = (interpreter: Interpreter, module: InstanceValue): Value =>
  filterAndMap(interpreter, module, validChild, m => m, aModule);
export const leafModulesOf = (interpreter: Interpreter, module: InstanceValue): Value =>
  filterAndMap(
    interpreter,
    module,
    validChild,
    m => m,
    (_owner, _key, v) => isModule(v) && leavesOf(interpreter, childrenOf(interpreter, v)).pairs.length === 0,
  );

/** More modules than any model has: a module that contains itself has no end. */
const MOST_MODULES = 100_000;

/**
 * Visits the module and all modules below it in MLX's order (the last child first). The path is null for a module that
 * stands for several.
 */
export function eachModule(
  interpreter: Interpreter,
  module: InstanceValue,
  visit: (path: string | null, module: InstanceValue) => void,
): void {
  const stack: [string | null, InstanceValue][] = [['', module]];
  let visited = 0;
  for (let next = stack.pop(); next; next = stack.pop()) {
    if (++visited > MOST_MODULES) throw new Unknowable(`${module.cls.name} contains itself`);
    const [path, current] = next;
    visit(path, current);
    const { pairs } = leavesOf(interpreter, childrenOf(interpreter, current), isModule, path);
    for (const [name, child] of pairs) if (isModule(child)) stack.push([name, child]);
  }
}

// ---- writing --------------------------------------------------------------------------------------------------------

/** A place to write to: a module, a dict or a list. */
interface Slots {
  has(key: string): boolean | null;
  get(key: string): Value;
  set(key: string, value: Value): void;
}

function slotsOf(interpreter: Interpreter, v: Value): Slots | null {
  const { heap } = interpreter;
  if (isModule(v))
    return {
      has: key => v.attributes.has(key) || (v.open ? null : false),
      get: key => v.attributes.get(key)!,
      set: (key, value) => heap.set(v.attributes, key, value),
    };
  if (v.kind === 'dict') {
    const find = (key: string) => v.entries.get(`s:${key}`);
    return {
      has: key => find(key) !== undefined || (v.rest ? null : false),
      get: key => find(key)!.value,
      set: (key, value) => heap.setDictEntry(v, `s:${key}`, { key: str(key), value }),
    };
  }
  if (v.kind === 'list' && v.items) {
    return {
      has: key => Number(key) < v.items!.length,
      get: key => v.items![Number(key)],
      set: (key, value) => heap.setItems(v, v.items!.with(Number(key), value)),
    };
  }
  return null;
}

/** How `writeTree` treats what it meets. */
interface Writing {
  /** Replaces a current value, or answers false to go on below it. */
  replace(slots: Slots, key: string, current: Value, to: Value): boolean;
  strict: boolean;
  /** What a key is called in a refusal: "parameter", "sub-module". */
  noun: string;
  /** Called where what would be written is not known. */
  unknown(current: Value): void;
}

function writeTree(interpreter: Interpreter, into: Value, from: Value, how: Writing): void {
  const target = interpreter.settled(into);
  const source = interpreter.settled(from);
  if (maybe(source)) {
    how.unknown(target);
    return;
  }
  const branch = source.kind === 'tuple' ? null : branchOf(interpreter, source);
  if (branch === null) {
    if (!how.strict) return;
    throw new Refusal('value', `update expects a dict or a list here, not ${typeName(source)}`);
  }
  if (branch.kind !== 'dict' && branch.items === null) {
    if (target.kind === 'list') writeOpenList(interpreter, target, branch.element, how);
    return;
  }
  const entries: (readonly [string | null, Value])[] =
    branch.kind === 'dict'
      ? branch.entries.map(e => [interpreter.format(e.key), e.value])
      : branch.items!.map((v, i) => [`${i}`, v]);
  if (target.kind === 'list' && target.items === null) {
    for (const [, value] of entries) writeOpenList(interpreter, target, value, how);
    return;
  }
  const slots = slotsOf(interpreter, target);
  if (slots === null) {
    if (maybe(target) || !how.strict || entries.length === 0) return;
    throw new Refusal('value', `update reaches ${typeName(target)}, which has no ${how.noun}s`);
  }
  for (const [key, value] of entries) {
    const present = key === null ? null : slots.has(key);
    if (present === false && how.strict)
      throw new Refusal(
        'value',
        target.kind === 'list'
          ? `The list has ${target.items!.length} elements, so there is no ${how.noun} ${key}`
          : `The module has no ${how.noun} ${key}`,
        { name: key!, layer: target },
      );
    if (!present) continue;
    const current = slots.get(key!);
    if (!how.replace(slots, key!, interpreter.settled(current), interpreter.settled(value)))
      writeTree(interpreter, current, value, how);
  }
  if (branch.kind === 'dict' && branch.rest) how.unknown(target);
}

/** Writes into a list of unknown length: into what stands for its elements. */
function writeOpenList(interpreter: Interpreter, target: Value, value: Value | null, how: Writing): void {
  if (target.kind !== 'list' || value === null) return;
  if (target.items !== null) {
    for (const item of target.items) writeTree(interpreter, item, value, how);
    return;
  }
  if (target.element === null) return;
  const slots: Slots = {
    has: () => true,
    get: () => target.element!,
    set: (_key, v) => interpreter.heap.openList(target, v, target.length),
  };
  if (!how.replace(slots, '', interpreter.settled(target.element), interpreter.settled(value)))
    writeTree(interpreter, target.element, value, how);
}

/** `module.update`: replaces arrays by those of `parameters`. @throws Refusal of kind 'value' when strict */
export function updateParameters(interpreter: Interpreter, module: Value, parameters: Value, strict: boolean): void {
  writeTree(interpreter, module, parameters, {
    strict,
    noun: 'parameter',
    replace(slots, key, current, to) {
      if (current.kind !== 'array') return false;
      if (strict && to.kind !== 'array' && !maybe(to))
        throw new Refusal('value', `update expects an array for ${key}, not ${typeName(to)}`, { name: key });
      slots.set(key, to);
      return true;
    },
    unknown: current => forgetDTypes(interpreter, current),
  });
}

/** `module.update_modules`: replaces modules by those of `modules`. */
export function updateModules(interpreter: Interpreter, module: Value, modules: Value, strict: boolean): void {
  writeTree(interpreter, module, modules, {
    strict,
    noun: 'sub-module',
    replace(slots, key, current, to) {
      if (isModule(current) && (isModule(to) || maybe(to))) {
        slots.set(key, to);
        return true;
      }
      if (isContainer(current)) return false;
      const empty = to.kind === 'dict' && to.entries.size === 0;
      if (strict && !empty && !maybe(to) && !maybe(current))
        throw new Refusal('value', `update_modules expects a module for ${key}, not ${typeName(to)}`, { name: key });
      return true;
    },
    unknown: () => {},
  });
}

/**
 * Forgets the dtypes of all arrays below: values of unknown origin are loaded into them. Their shapes stay, as those of
 * weights that fit.
 */
export function forgetDTypes(interpreter: Interpreter, below: Value): void {
  const forget = (v: Value): Value =>
    v.kind === 'array' && v.node.dtype !== null
      ? interpreter.source({ shape: v.node.shape, dtype: null }, v.node.label ?? undefined)
      : v;
  const walk = (v: Value): void => {
    const value = interpreter.settled(v);
    const slots = slotsOf(interpreter, value);
    const branch = branchOf(interpreter, value);
    if (branch === null) return;
    if (branch.kind !== 'dict' && branch.items === null) {
      if (branch.element === null) return;
      if (value.kind === 'list' && branch.element.kind === 'array')
        interpreter.heap.openList(value, forget(branch.element), branch.length);
      else walk(branch.element);
      return;
    }
    const entries: (readonly [string | null, Value])[] =
      branch.kind === 'dict'
        ? branch.entries.map(e => [interpreter.format(e.key), e.value])
        : branch.items!.map((item, i) => [`${i}`, item]);
    for (const [key, item] of entries) {
      if (item.kind === 'array' && key !== null && !key.startsWith('_')) slots?.set(key, forget(item));
      else walk(item);
    }
  };
  walk(below);
}
