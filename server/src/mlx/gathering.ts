/**
 * Functions of `mlx.core` that read and write by arrays of indices.
 */
import type { BuiltinValue, Value } from '../interpreter/values';
import { type Call, define } from './define';
import { intSequence, keepingDtype, sequence } from './sequences';

const axisOf = (c: Call): number | null => (c.has('axis') ? c.int('axis') : null);

/** A Python int reads one element and is checked, an array of indices is not. */
function take(c: Call): Value {
  const a = c.arrayOnly('a');
  return keepingDtype(c, a, () => {
    const axis = axisOf(c);
    if (!c.isInt('indices')) return c.interpreter.record('take', [a, c.arrayOnly('indices')], { axis });
    return c.interpreter.record('take_at', [a], { at: c.dim('indices'), axis });
  });
}

export const gatheringFunctions: readonly BuiltinValue[] = [
  define('mx.take(a, /, indices, axis=None, *, stream=None)', take),
  define('mx.take_along_axis(a, /, indices, axis=-1, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return keepingDtype(c, a, () =>
      c.interpreter.record('take_along_axis', [a, c.arrayOnly('indices')], { axis: axisOf(c) }),
    );
  }),
  define('mx.put_along_axis(a, /, indices, values, axis=None, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return c.interpreter.record('put_along_axis', [a, c.arrayOnly('indices'), c.arrayOnly('values')], {
      axis: axisOf(c),
    });
  }),
  define('mx.slice(a, start_indices, axes, slice_size, *, stream=None)', c => {
    const a = c.arrayOnly('a');
    return keepingDtype(c, a, () =>
      c.interpreter.record('dynamic_slice', [a, c.arrayOnly('start_indices')], {
        axes: intSequence(c, 'axes'),
        sizes: sequence(c, 'slice_size'),
      }),
    );
  }),
  define('mx.slice_update(a, update, start_indices, axes, *, stream=None)', c => {
    const inputs = [c.arrayOnly('a'), c.arrayOnly('update'), c.arrayOnly('start_indices')];
    return c.interpreter.record('dynamic_slice_update', inputs, { axes: intSequence(c, 'axes') });
  }),
];
