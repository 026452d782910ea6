/**
 * `nn.Linear` and its kin: a matrix product on the last axis.
 */
import { mul } from '../../../../engine/src/dims/dim';
import { Refusal } from '../../../../engine/src/graph/refusal';
import type { ClassValue, Value } from '../../interpreter/values';
import { initialScale, optionalBias, uniformWeight } from './initial';
import { defineLayer, type Layer, layerMethod } from './layer';
import { quantizedFrom } from './quantized';

/** `x @ weight.T`, plus the bias where there is one. */
export function applyLinear(l: Layer, x: Value): Value {
  const weight = l.get('weight');
  requireArray(l, x);
  l.expectLast(x, l.axis(weight, -1), 'linear-input', 'features');
  const bias = l.member('bias');
  const transposed = l.mx.transposed(weight);
  return bias ? l.mx.call('addmm', [bias, x, transposed]) : l.mx.matmul(x, transposed);
}

/** A Python number has no `@`. */
export function requireArray(l: Layer, x: Value): void {
  if (x.kind !== 'int' && x.kind !== 'float' && x.kind !== 'bool' && x.kind !== 'none' && x.kind !== 'str') return;
  const given = x.kind === 'none' ? 'None' : `a Python ${x.kind}`;
  throw new Refusal(
    'signature',
    `${l.self.cls.name} expects an array, not ${given}`,
    { name: 'x', layer: l.self },
    'TypeError',
  );
}

export const Linear = defineLayer({
  name: 'Linear',
  init: '(input_dims, output_dims, bias=True)',
  construct(l) {
    const [input, output] = [l.dim('input_dims'), l.dim('output_dims')];
    uniformWeight(l, [output, input]);
    optionalBias(l, () => l.set('bias', l.mx.uniform(initialScale(input), [output])));
  },
  call: '(x)',
  forward: l => applyLinear(l, l.input('x')),
  repr(l) {
    const weight = l.get('weight');
    return `input_dims=${l.text(l.axis(weight, 1))}, output_dims=${l.text(l.axis(weight, 0))}, bias=${l.has('bias')}`;
  },
  methods: [
    [
      'to_quantized',
      layerMethod(
        "Linear.to_quantized(group_size=None, bits=None, mode='affine', quantize_input=False)",
        quantizedFrom,
      ),
    ],
  ],
});

export const Identity = defineLayer({
  name: 'Identity',
  init: '(*args, **kwargs)',
  call: '(x)',
  forward: l => l.value('x'),
});

export const Bilinear = defineLayer({
  name: 'Bilinear',
  init: '(input1_dims, input2_dims, output_dims, bias=True)',
  construct(l) {
    const [first, second, output] = [l.dim('input1_dims'), l.dim('input2_dims'), l.dim('output_dims')];
    uniformWeight(l, [output, second, first], first);
    optionalBias(l, () => l.set('bias', l.mx.uniform(initialScale(first), [output])));
  },
  call: '(x1, x2)',
  forward(l) {
    const { mx } = l;
    const [x1, x2, weight] = [l.input('x1'), l.input('x2'), l.get('weight')];
    const [output, second, first] = [l.axis(weight, 0), l.axis(weight, 1), l.axis(weight, 2)];
    const lead = l.shape(x1);
    const left = mx.reshape(x1, [-1, first]);
    const right = mx.reshape(x2, [-1, 1, second]);
    const projected = mx.matmul(left, mx.transposed(mx.reshape(weight, [mul(output, second), first])));
    const y = mx.matmul(right, mx.call('swapaxes', [mx.reshape(projected, [-1, output, second]), -2, -1]));
    const flat = mx.call('squeeze', [y, 1]);
    // Without the rank of x1 the last axis is all that is known.
    const result = lead ? mx.reshape(flat, [...lead.slice(0, -1), output]) : l.openLast(output);
    const bias = l.member('bias');
    return bias ? mx.add(result, bias) : result;
  },
  repr(l) {
    const weight = l.get('weight');
    const [output, second, first] = [0, 1, 2].map(axis => l.text(l.axis(weight, axis)));
    return `input1_dims=${first}, input2_dims=${second}, output_dims=${output}, bias=${l.has('bias')}`;
  },
});

export const linearLayers: readonly ClassValue[] = [Identity, Linear, Bilinear];
