/**
 * What a condition tells on the path where it holds: narrower values of names, and facts about dimensions.
 */
import { OpenShape } from '../../../engine/src/dims/shape';
import type { Expr } from '../python/ast';
import { truthOf } from './comparison';
import type { Evaluator } from './evaluator';
import { evaluate } from './expressions';
import { filterOptions, optionsOf } from './join';
import type { Value } from './values';

/** Evaluates a plain name or dotted attribute again; null for anything that could have effects. */
function plain(ev: Evaluator, e: Expr): Value | null {
  if (e.kind === 'Name' || (e.kind === 'Attribute' && plain(ev, e.value))) {
    ev.muted++;
    try {
      return evaluate(ev, e);
    } finally {
      ev.muted--;
    }
  }
  return null;
}

function rebind(ev: Evaluator, e: Expr, value: Value): void {
  if (e.kind === 'Name') {
    if (ev.frame.scope.names.has(e.id)) ev.heap.set(ev.frame.scope.names, e.id, value);
  } else if (e.kind === 'Attribute') {
    const owner = plain(ev, e.value);
    const instance = owner && ev.settled(owner);
    if (instance?.kind === 'instance' && instance.attributes.has(e.attr))
      ev.heap.set(instance.attributes, e.attr, value);
  }
}

/** Narrows names by `test` being `holds`. False when the path cannot be taken. */
export function narrow(ev: Evaluator, test: Expr, holds: boolean): boolean {
  if (test.kind === 'UnaryOp' && test.op === 'not') return narrow(ev, test.operand, !holds);
  if (test.kind === 'BoolOp') {
    // All parts of a true `and`, and of a false `or`, are settled.
    if ((test.op === 'and') === holds) return test.values.every(v => narrow(ev, v, holds));
    return true;
  }
  if (test.kind === 'Compare' && test.ops.length === 1 && (test.ops[0] === 'is' || test.ops[0] === 'is not')) {
    const [right] = test.comparators;
    if (right.kind !== 'Keyword' || right.value !== 'None') return true;
    const wantsNone = (test.ops[0] === 'is') === holds;
    return keepOptions(
      ev,
      test.left,
      v => v.kind === 'unknown' || v.kind === 'parameter' || (v.kind === 'none') === wantsNone,
    );
  }
  if (test.kind === 'Call' && test.func.kind === 'Name' && test.func.id === 'isinstance' && test.args.length === 2) {
    const types = test.args[1].kind === 'Tuple' ? test.args[1].elts : [test.args[1]];
    const classes = types.map(t => plain(ev, t)).map(t => (t ? ev.settled(t) : null));
    return keepOptions(ev, test.args[0], v => {
      const answers = classes.map(c => (c?.kind === 'class' ? ev.isInstance(v, c) : null));
      return holds ? answers.some(a => a !== false) : !answers.some(a => a === true);
    });
  }
  if (test.kind === 'Name' || test.kind === 'Attribute') return keepOptions(ev, test, v => truthOf(ev, v) !== !holds);
  return true;
}

function keepOptions(ev: Evaluator, target: Expr, keep: (v: Value) => boolean): boolean {
  const value = plain(ev, target);
  if (!value) return true;
  const settled = ev.settled(value);
  const kept = filterOptions(ev.facts, settled, keep);
  if (!kept) return false;
  if (optionsOf(settled).length > 1) rebind(ev, target, kept);
  return true;
}

/** Learns what integers must satisfy where `test` is `holds`: equalities and divisibility. */
export function learn(ev: Evaluator, test: Expr, holds: boolean): void {
  if (test.kind === 'UnaryOp' && test.op === 'not') {
    learn(ev, test.operand, !holds);
    return;
  }
  if (test.kind === 'BoolOp') {
    if ((test.op === 'and') === holds) for (const v of test.values) learn(ev, v, holds);
    return;
  }
  if (test.kind !== 'Compare' || test.ops.length !== 1) return;
  const equality = test.ops[0] === '==' ? holds : test.ops[0] === '!=' ? !holds : false;
  if (!equality) return;
  ev.muted++;
  try {
    const [left, right] = [test.left, test.comparators[0]];
    if (rankTest(ev, left, right) || rankTest(ev, right, left)) return;
    if (left.kind === 'BinOp' && left.op === '%' && right.kind === 'Int' && right.value === 0) {
      const [n, d] = [ev.settled(evaluate(ev, left.left)), ev.settled(evaluate(ev, left.right))];
      if (n.kind === 'int' && d.kind === 'int') ev.facts.assumeDivides(d.value, n.value);
      return;
    }
    const [a, b] = [ev.settled(evaluate(ev, left)), ev.settled(evaluate(ev, right))];
    if (a.kind === 'int' && b.kind === 'int') ev.facts.assumeEqual(a.value, b.value);
  } finally {
    ev.muted--;
  }
}

/** `x.ndim == 3` or `len(x.shape) == 3` of an array of unknown rank. */
function rankTest(ev: Evaluator, left: Expr, right: Expr): boolean {
  if (right.kind !== 'Int' || right.value === null) return false;
  const subject =
    left.kind === 'Attribute' && left.attr === 'ndim'
      ? left.value
      : left.kind === 'Call' &&
          left.func.kind === 'Name' &&
          left.func.id === 'len' &&
          left.args[0]?.kind === 'Attribute' &&
          left.args[0].attr === 'shape'
        ? left.args[0].value
        : null;
  if (!subject) return false;
  const v = ev.settleAs(evaluate(ev, subject), 'array');
  if (v.kind !== 'array') return false;
  const shape = ev.facts.shape(v.node.shape);
  if (shape instanceof OpenShape) ev.facts.refineRank(shape, right.value);
  return true;
}
