/** Binding targets: names, attributes, items, and unpacking. */
import { anonymous, isKnown, sub } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Expr, Node } from '../python/ast';
import type { Evaluator } from './evaluator';
import { evaluate } from './expressions';
import { isGuess, onGuess } from './guess';
import { Unknowable } from './interpreter';
import { anotherOf } from './join';
import { int, list, openList, type Scope, unknown, type Value } from './values';

/** The source text of a simple target: `h`, `self.weight`; null for others. */
export function targetName(e: Expr): string | null {
  if (e.kind === 'Name') return e.id;
  if (e.kind === 'Attribute') {
    const owner = targetName(e.value);
    return owner && `${owner}.${e.attr}`;
  }
  if (e.kind === 'Subscript') {
    const owner = targetName(e.value);
    return owner && `${owner}[…]`;
  }
  return null;
}

/** Names that occur in an expression. */
export function assignedNames(e: Expr): string[] {
  const names: string[] = [];
  const visit = (x: unknown): void => {
    if (Array.isArray(x)) for (const y of x) visit(y);
    else if (typeof x === 'object' && x !== null) {
      const node = x as Node;
      if (node.kind === 'Name') names.push(node.id);
      for (const v of Object.values(x)) if (typeof v === 'object') visit(v);
    }
  };
  visit(e);
  return names;
}

/** The scope a name is bound in: the frame's own unless declared global or nonlocal. */
function scopeFor(ev: Evaluator, name: string): Scope {
  const { frame } = ev;
  if (frame.globals.has(name)) return { names: frame.module.attributes, parent: null, kind: 'module' };
  if (frame.nonlocals.has(name))
    for (let s = frame.scope.parent; s; s = s.parent) if (s.kind === 'function' && s.names.has(name)) return s;
  return frame.scope;
}

export function bindName(ev: Evaluator, name: string, value: Value): void {
  ev.heap.set(scopeFor(ev, name).names, name, value);
}

export function assign(ev: Evaluator, target: Expr, value: Value): void {
  switch (target.kind) {
    case 'Name':
      bindName(ev, target.id, value);
      ev.observe('assign', target, target.id, value);
      return;
    case 'Attribute':
      ev.setAttribute(evaluate(ev, target.value), target.attr, value);
      ev.observe('assign', target, targetName(target), value);
      return;
    case 'Subscript':
      assignItem(ev, target, value);
      return;
    case 'Tuple':
    case 'List':
      unpack(ev, target, target.elts, value);
      return;
    case 'Starred':
      assign(ev, target.value, value);
      return;
    default:
      return;
  }
}

function assignItem(ev: Evaluator, target: Expr & { kind: 'Subscript' }, value: Value): void {
  const owner = ev.settled(evaluate(ev, target.value));
  const index = evaluate(ev, target.slice);
  const place = ev.at(target);
  const reads = ev.usualReads;
  try {
    const hook =
      owner.kind === 'array' ? ev.arrayType.setItem : owner.kind === 'native' ? owner.type.setItem : undefined;
    // An array is replaced by its updated copy, behind every name that leads to it: the name written here.
    if (hook) {
      const write = () => hook(ev, owner, index, value);
      rebind(ev, target.value, isGuess(owner) ? onGuess(write) : write());
    } else ev.setItem(owner, index, value);
  } catch (e) {
    if (e instanceof Unknowable) rebind(ev, target.value, unknown(e.reason));
    else if (!(e instanceof Refusal)) throw e;
    // A default that nobody may ever use proves nothing.
    else if (ev.usualReads === reads) ev.refused(e, target);
  } finally {
    ev.restore(place);
  }
  observeOwner(ev, target.value);
}

/** What the container is worth after one of its items was set: an array is another one then. */
function observeOwner(ev: Evaluator, owner: Expr): void {
  const name = targetName(owner);
  if (name && !name.includes('[')) ev.observe('assign', owner, name, evaluate(ev, owner));
}

/** Puts the updated array where it came from. */
function rebind(ev: Evaluator, target: Expr, value: Value): void {
  if (target.kind === 'Name') bindName(ev, target.id, value);
  else if (target.kind === 'Attribute') ev.setAttribute(evaluate(ev, target.value), target.attr, value);
  else if (target.kind === 'Subscript') {
    const owner = ev.settled(evaluate(ev, target.value));
    if (owner.kind !== 'array') ev.setItem(owner, evaluate(ev, target.slice), value);
  }
}

function unpack(ev: Evaluator, target: Node, targets: readonly Expr[], value: Value): void {
  const isLast = (t: Expr, i: number) =>
    t.kind !== 'Name' || !targets.some((other, j) => j > i && other.kind === 'Name' && other.id === t.id);
  unpackInto(ev, target, targets, value, (i, item) => {
    if (isLast(targets[i], i)) assign(ev, targets[i], item);
  });
  // `B, L, _, _ = x.shape`: a name that stands there twice is worth what it got last.
  for (const [i, t] of targets.entries())
    if (t.kind === 'Name' && !isLast(t, i)) ev.observe('assign', t, t.id, evaluate(ev, t));
}

function unpackInto(
  ev: Evaluator,
  target: Node,
  targets: readonly Expr[],
  value: Value,
  put: (index: number, item: Value) => void,
): void {
  const star = targets.findIndex(t => t.kind === 'Starred');
  const v = ev.settled(value);
  const wanted = targets.length;
  if (v.kind === 'tuple' && !v.items && star < 0 && v.shapeOf) {
    // `B, L, D = x.shape` of an array of unknown rank: now it has one.
    const names = targets.map(t => (t.kind === 'Name' && !/^_+$/.test(t.id) ? t.id : null));
    const shape = ev.facts.shape(v.shapeOf.shape);
    if (shape instanceof OpenShape) {
      const dims = ev.facts.refineRank(shape, wanted, names);
      if (dims) {
        for (const [i, d] of dims.entries()) put(i, int(d));
        return;
      }
    } else if (shape !== null) {
      unpackInto(ev, target, targets, { ...v, items: shape.map(int), length: shape.length, element: null }, put);
      return;
    }
  }
  const over = ev.iterate(v);
  if (over.items) {
    const count = over.items.length;
    const fewest = star < 0 ? wanted : wanted - 1;
    if (star < 0 ? count !== wanted : count < fewest) {
      if (v.kind !== 'unknown')
        ev.refused(
          new Refusal(
            'unpack',
            `${count} value${count === 1 ? '' : 's'} cannot be unpacked into ${star < 0 ? '' : 'at least '}${fewest} name${fewest === 1 ? '' : 's'}${describe(v)}`,
            { expected: fewest, actual: count },
          ),
          target,
        );
      for (const i of targets.keys()) put(i, unknown('was not unpacked'));
      return;
    }
    for (const i of targets.keys()) {
      if (star < 0 || i < star) put(i, over.items[i]);
      else if (i === star) put(i, list(over.items.slice(i, count - (wanted - 1 - i))));
      else put(i, over.items[count - (wanted - i)]);
    }
    return;
  }
  const { length } = over;
  if (star < 0 && isKnown(length) && length !== wanted && length > 0) {
    for (const i of targets.keys()) put(i, unknown('was not unpacked'));
    return;
  }
  for (const i of targets.keys())
    put(
      i,
      i === star
        ? openList(over.element, isKnown(length) ? sub(length, wanted - 1) : anonymous())
        : anotherOf(ev.facts, over.element),
    );
}

function describe(v: Value): string {
  return v.kind === 'tuple' && v.shapeOf ? ': the array has that many axes' : '';
}
