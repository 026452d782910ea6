/**
 * MLX3xx: checkpoints whose arrays are not those of the model.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import type { CheckedParameter, CheckpointCheck } from '../analysis/checkpoint';
import type { Finding } from '../analysis/types';
import type { Origin } from '../interpreter/values';
import type { NumericType } from '../mlx/nn/mismatch';
import type { Companion, Diagnostic, Judge, Rule } from './diagnostic';
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

/** What a check says, one finding for all parameters that are made at one place and are wrong in one way. */
export function checkpointDiagnostics(
  check: CheckpointCheck,
  problems: readonly { readonly message: string }[],
): Diagnostic[] {
  const groups = new Map<string, CheckedParameter[]>();
  for (const p of check.parameters) {
    const place = p.place ?? check.root;
    if (p.kind === null || p.kind === 'weights-file' || !place) continue;
    const key = `${place.file}:${place.start}:${p.kind}:${p.certain}`;
    groups.set(key, [...(groups.get(key) ?? []), p]);
  }
  const found = [...groups.values()].flatMap(group => {
    const own = parameterDiagnostic(check, group[0]);
    return own ? [{ ...own, message: groupText(group) }] : [];
  });
  const { root } = check;
  return root ? [...found, ...problems.map(p => diagnostic(CHECKPOINT_RULES['weights-file'], root, p.message))] : found;
}

/** One parameter's finding; null where nothing is wrong. */
export function parameterDiagnostic(check: CheckpointCheck, p: CheckedParameter): Diagnostic | null {
  const place = p.place ?? check.root;
  if (p.kind === null || !place) return null;
  const rule: Rule = CHECKPOINT_RULES[p.kind];
  return diagnostic(p.certain ? rule : { ...rule, severity: 'warning' }, place, parameterText(p), p.name);
}

const diagnostic = (rule: Rule, { file, start, end }: Origin, message: string, name?: string): Diagnostic => ({
  file,
  start,
  end,
  rule,
  message,
  related: [],
  fixes: [],
  companion: null,
  detail: name === undefined ? {} : { name },
});

function groupText(group: readonly CheckedParameter[]): string {
  const [first, ...more] = group;
  const text = parameterText(first);
  return more.length === 0 ? text : `${text} (and ${more.length} more such: ${listed(more.map(p => p.name))})`;
}

const listed = (names: readonly string[]): string =>
  names.length <= 2 ? names.join(', ') : `${names[0]} … ${names.at(-1)}`;

const typeText = (type: NumericType | null): string => (type ? showType({ ...type, shape: type.shape }) : 'an array');

/** One parameter's finding as a sentence. */
export function parameterText({ name, kind, model, given, explanation }: CheckedParameter): string {
  const because = explanation ? `: ${explanation}` : '';
  switch (kind) {
    case 'weights-missing':
      return `The checkpoint lacks ${name}, ${typeText(model)}${because}`;
    case 'weights-unexpected':
      return `The checkpoint holds ${name}, ${typeText(given)}, which is no parameter of the model${because}`;
    case 'weights-file':
      return explanation ?? `${name} cannot be read`;
    default:
      if (!model) return `The checkpoint holds ${name}, ${typeText(given)}${because}`;
      if (!given) return `The checkpoint lacks ${name}, ${typeText(model)}${because}`;
      return `${name} is ${typeText(model)} in the model and ${typeText(given)} in the checkpoint${because}`;
  }
}

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
