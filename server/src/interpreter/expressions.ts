/** What each expression is worth. */
import { anonymous } from '../../../engine/src/dims/dim';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Call, Compare, Comprehension, Expr, FString, FStringField, IfExp, Node } from '../python/ast';
import { assign, bindName } from './assignment';
import { attempt, fork, glance } from './branches';
import { formatWith } from './builtins/format-spec';
import { compare, truthOf } from './comparison';
import { makeFunction } from './definitions';
import type { Evaluator, Frame } from './evaluator';
import { Unknowable } from './interpreter';
import { learn, narrow } from './knowledge';
import { managerOf } from './managers';
import { binary, unary } from './operators';
import { asMayBeGiven, DEFAULTED, isDefaultedIndex, isDefaultedNone, resting } from './usual';
import {
  type Arguments,
  bool,
  dict,
  ELLIPSIS,
  FALSE,
  float,
  freshNames,
  type Iteration,
  int,
  iterator,
  keyOf,
  list,
  NONE,
  openList,
  type Scope,
  setOfValues,
  str,
  TRUE,
  tuple,
  unknown,
  type Value,
} from './values';

export function evaluate(ev: Evaluator, e: Expr): Value {
  ev.step();
  const value = dispatch(ev, e);
  if (value.kind === 'array' || (ev.observesAll && isNumbers(value))) ev.observe('expr', e, null, value);
  return value;
}

const isNumbers = ({ kind }: Value): boolean => kind === 'int' || kind === 'tuple' || kind === 'list';

/** Runs something that MLX may refuse, with `node` as its place; a refusal is reported and makes the value unknown. */
export function guarded(ev: Evaluator, node: Node, run: () => Value): Value {
  const place = ev.at(node);
  const reads = ev.usualReads;
  try {
    return run();
  } catch (error) {
    if (error instanceof Unknowable) return unknown(error.reason);
    if (!(error instanceof Refusal)) throw error;
    // A default that nobody may ever use proves nothing.
    if (ev.usualReads === reads) ev.refused(error, node);
    return unknown('was refused');
  } finally {
    ev.restore(place);
  }
}

function dispatch(ev: Evaluator, e: Expr): Value {
  switch (e.kind) {
    case 'Name':
      return lookup(ev, e.id);
    case 'Int':
      return e.value === null ? unknown('is a very large integer') : int(e.value);
    case 'Float':
      return float(e.value);
    case 'Imaginary':
      return { kind: 'complex', real: 0, imaginary: e.value };
    case 'Str':
      return str(e.value);
    case 'Bytes':
      return { kind: 'bytes' };
    case 'Keyword':
      return e.value === 'True' ? TRUE : e.value === 'False' ? FALSE : e.value === 'None' ? NONE : ELLIPSIS;
    case 'FString':
      return formatted(ev, e);
    case 'Attribute': {
      const owner = evaluate(ev, e.value);
      return guarded(ev, e, () => ev.getAttribute(owner, e.attr) ?? noAttribute(ev, owner, e.attr));
    }
    case 'Subscript': {
      const owner = evaluate(ev, e.value);
      const index = evaluate(ev, e.slice);
      return isDefaultedIndex(index) ? DEFAULTED : guarded(ev, e, () => ev.getItem(owner, index));
    }
    case 'Slice':
      return {
        kind: 'slice',
        lower: e.lower ? evaluate(ev, e.lower) : NONE,
        upper: e.upper ? evaluate(ev, e.upper) : NONE,
        step: e.step ? evaluate(ev, e.step) : NONE,
      };
    case 'Call':
      return callExpression(ev, e);
    case 'BinOp': {
      const left = evaluate(ev, e.left);
      const right = evaluate(ev, e.right);
      if (isDefaultedNone(left) || isDefaultedNone(right)) return DEFAULTED;
      return guarded(ev, e, () => binary(ev, e.op, left, right));
    }
    case 'UnaryOp': {
      const operand = evaluate(ev, e.operand);
      if (e.op === 'not') {
        const reads = ev.usualReads;
        const answer = truthOf(ev, operand);
        return resting(ev, reads, bool(answer === null ? null : !answer));
      }
      return guarded(ev, e, () => unary(ev, e.op, operand));
    }
    case 'BoolOp':
      return boolean(ev, e.op, e.values);
    case 'Compare':
      return comparison(ev, e);
    case 'IfExp':
      return conditional(ev, e);
    case 'Tuple':
      return sequence(ev, e.elts, tuple);
    case 'List':
      return sequence(ev, e.elts, list);
    case 'Set':
      return setOfValues(e.elts.map(x => ev.settled(evaluate(ev, x))));
    case 'Dict':
      return dictionary(ev, e.keys, e.values);
    case 'ListComp': {
      const made = comprehension(ev, e.generators, () => evaluate(ev, e.elt));
      return made.items ? list(made.items) : openList(made.element, made.length);
    }
    case 'GeneratorExp':
      return iterator(comprehension(ev, e.generators, () => evaluate(ev, e.elt)));
    case 'SetComp': {
      const made = comprehension(ev, e.generators, () => evaluate(ev, e.elt));
      return setOfValues(made.items?.map(v => ev.settled(v)) ?? [], !made.items);
    }
    case 'DictComp': {
      const made = comprehension(ev, e.generators, () => tuple([evaluate(ev, e.key), evaluate(ev, e.value)]));
      return dictOf(ev, made);
    }
    case 'Lambda':
      return makeFunction(ev, e);
    case 'NamedExpr': {
      const value = evaluate(ev, e.value);
      bindName(ev, e.target.id, value);
      ev.observe('assign', e.target, e.target.id, value);
      return value;
    }
    case 'Starred':
      return evaluate(ev, e.value);
    case 'Await':
      evaluate(ev, e.value);
      return unknown('is awaited');
    case 'Yield': {
      const value = e.value ? evaluate(ev, e.value) : NONE;
      yielded(ev, [value]);
      ev.frame.yields?.turn?.(value);
      return unknown('is sent to a generator');
    }
    case 'YieldFrom': {
      const over = ev.iterate(evaluate(ev, e.value));
      yielded(ev, over.items ?? [over.element], over.items !== null);
      return unknown('is what a generator returns');
    }
    case 'ErrorExpr':
      for (const item of e.items) evaluate(ev, item);
      return unknown('cannot be read');
  }
}

