/**
 * Python trees: nested lists, tuples and dicts (modules among them, which are dicts in MLX), walked as `mlx.utils` does.
 *
 * Where a list has an unknown length or a dict unknown keys, the walk visits what stands for its elements once; paths are
 * then null and results open.
 */
import { anonymous, type Dim } from '../../../../engine/src/dims/dim';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type DictEntry,
  type DictValue,
  dict,
  type InstanceValue,
  int,
  keyOf,
  list,
  openList,
  openTuple,
  str,
  tuple,
  unknown,
  type Value,
} from '../../interpreter/values';
import { isOpaque } from '../define';
import { isModule, moduleEntries } from './membership';

/** A node of a tree; null is a leaf. */
export type Branch =
  | {
      readonly kind: 'list' | 'tuple';
      readonly items: readonly Value[] | null;
      readonly element: Value | null;
      readonly length: Dim;
      readonly fields?: readonly string[];
    }
  | { readonly kind: 'dict'; readonly entries: readonly DictEntry[]; readonly rest: Value | null };

/** The value as a node of a tree, or null for a leaf. */
export function branchOf(interpreter: Interpreter, value: Value): Branch | null {
  const v = interpreter.settled(value);
  switch (v.kind) {
    case 'list':
      return { kind: 'list', items: v.items, element: v.element, length: v.length };
    case 'tuple':
      return { kind: 'tuple', items: v.items, element: v.element, length: v.length, fields: v.fields };
    case 'dict':
      return { kind: 'dict', entries: [...v.entries.values()], rest: v.rest };
    case 'instance':
      return isModule(v) ? moduleBranch(v) : null;
    default:
      return null;
  }
}

function moduleBranch(module: InstanceValue): Branch {
  const { entries, open } = moduleEntries(module);
  return {
    kind: 'dict',
    entries: entries.map(([name, value]) => ({ key: str(name), value })),
    rest: open ? unknown('the module may have other members') : null,
  };
}

/** A dict from entries whose keys are values; one whose key cannot be told makes it open. */
export function dictOf(interpreter: Interpreter, entries: Iterable<DictEntry>, rest: Value | null = null): DictValue {
  const result = dict([], rest);
  for (const { key, value } of entries) {
    const name = keyOf(key);
    if (name === null) result.rest = result.rest ? interpreter.join([result.rest, value]) : value;
    else result.entries.set(name, { key, value });
  }
  return result;
}

export type IsLeaf = (value: Value) => boolean | null;
export const neverLeaf: IsLeaf = () => false;
/** An `is_leaf` argument. */
export const leafTest = (interpreter: Interpreter, test: Value): IsLeaf =>
  test.kind === 'none' ? neverLeaf : value => interpreter.truth(interpreter.callWith(test, value));

/** Deeper trees are taken to contain themselves, which Python would not survive either. */
const MOST_LEVELS = 200;
const tooDeep = (): Unknowable => new Unknowable('the tree is nested too deeply to follow');

export type Visit = (leaf: Value, rest: readonly Value[], path: string | null) => Value;

const join = (prefix: string | null, key: string | null): string | null =>
  prefix === null || key === null ? null : prefix === '' ? key : `${prefix}.${key}`;

/**
 * `tree_map_with_path`: a tree of the same form with `visit` of every leaf.
 * @param rest further trees, walked alongside
 */
export function treeMap(
  interpreter: Interpreter,
  visit: Visit,
  tree: Value,
  rest: readonly Value[] = [],
  isLeaf: IsLeaf = neverLeaf,
  path: string | null = '',
  level = 0,
): Value {
  if (level > MOST_LEVELS) throw tooDeep();
  const value = interpreter.settled(tree);
  if (value.kind === 'union')
    return interpreter.join(value.options.map(o => treeMap(interpreter, visit, o, rest, isLeaf, path, level)));
  const leaf = isLeaf(value);
  if (leaf === null) return unknown('whether this is a leaf of the tree is not known');
  const branch = leaf ? null : branchOf(interpreter, value);
  if (branch === null) {
    const made = visit(value, rest, path);
    // It may be a tree of its own.
    return !leaf && isOpaque(value) ? unknown('is made of a tree that is not known') : made;
  }
  const below = (child: Value, key: Value, name: string | null): Value =>
    treeMap(
      interpreter,
      visit,
      child,
      rest.map(r => interpreter.getItem(r, key)),
      isLeaf,
      join(path, name),
      level + 1,
    );
  if (branch.kind === 'dict') {
    const entries = branch.entries.map(({ key, value: child }) => ({
      key,
      value: below(child, key, interpreter.format(key)),
    }));
    return dictOf(interpreter, entries, branch.rest && below(branch.rest, str(null), null));
  }
  if (branch.items) {
    const items = branch.items.map((child, i) => below(child, int(i), `${i}`));
    return branch.kind === 'list' ? list(items) : tuple(items, branch.fields);
  }
  const element = below(branch.element ?? unknown('nothing is known of the elements'), int(anonymous()), null);
  return branch.kind === 'list' ? openList(element, branch.length) : openTuple(element, branch.length);
}

