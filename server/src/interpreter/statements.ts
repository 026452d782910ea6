/** What each statement does. */
import type {
  AnnAssign,
  Assign,
  AugAssign,
  ExceptHandler,
  Expr,
  For,
  If,
  Match,
  Stmt,
  Try,
  While,
} from '../python/ast';
import { walk } from '../python/walk';
import { walkTwice } from './again';
import { assign, assignedNames, bindName } from './assignment';
import { attempt, collect, type Flow, fork, glance } from './branches';
import { truthOf } from './comparison';
import { classDefinition, functionDefinition } from './definitions';
import { type Evaluator, PythonRaise } from './evaluator';
import { evaluate } from './expressions';
import { importFrom, importNames } from './imports';
import { learn, narrow } from './knowledge';
import { hasNews, loop } from './loops';
import { dottedName, withBlock } from './managers';
import { augmented } from './operators';
import { matchPattern } from './patterns';
import { deleteItem } from './subscripts';
import { asMayBeGiven, resolved, usuallyOf } from './usual';
import { NONE, str, unknown, type Value } from './values';

export function block(ev: Evaluator, body: readonly Stmt[]): Flow {
  for (const [i, stmt] of body.entries()) {
    const twice = stmt.kind === 'If' ? walkTwice(ev, body, i, rest => block(ev, rest)) : undefined;
    if (twice !== undefined) return twice;
    const flow = statement(ev, stmt);
    if (flow) return flow;
  }
  return null;
}

export function statement(ev: Evaluator, stmt: Stmt): Flow {
  ev.step();
  const place = ev.at(stmt);
  try {
    return dispatch(ev, stmt);
  } finally {
    ev.restore(place);
  }
}

function dispatch(ev: Evaluator, stmt: Stmt): Flow {
  switch (stmt.kind) {
    case 'ExprStmt':
      evaluate(ev, stmt.value);
      return null;
    case 'Assign':
      assignStatement(ev, stmt);
      return null;
    case 'AnnAssign':
      annotated(ev, stmt);
      return null;
    case 'AugAssign':
      augment(ev, stmt);
      return null;
    case 'Return': {
      const value = stmt.value ? evaluate(ev, stmt.value) : NONE;
      ev.observe('return', stmt, '<return>', value);
      return { kind: 'return', value };
    }
    case 'If':
      return branch(ev, stmt);
    case 'For':
      return forLoop(ev, stmt);
    case 'While':
      return whileLoop(ev, stmt);
    case 'FunctionDef':
      bindName(ev, stmt.name, functionDefinition(ev, stmt));
      return null;
    case 'ClassDef':
      bindName(ev, stmt.name, classDefinition(ev, stmt));
      return null;
    case 'Import':
      importNames(ev, stmt);
      return null;
    case 'ImportFrom':
      importFrom(ev, stmt);
      return null;
    case 'With':
      return withBlock(ev, stmt, () => block(ev, stmt.body));
    case 'Try':
      return tryBlock(ev, stmt);
    case 'Raise':
      throw new PythonRaise(stmt.exc ? evaluate(ev, stmt.exc) : unknown('is raised again'), null, ev.placeOf(stmt));
    case 'Assert': {
      const answer = truthOf(ev, evaluate(ev, stmt.test));
      if (answer === false) throw new PythonRaise(str('AssertionError'), null, ev.placeOf(stmt));
      if (answer === null) {
        narrow(ev, stmt.test, true);
        learn(ev, stmt.test, true);
      }
      return null;
    }
    case 'Delete':
      for (const target of stmt.targets) deleteTarget(ev, target);
      return null;
    case 'Global':
      for (const name of stmt.names) ev.frame.globals.add(name);
      return null;
    case 'Nonlocal':
      for (const name of stmt.names) ev.frame.nonlocals.add(name);
      return null;
    case 'Match':
      return matchStatement(ev, stmt);
    case 'Break':
      return { kind: 'break' };
    case 'Continue':
      return { kind: 'continue' };
    case 'TypeAlias':
      bindName(ev, stmt.name, unknown('is a type alias'));
      return null;
    case 'Pass':
      return null;
    case 'ErrorStmt':
      for (const item of stmt.items) evaluate(ev, item);
      return null;
  }
}

function assignStatement(ev: Evaluator, stmt: Assign): void {
  const value = evaluate(ev, stmt.value);
  for (const target of stmt.targets) assign(ev, target, value);
}

function annotated(ev: Evaluator, stmt: AnnAssign): void {
  if (stmt.value) assign(ev, stmt.target, evaluate(ev, stmt.value));
}

function augment(ev: Evaluator, stmt: AugAssign): void {
  const before = evaluate(ev, stmt.target);
  const operand = evaluate(ev, stmt.value);
  const place = ev.at(stmt);
  const value = augmented(ev, stmt.op, before, operand, stmt);
  ev.restore(place);
  assign(ev, stmt.target, value);
}