/** Notes what a generator yields; `exact` where these are all. */
function yielded(ev: Evaluator, values: readonly Value[], exact = true): void {
  const { yields } = ev.frame;
  if (!yields) return;
  yields.values.push(...values);
  if (!exact || ev.heap.depth > yields.forks) yields.exact = false;
}

const isDunder = (name: string): boolean => /^__\w+__$/.test(name);

/**
 * Of arrays, of modules written here that are not open, and of instances that were followed from where they were made,
 * every name is known: a missing one is refused.
 */
function noAttribute(ev: Evaluator, owner: Value, name: string): Value {
  const v = ev.settled(owner);
  if (v.kind === 'instance') {
    if (isDunder(name) || !ev.isMissing(v, name)) return unknown(`has no attribute ${name}`);
    throw new Refusal('attribute', `${v.cls.name} has no attribute ${name}`, { name, layer: v }, 'AttributeError');
  }
  const complete =
    v.kind === 'module' ? v.file === null && !v.open && !isDunder(name) : v.kind === 'array' && !v.guessed;
  if (!complete) return unknown(`has no attribute ${name}`);
  const what = v.kind === 'module' ? v.name : 'mx.array';
  throw new Refusal('attribute', `${what} has no attribute ${name}`, { name }, 'AttributeError');
}

export function lookup(ev: Evaluator, name: string): Value {
  const { frame } = ev;
  if (!frame.globals.has(name))
    for (let scope: Scope | null = frame.scope; scope; scope = scope.parent) {
      if (scope.kind === 'class' && scope !== frame.scope) continue;
      const value = scope.names.get(name);
      if (value) return value;
    }
  return frame.module.attributes.get(name) ?? ev.host.builtins.get(name) ?? unknown(`${name} is not defined here`);
}

function formatted(ev: Evaluator, e: FString): Value {
  let text: string | null = '';
  for (const part of e.parts) {
    const piece: string | null = typeof part === 'string' ? part : field(ev, part);
    text = text === null || piece === null ? null : text + piece;
  }
  return str(text);
}

function field(ev: Evaluator, f: FStringField): string | null {
  const value = evaluate(ev, f.value);
  const spec = (f.format ?? []).map(part => (typeof part === 'string' ? part : field(ev, part)));
  return spec.includes(null) ? null : formatWith(ev, value, spec.join(''), f.conversion);
}

// ---- calls ------------------------------------------------------------------------------------------------------------

