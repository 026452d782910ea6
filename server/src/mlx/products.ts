/**
 * Products of `mlx.core`: matrices, vectors, sums by letters.
 */
import { isKnown } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import { isInexact } from '../../../engine/src/dtype';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import { Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, int, list, str, tuple, unknown, type Value } from '../interpreter/values';
import { type Call, define } from './define';
import { arraysIn, given } from './sequences';

/** A function of two arrays that records the operation of its name. */
const binary = (signature: string, op: string): BuiltinValue =>
  define(signature, c => c.interpreter.record(op, [c.arrayOnly('a'), c.arrayOnly('b')]));

/** An array of the same shape that matrix products take, for the rules of shapes alone. */
const inexact = (a: ArrayNode): ArrayNode =>
  a.dtype === null || isInexact(a.dtype) ? a : source({ shape: a.shape, dtype: 'float32' });

/** `axes`: how many last axes to sum over, or those of each array. */
function tensordot(c: Call): Value {
  const arrays = [c.arrayOnly('a'), c.arrayOnly('b')];
  if (c.isInt('axes')) return c.interpreter.record('tensordot', arrays, { axes: c.int('axes') });
  const lists = c.items('axes').map(item => {
    const v = c.interpreter.settled(item);
    if (v.kind !== 'list' && v.kind !== 'tuple') throw c.wrong('axes', 'an int or two sequences of ints');
    if (!v.items) throw new Unknowable('axes is not known');
    return v.items.map(axis => {
      const d = c.interpreter.facts.resolve(c.asDim(c.interpreter.settleAs(axis, 'int'), 'axes'));
      if (!isKnown(d)) throw new Unknowable('axes is not known');
      return d;
    });
  });
  return c.interpreter.record('tensordot', arrays, { axes: lists });
}

/** The axis that vecdot sums over, counted in the array of more axes; both must have it, equally long. */
function vecdot(c: Call): Value {
  const [a, b] = [c.arrayOnly('a'), c.arrayOnly('b')];
  const { facts } = c.interpreter;
  const [left, right] = [a, b].map(x => facts.shape(x.shape));
  const { interpreter } = c;
  const both = `${showType(a)} and ${showType(b)}`;
  if (left === null || right === null || left instanceof OpenShape || right instanceof OpenShape)
    return interpreter.source({ shape: null, dtype: null });
  const rank = Math.max(left.length, right.length);
  const given = c.int('axis');
  const axis = given < 0 ? given + rank : given;
  if (axis < 0 || axis >= Math.min(left.length, right.length))
    throw new Refusal('axis', `vecdot has no axis ${given} in both ${both}`, { axis: given });
  facts.require(
    left[axis],
    right[axis],
    () => new Refusal('matmul', `vecdot sums axis ${given}, which must be equally long in ${both}`, { axis: given }),
  );
  const first = a.dtype === 'complex64' ? interpreter.record('conjugate', [a]).node : a;
  const product: ArrayNode = interpreter.record('multiply', [first, b]).node;
  return interpreter.record('sum', [product], {
    axes: [axis - (rank - (product.shape as readonly unknown[]).length)],
    keepdims: false,
  });
}

export const productFunctions: readonly BuiltinValue[] = [
  binary('mx.matmul(a, b, /, *, stream=None)', 'matmul'),
  binary('mx.inner(a, b, /, *, stream=None)', 'inner'),
  binary('mx.outer(a, b, /, *, stream=None)', 'outer'),
  define('mx.addmm(c, a, b, /, alpha=1.0, beta=1.0, *, stream=None)', c =>
    c.interpreter.record(
      'addmm',
      ['c', 'a', 'b'].map(name => c.arrayOnly(name)),
      { alpha: c.float('alpha'), beta: c.float('beta') },
    ),
  ),
  define('mx.tensordot(a, b, /, axes=2, *, stream=None)', tensordot),
  define('mx.einsum(subscripts, *operands, stream=None)', c =>
    c.interpreter.record('einsum', arraysIn(c, 'operands'), { subscripts: c.text('subscripts') }),
  ),
  define('mx.einsum_path(subscripts, *operands)', c => {
    const operands = arraysIn(c, 'operands');
    c.interpreter.record('einsum', operands.map(inexact), { subscripts: c.text('subscripts') }); // refuses what einsum would
    const path = operands.length <= 2 ? list([tuple(operands.map((_, i) => int(i)))]) : unknown('is the best order');
    return tuple([path, str(null)]);
  }),
  define('mx.vecdot(a, b, /, *, axis=-1, stream=None)', vecdot),
  define('mx.gather_mm(a, b, /, lhs_indices=None, rhs_indices=None, *, sorted_indices=False, stream=None)', c => {
    const optional = given(c, ['lhs_indices', 'rhs_indices'] as const);
    return c.interpreter.record('gather_mm', [c.arrayOnly('a'), c.arrayOnly('b'), ...optional.arrays], {
      given: optional.names,
    });
  }),
  define(
    'mx.block_masked_mm(a, b, /, block_size=64, mask_out=None, mask_lhs=None, mask_rhs=None, *, stream=None)',
    c => {
      const optional = given(c, ['mask_out', 'mask_lhs', 'mask_rhs'] as const);
      return c.interpreter.record('block_masked_mm', [c.arrayOnly('a'), c.arrayOnly('b'), ...optional.arrays], {
        given: optional.names,
        block_size: c.int('block_size'),
      });
    },
  ),
  define('mx.segmented_mm(a, b, /, segments, *, stream=None)', c =>
    c.interpreter.record('segmented_mm', [c.arrayOnly('a'), c.arrayOnly('b'), c.arrayOnly('segments')]),
  ),
];
