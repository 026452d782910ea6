/**
 * Attention and the Transformer.
 */
import { isKnown, showDim } from '../../../../engine/src/dims/dim';
import { type ClassValue, float, type Value } from '../../interpreter/values';
import { define } from '../define';
import { activation } from './activations';
import { Dropout } from './dropout';
import { defineLayer, type Layer } from './layer';
import { Linear } from './linear';
import { staticMethod } from './methods';
import { Mx } from './mx';
import { LayerNorm } from './normalization';

/** `argument or fallback` */
const orElse = (l: Layer, name: string, fallback: Value): Value =>
  l.interpreter.truth(l.value(name)) === false ? fallback : l.value(name);

export const MultiHeadAttention = defineLayer({
  name: 'MultiHeadAttention',
  init: '(dims, num_heads, query_input_dims=None, key_input_dims=None, value_input_dims=None, value_dims=None, value_output_dims=None, bias=False)',
  construct(l) {
    const dims = l.value('dims');
    const [size, heads] = [l.dim('dims'), l.count('num_heads')];
    if (!isKnown(heads) || heads !== 0)
      l.interpreter.facts.requireDivides(heads, size, () =>
        l.refusal(
          'attention',
          `${l.self.cls.name} cannot divide ${showDim(size)} features among ${showDim(heads)} heads`,
          { expected: heads, actual: size },
        ),
      );
    const keyInput = orElse(l, 'key_input_dims', dims);
    const valueDims = orElse(l, 'value_dims', dims);
    const bias = l.value('bias');
    const linear = (input: Value, output: Value): Value => l.make(Linear, [input, output], { bias });
    l.set('num_heads', l.value('num_heads'));
    l.set('query_proj', linear(orElse(l, 'query_input_dims', dims), dims));
    l.set('key_proj', linear(keyInput, dims));
    l.set('value_proj', linear(orElse(l, 'value_input_dims', keyInput), valueDims));
    l.set('out_proj', linear(valueDims, orElse(l, 'value_output_dims', dims)));
  },
  call: '(queries, keys, values, mask=None)',
  forward(l) {
    const { mx } = l;
    const heads = l.size('num_heads');
    const split = (argument: string, projection: string): Value => {
      const x = l.callAttribute(projection, l.input(argument));
      const shape = l.ranked(x, 3, ['B', 'L', 'D']);
      if (shape.length !== 3)
        throw l.refusal('attention', `${l.self.cls.name} expects ${argument} of shape [B, L, D], not ${l.show(x)}`);
      return mx.transpose(mx.call('unflatten', [x, -1, [heads, -1]]), [0, 2, 1, 3]);
    };
    const queries = split('queries', 'query_proj');
    const keys = split('keys', 'key_proj');
    const values = split('values', 'value_proj');
    const headDim = l.axis(queries, -1);
    const attended = mx.call('fast.scaled_dot_product_attention', [queries, keys, values], {
      scale: float(isKnown(headDim) ? Math.sqrt(1 / headDim) : null),
      mask: l.value('mask'),
    });
    const joined = mx.call('flatten', [mx.transpose(attended, [0, 2, 1, 3]), -2, -1]);
    return l.callAttribute('out_proj', joined);
  },
  methods: [
    [
      'create_additive_causal_mask',
      staticMethod(
        define('MultiHeadAttention.create_additive_causal_mask(N, dtype=float32)', c => {
          const mx = new Mx(c.interpreter);
          const dtype = c.given.has('dtype') ? c.value('dtype') : mx.dtype('float32');
          const indices = mx.call('arange', [c.dim('N')]);
          const later = mx.compare('<', mx.call('expand_dims', [indices, 1]), mx.call('expand_dims', [indices, 0]));
          const least = c.interpreter.getAttribute(mx.call('finfo', [dtype]), 'min')!;
          return mx.multiply(mx.cast(later, dtype), least);
        }),
      ),
    ],
  ],
});

// ---- layers of the Transformer ----------------------------------------------------------------------------------------

const LAYER_ARGUMENTS = 'dims, num_heads, mlp_dims=None, dropout=0.0, activation=relu, norm_first=True';

/** An `activation` argument, `nn.relu` by default. */
const activationArgument = (l: Layer): Value => l.call.given.get('activation') ?? activation('relu');

function feedForwardParts(l: Layer, norms: number): void {
  const dims = l.value('dims');
  const hidden = orElse(l, 'mlp_dims', l.mx.multiply(dims, 4));
  for (let i = 1; i <= norms; i++) l.set(`ln${i}`, l.make(LayerNorm, [dims]));
  l.set('linear1', l.make(Linear, [dims, hidden]));
  l.set('linear2', l.make(Linear, [hidden, dims]));
  for (let i = 1; i <= norms; i++) l.set(`dropout${i}`, l.make(Dropout, [l.value('dropout')]));
  l.set('activation', activationArgument(l));
  l.set('norm_first', l.value('norm_first'));
}

/** What each block adds to its input: attention (over what) or the feed-forward network. */
type Block = (x: Value) => Value;

