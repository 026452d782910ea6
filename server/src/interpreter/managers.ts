/**
 * `with`: what a context manager does before and after the block.
 *
 * A generator under `contextlib.contextmanager` runs as Python runs it: up to its `yield`, where the block takes its turn,
 * and from there to its end. So what it sets for the block holds in the block, and what it takes back is back after it.
 */
import type { Call, Expr, With } from '../python/ast';
import { assign } from './assignment';
import { getAttribute } from './attributes';
import { attempt, type Flow } from './branches';
import type { Evaluator } from './evaluator';
import { callArguments, evaluate } from './expressions';
import { args } from './interpreter';
import { type FunctionValue, NONE, unknown, type Value } from './values';

/** Managers under which an exception is expected or swallowed. */
const CATCHING = /(^|\.)(raises|assertRaises|assertRaisesRegex|suppress|assertWarns)$/;

export const dottedName = (e: Expr): string =>
  e.kind === 'Name' ? e.id : e.kind === 'Attribute' ? `${dottedName(e.value)}.${e.attr}` : '';

/** Runs the block of a `with` under its managers. */
export function withBlock(ev: Evaluator, stmt: With, block: () => Flow): Flow {
  return stmt.items.reduceRight<() => Flow>((inner, item) => () => under(ev, item, inner), block)();
}

function under(ev: Evaluator, item: With['items'][number], block: () => Flow): Flow {
  const bind = (value: Value): void => {
    if (item.target) assign(ev, item.target, value);
  };
  const call = item.expr.kind === 'Call' ? item.expr : null;
  const callee = call && CATCHING.test(dottedName(call.func)) ? null : call && evaluate(ev, call.func);
  const generator = callee && generatorOf(ev, callee);
  if (call && callee && generator) return aroundYield(ev, call, callee, generator, bind, block);

  const manager = ev.settled(evaluate(ev, item.expr));
  const method = (name: string): Value | null => {
    const found = manager.kind === 'instance' || item.target ? getAttribute(ev, manager, name) : null;
    return found && found.kind !== 'unknown' ? found : null;
  };
  const enter = method('__enter__');
  const first = manager.kind === 'iterator' ? (manager.items?.[0] ?? manager.element) : null;
  bind(enter ? ev.callWith(enter) : (first ?? unknown('comes from a context manager')));
  if (call && CATCHING.test(dottedName(call.func))) {
    ev.catching++;
    const flow = attempt(block);
    ev.catching--;
    return flow?.kind === 'raise' ? null : flow;
  }
  const exit = manager.kind === 'instance' ? method('__exit__') : null;
  const flow = exit ? attempt(block) : block();
  if (exit) ev.call(exit, args([NONE, NONE, NONE]));
  if (flow?.kind === 'raise') throw flow.raised;
  return flow;
}

/** The generator function that a call of `callee` runs as a context manager; null for any other callee. */
function generatorOf(ev: Evaluator, callee: Value): FunctionValue | null {
  const v = ev.settled(callee);
  const f = v.kind === 'method' ? v.func : v;
  return f.kind === 'function' && f.manages ? f : null;
}

function aroundYield(
  ev: Evaluator,
  call: Call,
  callee: Value,
  generator: FunctionValue,
  bind: (value: Value) => void,
  block: () => Flow,
): Flow {
  const passed = callArguments(ev, call);
  const { frame } = ev;
  const flows: Flow[] = [];
  ev.atYield = {
    node: generator.node,
    run(value) {
      ev.frames.push(frame);
      try {
        bind(value);
        flows.push(block());
      } finally {
        ev.frames.pop();
      }
    },
  };
  try {
    ev.call(callee, passed);
  } finally {
    ev.atYield = null;
  }
  if (flows.length > 0) return flows.reduce((one, other) => merge(ev, one, other));
  bind(unknown('comes from a context manager'));
  return block();
}

/** How the block ends that ran on several paths of its manager. */
function merge(ev: Evaluator, a: Flow, b: Flow): Flow {
  if (a?.kind === 'return' && b?.kind === 'return') return { kind: 'return', value: ev.join([a.value, b.value]) };
  return a?.kind === b?.kind ? a : null;
}
