/** A comparison of a model with a checkpoint, as clients show it. */
import type { CheckedParameter } from '../analysis/checkpoint';
import type { NumericType } from '../mlx/nn/mismatch';
import type { ArrayTypeJson, CheckpointResult, CheckpointRow } from '../protocol';
import { CHECKPOINT_RULES, parameterText } from '../rules/checkpoint';
import type { Comparison } from '../session/checkpoints';
import { uriOfPath } from '../workspace/paths';
import type { Places } from './places';

export function checkpointResult({ model, check }: Comparison, places: Places): CheckpointResult {
  const { checkpoint, entry } = model;
  return {
    entry,
    weights: uriOfPath(checkpoint.path),
    arrays: checkpoint.arrays.size,
    files: checkpoint.files.map(uriOfPath),
    rows: check.parameters.map(p => rowOf(p, places)),
    problems: checkpoint.problems.map(p => p.message),
    complete: !check.open && checkpoint.complete,
    notes: [...check.notes],
  };
}

function rowOf(p: CheckedParameter, places: Places): CheckpointRow {
  const place = p.place && places.location(p.place);
  const rule = p.kind && CHECKPOINT_RULES[p.kind];
  return {
    parameter: p.name,
    code: rule?.code ?? null,
    rule: rule?.name ?? null,
    certain: p.certain,
    message: p.kind ? parameterText(p) : null,
    explanation: p.explanation,
    model: typeJson(p.model),
    checkpoint: typeJson(p.given),
    uri: place?.uri ?? null,
    range: place?.range ?? null,
  };
}

const typeJson = (type: NumericType | null): ArrayTypeJson | null =>
  type && { shape: [...type.shape], dtype: type.dtype };