function feedForward(l: Layer, dropout: string): Block {
  return x => {
    const hidden = l.callAttribute('activation', l.callAttribute('linear1', x));
    return l.callAttribute('linear2', l.callAttribute(dropout, hidden));
  };
}

/** Residual blocks in order, each normed before it (`norm_first`) or after the addition. Attention is followed by dropout. */
function residual(l: Layer, input: Value, blocks: readonly Block[]): Value {
  const first = l.isSet('norm_first');
  return blocks.reduce((x, block, i) => {
    const norm = `ln${i + 1}`;
    if (first) return l.mx.add(x, block(l.callAttribute(norm, x)));
    return l.callAttribute(norm, l.mx.add(x, block(x)));
  }, input);
}

const attention =
  (l: Layer, name: string, dropout: string, mask: string, memory: Value | null): Block =>
  x =>
    l.callAttribute(dropout, l.callAttribute(name, x, memory ?? x, memory ?? x, l.value(mask)));

export const TransformerEncoderLayer = defineLayer({
  name: 'TransformerEncoderLayer',
  init: `(${LAYER_ARGUMENTS})`,
  construct(l) {
    l.set('attention', l.make(MultiHeadAttention, [l.value('dims'), l.value('num_heads')]));
    feedForwardParts(l, 2);
  },
  call: '(x, mask)',
  forward: l =>
    residual(l, l.input('x'), [attention(l, 'attention', 'dropout1', 'mask', null), feedForward(l, 'dropout2')]),
});

export const TransformerDecoderLayer = defineLayer({
  name: 'TransformerDecoderLayer',
  init: `(${LAYER_ARGUMENTS})`,
  construct(l) {
    const sizes = [l.value('dims'), l.value('num_heads')];
    l.set('self_attention', l.make(MultiHeadAttention, sizes));
    l.set('cross_attention', l.make(MultiHeadAttention, sizes));
    feedForwardParts(l, 3);
  },
  call: '(x, memory, x_mask, memory_mask)',
  forward: l =>
    residual(l, l.input('x'), [
      attention(l, 'self_attention', 'dropout1', 'x_mask', null),
      attention(l, 'cross_attention', 'dropout2', 'memory_mask', l.input('memory')),
      feedForward(l, 'dropout3'),
    ]),
});

/** `num_layers` layers of a kind and a norm after them. */
const stackOf = (name: string, layer: ClassValue, call: string, others: readonly string[]): ClassValue =>
  defineLayer({
    name,
    init: `(num_layers, ${LAYER_ARGUMENTS}, checkpoint=False)`,
    construct(l) {
      const positional = ['dims', 'num_heads', 'mlp_dims', 'dropout'].map(argument => l.value(argument));
      const make = (): Value => l.make(layer, [...positional, activationArgument(l), l.value('norm_first')]);
      l.set('layers', l.repeat('num_layers', make));
      l.set('ln', l.make(LayerNorm, [l.value('dims')]));
      l.set('checkpoint', l.value('checkpoint'));
    },
    call,
    forward(l) {
      const { items, element } = l.interpreter.iterate(l.get('layers'));
      const rest = others.map(argument => l.value(argument));
      const x = (items ?? [element]).reduce(
        (value, each) => l.interpreter.callWith(each, value, ...rest),
        l.input('x'),
      );
      return l.callAttribute('ln', x);
    },
  });

export const TransformerEncoder = stackOf('TransformerEncoder', TransformerEncoderLayer, '(x, mask)', ['mask']);
export const TransformerDecoder = stackOf(
  'TransformerDecoder',
  TransformerDecoderLayer,
  '(x, memory, x_mask, memory_mask)',
  ['memory', 'x_mask', 'memory_mask'],
);

export const Transformer = defineLayer({
  name: 'Transformer',
  init: '(dims=512, num_heads=8, num_encoder_layers=6, num_decoder_layers=6, mlp_dims=None, dropout=0.0, activation=relu, custom_encoder=None, custom_decoder=None, norm_first=True, checkpoint=False)',
  construct(l) {
    const part = (custom: string, cls: ClassValue, count: string): Value => {
      if (l.call.has(custom)) return l.value(custom);
      const positional = [count, 'dims', 'num_heads', 'mlp_dims', 'dropout'].map(argument => l.value(argument));
      return l.make(cls, [...positional, activationArgument(l), l.value('norm_first'), l.value('checkpoint')]);
    };
    l.set('encoder', part('custom_encoder', TransformerEncoder, 'num_encoder_layers'));
    l.set('decoder', part('custom_decoder', TransformerDecoder, 'num_decoder_layers'));
  },
  call: '(src, tgt, src_mask, tgt_mask, memory_mask)',
  forward(l) {
    const memory = l.callAttribute('encoder', l.value('src'), l.value('src_mask'));
    return l.callAttribute('decoder', l.value('tgt'), memory, l.value('tgt_mask'), l.value('memory_mask'));
  },
});

export const transformerLayers: readonly ClassValue[] = [
  MultiHeadAttention,
  TransformerEncoderLayer,
  TransformerEncoder,
  TransformerDecoderLayer,
  TransformerDecoder,
  Transformer,
];
