/**
 * `with`: what a context manager does before and after the block.
 *
 * A generator under `contextlib.contextmanager` runs as Python runs it: up to its `yield`, where the block takes its turn,
 * and from there to its end. So what it sets for the block holds in the block, and what it takes back is back after it.
 */
import type { Expr, With } from '../python/ast';
import { assign } from './assignment';
import { getAttribute } from './attributes';
import { attempt, type Flow } from './branches';
import type { Evaluator } from './evaluator';
import { evaluate } from './expressions';
import { args } from './interpreter';
import { type Arguments, type FunctionValue, type NativeType, NONE, nativeClass, unknown, type Value } from './values';

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
  const manager = ev.settled(evaluate(ev, item.expr));
  if (manager.kind === 'native' && manager.type === GENERATOR_MANAGER)
    return aroundYield(ev, manager.data as Managed, bind, block);

  const method = (name: string): Value | null => {
    const found = manager.kind === 'instance' || item.target ? getAttribute(ev, manager, name) : null;
    return found && found.kind !== 'unknown' ? found : null;
  };
  const enter = method('__enter__');
  const first = manager.kind === 'iterator' ? (manager.items?.[0] ?? manager.element) : null;
  bind(enter ? ev.callWith(enter) : (first ?? unknown('comes from a context manager')));
  if (item.expr.kind === 'Call' && CATCHING.test(dottedName(item.expr.func))) {
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

/** A call that waits for its `with`. */
interface Managed {
  readonly callee: Value;
  readonly generator: FunctionValue;
  readonly passed: Arguments;
}

/** What a call of a generator under `contextmanager` is worth: nothing of it runs before a `with` enters it. */
const GENERATOR_MANAGER: NativeType = {
  name: 'context manager',
  cls: nativeClass('_GeneratorContextManager', []),
  getAttribute: (_, __, name) => unknown(`${name} of a context manager`),
};

/** The manager that calling `callee` makes; null for any callee but a generator under `contextmanager`. */
export function managerOf(ev: Evaluator, callee: Value, passed: Arguments): Value | null {
  const v = ev.settled(callee);
  const f = v.kind === 'method' ? v.func : v;
  if (f.kind !== 'function' || !f.manages) return null;
  const data: Managed = { callee: v, generator: f, passed };
  return { kind: 'native', type: GENERATOR_MANAGER, data };
}

function aroundYield(ev: Evaluator, managed: Managed, bind: (value: Value) => void, block: () => Flow): Flow {
  const { frame } = ev;
  const flows: Flow[] = [];
  ev.atYield = {
    node: managed.generator.node,
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
    ev.call(managed.callee, managed.passed);
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
