/**
 * `mlx.utils`: functions over trees of lists, tuples and dicts.
 */
import { Refusal } from '../../../engine/src/graph/refusal';
import { type Interpreter, Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, dict, keyOf, list, NONE, str, tuple, type Value } from '../interpreter/values';
import { define, typeName } from './define';
import { branchOf, dictOf, leafTest, leavesOf, pairsDict, pairsList, treeMap, unflatten } from './nn/tree';

const treeMapFunction = define('mlx.utils.tree_map(fn, tree, *rest, is_leaf=None)', c => {
  const { interpreter } = c;
  const fn = c.value('fn');
  return treeMap(
    interpreter,
    (leaf, rest) => interpreter.callWith(fn, leaf, ...rest),
    c.value('tree'),
    c.items('rest'),
    leafTest(interpreter, c.value('is_leaf')),
  );
});

const treeMapWithPath = define('mlx.utils.tree_map_with_path(fn, tree, *rest, is_leaf=None, path=None)', c => {
  const { interpreter } = c;
  const fn = c.value('fn');
  const start = c.value('path');
  return treeMap(
    interpreter,
    (leaf, rest, path) => interpreter.callWith(fn, path === '' ? start : str(path), leaf, ...rest),
    c.value('tree'),
    c.items('rest'),
    leafTest(interpreter, c.value('is_leaf')),
    start.kind === 'none' ? '' : interpreter.format(start),
  );
});

/** Paths start at `prefix`, whose first character (the dot before it) is cut off. */
const treeFlatten = define("mlx.utils.tree_flatten(tree, prefix='', is_leaf=None, destination=None)", c => {
  const { interpreter } = c;
  const prefix = c.text('prefix');
  const found = leavesOf(interpreter, c.value('tree'), leafTest(interpreter, c.value('is_leaf')));
  const from = (path: string | null): string | null =>
    path === null || prefix === '' ? path : `${prefix}${path === '' ? '' : `.${path}`}`.slice(1);
  const leaves = { ...found, pairs: found.pairs.map(([path, leaf]) => [from(path), leaf] as const) };
  const destination = c.value('destination');
  if (destination.kind === 'none') return pairsList(interpreter, leaves);
  if (destination.kind === 'dict') {
    const { entries, rest } = pairsDict(interpreter, leaves);
    for (const [key, entry] of entries) interpreter.heap.setDictEntry(destination, key, entry);
    if (rest) interpreter.heap.setDictRest(destination, rest);
    return destination;
  }
  if (destination.kind === 'list') {
    if (leaves.open) throw new Unknowable('the leaves of the tree are not all known');
    for (const [path, leaf] of leaves.pairs) interpreter.heap.append(destination, tuple([str(path), leaf]));
    return destination;
  }
  throw new Refusal('value', `tree_flatten writes to a list or a dict, not to ${typeName(destination)}`);
});

/** The (path, leaf) pairs in a list of tuples or a dict. @throws Unknowable where they are not all known */
function pairsOf(interpreter: Interpreter, tree: Value): [string, Value][] {
  const branch = branchOf(interpreter, tree);
  const notKnown = () => new Unknowable('the leaves of the tree are not all known');
  if (branch === null) throw notKnown();
  const text = (v: Value): string => {
    const path = interpreter.settled(v);
    if (path.kind !== 'str' || path.value === null) throw notKnown();
    return path.value;
  };
  if (branch.kind === 'dict') {
    if (branch.rest) throw notKnown();
    return branch.entries.map(e => [text(e.key), e.value]);
  }
  if (!branch.items) throw notKnown();
  return branch.items.map(item => {
    const { items } = interpreter.iterate(item);
    if (items?.length !== 2) throw notKnown();
    return [text(items[0]), items[1]];
  });
}

const treeUnflatten = define('mlx.utils.tree_unflatten(tree)', c => unflatten(pairsOf(c.interpreter, c.value('tree'))));

const treeReduce = define('mlx.utils.tree_reduce(fn, tree, initializer=None, is_leaf=None)', c => {
  const { interpreter } = c;
  const leaves = leavesOf(interpreter, c.value('tree'), leafTest(interpreter, c.value('is_leaf')));
  if (leaves.open) throw new Unknowable('the leaves of the tree are not all known');
  const fn = c.value('fn');
  return leaves.pairs.reduce(
    (total, [, leaf]) => (total.kind === 'none' ? leaf : interpreter.callWith(fn, total, leaf)),
    c.value('initializer'),
  );
});

const treeMerge = define('mlx.utils.tree_merge(tree_a, tree_b, merge_fn=None)', c =>
  mergeTrees(c.interpreter, c.value('tree_a'), c.value('tree_b'), c.value('merge_fn')),
);

/**
 * One tree with what either has; leaves that both have are combined by `mergeFn`.
 * @throws Refusal of kind 'value' where both have a leaf and there is no `mergeFn`
 */
export function mergeTrees(interpreter: Interpreter, a: Value, b: Value, mergeFn: Value = NONE): Value {
  const [left, right] = [interpreter.settled(a), interpreter.settled(b)];
  const [leftBranch, rightBranch] = [branchOf(interpreter, left), branchOf(interpreter, right)];
  const isEmpty = (branch: typeof leftBranch): boolean =>
    branch !== null && (branch.kind === 'dict' ? branch.entries.length === 0 && !branch.rest : branch.length === 0);
  if (isEmpty(leftBranch) && isEmpty(rightBranch)) {
    if (left.kind !== right.kind)
      throw new Refusal('value', `tree_merge cannot merge ${typeName(left)} with ${typeName(right)}`);
    return left.kind === 'list' ? list([]) : left.kind === 'tuple' ? tuple([]) : dict();
  }
  if (isEmpty(leftBranch) || left.kind === 'none') return right;
  if (isEmpty(rightBranch) || right.kind === 'none') return left;
  if (leftBranch?.kind === 'dict' && rightBranch?.kind === 'dict') {
    const other = new Map(rightBranch.entries.map(e => [keyOf(e.key), e]));
    const entries = leftBranch.entries.map(({ key, value }) => {
      const match = other.get(keyOf(key));
      other.delete(keyOf(key));
      return { key, value: match ? mergeTrees(interpreter, value, match.value, mergeFn) : value };
    });
    const rests = [leftBranch.rest, rightBranch.rest].filter(rest => rest !== null);
    return dictOf(interpreter, [...entries, ...other.values()], rests.length ? interpreter.join(rests) : null);
  }
  if (leftBranch && rightBranch && leftBranch.kind !== 'dict' && rightBranch.kind !== 'dict') {
    const [first, second] = [leftBranch.items, rightBranch.items];
    if (!first || !second) throw new Unknowable('the trees are not all known');
    const items = Array.from({ length: Math.max(first.length, second.length) }, (_, i) =>
      mergeTrees(interpreter, first[i] ?? NONE, second[i] ?? NONE, mergeFn),
    );
    return leftBranch.kind === 'list' ? list(items) : tuple(items, leftBranch.fields);
  }
  if (mergeFn.kind === 'none') {
    if (left.kind === 'unknown' || right.kind === 'unknown') throw new Unknowable('the trees are not all known');
    throw new Refusal(
      'value',
      'tree_merge finds a leaf at one place in both trees and has no merge_fn to combine them',
    );
  }
  return interpreter.callWith(mergeFn, left, right);
}

export const treeFunctions: readonly BuiltinValue[] = [
  treeMapFunction,
  treeMapWithPath,
  treeFlatten,
  treeUnflatten,
  treeReduce,
  treeMerge,
];
