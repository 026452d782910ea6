/**
 * Functions of `mlx.core` that quantize matrices and multiply with quantized ones.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import { type BuiltinValue, list } from '../interpreter/values';
import { type Call, define } from './define';
import { given, givenDtype } from './sequences';

/** Group size, bits and mode; null means the mode's own. */
const settings = (c: Call) => ({
  group_size: optionalInt(c, 'group_size'),
  bits: optionalInt(c, 'bits'),
  mode: c.text('mode'),
});

const optionalInt = (c: Call, name: string): Dim | null => (c.has(name) ? c.dim(name) : null);

const SETTINGS = "group_size=None, bits=None, mode='affine'";

export const quantizationFunctions: readonly BuiltinValue[] = [
  define(`mx.quantize(w, /, ${SETTINGS}, *, global_scale=None, stream=None)`, c => {
    const optional = given(c, ['global_scale'] as const);
    return list(
      c.interpreter.recordAll('quantize', [c.arrayOnly('w'), ...optional.arrays], {
        ...settings(c),
        given: optional.names,
      }),
    );
  }),
  define(`mx.dequantize(w, /, scales, biases=None, ${SETTINGS}, global_scale=None, dtype=None, *, stream=None)`, c => {
    const optional = given(c, ['biases', 'global_scale'] as const);
    return c.interpreter.record('dequantize', [c.arrayOnly('w'), c.arrayOnly('scales'), ...optional.arrays], {
      ...settings(c),
      given: optional.names,
      dtype: givenDtype(c, 'dtype'),
    });
  }),
  define(`mx.quantized_matmul(x, w, /, scales, biases=None, transpose=True, ${SETTINGS}, *, stream=None)`, c => {
    const optional = given(c, ['biases'] as const);
    const inputs = ['x', 'w', 'scales'].map(name => c.arrayOnly(name));
    return c.interpreter.record('quantized_matmul', [...inputs, ...optional.arrays], {
      ...settings(c),
      given: optional.names,
      transpose: c.flag('transpose'),
    });
  }),
  define(
    `mx.gather_qmm(x, w, /, scales, biases=None, lhs_indices=None, rhs_indices=None, transpose=True, ${SETTINGS}, global_scale=None, *, sorted_indices=False, stream=None)`,
    c => {
      const optional = given(c, ['biases', 'lhs_indices', 'rhs_indices'] as const);
      const inputs = ['x', 'w', 'scales'].map(name => c.arrayOnly(name));
      return c.interpreter.record('gather_qmm', [...inputs, ...optional.arrays], {
        ...settings(c),
        given: optional.names,
        transpose: c.flag('transpose'),
      });
    },
  ),
  define(
    "mx.qqmm(x, w, scales=None, group_size=None, bits=None, mode='nvfp4', global_scale_x=None, global_scale_w=None, *, stream=None)",
    c => {
      const optional = given(c, ['scales'] as const);
      return c.interpreter.record('qqmm', [c.arrayOnly('x'), c.arrayOnly('w'), ...optional.arrays], {
        ...settings(c),
        given: optional.names,
      });
    },
  ),
  define(
    "mx.gather_qqmm(x, w, /, scales=None, lhs_indices=None, rhs_indices=None, group_size=None, bits=None, mode='nvfp4', global_scale_x=None, global_scale_w=None, *, sorted_indices=False, stream=None)",
    c => {
      const optional = given(c, ['scales', 'lhs_indices', 'rhs_indices'] as const);
      return c.interpreter.record('gather_qqmm', [c.arrayOnly('x'), c.arrayOnly('w'), ...optional.arrays], {
        ...settings(c),
        given: optional.names,
      });
    },
  ),
];
