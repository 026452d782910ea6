/**
 * Functions of `mlx.core` that reshape, reorder axes or read diagonals.
 */
import { add } from '../../../engine/src/dims/dim';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Attrs } from '../../../engine/src/graph/op';
import type { BuiltinValue } from '../interpreter/values';
import { list } from '../interpreter/values';
import { type Call, define } from './define';
import { arraysIn, axesGiven, givenDtype, intSequence, keepingDtype, sequence } from './sequences';

/** A function of one array that records one operation. */
function shaping(
  signature: string,
  op: string,
  attrs: (c: Call) => Attrs = () => ({}),
  input: (c: Call) => ArrayNode = c => c.arrayOnly('a'),
): BuiltinValue {
  return define(signature, c => {
    const a = input(c);
    return keepingDtype(c, a, () => c.interpreter.record(op, [a], attrs(c)));
  });
}

const diagonal = (c: Call) => ({ offset: c.int('offset'), axis1: c.int('axis1'), axis2: c.int('axis2') });

/** `atleast_2d(x)` answers an array, `atleast_2d(x, y)` a list. */
const atLeast = (rank: 1 | 2 | 3): BuiltinValue =>
  define(`mx.atleast_${rank}d(*arys, stream=None)`, c => {
    const results = arraysIn(c, 'arys').map(a => c.interpreter.record('atleast_nd', [a], { rank }));
    return results.length === 1 ? results[0] : list(results);
  });

/** `roll` by one shift along all axes given, or by the sum of several along one. */
function rollAttrs(c: Call): Attrs {
  const shifts = c.dims('shift');
  const axes = c.axes('axis');
  if (axes === null) return { shifts, axes };
  if (c.isInt('shift')) return { shifts: axes.map(() => shifts[0]), axes };
  return c.isInt('axis') ? { shifts: [shifts.reduce(add, 0)], axes } : { shifts, axes };
}

export const shapingFunctions: readonly BuiltinValue[] = [
  shaping('mx.reshape(a, /, shape, *, stream=None)', 'reshape', c => ({ shape: sequence(c, 'shape') })),
  shaping('mx.flatten(a, /, start_axis=0, end_axis=-1, *, stream=None)', 'flatten', c => ({
    start: c.int('start_axis'),
    end: c.int('end_axis'),
  })),
  shaping('mx.unflatten(a, /, axis, shape, *, stream=None)', 'unflatten', c => ({
    axis: c.int('axis'),
    shape: sequence(c, 'shape'),
  })),
  shaping('mx.expand_dims(a, /, axis, *, stream=None)', 'expand_dims', c => ({ axes: axesGiven(c, 'axis') })),
  shaping('mx.squeeze(a, /, axis=None, *, stream=None)', 'squeeze', c => ({ axes: c.axes('axis') })),
  shaping(
    'mx.broadcast_to(a, /, shape, *, stream=None)',
    'broadcast_to',
    c => ({ shape: sequence(c, 'shape') }),
    c => c.array('a'),
  ),
  define('mx.broadcast_arrays(*arrays, stream=None)', c => {
    const arrays = arraysIn(c, 'arrays');
    return list(arrays.length === 0 ? [] : c.interpreter.recordAll('broadcast_arrays', arrays));
  }),
  atLeast(1),
  atLeast(2),
  atLeast(3),
  shaping('mx.contiguous(a, /, allow_col_major=False, *, stream=None)', 'contiguous'),
  shaping('mx.as_strided(a, /, shape=None, strides=None, offset=0, *, stream=None)', 'as_strided', c => ({
    shape: c.has('shape') ? sequence(c, 'shape') : null,
    strides: c.has('strides') ? sequence(c, 'strides') : null,
    offset: c.dim('offset'),
  })),
  define('mx.view(a, dtype, stream=None)', c =>
    c.interpreter.record('view', [c.array('a')], { dtype: c.dtype('dtype') }),
  ),

  ...['transpose', 'permute_dims'].map(name =>
    shaping(`mx.${name}(a, /, axes=None, *, stream=None)`, 'transpose', c => ({
      axes: c.has('axes') ? intSequence(c, 'axes') : null,
    })),
  ),
  shaping('mx.matrix_transpose(a, /, *, stream=None)', 'matrix_transpose'),
  shaping('mx.swapaxes(a, /, axis1, axis2, *, stream=None)', 'swapaxes', c => ({
    axis1: c.int('axis1'),
    axis2: c.int('axis2'),
  })),
  shaping('mx.moveaxis(a, /, source, destination, *, stream=None)', 'moveaxis', c => ({
    source: c.int('source'),
    destination: c.int('destination'),
  })),
  shaping('mx.flip(a, /, axis=None, *, stream=None)', 'flip', c => ({ axes: c.axes('axis') })),
  shaping('mx.roll(a, shift, axis=None, *, stream=None)', 'roll', rollAttrs),

  shaping('mx.diag(a, /, k=0, *, stream=None)', 'diag', c => ({ k: c.int('k') })),
  shaping('mx.diagonal(a, offset=0, axis1=0, axis2=1, stream=None)', 'diagonal', diagonal),
  shaping('mx.trace(a, /, offset=0, axis1=0, axis2=1, dtype=None, *, stream=None)', 'trace', c => ({
    ...diagonal(c),
    dtype: givenDtype(c, 'dtype'),
  })),
];
