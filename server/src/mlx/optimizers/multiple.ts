/**
 * `mlx.optimizers.MultiOptimizer`: several optimizers, each for the parameters that its filter chooses.
 */
import { Unknowable } from '../../interpreter/interpreter';
import {
  bool,
  builtin,
  type ClassValue,
  dict,
  list,
  NONE,
  nativeClass,
  str,
  type Value,
} from '../../interpreter/values';
import { type Layer, layerMethod } from '../nn/layer';
import { named, property } from '../nn/methods';
import { leavesOf, unflatten } from '../nn/tree';
import { mergeTrees } from '../utils';
import { initializeOptimizer, Optimizer } from './optimizer';

function listed(l: Layer, name: string): readonly Value[] {
  const { items } = l.interpreter.iterate(l.get(name));
  if (!items) throw new Unknowable(`the ${name} are not known`);
  return items;
}

/** The part of a tree that each optimizer is for: the first whose filter takes the leaf. */
function parts(l: Layer, tree: Value): Value[] {
  const filters = listed(l, 'filters');
  if (filters.length === 1) return [tree];
  const { interpreter } = l;
  const leaves = leavesOf(interpreter, tree);
  if (leaves.open) throw new Unknowable('the leaves of the tree are not all known');
  const split: [string, Value][][] = filters.map(() => []);
  for (const [path, leaf] of leaves.pairs) {
    for (const [i, filter] of filters.entries()) {
      const takes = interpreter.truth(interpreter.callWith(filter, str(path), leaf));
      if (takes === null) throw new Unknowable('which optimizer a parameter belongs to is not known');
      if (!takes) continue;
      split[i].push([path ?? '', leaf]);
      break;
    }
  }
  return split.map(pairs => (pairs.length > 0 ? unflatten(pairs) : dict()));
}

const call = (l: Layer, optimizer: Value, method: string, ...positional: Value[]): Value =>
  l.interpreter.callWith(attribute(l, optimizer, method), ...positional);

function attribute(l: Layer, optimizer: Value, name: string): Value {
  const found = l.interpreter.getAttribute(optimizer, name);
  if (!found) throw new Unknowable(`the optimizer has no ${name}`);
  return found;
}

const everything = builtin('every parameter', () => bool(true));

export const MultiOptimizer: ClassValue = nativeClass(
  'MultiOptimizer',
  [Optimizer],
  [
    [
      '__init__',
      layerMethod('optim.MultiOptimizer(optimizers, filters=())', l => {
        initializeOptimizer(l);
        l.set('_state', dict());
        const [optimizers, filters] = [l.call.items('optimizers'), l.call.items('filters')];
        if (filters.length !== optimizers.length - 1)
          throw l.refusal(
            'value',
            `MultiOptimizer of ${optimizers.length} optimizers needs ${optimizers.length - 1} filters, not ${filters.length}`,
          );
        l.set('optimizers', l.value('optimizers'));
        l.set('filters', list([...filters, everything]));
        return NONE;
      }),
    ],
    ...named([
      layerMethod('MultiOptimizer.init(parameters)', l => {
        const trees = parts(l, l.value('parameters'));
        for (const [i, optimizer] of listed(l, 'optimizers').entries()) call(l, optimizer, 'init', trees[i]);
        return NONE;
      }),
      layerMethod('MultiOptimizer.apply_gradients(gradients, parameters)', l => {
        const trees = parts(l, l.value('gradients'));
        return listed(l, 'optimizers').reduce<Value>((tree, optimizer, i) => {
          const updated = call(l, optimizer, 'apply_gradients', trees[i], l.value('parameters'));
          return mergeTrees(l.interpreter, tree, updated);
        }, dict());
      }),
    ]),
    [
      'state',
      property(
        layerMethod('MultiOptimizer.state()', l =>
          dict([['states', list(listed(l, 'optimizers').map(o => attribute(l, o, 'state')))]]),
        ),
        layerMethod('MultiOptimizer.state(state)', l => {
          const states = l.interpreter.iterate(l.interpreter.getItem(l.value('state'), str('states'))).items;
          const optimizers = listed(l, 'optimizers');
          if (!states) throw new Unknowable('the states are not known');
          if (states.length !== optimizers.length)
            throw l.refusal('value', `The state is of ${states.length} optimizers, there are ${optimizers.length}`);
          for (const [i, optimizer] of optimizers.entries()) l.interpreter.setAttribute(optimizer, 'state', states[i]);
          return NONE;
        }),
      ),
    ],
    [
      'learning_rate',
      property(
        layerMethod('MultiOptimizer.learning_rate()', l => attribute(l, listed(l, 'optimizers')[0], 'learning_rate')),
        layerMethod('MultiOptimizer.learning_rate(learning_rate)', l => {
          for (const optimizer of listed(l, 'optimizers'))
            l.interpreter.setAttribute(optimizer, 'learning_rate', l.value('learning_rate'));
          return NONE;
        }),
      ),
    ],
  ],
);
