/**
 * `mlx.nn.utils`: gradients of a module's parameters, and what training across machines does with them.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { showType } from '../../../../engine/src/graph/show';
import type { Interpreter } from '../../interpreter/interpreter';
import { type BuiltinValue, builtin, float, tuple, unknown, type Value } from '../../interpreter/values';
import { define, isOpaque, typeName } from '../define';
import { isModule } from './membership';
import { Mx } from './mx';
import { trainableParametersOf } from './parameters';
import { leavesOf, treeMap } from './tree';

/** An array like `x` that holds its gradient. Other leaves have none. */
const gradientOf = (interpreter: Interpreter, x: Value): Value =>
  x.kind === 'array' ? interpreter.source({ shape: x.node.shape, dtype: x.node.dtype }, 'gradient') : x;

/**
 * The loss of a result: the result itself, or the first of a tuple where the transformation takes one (`mayBeTuple`).
 * @throws Refusal of kind 'gradient' where it is no array, or not a scalar
 */
export function requireScalarLoss(interpreter: Interpreter, result: Value, mayBeTuple = true): void {
  const value = interpreter.settled(result);
  const first = mayBeTuple && value.kind === 'tuple' ? value.items?.[0] : value;
  const loss = first && interpreter.settled(first);
  if (loss === undefined && value.kind === 'tuple' && !value.items) return;
  if (loss?.kind !== 'array') {
    if (loss && isOpaque(loss)) return;
    throw new Refusal(
      'gradient',
      `A gradient needs a loss that is an array, the function answers ${loss ? typeName(loss) : 'an empty tuple'}`,
    );
  }
  const shape = interpreter.facts.shape(loss.node.shape);
  if (Array.isArray(shape) && shape.length > 0)
    throw new Refusal(
      'gradient',
      `A gradient needs a scalar loss, the function answers ${showType({ shape, dtype: loss.node.dtype })}: reduce it with mean or sum`,
    );
}

const valueAndGrad = define('nn.value_and_grad(model, fn)', c => {
  const [model, func] = [c.value('model'), c.value('fn')];
  return builtin('value_and_grad', (interpreter, passed) => {
    const value = interpreter.call(func, passed);
    requireScalarLoss(interpreter, value);
    const settled = interpreter.settled(model);
    if (!isModule(settled)) return tuple([value, unknown('the model is not known')]);
    const parameters = trainableParametersOf(interpreter, settled);
    const { pairs, open } = leavesOf(interpreter, parameters);
    if (pairs.length === 0 && !open)
      throw new Refusal('gradient', `nn.value_and_grad: ${settled.cls.name} has no parameter to train`);
    const gradients = treeMap(interpreter, leaf => gradientOf(interpreter, leaf), parameters);
    return tuple([value, gradients]);
  });
});

/** Recomputing in the backward pass changes no value: the function itself. */
const checkpoint = define('nn.utils.checkpoint(module, fn=None)', c =>
  c.has('fn') ? c.value('fn') : c.value('module'),
);

const averageGradients = define(
  'nn.average_gradients(gradients, group=None, all_reduce_size=33554432, communication_stream=None)',
  c => c.value('gradients'),
);

const clipGradNormSharded = define('nn.utils.clip_grad_norm_sharded(gradients, max_norm, group=None)', c => {
  const { interpreter } = c;
  const mx = new Mx(interpreter);
  const gradients = c.value('gradients');
  const leaves = leavesOf(interpreter, gradients);
  const local = leaves.pairs.reduce<Value>(
    (total, [, g]) => mx.add(total, mx.call('sum', [mx.call('square', [g])])),
    float(0),
  );
  const norm = mx.call('sqrt', [mx.call('distributed.all_sum', [local], { group: c.value('group') })]);
  const normalizer = mx.call('minimum', [mx.divide(c.value('max_norm'), mx.add(norm, float(1e-6))), float(1)]);
  return tuple([treeMap(interpreter, leaf => mx.multiply(leaf, normalizer), gradients), norm]);
});

/** Functions of `mlx.nn.utils`; the first two are of `mlx.nn` too. */
export const gradientFunctions: readonly BuiltinValue[] = [
  valueAndGrad,
  averageGradients,
  checkpoint,
  clipGradNormSharded,
];
