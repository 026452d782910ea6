/**
 * MLX3xx: checkpoints whose arrays are not those of the model.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import type { Finding } from '../analysis/types';
import type { Companion, Judge, Rule } from './diagnostic';
import { layerOf } from './layers';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'error', summary });

export const CHECKPOINT_RULES = {
  'weights-missing': rule('MLX301', 'weights-missing', 'The checkpoint lacks a parameter of the model.'),
  'weights-unexpected': rule(
    'MLX302',
    'weights-unexpected',
    'The checkpoint holds an array that is no parameter of the model.',
  ),
  'weights-shape': rule('MLX303', 'weights-shape', 'An array of the checkpoint has another shape than its parameter.'),
  'weights-layout': rule('MLX304', 'weights-layout', 'The weight of a convolution is in PyTorch’s order of axes.'),
  'weights-quantized': rule(
    'MLX305',
    'weights-quantized',
    'The checkpoint is quantized and the model is not, or otherwise than the model is.',
  ),
  'weights-file': rule('MLX306', 'weights-file', 'A file of the checkpoint is missing or damaged.'),
} as const satisfies Partial<Record<RefusalKind, Rule>>;

export type CheckpointKind = keyof typeof CHECKPOINT_RULES;

/** Where the layer of the parameter is made, beside the call that loads it. */
export const judgeCheckpoint =
  (kind: CheckpointKind): Judge =>
  finding => ({ rule: CHECKPOINT_RULES[kind], companion: companionOf(finding) });

function companionOf(finding: Finding): Companion | null {
  const layer = layerOf(finding);
  if (!layer?.origin || kindOfNames(finding)) return null;
  return { ...layer.origin, message: `This ${layer.cls.name} does not fit the checkpoint` };
}

/** Whether the finding is of a name that has no layer of its own. */
const kindOfNames = ({ kind }: Finding): boolean => kind === 'weights-unexpected' || kind === 'weights-file';
