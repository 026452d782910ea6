/**
 * MLX2xx: what MLX refuses to quantize, and quantized weights that do not fit.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import type { Judge, Rule } from './diagnostic';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'error', summary });

export const QUANTIZATION_RULES = {
  'quantize-group': rule('MLX201', 'quantize-group', 'The last axis is not a multiple of the group size.'),
  'quantize-mode': rule('MLX202', 'quantize-mode', 'MLX has no kernel for this mode, bit width and group size.'),
  'quantize-packed': rule('MLX203', 'quantize-packed', 'Packed weights, scales or biases have the wrong width.'),
  'quantize-module': rule('MLX204', 'quantize-module', 'A module that cannot be quantized is asked to be.'),
} as const satisfies Partial<Record<RefusalKind, Rule>>;

export const judgeQuantization =
  (kind: keyof typeof QUANTIZATION_RULES): Judge =>
  () => ({ rule: QUANTIZATION_RULES[kind] });