function deleteTarget(ev: Evaluator, target: Expr): void {
  if (target.kind === 'Name') ev.heap.set(ev.frame.scope.names, target.id, undefined);
  else if (target.kind === 'Attribute') {
    const owner = ev.settled(evaluate(ev, target.value));
    if (owner.kind === 'instance') ev.heap.set(owner.attributes, target.attr, undefined);
  } else if (target.kind === 'Subscript') deleteItem(ev, evaluate(ev, target.value), evaluate(ev, target.slice));
  else if (target.kind === 'Tuple' || target.kind === 'List') for (const t of target.elts) deleteTarget(ev, t);
}

// ---- conditions -------------------------------------------------------------------------------------------------------

function branch(ev: Evaluator, stmt: If): Flow {
  return decide(
    ev,
    stmt.test,
    () => block(ev, stmt.body),
    () => block(ev, stmt.orelse),
  );
}

/**
 * Walks the path that the condition chooses, or both. Where only a default decided, the other path is glanced at, so
 * that its shapes are known too.
 */
export function decide(ev: Evaluator, test: Expr, yes: () => Flow, no: () => Flow): Flow {
  const reads = ev.usualReads;
  const answer = truthOf(ev, evaluate(ev, test));
  if (answer === null) {
    const path = (holds: boolean, go: () => Flow) => (): Flow => {
      if (!narrow(ev, test, holds)) return dead();
      learn(ev, test, holds);
      return go();
    };
    ev.doubts++;
    try {
      return fork(ev, [path(true, yes), path(false, no)]);
    } finally {
      ev.doubts--;
    }
  }
  const chosen = answer ? yes : no;
  if (ev.usualReads === reads) return chosen();
  const names = ev.frame.scope.names;
  const others = new Map<string, Value>();
  glance(ev, () => {
    unsettle(ev, test);
    const began = ev.heap.watch();
    const left = answer ? no() : yes();
    if (left) return;
    for (const { target, key, read, before } of ev.heap.changesSince(began)) {
      const value = read() as Value | undefined;
      if (target === names && value) others.set(key, resolved(ev, value));
      else if (before === undefined && target instanceof Map && value) ev.unusual.set(target, key, value);
    }
  });
  const mark = ev.heap.watch();
  const flow = usualFlow(ev, chosen, () => {
    unsettle(ev, test);
    return answer ? no() : yes();
  });
  if (!flow)
    for (const [name, other] of others) {
      const value = names.get(name);
      const either = value && usuallyOf(ev.facts, ev.settled(value), other);
      if (either) ev.heap.set(names, name, either);
    }
  for (const { target, key } of ev.heap.changesSince(mark)) {
    ev.usualPlaces.add(target, key);
    const value = target === names ? names.get(key) : undefined;
    if (value && asMayBeGiven(value) !== value) ev.heap.set(names, key, asMayBeGiven(value));
  }
  ev.heap.close(mark);
  return flow;
}

/** A default that leads to nothing but an exception is none that is used: then the other path is the usual one. */
function usualFlow(ev: Evaluator, chosen: () => Flow, other: () => Flow): Flow {
  try {
    return chosen();
  } catch (e) {
    if (!(e instanceof PythonRaise) || e.refusal || ev.catching > 0) throw e;
    return other();
  }
}

/** A path that cannot be taken. */
function dead(): Flow {
  throw new PythonRaise(str('unreachable'));
}

/** On the unusual path, the parameters and fields that decided are anything. */
function unsettle(ev: Evaluator, test: Expr): void {
  const { names } = ev.frame.scope;
  const free = (place: Map<string, Value>, name: string): void => {
    const value = place.get(name);
    if (value?.kind === 'parameter' && value.usual)
      ev.heap.set(place, name, { kind: 'parameter', name, settled: null });
  };
  for (const name of assignedNames(test)) free(names, name);
  walk(test, node => {
    if (node.kind !== 'Attribute' || node.value.kind !== 'Name') return;
    const owner = names.get(node.value.id);
    const instance = owner && ev.settled(owner);
    if (instance?.kind === 'instance') free(instance.attributes, node.attr);
  });
}

// ---- loops ------------------------------------------------------------------------------------------------------------

function forLoop(ev: Evaluator, stmt: For): Flow {
  const over = ev.iterate(evaluate(ev, stmt.iter));
  return loop(
    ev,
    over,
    item => assign(ev, stmt.target, item),
    () => block(ev, stmt.body),
    () => block(ev, stmt.orelse),
  );
}

const MOST_ROUNDS = 2000;

