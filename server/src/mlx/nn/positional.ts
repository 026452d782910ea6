/**
 * Positional encodings: RoPE, sinusoidal, ALiBi.
 */
import { add, type Dim, floorDiv, isKnown, showDim, sub } from '../../../../engine/src/dims/dim';
import { type ClassValue, float, int, list, type Value } from '../../interpreter/values';
import { type Call, define, dtypeOf } from '../define';
import { defineLayer } from './layer';
import { staticMethod } from './methods';
import { Mx } from './mx';

export const RoPE = defineLayer({
  name: 'RoPE',
  init: '(dims, traditional=False, base=10000, scale=1.0)',
  construct(l) {
    for (const name of ['dims', 'traditional', 'base', 'scale']) l.set(name, l.value(name));
  },
  call: '(x, offset=0)',
  forward: l =>
    l.mx.call('fast.rope', [l.input('x'), l.get('dims')], {
      traditional: l.get('traditional'),
      base: l.get('base'),
      scale: l.get('scale'),
      offset: l.value('offset'),
    }),
  repr: l => `${l.text(l.get('dims'))}, traditional=${l.text(l.get('traditional'))}`,
});

export const SinusoidalPositionalEncoding = defineLayer({
  name: 'SinusoidalPositionalEncoding',
  init: '(dims, min_freq=0.0001, max_freq=1, scale=None, cos_first=False, full_turns=False)',
  construct(l) {
    const { mx } = l;
    const dims = l.count('dims');
    const odd = l.interpreter.facts.divides(2, dims) === 'no';
    if (odd || (isKnown(dims) && dims <= 0))
      throw l.refusal('value', `SinusoidalPositionalEncoding needs a positive even dims, not ${showDim(dims)}`);
    const half = floorDiv(dims, 2);
    const falling =
      dims === 2
        ? mx.call('array', [list([float(1)])])
        : mx.subtract(1, mx.divide(mx.call('arange', [0, half]), int(sub(half, 1))));
    const logarithm = (name: string): number | null => {
      const frequency = l.number(name);
      if (frequency !== null && frequency <= 0)
        throw l.refusal('value', `SinusoidalPositionalEncoding needs a positive ${name}, not ${frequency}`);
      return frequency === null ? null : Math.log(frequency);
    };
    const [low, high] = [logarithm('min_freq'), logarithm('max_freq')];
    const span = float(low === null || high === null ? null : high - low);
    const sigmas = mx.call('exp', [mx.add(mx.multiply(falling, span), float(low))]);
    const turns = l.flag('full_turns');
    l.set('_sigmas', turns ? mx.multiply(sigmas, float(2 * Math.PI)) : sigmas);
    const scale = l.value('scale');
    l.set('scale', scale.kind !== 'none' ? scale : float(isKnown(dims) ? Math.sqrt(2 / dims) : null));
    l.set('cos_first', l.value('cos_first'));
  },
  call: '(x)',
  forward(l) {
    const { mx, interpreter } = l;
    const angles = mx.multiply(mx.call('expand_dims', [l.input('x'), -1]), l.get('_sigmas'));
    const [cosine, sine] = [mx.call('cos', [angles]), mx.call('sin', [angles])];
    const cosineFirst = interpreter.truth(l.get('cos_first'));
    const halves = list(cosineFirst ? [cosine, sine] : [sine, cosine]);
    const encoded = mx.call('concatenate', [halves], { axis: -1 });
    return l.constant('scale') === 1 ? encoded : mx.multiply(encoded, l.get('scale'));
  },
});

// ---- ALiBi ------------------------------------------------------------------------------------------------------------

/** The slope of each head: a geometric sequence for a power of two, interleaved with the next one otherwise. */
function alibiSlopes(heads: number): number[] {
  const power = Math.log2(heads);
  if (Number.isInteger(power)) {
    const start = 2 ** -(2 ** -(power - 3));
    return Array.from({ length: heads }, (_, i) => start * start ** i);
  }
  const below = 2 ** Math.floor(power);
  const between = alibiSlopes(2 * below).filter((_, i) => i % 2 === 0);
  return [...alibiSlopes(below), ...between.slice(0, heads - below)];
}

/** [num_heads, 1, 1] */
function alibiSlope(mx: Mx, heads: Dim, dtype: Value): Value {
  if (!isKnown(heads)) return mx.interpreter.source({ shape: [heads, 1, 1], dtype: dtypeOf(dtype) });
  const slopes = mx.call('array', [list(alibiSlopes(heads).map(float))], { dtype });
  return mx.call('expand_dims', [slopes], { axis: [-1, -2] });
}

/** [1, num_heads, queries - offset, keys] */
function alibiMatrix(mx: Mx, queries: Dim, keys: Dim, heads: Dim, offset: Dim, dtype: Value): Value {
  const rows = mx.call('expand_dims', [mx.call('arange', [offset, queries]), 1]);
  const columns = mx.call('expand_dims', [mx.call('arange', [0, keys]), 0]);
  const distance = mx.call('expand_dims', [mx.subtract(rows, columns)], { axis: [0, 1] });
  const negated = mx.negative(mx.call('abs', [distance]));
  return mx.cast(mx.multiply(negated, alibiSlope(mx, heads, dtype)), dtype);
}

/** A dtype argument whose default is float32. */
const dtypeArgument = (c: Call): Value =>
  c.given.has('dtype') ? c.value('dtype') : new Mx(c.interpreter).dtype('float32');

export const ALiBi = defineLayer({
  name: 'ALiBi',
  init: '()',
  call: '(attention_scores, offset=0, mask=None)',
  forward(l) {
    const { mx } = l;
    const scores = l.input('attention_scores');
    const shape = l.ranked(scores, 4, ['B', 'H', 'L', 'S']);
    if (shape.length < 2)
      throw l.refusal('attention', `ALiBi expects attention scores [B, H, L, S], it is given ${l.show(scores)}`);
    const offset = l.dim('offset');
    const queries = add(shape[shape.length - 2], offset);
    const dtype = l.interpreter.getAttribute(scores, 'dtype')!;
    const bias = alibiMatrix(mx, queries, shape[shape.length - 1], shape[1], offset, dtype);
    const mask = l.optional('mask');
    return mx.add(scores, mask ? mx.add(bias, mask) : bias);
  },
  methods: [
    [
      'create_alibi_matrix',
      staticMethod(
        define(
          'ALiBi.create_alibi_matrix(q_sequence_length, k_sequence_length, num_heads, offset=0, dtype=float32)',
          c =>
            alibiMatrix(
              new Mx(c.interpreter),
              c.dim('q_sequence_length'),
              c.dim('k_sequence_length'),
              c.dim('num_heads'),
              c.dim('offset'),
              dtypeArgument(c),
            ),
        ),
      ),
    ],
    [
      'create_alibi_slope',
      staticMethod(
        define('ALiBi.create_alibi_slope(num_heads, dtype=float32)', c =>
          alibiSlope(new Mx(c.interpreter), c.dim('num_heads'), dtypeArgument(c)),
        ),
      ),
    ],
  ],
});

export const positionalLayers: readonly ClassValue[] = [RoPE, SinusoidalPositionalEncoding, ALiBi];
