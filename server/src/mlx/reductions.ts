/**
 * Functions of `mlx.core` that fold, scan, sort and select along axes.
 */
import type { BuiltinValue, Value } from '../interpreter/values';
import { type Call, define } from './define';
import { keepingDtype } from './sequences';

/** Folds that take one axis or several. */
const FOLDS = ['sum', 'mean', 'prod', 'max', 'min', 'all', 'any', 'logsumexp', 'median'] as const;

const fold = (name: string): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, keepdims=False, *, stream=None)`, c => folded(c, name, {}));

function folded(c: Call, op: string, more: Record<string, number>): Value {
  const a = c.arrayOnly('a');
  return keepingDtype(c, a, () =>
    c.interpreter.record(op, [a], { axes: c.axes('axis'), keepdims: c.flag('keepdims'), ...more }),
  );
}

const spread = (name: 'var' | 'std'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, keepdims=False, ddof=0, *, stream=None)`, c =>
    folded(c, name, { ddof: c.int('ddof') }),
  );

/** The position of an extreme: without an axis, in the flattened array. */
const position = (name: 'argmax' | 'argmin'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, keepdims=False, *, stream=None)`, c => {
    const a = c.arrayOnly('a');
    return c.interpreter.record(name, [a], {
      axes: c.has('axis') ? [c.int('axis')] : null,
      keepdims: c.flag('keepdims'),
    });
  });

/** Running folds: without an axis, of the flattened array. */
const SCANS = ['cumsum', 'cumprod', 'cummax', 'cummin', 'logcumsumexp'] as const;

const scan = (name: string): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, *, reverse=False, inclusive=True, stream=None)`, c => {
    const a = flatUnlessAxis(c);
    return c.interpreter.record(name, [a.node], {
      axis: a.axis,
      reverse: c.flag('reverse'),
      inclusive: c.flag('inclusive'),
    });
  });

/** The array and axis; `axis=None` flattens first. */
function flatUnlessAxis(c: Call) {
  const node = c.arrayOnly('a');
  if (c.has('axis')) return { node, axis: c.int('axis') };
  return { node: c.interpreter.record('reshape', [node], { shape: [-1] }).node, axis: 0 };
}

const ordering = (name: 'sort' | 'argsort'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=-1, *, stream=None)`, c => {
    const a = flatUnlessAxis(c);
    return c.interpreter.record(name, [a.node], { axis: a.axis, kth: 0 });
  });

const partition = (name: 'partition' | 'argpartition'): BuiltinValue =>
  define(`mx.${name}(a, /, kth, axis=-1, *, stream=None)`, c => {
    const a = flatUnlessAxis(c);
    return keepingDtype(c, a.node, () => c.interpreter.record(name, [a.node], { axis: a.axis, kth: c.int('kth') }));
  });

export const reductionFunctions: readonly BuiltinValue[] = [
  ...FOLDS.map(fold),
  spread('var'),
  spread('std'),
  position('argmax'),
  position('argmin'),
  ...SCANS.map(scan),
  ordering('sort'),
  ordering('argsort'),
  partition('partition'),
  partition('argpartition'),
  define('mx.topk(a, /, k, axis=-1, *, stream=None)', c => {
    const a = flatUnlessAxis(c);
    return c.interpreter.record('topk', [a.node], { axis: a.axis, k: c.dim('k') });
  }),
  define('mx.softmax(a, /, axis=None, *, precise=False, stream=None)', c => {
    const a = c.arrayOnly('a');
    return keepingDtype(c, a, () => c.interpreter.record('softmax', [a], { axes: c.axes('axis') }));
  }),
];