export function callArguments(ev: Evaluator, e: Call): Arguments {
  const positional: Value[] = [];
  const keywords = new Map<string, Value>();
  let open = false;
  const rest: Value[] = [];
  for (const a of e.args) {
    if (a.kind !== 'Starred') {
      // After a sequence of unknown length nothing has a place.
      (open ? rest : positional).push(evaluate(ev, a));
      continue;
    }
    const spread = ev.settled(evaluate(ev, a.value));
    if (spread.kind === 'tuple' && spread.shapeOf && !spread.items) {
      open = true;
      rest.push(unknown('is a dim of an array of unknown rank'));
    } else {
      const over = ev.iterate(spread);
      if (!over.items) {
        open = true;
        rest.push(over.element);
      } else (open ? rest : positional).push(...over.items);
    }
  }
  for (const k of e.keywords) {
    const value = evaluate(ev, k.value);
    if (k.arg !== null) {
      keywords.set(k.arg, value);
      continue;
    }
    const v = ev.settled(value);
    if (v.kind === 'dict') {
      for (const { key, value: item } of v.entries.values())
        if (key.kind === 'str' && key.value !== null) keywords.set(key.value, item);
      if (v.rest) open = true;
    } else open = true;
  }
  return { positional, keywords, open, rest: rest.length > 0 ? ev.join(rest) : undefined };
}

function callExpression(ev: Evaluator, e: Call): Value {
  if (e.func.kind === 'Name' && e.func.id === 'super' && e.args.length === 0) return superOf(ev);
  const callee = evaluate(ev, e.func);
  const passed = callArguments(ev, e);
  return managerOf(ev, callee, passed) ?? guarded(ev, e, () => ev.call(callee, passed));
}

function superOf(ev: Evaluator): Value {
  for (let i = ev.frames.length - 1; i >= 0; i--) {
    const { func, scope } = ev.frames[i];
    if (!func?.owner) continue;
    const first = func.node.params[0]?.name;
    const self = first ? scope.names.get(first) : undefined;
    if (self) return { kind: 'super', after: func.owner, self };
  }
  return unknown('super() is called outside a method');
}

// ---- boolean operators and conditions ---------------------------------------------------------------------------------

function boolean(ev: Evaluator, op: 'and' | 'or', parts: readonly Expr[]): Value {
  const walk = (at: number): Value => {
    const value = evaluate(ev, parts[at]);
    if (at === parts.length - 1) return value;
    const reads = ev.usualReads;
    const answer = truthOf(ev, value);
    if (answer !== null) {
      const stops = answer === (op === 'or');
      if (stops && ev.usualReads > reads) glance(ev, () => void walk(at + 1));
      if (stops) return value;
      const rest = walk(at + 1);
      return op === 'or' && isDefaultedNone(value) ? asMayBeGiven(rest) : rest;
    }
    // The value stands where it decides; otherwise the rest does, on the path where this one did not decide.
    let rest: Value = NONE;
    fork(ev, [
      () => {
        const goesOn = op === 'and';
        if (narrow(ev, parts[at], goesOn)) {
          learn(ev, parts[at], goesOn);
          rest = walk(at + 1);
        } else rest = value;
        return null;
      },
      () => null,
    ]);
    const keep = ev.settled(value);
    const decides = keep.kind === 'union' ? keep.options.filter(o => truthOf(ev, o) !== (op === 'and')) : [keep];
    return ev.join([...decides, rest]);
  };
  return walk(0);
}

function comparison(ev: Evaluator, e: Compare): Value {
  let left = evaluate(ev, e.left);
  let result: Value = TRUE;
  for (const [i, op] of e.ops.entries()) {
    const right = evaluate(ev, e.comparators[i]);
    const l = left;
    const reads = ev.usualReads;
    const defaulted = op !== 'is' && op !== 'is not' && (isDefaultedNone(l) || isDefaultedNone(right));
    const value = defaulted ? DEFAULTED : guarded(ev, e, () => compare(ev, op, l, right));
    if (e.ops.length === 1) return resting(ev, reads, value);
    const answer = truthOf(ev, value);
    if (answer === false) return FALSE;
    if (answer === null) result = bool(null);
    left = right;
  }
  return result;
}

