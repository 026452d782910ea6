/**
 * MLX505: a training loop that never evaluates. MLX is lazy: each step adds to a graph that is computed when somebody
 * asks for a value, and a loop in which nobody does keeps all of its steps.
 */
import type { Call, Expr, For, Module, Node, Stmt } from '../python/ast';
import { walk } from '../python/walk';
import type { Diagnostic, Fix, Rule } from './diagnostic';
import { calledName, type Lint, type Seen } from './lint';
import { mlxAliases } from './porting';

export const EVALUATION_RULES = {
  'never-evaluated': {
    code: 'MLX505',
    name: 'never-evaluated',
    severity: 'warning',
    summary: 'A training loop never evaluates, so that its graph grows with every step.',
  },
} as const satisfies Record<string, Rule>;

/** Loops of fewer rounds than this do no harm. */
const MANY = 20;

/** Calls that leave arrays lazy, whatever they are called on: anything else might evaluate. */
const LAZY = new Set(
  `zip range enumerate len list tuple dict reversed sorted isinstance update apply_gradients parameters
trainable_parameters train eval_mode items keys values append astype reshape transpose sum mean square`.split(/\s+/),
);

export const lintEvaluation: Lint = function* (seen: Seen): Iterable<Diagnostic> {
  const { module } = seen.source;
  const aliases = mlxAliases(module);
  const lazyModules = new Set([aliases.mx, aliases.nn].filter(name => name !== null));
  const steps = gradientFunctions(module);
  if (steps.size === 0) return;
  for (const { loop, outer } of loopsOf(module)) {
    if (!isLong(seen, loop) || outer.some(o => evaluates(o.body, lazyModules, steps))) continue;
    if (evaluates(loop.body, lazyModules, steps) || !updates(loop, steps)) continue;
    yield seen.found(
      EVALUATION_RULES['never-evaluated'],
      { start: loop.start, end: loop.iter.end },
      'Nothing in this loop evaluates: its graph grows with every step, and all of it is computed after the last one',
      { fixes: fixOf(seen, loop) },
    );
  }
};

/** Names of what `value_and_grad` or `grad` made. */
function gradientFunctions(module: Module): Set<string> {
  const names = new Set<string>();
  walk(module, node => {
    if (node.kind !== 'Assign' || node.value.kind !== 'Call') return;
    if (!['value_and_grad', 'grad'].includes(calledName(node.value.func) ?? '')) return;
    for (const target of node.targets) if (target.kind === 'Name') names.add(target.id);
  });
  return names;
}

function loopsOf(module: Module): { loop: For; outer: For[] }[] {
  const found: { loop: For; outer: For[] }[] = [];
  const go = (stmts: readonly Stmt[], outer: For[]): void => {
    for (const stmt of stmts) {
      if (stmt.kind === 'For') {
        found.push({ loop: stmt, outer });
        go(stmt.body, [...outer, stmt]);
      } else if (stmt.kind === 'FunctionDef') go(stmt.body, []);
      else if (stmt.kind === 'If' || stmt.kind === 'With') go(stmt.body, outer);
    }
  };
  go(module.body, []);
  return found;
}

/** Whether it goes over a `range` of many, as far as that is known. */
function isLong(seen: Seen, { iter }: For): boolean {
  if (iter.kind !== 'Call' || calledName(iter.func) !== 'range' || iter.args.length === 0) return false;
  const stop = iter.args[iter.args.length === 1 ? 0 : 1];
  if (stop.kind === 'Int') return stop.value !== null && stop.value >= MANY;
  const name = stop.kind === 'Name' ? stop.id : null;
  const numbers: number[] = [];
  walk(seen.source.module, node => {
    if (node.kind === 'Assign' && node.value.kind === 'Int' && node.value.value !== null)
      for (const t of node.targets) if (t.kind === 'Name' && t.id === name) numbers.push(node.value.value);
  });
  return numbers.length === 1 && numbers[0] >= MANY;
}

/** Whether anything here evaluates, or may: only what is known to be lazy does not. */
function evaluates(body: readonly Stmt[], lazyModules: ReadonlySet<string>, steps: ReadonlySet<string>): boolean {
  let may = false;
  const isLazyCall = ({ func }: Call): boolean => {
    if (func.kind === 'Name') return steps.has(func.id) || LAZY.has(func.id);
    if (func.kind !== 'Attribute') return false;
    const root = rootOf(func);
    if (root && lazyModules.has(root))
      return !['eval', 'async_eval', 'save', 'savez', 'save_safetensors'].includes(func.attr);
    return LAZY.has(func.attr);
  };
  for (const stmt of body)
    walk(stmt, (node: Node) => {
      if (node.kind === 'Call' && !isLazyCall(node)) may = true;
      if (node.kind === 'FString' || node.kind === 'Await' || node.kind === 'Yield' || node.kind === 'YieldFrom')
        may = true;
      if (node.kind === 'If' || node.kind === 'While' || node.kind === 'Assert') may = true;
      return !may;
    });
  return may;
}

function rootOf(e: Expr): string | null {
  if (e.kind === 'Attribute') return rootOf(e.value);
  return e.kind === 'Name' ? e.id : null;
}

/** Whether gradients are computed and what they are of is changed. */
function updates(loop: For, steps: ReadonlySet<string>): boolean {
  let computes = false;
  let changes = false;
  for (const stmt of loop.body)
    walk(stmt, node => {
      if (node.kind === 'Call' && node.func.kind === 'Name' && steps.has(node.func.id)) computes = true;
      if (node.kind === 'Call' && calledName(node.func) === 'update') changes = true;
      if (node.kind === 'AugAssign') changes = true;
    });
  return computes && changes;
}

/** What is changed, evaluated at the loop's end: `optimizer.update(model, …)`, or `for p, g in zip(params, …): p -= …`. */
function fixOf(seen: Seen, loop: For): Fix[] {
  const { mx } = mlxAliases(seen.source.module);
  const last = loop.body[loop.body.length - 1];
  let changed: string | null = null;
  for (const stmt of loop.body)
    walk(stmt, node => {
      if (
        node.kind === 'Call' &&
        node.func.kind === 'Attribute' &&
        node.func.attr === 'update' &&
        node.args.length === 2
      )
        changed = `${seen.text(node.args[0])}.parameters(), ${seen.text(node.func.value)}.state`;
      if (node.kind === 'For' && node.iter.kind === 'Call' && calledName(node.iter.func) === 'zip' && node.iter.args[0])
        if (node.body.some(s => s.kind === 'AugAssign')) changed ??= seen.text(node.iter.args[0]);
    });
  if (changed === null || mx === null) return [];
  const { lines } = seen.source;
  const indent = /^\s*/.exec(lines.lineText(lines.lineAt(last.start)))?.[0] ?? '';
  const statement = `${mx}.eval(${changed})`;
  return [seen.fix(`Add ${statement}`, { start: last.end, end: last.end }, `\n${indent}${statement}`)];
}
