/**
 * MLX1xx: arrays whose shapes, axes or dtypes MLX refuses.
 *
 * The engine's shape rules already say what is wrong in their message. This file gives each kind its code and, where a
 * layer was made for another width than it gets, the fix at the layer's constructor.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import type { Judge, Rule } from './diagnostic';
import { layerFault } from './layers';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'error', summary });

export const SHAPE_RULES = {
  'linear-input': rule('MLX101', 'linear-input', 'A layer gets arrays of another width than it was made for.'),
  matmul: rule('MLX102', 'matmul', 'The inner dimensions of a matrix product differ.'),
  broadcast: rule('MLX103', 'broadcast', 'Two shapes cannot be broadcast together.'),
  reshape: rule('MLX104', 'reshape', 'The new shape holds another number of elements.'),
  concatenate: rule('MLX105', 'concatenate', 'Arrays to be joined differ outside the joining axis.'),
  split: rule('MLX106', 'split', 'An axis cannot be split as asked.'),
  'conv-channels': rule(
    'MLX107',
    'conv-channels',
    'A convolution gets another number of channels than it was made for.',
  ),
  'conv-rank': rule('MLX108', 'conv-rank', 'A convolution gets an array of a rank it does not take.'),
  'norm-dims': rule('MLX109', 'norm-dims', 'A normalization gets another number of features than it was made for.'),
  'index-dtype': rule('MLX110', 'index-dtype', 'Something is indexed by an array that holds no integers.'),
  attention: rule('MLX111', 'attention', 'Queries, keys, values or the mask of an attention do not fit together.'),
  'index-rank': rule('MLX112', 'index-rank', 'There are more indices than axes, or an index MLX does not take.'),
  unpack: rule('MLX113', 'unpack', 'A shape or array is unpacked into another number of names.'),
  einsum: rule('MLX114', 'einsum', 'The subscripts of an einsum do not fit its arrays.'),
  axis: rule('MLX115', 'axis', 'An axis does not exist or is named twice.'),
  transpose: rule('MLX116', 'transpose', 'The axes of a transpose are no permutation of the array’s.'),
  squeeze: rule('MLX117', 'squeeze', 'An axis that is squeezed is not 1 long.'),
  pool: rule('MLX118', 'pool', 'A pooling layer gets an array of a rank it does not take.'),
  loss: rule('MLX119', 'loss', 'A loss gets predictions and targets whose shapes do not fit.'),
  gather: rule('MLX120', 'gather', 'Indices of a take, gather or scatter do not fit the array.'),
  gradient: rule('MLX121', 'gradient', 'A gradient is taken of something that has none.'),
  dtype: rule('MLX122', 'dtype', 'An operation does not take arrays of this dtype.'),
  rope: rule('MLX123', 'rope', 'A rotary embedding does not fit the array’s last axis.'),
  value: rule('MLX124', 'value', 'An argument has a value that MLX refuses.'),
} as const satisfies Partial<Record<RefusalKind, Rule>>;

/** Kinds that a layer's own constructor argument decides. */
const DECIDED_BY_LAYER = new Set<RefusalKind>(['linear-input', 'conv-channels', 'norm-dims']);

export const judgeShape =
  (kind: keyof typeof SHAPE_RULES): Judge =>
  (finding, context) => ({
    rule: SHAPE_RULES[kind],
    ...(DECIDED_BY_LAYER.has(kind) ? layerFault(finding, context) : {}),
  });
