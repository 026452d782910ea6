/**
 * `mlx.optimizers`: the optimizers, their schedules, and gradient clipping.
 */
import { isFloating } from '../../../../engine/src/dtype';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type BuiltinValue, float, tuple, type Value } from '../../interpreter/values';
import { define } from '../define';
import { Mx } from '../nn/mx';
import { leavesOf, treeMap } from '../nn/tree';
import { algorithms } from './algorithms';
import { MultiOptimizer } from './multiple';
import { schedulers } from './schedulers';

const clipGradNorm = define('optim.clip_grad_norm(grads, max_norm)', c => {
  const { interpreter } = c;
  const mx = new Mx(interpreter);
  const limit = c.float('max_norm');
  if (limit !== null && limit < 0)
    throw new Refusal('value', `clip_grad_norm needs a max_norm of at least 0, not ${limit}`);
  const squaredNorm = (g: Value): Value => {
    const wide = g.kind === 'array' && g.node.dtype === 'float16' ? mx.cast(g, mx.dtype('float32')) : g;
    return mx.call('sum', [mx.call('square', [wide])]);
  };
  const gradients = c.value('grads');
  const leaves = leavesOf(interpreter, gradients);
  const squared = leaves.pairs.reduce<Value>((total, [, g]) => mx.add(total, squaredNorm(g)), float(0));
  const norm = mx.call('sqrt', [squared]);
  const factor = mx.call('minimum', [mx.divide(c.value('max_norm'), mx.add(norm, float(1e-6))), float(1)]);
  const scale = (g: Value): Value => {
    const scaled = mx.multiply(g, factor);
    const dtype = g.kind === 'array' ? g.node.dtype : null;
    return dtype !== null && isFloating(dtype) ? mx.cast(scaled, mx.dtype(dtype)) : scaled;
  };
  return tuple([treeMap(interpreter, scale, gradients), norm]);
});

export const optimizerValues = {
  optimizers: [...algorithms, MultiOptimizer, clipGradNorm],
  schedulers: schedulers satisfies readonly BuiltinValue[],
};
