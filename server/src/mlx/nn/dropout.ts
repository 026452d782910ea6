/**
 * Dropout: in training, elements or whole channels at random become zero and the rest grows to make up for it.
 */
import type { Dim } from '../../../../engine/src/dims/dim';
import { type ClassValue, float, int, type Value } from '../../interpreter/values';
import { defineLayer, type Layer } from './layer';

/** Elementwise, or with whole channels dropped together over `spatial` axes. */
const dropout = (name: string, spatial: number): ClassValue =>
  defineLayer({
    name,
    init: '(p=0.5)',
    construct(l) {
      const p = l.number('p');
      if (p !== null && (p < 0 || p >= 1))
        throw l.refusal('value', `${name} needs a probability from 0 to below 1, not ${p}`);
      // `1 - p` is an int for an int p, which shows in the repr.
      l.set('_p_1', l.mx.subtract(int(1), l.value('p')));
    },
    call: '(x)',
    forward(l) {
      const x = l.input('x');
      if (spatial > 0) requireSpatial(l, x, spatial);
      const keep = l.constant('_p_1');
      if (keep === 1 || !l.training) return x;
      const shape = l.shape(x);
      const masked = shape ? l.mx.multiply(mask(l, shape, spatial), x) : l.like(x);
      return l.mx.multiply(masked, float(keep === null ? null : 1 / keep));
    },
    repr(l) {
      return `p=${l.text(l.mx.subtract(int(1), l.get('_p_1')))}`;
    },
  });

function requireSpatial(l: Layer, x: Value, spatial: number): void {
  const rank = l.shape(x)?.length;
  if (rank === undefined || rank === spatial + 1 || rank === spatial + 2) return;
  throw l.refusal(
    'norm-dims',
    `${l.self.cls.name} expects ${spatial + 1} or ${spatial + 2} axes, x has ${rank}: ${l.show(x)}`,
  );
}

function mask(l: Layer, shape: readonly Dim[], spatial: number): Value {
  const first = shape.length - 1 - spatial;
  const maskShape = spatial === 0 ? shape : shape.map((d, i) => (i >= first && i < shape.length - 1 ? 1 : d));
  return l.mx.call('random.bernoulli', [l.get('_p_1'), maskShape]);
}

export const dropoutLayers: readonly ClassValue[] = [
  dropout('Dropout', 0),
  dropout('Dropout2d', 2),
  dropout('Dropout3d', 3),
];
/** `nn.Dropout`, for layers that contain one. */
export const Dropout = dropoutLayers[0];