function whileLoop(ev: Evaluator, stmt: While): Flow {
  const { frame } = ev;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const answer = truthOf(ev, evaluate(ev, stmt.test));
    if (answer === false) return block(ev, stmt.orelse);
    if (answer === null) return openWhile(ev, stmt);
    const pending = frame.pending.length;
    const mark = ev.heap.watch();
    const flow = block(ev, stmt.body);
    collect(ev, frame, ['continue'], pending, flow === null || flow.kind === 'continue');
    const settled = !hasNews(ev, mark);
    ev.heap.close(mark);
    if (flow?.kind === 'break') {
      collect(ev, frame, ['break'], pending, true);
      return null;
    }
    if (flow && flow.kind !== 'continue') return flow;
    // Some path left the loop in this round: how many more there are is not known.
    if (frame.pending.length > pending) {
      const after = openWhile(ev, stmt);
      collect(ev, frame, ['break'], pending, after === null);
      return after;
    }
    // It goes on for ever: what it yields, it yields again.
    if (settled) {
      if (frame.yields) frame.yields.exact = false;
      return null;
    }
  }
  return null;
}

/** A `while` of an unknown number of rounds. */
function openWhile(ev: Evaluator, stmt: While): Flow {
  return loop(
    ev,
    { items: null, element: NONE, length: 0 },
    () => {},
    () => {
      const test = truthOf(ev, evaluate(ev, stmt.test));
      return test === false ? { kind: 'break' } : block(ev, stmt.body);
    },
    () => block(ev, stmt.orelse),
  );
}

// ---- with, try, match -------------------------------------------------------------------------------------------------

function tryBlock(ev: Evaluator, stmt: Try): Flow {
  if (stmt.handlers.length > 0) ev.catching++;
  let flow = attempt(() => block(ev, stmt.body));
  if (stmt.handlers.length > 0) ev.catching--;
  if (flow?.kind === 'raise') {
    const { raised } = flow;
    const handler = stmt.handlers.find(h => catches(ev, h, raised));
    if (handler) {
      if (handler.name) bindName(ev, handler.name, unknown('is a caught exception'));
      flow = attempt(() => block(ev, handler.body));
    }
  } else if (flow === null) flow = attempt(() => block(ev, stmt.orelse));
  const last = attempt(() => block(ev, stmt.finalbody));
  const outcome = last ?? flow;
  if (outcome?.kind === 'raise') {
    // Not caught here: a refusal that nothing else catches is reported now.
    const { raised } = outcome;
    if (raised.refusal && raised.place && ev.catching === 0 && ev.muted === 0) {
      ev.reportRaised(raised.refusal, raised.place);
      if (!ev.stopsAtRefusal) return null;
    }
    throw raised;
  }
  return outcome;
}

/** Whether a handler would take the exception; what cannot be told is taken. */
function catches(ev: Evaluator, handler: ExceptHandler, raised: PythonRaise): boolean {
  if (!handler.type) return true;
  const name = raised.refusal ? raised.refusal.pythonType : exceptionName(raised.value);
  if (!name) return true;
  const types = handler.type.kind === 'Tuple' ? handler.type.elts : [handler.type];
  return types.some(t => {
    const wanted = dottedName(t).split('.').pop()!;
    if (wanted === name || wanted === 'Exception' || wanted === 'BaseException') return true;
    if (wanted === 'LookupError') return name === 'IndexError' || name === 'KeyError';
    if (wanted === 'ArithmeticError') return name === 'ZeroDivisionError' || name === 'OverflowError';
    const cls = ev.settled(evaluate(ev, t));
    const value = ev.settled(raised.value);
    if (cls.kind === 'class' && value.kind === 'instance') return value.cls.mro.some(c => c.name === cls.name);
    return !/(Error|Exception|Interrupt|Exit|Iteration)$/.test(wanted);
  });
}

function exceptionName(v: Value): string | null {
  if (v.kind === 'instance' || v.kind === 'class') return v.kind === 'class' ? v.name : v.cls.name;
  if (v.kind === 'str' && v.value && /^\w+Error$/.test(v.value)) return v.value;
  return null;
}

function matchStatement(ev: Evaluator, stmt: Match): Flow {
  const subject = evaluate(ev, stmt.subject);
  const walk = (from: number): Flow => {
    for (let i = from; i < stmt.cases.length; i++) {
      const { pattern, guard, body } = stmt.cases[i];
      const fits = matchPattern(ev, pattern, subject);
      if (fits === false) continue;
      if (fits === true && !guard) return block(ev, body);
      const rest = () => walk(i + 1);
      if (fits === true) return decide(ev, guard!, () => block(ev, body), rest);
      return fork(ev, [() => (guard ? decide(ev, guard, () => block(ev, body), rest) : block(ev, body)), rest]);
    }
    return null;
  };
  return walk(0);
}
