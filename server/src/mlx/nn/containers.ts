/**
 * `nn.Sequential`: layers called one after the other.
 */
import { Unknowable } from '../../interpreter/interpreter';
import { type ClassValue, list, openList, type Value } from '../../interpreter/values';
import { defineLayer, type Layer } from './layer';

function sameType(l: Layer, a: Value, b: Value): boolean {
  const [before, after] = [l.shape(a), l.shape(b)];
  if (!before || !after || before.length !== after.length) return false;
  return before.every((d, i) => l.interpreter.facts.equal(d, after[i]) === 'yes');
}

export const Sequential = defineLayer({
  name: 'Sequential',
  init: '(*modules)',
  construct(l) {
    const { items, element, length } = l.interpreter.iterate(l.call.value('modules'));
    l.set('layers', items ? list(items) : openList(element, length));
  },
  call: '(x)',
  forward(l) {
    const { items, element } = l.interpreter.iterate(l.get('layers'));
    const x = l.value('x');
    if (items) return items.reduce((value, layer) => l.interpreter.callWith(layer, value), x);
    // Any number of layers like this one: known only where one changes nothing.
    const once = l.interpreter.callWith(element, x);
    if (sameType(l, x, once)) return once;
    throw new Unknowable('how many layers it has is not known');
  },
});

export const containerLayers: readonly ClassValue[] = [Sequential];
