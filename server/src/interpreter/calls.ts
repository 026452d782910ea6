/** Calling things: functions with Python's argument binding, methods, classes, instances. */
import { anonymous } from '../../../engine/src/dims/dim';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Node, Param } from '../python/ast';
import { getAttribute, lookupClass } from './attributes';
import { attempt, collect, type Flow } from './branches';
import { type Evaluator, type Frame, PythonRaise, type Yields } from './evaluator';
import { evaluate } from './expressions';
import { isGuess, onGuess } from './guess';
import { Unknowable } from './interpreter';
import { known } from './iteration';
import { sameKnowledge } from './join';
import { block } from './statements';
import {
  type Arguments,
  type ClassValue,
  dict,
  type FunctionValue,
  freshNames,
  instance,
  iterator,
  NONE,
  openTuple,
  type Scope,
  tuple,
  unknown,
  type Value,
} from './values';

const MOST_SELF_CALLS = 12;

export function callValue(ev: Evaluator, callee: Value, passed: Arguments): Value {
  const f = ev.settled(callee);
  switch (f.kind) {
    case 'function':
      return callFunction(ev, f, passed);
    case 'method': {
      const { self, func } = f;
      const call = () => callValue(ev, func, { ...passed, positional: [self, ...passed.positional] });
      return isGuess(self) ? onGuess(call) : call();
    }
    case 'builtin':
      return f.call(ev, passed);
    case 'staticmethod':
    case 'classmethod':
      return callValue(ev, f.func, passed);
    case 'class':
      return instantiate(ev, f, passed);
    case 'instance': {
      const method = getAttribute(ev, f, '__call__');
      if (!method || method.kind === 'unknown') return unknown(`${f.cls.name} is not known to be callable`);
      const value = callValue(ev, method, passed);
      ev.recorder.called(f, passed.positional[0] ?? null, value);
      return value;
    }
    case 'native':
      return f.type.call?.(ev, f, passed) ?? unknown(`calls a ${f.type.name}`);
    case 'union':
      return callUnion(ev, f.options, passed);
    case 'unknown':
      escapes(ev, passed);
      return unknown(f.reason);
    case 'int':
    case 'float':
    case 'str':
    case 'tuple':
    case 'list':
    case 'dict':
    case 'array':
      throw new Refusal('signature', `A value of type ${f.kind} cannot be called`, {}, 'TypeError');
    default:
      escapes(ev, passed);
      return unknown('is not known to be callable');
  }
}

/** What is passed to something out of reach. */
const escapes = (ev: Evaluator, { positional, keywords }: Arguments): void =>
  ev.escape([...positional, ...keywords.values()]);

/** Calls one of several: what any of them gives, unless all are refused. */
function callUnion(ev: Evaluator, options: readonly Value[], passed: Arguments): Value {
  const results: Value[] = [];
  let refusal: unknown = null;
  // Which of them meets which arguments is not known, so what one refuses is no proof.
  ev.muted++;
  try {
    for (const option of options) {
      if (option.kind === 'none') continue; // calling None raises: what goes on is another
      try {
        results.push(callValue(ev, option, passed));
      } catch (e) {
        if (e instanceof Unknowable) results.push(unknown(e.reason));
        else if (e instanceof Refusal || e instanceof PythonRaise) refusal = e;
        else throw e;
      }
    }
  } finally {
    ev.muted--;
  }
  if (results.length === 0 && refusal) throw refusal;
  return results.length ? ev.join(results) : unknown('calls nothing');
}

export function instantiate(ev: Evaluator, cls: ClassValue, passed: Arguments): Value {
  const native = cls.mro.find(c => c.construct);
  if (native?.construct && !cls.mro.slice(0, cls.mro.indexOf(native)).some(c => c.attributes.has('__init__'))) {
    if (cls.node && ev.host.builtins.get(native.name) === native) return openInstance(ev, cls);
    return native.construct(ev, cls, passed);
  }
  const origin = ev.origin();
  const made = instance(cls, origin);
  const init = lookupClass(cls, '__init__');
  if (init) callValue(ev, init, { ...passed, positional: [made, ...passed.positional] });
  else if (cls.open) ev.heap.openInstance(made);
  if (origin) ev.recorder.made(made, origin);
  return made;
}

/** An instance of a class that derives from one of Python's own types: what it holds as that type is not followed. */
function openInstance(ev: Evaluator, cls: ClassValue): Value {
  const made = instance(cls, ev.origin());
  made.open = true;
  return made;
}

