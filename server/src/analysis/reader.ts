/**
 * The reader's view: every function and class that a program does not reach, each read on its own with symbols for what
 * it is given.
 *
 * Yields between readings, which is where a caller may look whether anybody still wants the answer.
 */
import { lookupClass } from '../interpreter/attributes';
import type { Evaluator } from '../interpreter/evaluator';
import { args } from '../interpreter/interpreter';
import type { ClassValue, FunctionValue, ModuleValue, Value } from '../interpreter/values';
import type { Node, Stmt } from '../python/ast';
import { symbolicArguments } from './parameters';
import { isolated, type Run } from './run';
import { age } from './state';

/** Where readings are kept, by what is read. */
export interface Readings {
  /** Whether what was read of it before still holds. */
  holds(node: Node): boolean;
  /** What a reading of it goes into; `base` is the one that made the object it is read with. */
  open(run: Run, node: Node, base: Run | null): Run;
}

/** Nothing is known before, and all is noted together. */
export const TOGETHER: Readings = { holds: () => false, open: run => run };

export function* readDefinitions(
  run: Run,
  main: ModuleValue,
  body: readonly Stmt[],
  reached: ReadonlySet<unknown>,
  readings: Readings,
): Generator<void> {
  const { ev } = run;
  for (const stmt of body) {
    if (stmt.kind === 'FunctionDef' && !reached.has(stmt)) {
      const f = main.attributes.get(stmt.name);
      if (f?.kind !== 'function' || f.node !== stmt || readings.holds(stmt)) continue;
      yield* isolated(readings.open(run, stmt, null), main, () => {
        ev.call(f, symbolicArguments(ev, f, []));
      });
      yield;
    } else if (stmt.kind === 'ClassDef') {
      const cls = main.attributes.get(stmt.name);
      if (cls?.kind === 'class' && cls.node === stmt) yield* readClass(run, main, cls, stmt, reached, readings);
    } else if (stmt.kind === 'If' || stmt.kind === 'Try') {
      yield* readDefinitions(run, main, [...stmt.body, ...stmt.orelse], reached, readings);
    }
  }
}

/** Makes an instance from symbols once, then reads each method with it. */
function* readClass(
  run: Run,
  main: ModuleValue,
  cls: ClassValue,
  definition: Node & { kind: 'ClassDef' },
  reached: ReadonlySet<unknown>,
  readings: Readings,
): Generator<void> {
  const { ev } = run;
  const methods = [...cls.attributes.values()].flatMap(unwrap);
  if (methods.every(m => reached.has(m.node))) return;
  const isRead = ({ name, node, owner }: FunctionValue): boolean =>
    name !== '__init__' && name !== '__post_init__' && !reached.has(node) && owner === cls;
  const wanted = methods.filter(m => isRead(m) && !readings.holds(m.node));
  if (readings.holds(definition) && wanted.length === 0) return;
  const making = readings.open(run, definition, null);
  yield* isolated(making, main, function* () {
    const self = symbolicSelf(ev, cls);
    if (!self) return;
    if (self.kind === 'instance') {
      making.notes.self(definition, self);
      age(ev, self);
    }
    making.notes.keep();
    for (const method of wanted) {
      const first = cls.attributes.get(method.name);
      const bound: Value[] = first?.kind === 'staticmethod' ? [] : first?.kind === 'classmethod' ? [cls] : [self];
      yield;
      yield* isolated(readings.open(run, method.node, making), main, () => {
        ev.call(method, symbolicArguments(ev, method, bound));
      });
    }
  });
  yield;
}

function unwrap(v: Value): FunctionValue[] {
  if (v.kind === 'function') return [v];
  if (v.kind === 'staticmethod' || v.kind === 'classmethod') return unwrap(v.func);
  if (v.kind === 'property') return [...unwrap(v.get), ...(v.set ? unwrap(v.set) : [])];
  return [];
}

function symbolicSelf(ev: Evaluator, cls: ClassValue): Value | null {
  const init = lookupClass(cls, '__init__');
  if (init?.kind === 'function') {
    const passed = symbolicArguments(ev, init, [cls]);
    return ev.instantiate(cls, { ...passed, positional: passed.positional.slice(1) });
  }
  return ev.instantiate(cls, { ...args([]), open: true });
}