/** Leaves with their paths. `open` when there may be others like those. */
export interface Leaves {
  readonly pairs: (readonly [path: string | null, leaf: Value])[];
  open: boolean;
}

/** `tree_flatten`. An empty list or dict has no leaves. */
export function leavesOf(
  interpreter: Interpreter,
  tree: Value,
  isLeaf: IsLeaf = neverLeaf,
  path: string | null = '',
  into: Leaves = { pairs: [], open: false },
  level = 0,
): Leaves {
  if (level > MOST_LEVELS) throw tooDeep();
  const below = (child: Value, name: string | null): Leaves =>
    leavesOf(interpreter, child, isLeaf, join(path, name), into, level + 1);
  const value = interpreter.settled(tree);
  const leaf = isLeaf(value);
  const branch = leaf ? null : branchOf(interpreter, value);
  if (leaf === null || value.kind === 'unknown' || value.kind === 'union') into.open = true;
  if (branch === null) into.pairs.push([path, value]);
  else if (branch.kind === 'dict') {
    for (const { key, value: child } of branch.entries) below(child, interpreter.format(key));
    if (branch.rest) {
      into.open = true;
      below(branch.rest, null);
    }
  } else if (branch.items) for (const [i, child] of branch.items.entries()) below(child, `${i}`);
  else {
    into.open = true;
    if (branch.element) below(branch.element, null);
  }
  return into;
}

/** A value that stands for each of these. */
export const oneOf = (interpreter: Interpreter, values: readonly Value[]): Value =>
  values.length === 0 ? unknown('nothing is known of the elements') : interpreter.join(values);

/** Leaves as the list of (path, leaf) that `tree_flatten` answers. */
export function pairsList(interpreter: Interpreter, leaves: Leaves): Value {
  if (!leaves.open) return list(leaves.pairs.map(([path, leaf]) => tuple([str(path), leaf])));
  const values = leaves.pairs.map(([, leaf]) => leaf);
  return openList(tuple([str(null), oneOf(interpreter, values)]), anonymous());
}

/** Leaves as a dict from path to leaf. */
export function pairsDict(interpreter: Interpreter, leaves: Leaves): DictValue {
  const entries = leaves.pairs.map(([path, value]) => ({ key: str(path), value }));
  const rest = leaves.open ? unknown('the tree may have other leaves') : null;
  return dictOf(interpreter, entries, rest);
}

/**
 * `tree_unflatten`: the tree with these leaves. Keys that are all numbers make a list, with empty dicts in its gaps.
 */
export function unflatten(pairs: readonly (readonly [path: string, leaf: Value])[]): Value {
  if (pairs.length === 1 && pairs[0][0] === '') return pairs[0][1];
  const children = new Map<string, [string, Value][]>();
  for (const [path, leaf] of pairs) {
    const dot = path.indexOf('.');
    const [head, tail] = dot < 0 ? [path, ''] : [path.slice(0, dot), path.slice(dot + 1)];
    const below = children.get(head);
    if (below) below.push([tail, leaf]);
    else children.set(head, [[tail, leaf]]);
  }
  const numbers = [...children.keys()].filter(key => /^\d+$/.test(key));
  if (numbers.length < children.size) return dict([...children].map(([key, below]) => [key, unflatten(below)]));
  const items: Value[] = [];
  for (const key of numbers.sort((a, b) => Number(a) - Number(b))) {
    while (items.length < Number(key)) items.push(dict());
    items.push(unflatten(children.get(key)!));
  }
  return list(items);
}
