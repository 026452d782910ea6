/**
 * All rules, by the kind of refusal that they judge.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import { CALL_RULES } from './calls';
import { CHECKPOINT_RULES, judgeCheckpoint } from './checkpoint';
import type { Judge, Rule } from './diagnostic';
import { judgeAttribute, judgeSignature, PORTING_RULES } from './porting';
import { judgeQuantization, QUANTIZATION_RULES } from './quantization';
import { judgeShape, SHAPE_RULES } from './shapes';

const entries = <K extends string>(table: Readonly<Record<K, Rule>>) => Object.keys(table) as K[];

/** What judges a refusal of each kind. */
export const JUDGES: Readonly<Record<RefusalKind, Judge>> = {
  ...(Object.fromEntries(entries(SHAPE_RULES).map(kind => [kind, judgeShape(kind)])) as Record<
    keyof typeof SHAPE_RULES,
    Judge
  >),
  ...(Object.fromEntries(entries(QUANTIZATION_RULES).map(kind => [kind, judgeQuantization(kind)])) as Record<
    keyof typeof QUANTIZATION_RULES,
    Judge
  >),
  ...(Object.fromEntries(entries(CHECKPOINT_RULES).map(kind => [kind, judgeCheckpoint(kind)])) as Record<
    keyof typeof CHECKPOINT_RULES,
    Judge
  >),
  signature: judgeSignature,
  attribute: judgeAttribute,
};

/** Every rule, by code. */
export const RULES: readonly Rule[] = [SHAPE_RULES, CALL_RULES, QUANTIZATION_RULES, CHECKPOINT_RULES, PORTING_RULES]
  .flatMap(family => Object.values<Rule>(family))
  .sort((a, b) => (a.code < b.code ? -1 : 1));
