/**
 * `mx.fast`, and products of matrices, dense and quantized.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { type BuiltinValue, tuple, unknown, type Value } from '../interpreter/values';
import { type Call, define } from './define';

/** The optional arrays that were given, by name. */
function optional(c: Call, names: readonly string[]): { given: string[]; inputs: ArrayNode[] } {
  const given = names.filter(n => c.has(n));
  return { given, inputs: given.map(n => c.array(n)) };
}

function norm(c: Call, name: 'rms_norm' | 'layer_norm', names: readonly string[]): Value {
  const { given, inputs } = optional(c, names);
  return c.interpreter.record(`fast.${name}`, [c.array('x'), ...inputs], { eps: c.float('eps'), given });
}

function rope(c: Call): Value {
  const offset = c.value('offset');
  const isArray = offset.kind === 'array';
  const names = [...(isArray ? ['offset'] : []), ...(c.has('freqs') ? ['freqs'] : [])];
  return c.interpreter.record('fast.rope', [c.array('a'), ...names.map(n => c.array(n))], {
    dims: c.dim('dims'),
    traditional: c.interpreter.truth(c.value('traditional')) ?? false,
    base: c.has('base') ? c.float('base') : null,
    scale: c.float('scale'),
    offset: offset.kind === 'int' ? offset.value : null,
    given: names,
  });
}

function attention(c: Call): Value {
  const mask = c.value('mask');
  const names = [
    ...(mask.kind === 'array' || (mask.kind !== 'none' && mask.kind !== 'str') ? ['mask'] : []),
    ...(c.has('sinks') ? ['sinks'] : []),
  ];
  return c.interpreter.record(
    'fast.scaled_dot_product_attention',
    [c.array('q'), c.array('k'), c.array('v'), ...names.map(n => c.array(n))],
    {
      scale: c.float('scale'),
      causal: mask.kind === 'str' && mask.value === 'causal',
      given: names,
    },
  );
}

export const fastFunctions: readonly BuiltinValue[] = [
  define('mx.fast.rms_norm(x, weight, eps, *, stream=None)', c => norm(c, 'rms_norm', ['weight'])),
  define('mx.fast.layer_norm(x, weight, bias, eps, *, stream=None)', c => norm(c, 'layer_norm', ['weight', 'bias'])),
  define('mx.fast.rope(a, dims, *, traditional, base, scale, offset, freqs=None, stream=None)', rope),
  define('mx.fast.scaled_dot_product_attention(q, k, v, *, scale, mask=None, sinks=None, stream=None)', attention),
  define(
    "mx.fast.metal_kernel(name, input_names, output_names, source, header='', ensure_row_contiguous=True, atomic_outputs=False)",
    () => unknown('runs a Metal kernel'),
  ),
];

// ---- products ---------------------------------------------------------------------------------------------------------

const scheme = (c: Call) => ({
  group_size: c.has('group_size') ? c.int('group_size') : null,
  bits: c.has('bits') ? c.int('bits') : null,
  mode: c.text('mode'),
});

export const productFunctions: readonly BuiltinValue[] = [
  define('mx.matmul(a, b, /, *, stream=None)', c =>
    c.interpreter.record('matmul', [c.arrayOnly('a'), c.arrayOnly('b')]),
  ),
  define('mx.addmm(c, a, b, /, alpha=1.0, beta=1.0, *, stream=None)', c =>
    c.interpreter.record('addmm', [c.array('c'), c.arrayOnly('a'), c.arrayOnly('b')], {
      alpha: c.float('alpha'),
      beta: c.float('beta'),
    }),
  ),
  define('mx.inner(a, b, /, *, stream=None)', c => c.interpreter.record('inner', [c.arrayOnly('a'), c.arrayOnly('b')])),
  define('mx.outer(a, b, /, *, stream=None)', c => c.interpreter.record('outer', [c.arrayOnly('a'), c.arrayOnly('b')])),
  define('mx.einsum(subscripts, *operands, stream=None)', c =>
    c.interpreter.record(
      'einsum',
      c.items('operands').map(o => (o.kind === 'array' ? o.node : c.array('operands'))),
      { subscripts: c.text('subscripts') },
    ),
  ),
];

export const quantizationFunctions: readonly BuiltinValue[] = [
  define("mx.quantize(w, /, group_size=None, bits=None, mode='affine', *, global_scale=None, stream=None)", c =>
    tuple([...c.interpreter.recordAll('quantize', [c.arrayOnly('w')], scheme(c))]),
  ),
  define(
    "mx.dequantize(w, /, scales, biases=None, group_size=None, bits=None, mode='affine', global_scale=None, dtype=None, *, stream=None)",
    c => {
      const { given, inputs } = optional(c, ['biases']);
      return c.interpreter.record('dequantize', [c.arrayOnly('w'), c.arrayOnly('scales'), ...inputs], {
        ...scheme(c),
        dtype: c.dtype('dtype'),
        given,
      });
    },
  ),
  define(
    "mx.quantized_matmul(x, w, /, scales, biases=None, transpose=True, group_size=None, bits=None, mode='affine', *, stream=None)",
    c => {
      const { given, inputs } = optional(c, ['biases']);
      return c.interpreter.record(
        'quantized_matmul',
        [c.array('x'), c.arrayOnly('w'), c.arrayOnly('scales'), ...inputs],
        {
          ...scheme(c),
          transpose: c.flag('transpose'),
          given,
        },
      );
    },
  ),
];
