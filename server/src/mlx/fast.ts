/**
 * `mlx.core.fast`: fused operations, and kernels written in the user's own Metal or CUDA.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import { Refusal } from '../../../engine/src/graph/refusal';
import { type BuiltinValue, list, type NativeType, type NativeValue, type Value } from '../interpreter/values';
import { scalarArray, scalarKind } from './convert';
import { type Call, define, defineMethod, dtypeOf, isOpaque } from './define';
import { given, keepingDtype } from './sequences';

function norm(signature: string, op: string, rows: readonly ('weight' | 'bias')[]): BuiltinValue {
  return define(signature, c => {
    const x = c.arrayOnly('x');
    return keepingDtype(c, x, () => {
      const optional = given(c, rows);
      return c.interpreter.record(op, [x, ...optional.arrays], { given: optional.names, eps: c.float('eps') });
    });
  });
}

function rope(c: Call): Value {
  const x = c.arrayOnly('a');
  return keepingDtype(c, x, () => {
    const freqs = given(c, ['freqs'] as const);
    const based = c.has('base');
    if (based === freqs.arrays.length > 0)
      throw new Refusal(
        'rope',
        `mx.fast.rope takes either a base or freqs, ${based ? 'not both' : 'neither is given'}`,
      );
    const offset = c.value('offset');
    const start = scalarKind(offset) ? scalarArray(c.interpreter, offset) : c.array('offset');
    return c.interpreter.record('rope', [x, start, ...freqs.arrays], {
      given: freqs.names,
      dims: c.dim('dims'),
      traditional: c.flag('traditional'),
      base: based ? c.float('base') : null,
      scale: c.float('scale'),
    });
  });
}

function attention(c: Call): Value {
  const [q, k, v] = ['q', 'k', 'v'].map(name => c.arrayOnly(name));
  const scale = c.float('scale');
  const mask = c.value('mask');
  const inputs = [q, k, v];
  const names: ('mask' | 'sinks')[] = [];
  if (mask.kind === 'str' && mask.value !== null && mask.value !== 'causal')
    throw new Refusal('attention', `scaled_dot_product_attention knows the mask 'causal', not '${mask.value}'`);
  // what may be None, 'causal' or an array cannot change the result's shape
  if (mask.kind === 'array') {
    inputs.push(mask.node);
    names.push('mask');
  } else if (mask.kind !== 'none' && mask.kind !== 'str' && !isOpaque(mask))
    throw c.wrong('mask', "an array, 'causal' or None");
  if (c.value('sinks').kind === 'array') {
    inputs.push(c.arrayOnly('sinks'));
    names.push('sinks');
  }
  return c.interpreter.record('attention', inputs, { given: names, scale, causal: mask.kind === 'str' });
}

// ---- kernels of the user's own ----------------------------------------------------------------------------------------

/** Where MLX would compile a kernel: its results are what the caller says they are. */
function runKernel(c: Call): Value {
  const shapes = c.items('output_shapes').map(shape => c.interpreter.settled(shape));
  const dtypes = c.items('output_dtypes').map(dtype => dtypeOf(c.interpreter.settled(dtype)));
  const sizes = shapes.map(shape => {
    if (shape.kind !== 'tuple' && shape.kind !== 'list') {
      if (isOpaque(shape) || shape.kind === 'native') return null;
      throw c.wrong('output_shapes', 'a list of shapes');
    }
    return shape.items?.map((d): Dim => c.asDim(c.interpreter.settleAs(d, 'int'), 'output_shapes')) ?? null;
  });
  const types = sizes.map((shape, i) => ({ shape, dtype: dtypes[i] ?? null }));
  if (types.some(t => t.shape === null || t.dtype === null)) return list(types.map(type => c.interpreter.source(type)));
  const inputs = c.items('inputs').flatMap(v => (v.kind === 'array' ? [v.node] : []));
  return list(c.interpreter.recordAll('custom_kernel', inputs, { shapes: sizes, dtypes }));
}

const kernelCall = (name: string, keywords: string): BuiltinValue =>
  defineMethod(
    `${name}(*, inputs, output_shapes, output_dtypes, grid, threadgroup, ${keywords}stream=None)`,
    runKernel,
  );

const kernelType = (name: string, call: BuiltinValue): NativeType => ({
  name,
  cls: null,
  call: (interpreter, self, args) => call.call(interpreter, { ...args, positional: [self, ...args.positional] }),
});

const METAL = kernelType(
  'metal_kernel',
  kernelCall('mx.fast.metal_kernel', 'template=None, init_value=None, verbose=False, '),
);
const CUDA = kernelType(
  'cuda_kernel',
  kernelCall('mx.fast.cuda_kernel', 'template=None, init_value=None, verbose=False, '),
);

const kernel = (type: NativeType, data: string): NativeValue => ({ kind: 'native', type, data });

export const fastFunctions: readonly BuiltinValue[] = [
  norm('mx.fast.rms_norm(x, weight, eps, *, stream=None)', 'rms_norm', ['weight']),
  norm('mx.fast.layer_norm(x, weight, bias, eps, *, stream=None)', 'layer_norm', ['weight', 'bias']),
  define('mx.fast.rope(a, dims, *, traditional, base, scale, offset, freqs=None, stream=None)', rope),
  define(
    'mx.fast.scaled_dot_product_attention(q, k, v, *, scale, mask=None, sinks=None, force_fused=False, stream=None)',
    attention,
  ),
  define('mx.fast.cross_entropy(logits, targets, *, stream=None)', c =>
    c.interpreter.record('fast_cross_entropy', [c.arrayOnly('logits'), c.arrayOnly('targets')]),
  ),
  define('mx.fast.gated_delta_update(q, k, v, gamma, beta, initial_state=None, mask=None, stream=None)', c => {
    const required = ['q', 'k', 'v', 'gamma', 'beta'].map(name => c.arrayOnly(name));
    const optional = given(c, ['initial_state', 'mask'] as const);
    return list(
      c.interpreter.recordAll('gated_delta_update', [...required, ...optional.arrays], { given: optional.names }),
    );
  }),
  define(
    "mx.fast.metal_kernel(name, input_names, output_names, source, header='', ensure_row_contiguous=True, atomic_outputs=False, compile_options=None)",
    () => kernel(METAL, 'metal'),
  ),
  define(
    "mx.fast.cuda_kernel(name, input_names, output_names, source, header='', ensure_row_contiguous=True, shared_memory=0)",
    () => kernel(CUDA, 'cuda'),
  ),
  define(
    'mx.fast.precompiled_cuda_kernel(*, name, compiled_source, inputs, output_shapes, output_dtypes, scalars, grid, threadgroup, shared_memory=0, init_value=None, ensure_row_contiguous=False, stream=None)',
    runKernel,
  ),
];