export function callFunction(ev: Evaluator, f: FunctionValue, passed: Arguments): Value {
  const isTooDeep = ev.frames.length > ev.budget.depth;
  const active = ev.frames.filter(frame => frame.func?.node === f.node);
  if (isTooDeep || active.length > MOST_SELF_CALLS) {
    escapes(ev, passed);
    return unknown(isTooDeep ? 'is called too deeply to follow' : 'calls itself too often to follow');
  }
  ev.step();
  const scope: Scope = { names: freshNames(), parent: f.closure, kind: 'function' };
  bindParameters(ev, f, passed, scope);
  const given = [...scope.names.values()];
  if (active.some(frame => repeats(ev, frame.given, given))) return unknown('is what a call inside itself answers');
  const caller = ev.origin();
  const turn = ev.atYield?.node === f.node ? ev.atYield.run : undefined;
  if (turn) ev.atYield = null;
  const frame: Frame = {
    scope,
    module: f.module,
    func: f,
    cls: null,
    name: f.qualifiedName,
    globals: new Set(),
    nonlocals: new Set(),
    pending: [],
    yields:
      f.node.kind === 'FunctionDef' && f.node.isGenerator
        ? { values: [], forks: ev.heap.depth, exact: true, turn }
        : null,
    caller,
    given,
  };
  ev.recorder.entered(f, given);
  ev.frames.push(frame);
  // Arguments that may be several things are seldom independent: what is refused for all of them may never meet.
  const doubtful = [...scope.names.values()].some(v => ev.settled(v).kind === 'union');
  if (doubtful) ev.muted++;
  try {
    for (const p of f.node.params) {
      const value = scope.names.get(p.name);
      if (value) ev.observe('arg', named(p), p.name, value);
    }
    if (f.node.kind === 'Lambda') return evaluate(ev, f.node.body);
    const { body } = f.node;
    const flow = attempt(() => block(ev, body));
    const value = finish(ev, frame, flow);
    if (f.node.isAsync) return unknown('is a coroutine');
    if (!frame.yields) return value;
    return generatorOf(ev, frame.yields);
  } finally {
    if (doubtful) ev.muted--;
    ev.frames.pop();
  }
}

function named(p: Param): Node {
  if (p.start === p.nameStart) return p;
  p.named ??= { kind: 'Name', id: p.name, start: p.nameStart, end: p.end };
  return p.named;
}

/**
 * Whether a call of a function inside itself says nothing that the outer call did not, because something it was given is
 * unknown in the same way: following it would only repeat what the outer call does.
 */
function repeats(ev: Evaluator, outer: readonly Value[] | undefined, inner: readonly Value[]): boolean {
  return (
    outer !== undefined &&
    inner.some(v => ev.settled(v).kind === 'unknown') &&
    outer.length === inner.length &&
    inner.every((v, i) => sameKnowledge(ev.facts, outer[i], v))
  );
}

function generatorOf(ev: Evaluator, { values, exact }: Yields): Value {
  if (exact) return iterator(known(values));
  const element = values.length > 0 ? ev.join(values) : unknown('is yielded');
  return iterator({ items: null, element, length: anonymous() });
}

/** The value of a finished body: its own flow and every path that returned before. */
function finish(ev: Evaluator, frame: Frame, flow: Flow): Value {
  const raised = flow?.kind === 'raise' ? flow.raised : null;
  const values: Value[] = raised ? [] : [flow?.kind === 'return' ? flow.value : NONE];
  for (const p of collect(ev, frame, ['return', 'break', 'continue'], 0, !raised))
    values.push(p?.kind === 'return' ? p.value : NONE);
  if (values.length === 0) throw raised ?? new PythonRaise(NONE);
  return ev.join(values);
}

function bindParameters(ev: Evaluator, f: FunctionValue, passed: Arguments, scope: Scope): void {
  const { params } = f.node;
  const slots = params.filter(p => p.form === 'positional' || p.form === 'standard');
  const names = scope.names;
  const surplus: Value[] = [];
  for (const [i, v] of passed.positional.entries()) {
    if (i < slots.length) names.set(slots[i].name, v);
    else surplus.push(v);
  }
  const others = dict();
  for (const [name, v] of passed.keywords) {
    if (params.some(p => p.name === name && (p.form === 'standard' || p.form === 'keyword'))) names.set(name, v);
    else others.entries.set(`s:${name}`, { key: { kind: 'str', value: name }, value: v });
  }
  if (passed.open) others.rest = unknown('may be passed by keyword');
  for (const p of params) {
    if (p.form === 'vararg')
      names.set(
        p.name,
        passed.open
          ? openTuple(ev.join([passed.rest ?? unknown('may be passed'), ...surplus]), anonymous())
          : tuple(surplus),
      );
    else if (p.form === 'kwarg') names.set(p.name, others);
    else if (!names.has(p.name)) {
      const fallback = f.defaults.get(p.name);
      if (passed.open && slots.includes(p))
        names.set(p.name, unknown(`${p.name} may be passed in a *sequence or **mapping`));
      else names.set(p.name, fallback ?? unknown(`${p.name} is not passed`));
    }
  }
}