function conditional(ev: Evaluator, e: IfExp): Value {
  const reads = ev.usualReads;
  const answer = truthOf(ev, evaluate(ev, e.test));
  if (answer !== null) {
    const chosen = answer ? e.body : e.orelse;
    if (ev.usualReads === reads) return evaluate(ev, chosen);
    glance(ev, () => void evaluate(ev, answer ? e.orelse : e.body));
    return asMayBeGiven(evaluate(ev, chosen));
  }
  const values: Value[] = [];
  const path = (holds: boolean, branch: Expr) => () => {
    if (!narrow(ev, e.test, holds)) return null;
    learn(ev, e.test, holds);
    values.push(evaluate(ev, branch));
    return null;
  };
  fork(ev, [path(true, e.body), path(false, e.orelse)]);
  return values.length ? ev.join(values) : unknown('neither branch can be taken');
}

// ---- displays and comprehensions --------------------------------------------------------------------------------------

function sequence(ev: Evaluator, elts: readonly Expr[], make: (items: readonly Value[]) => Value): Value {
  const items: Value[] = [];
  let loose: Iteration | null = null;
  for (const e of elts) {
    if (e.kind !== 'Starred') {
      items.push(evaluate(ev, e));
      continue;
    }
    const over = ev.iterate(evaluate(ev, e.value));
    if (over.items) items.push(...over.items);
    else loose = over;
  }
  if (!loose) return make(items);
  const element = ev.join([loose.element, ...items]);
  const made = openList(element, anonymous());
  return make === (tuple as unknown) ? { kind: 'tuple', items: null, element, length: made.length } : made;
}

function dictionary(ev: Evaluator, keys: readonly (Expr | null)[], values: readonly Expr[]): Value {
  const d = dict();
  for (const [i, k] of keys.entries()) {
    const value = evaluate(ev, values[i]);
    if (k) {
      putItem(ev, d, evaluate(ev, k), value);
      continue;
    }
    const other = ev.settled(value);
    if (other.kind === 'dict') {
      for (const [key, entry] of other.entries) d.entries.set(key, entry);
      if (other.rest) d.rest = d.rest ? ev.join([d.rest, other.rest]) : other.rest;
    } else d.rest = unknown('comes from an unknown mapping');
  }
  return d;
}

function putItem(ev: Evaluator, d: Value & { kind: 'dict' }, key: Value, value: Value): void {
  const id = keyOf(ev.settled(key));
  if (id) d.entries.set(id, { key: ev.settled(key), value });
  else d.rest = d.rest ? ev.join([d.rest, value]) : value;
}

/** A dict from key-value pairs. */
export function dictOf(ev: Evaluator, pairs: Iteration): Value {
  const d = dict();
  for (const pair of pairs.items ?? [pairs.element]) {
    const both = ev.iterate(pair).items;
    if (both?.length === 2) {
      if (pairs.items) putItem(ev, d, both[0], both[1]);
      else d.rest = both[1];
    } else d.rest = unknown('comes from unknown pairs');
  }
  return d;
}

/** Runs the generators of a comprehension in a scope of their own. */
function comprehension(ev: Evaluator, generators: readonly Comprehension[], element: () => Value): Iteration {
  const outer = ev.frame;
  const inner: Frame = {
    ...outer,
    scope: { names: freshNames(), parent: outer.scope, kind: 'function' },
    globals: outer.globals,
  };
  const items: Value[] = [];
  let exact = true;
  let length: Iteration['length'] | null = null;
  const walk = (at: number): void => {
    if (at === generators.length) {
      items.push(element());
      return;
    }
    const { target, iter, ifs } = generators[at];
    const over = ev.iterate(evaluate(ev, iter));
    if (!over.items) {
      exact = false;
      length = at === 0 && generators.length === 1 && ifs.length === 0 ? over.length : anonymous();
    }
    for (const item of over.items ?? [over.element]) {
      assign(ev, target, item);
      const answers = ifs.map(test => {
        const answer = truthOf(ev, evaluate(ev, test));
        if (answer === null) {
          narrow(ev, test, true);
          learn(ev, test, true);
        }
        return answer;
      });
      if (answers.includes(false)) continue;
      if (answers.includes(null)) {
        exact = false;
        length = anonymous();
      }
      walk(at + 1);
    }
  };
  ev.frames.push(inner);
  try {
    const flow = attempt(() => {
      walk(0);
      return null;
    });
    if (flow?.kind === 'raise') throw flow.raised;
  } finally {
    ev.frames.pop();
  }
  if (exact) return { items, element: unknown('is an element of a known sequence'), length: items.length };
  return {
    items: null,
    element: items.length ? ev.join(items) : unknown('nothing is there'),
    length: length ?? anonymous(),
  };
}
