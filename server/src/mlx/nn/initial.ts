/**
 * How the weights of layers begin.
 */
import { type Dim, isKnown, product } from '../../../../engine/src/dims/dim';
import type { Layer } from './layer';

/** `sqrt(1 / fan_in)`; null for a symbol. */
export const initialScale = (fanIn: Dim): number | null => (isKnown(fanIn) ? Math.sqrt(1 / fanIn) : null);

/**
 * `sqrt(1 / fan_in)` of a fan-in of zero or less ends the constructor.
 * @throws Refusal of kind 'value'
 */
export function requireFanIn(l: Layer, fanIn: Dim): void {
  if (!isKnown(fanIn) || fanIn > 0) return;
  throw l.refusal('value', `${l.self.cls.name} needs at least one input feature, not ${fanIn}`);
}

/** A uniform weight of `shape` as wide as `fanIn` says, [output, …, input]. */
export function uniformWeight(l: Layer, shape: readonly Dim[], fanIn: Dim = product(shape.slice(1))): void {
  requireFanIn(l, fanIn);
  l.set('weight', l.mx.uniform(initialScale(fanIn), shape));
}

/** Makes the bias where `bias` is asked for; where that is not known, the layer is open. */
export function optionalBias(l: Layer, make: () => void): void {
  const bias = l.flag('bias');
  if (bias) make();
  if (bias === null) l.interpreter.heap.openInstance(l.self);
}
