/**
 * `nn.Embedding`: rows of a table, by number.
 */
import { isInteger } from '../../../../engine/src/dtype';
import type { ClassValue, Value } from '../../interpreter/values';
import { initialScale, requireFanIn } from './initial';
import { defineLayer, type Layer, layerMethod } from './layer';
import { quantizedFrom } from './quantized';

/** The rows of `table` that `x` names. @throws Refusal of kind 'index-dtype' for an array that is not of integers */
export function lookUp(l: Layer, table: Value, x: Value): Value {
  if (x.kind === 'array' && x.node.dtype !== null && !isInteger(x.node.dtype))
    throw l.refusal('index-dtype', `${l.self.cls.name} expects integers, x is ${l.show(x)}`, { input: 0 });
  return l.interpreter.getItem(table, x);
}

export const Embedding = defineLayer({
  name: 'Embedding',
  init: '(num_embeddings, dims)',
  construct(l) {
    const [count, dims] = [l.dim('num_embeddings'), l.dim('dims')];
    requireFanIn(l, dims);
    l.set('weight', l.mx.normal(initialScale(dims), [count, dims]));
  },
  call: '(x)',
  forward: l => lookUp(l, l.get('weight'), l.input('x')),
  repr(l) {
    const weight = l.get('weight');
    return `${l.text(l.axis(weight, 0))}, ${l.text(l.axis(weight, 1))}`;
  },
  methods: [
    [
      'as_linear',
      layerMethod('Embedding.as_linear(x)', l => {
        const [x, weight] = [l.input('x'), l.get('weight')];
        l.expectLast(x, l.axis(weight, -1), 'linear-input', 'features');
        return l.mx.matmul(x, l.mx.transposed(weight));
      }),
    ],
    [
      'to_quantized',
      layerMethod(
        "Embedding.to_quantized(group_size=None, bits=None, mode='affine', quantize_input=False)",
        quantizedFrom,
      ),
    ],
  ],
});

export const embeddingLayers: readonly ClassValue[] = [Embedding];
