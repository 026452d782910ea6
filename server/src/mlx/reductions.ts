/**
 * Functions of `mlx.core` that fold, scan, sort and select along axes.
 */
import { isKnown } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, tuple, type Value } from '../interpreter/values';
import { type Call, define } from './define';
import { givenDtype, keepingDtype } from './sequences';

/** Folds that take one axis or several. */
const FOLDS = ['sum', 'mean', 'prod', 'max', 'min', 'all', 'any', 'logsumexp', 'median'] as const;

const FOLD_PARAMETERS = 'a, /, axis=None, keepdims=False, *, stream=None';

const fold = (name: string): BuiltinValue => define(`mx.${name}(${FOLD_PARAMETERS})`, c => folded(c, name, {}));

function folded(c: Call, op: string, more: Record<string, number>): Value {
  const a = c.arrayOnly('a');
  return answering(c, op, a, () =>
    c.interpreter.record(op, [a], { axes: c.axes('axis'), keepdims: c.flag('keepdims'), ...more }),
  );
}

/** What `run` answers; where an argument is not known enough, an array of the dtype that the fold has over all axes. */
function answering(c: Call, op: string, a: ArrayNode, run: () => Value): Value {
  try {
    return run();
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    const scalar = c.interpreter.source({ shape: [], dtype: a.dtype }).node;
    const { dtype } = c.interpreter.record(op, [scalar], { axes: null, keepdims: false, ddof: 0 }).node;
    return c.interpreter.source({ shape: null, dtype });
  }
}

const spread = (name: 'var' | 'std'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, keepdims=False, ddof=0, *, stream=None)`, c =>
    folded(c, name, { ddof: c.int('ddof') }),
  );

/** The position of an extreme: without an axis, in the flattened array. */
const position = (name: 'argmax' | 'argmin'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, keepdims=False, *, stream=None)`, c => {
    const a = c.arrayOnly('a');
    return answering(c, name, a, () =>
      c.interpreter.record(name, [a], {
        axes: c.has('axis') ? [c.int('axis')] : null,
        keepdims: c.flag('keepdims'),
      }),
    );
  });

/** Running folds: without an axis, of the flattened array. */
const SCANS = ['cummax', 'cummin', 'logcumsumexp'] as const;
/** Those that can be asked for another dtype: names, then operations. */
const ACCUMULATIONS = [
  ['cumsum', 'cumsum'],
  ['cumprod', 'cumprod'],
  ['cumulative_sum', 'cumsum'],
  ['cumulative_prod', 'cumprod'],
] as const;

const scan = (name: string): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, *, reverse=False, inclusive=True, stream=None)`, c => scanned(c, name, null));

const accumulation = (name: string, op: string): BuiltinValue =>
  define(`mx.${name}(a, /, axis=None, *, reverse=False, inclusive=True, dtype=None, stream=None)`, c =>
    scanned(c, op, givenDtype(c, 'dtype')),
  );

function scanned(c: Call, op: string, dtype: DType | null): Value {
  const { node, axis } = flatUnlessAxis(c);
  const input = dtype === null ? node : c.interpreter.record('astype', [node], { dtype }).node;
  return keepingDtype(c, input, () =>
    c.interpreter.record(op, [input], { axis, reverse: c.flag('reverse'), inclusive: c.flag('inclusive') }),
  );
}

/** The array and axis; `axis=None` flattens first. */
function flatUnlessAxis(c: Call): { readonly node: ArrayNode; readonly axis: number } {
  const node = c.arrayOnly('a');
  if (c.has('axis')) return { node, axis: c.int('axis') };
  return { node: c.interpreter.record('reshape', [node], { shape: [-1] }).node, axis: 0 };
}

const ordering = (name: 'sort' | 'argsort'): BuiltinValue =>
  define(`mx.${name}(a, /, axis=-1, *, stream=None)`, c => {
    const { node, axis } = flatUnlessAxis(c);
    return c.interpreter.record(name, [node], { axis, kth: 0 });
  });

const partition = (name: 'partition' | 'argpartition'): BuiltinValue =>
  define(`mx.${name}(a, /, kth, axis=-1, *, stream=None)`, c => {
    const { node, axis } = flatUnlessAxis(c);
    const record = (kth: number) => c.interpreter.record(name, [node], { axis, kth });
    const kth = c.interpreter.facts.resolve(c.dim('kth'));
    return record(isKnown(kth) ? kth : 0); // an unknown place changes no shape
  });

/** The different values, and what else is asked for: the value alone, or a tuple. */
function unique(c: Call): Value {
  const a = c.arrayOnly('a');
  const fill = c.has('fill_value');
  const inputs = fill ? [a, c.array('fill_value')] : [a];
  const [values, index, inverse, counts] = c.interpreter.recordAll('unique', inputs, { size: c.dim('size'), fill });
  const more = [
    ['return_index', index],
    ['return_inverse', inverse],
    ['return_counts', counts],
  ] as const;
  const wanted = more.filter(([name]) => c.flag(name)).map(([, value]) => value);
  return wanted.length === 0 ? values : tuple([values, ...wanted]);
}

export const reductionFunctions: readonly BuiltinValue[] = [
  ...FOLDS.map(fold),
  spread('var'),
  spread('std'),
  position('argmax'),
  position('argmin'),
  ...SCANS.map(scan),
  ...ACCUMULATIONS.map(([name, op]) => accumulation(name, op)),
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
    c.flag('precise'); // computed in double precision here whatever is asked
    return keepingDtype(c, a, () => c.interpreter.record('softmax', [a], { axes: c.axes('axis') }));
  }),
  define(`mx.minmax(${FOLD_PARAMETERS})`, c => tuple([folded(c, 'min', {}), folded(c, 'max', {})])),
  define('mx.count_nonzero(a, /, axis=None, keepdims=False, *, stream=None)', c => folded(c, 'count_nonzero', {})),
  define("mx.searchsorted(sorted_sequence, values, /, side='left', *, stream=None)", c => {
    const side = c.text('side');
    if (side !== 'left' && side !== 'right')
      throw new Refusal('value', `mx.searchsorted: side must be 'left' or 'right', not '${side}'`, { name: 'side' });
    return c.interpreter.record('searchsorted', [c.arrayOnly('sorted_sequence'), c.arrayOnly('values')], {
      right: side === 'right',
    });
  }),
  define(
    'mx.unique(a, /, size, return_index=False, return_inverse=False, return_counts=False, fill_value=None, *, stream=None)',
    unique,
  ),
];
