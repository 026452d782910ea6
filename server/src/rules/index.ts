/**
 * All rules, by the kind of refusal that they judge.
 */
import type { RefusalKind } from '../../../engine/src/graph/refusal';
import { CALL_RULES } from './calls';
import { CHECKPOINT_RULES, judgeCheckpoint } from './checkpoint';
import { CLAIM_RULES, lintClaims } from './claims';
import type { Judge, Rule } from './diagnostic';
import { EVALUATION_RULES, lintEvaluation } from './evaluation';
import { FAULT_RULES, lintFaults } from './faults';
import type { Lint } from './lint';
import { judgeAttribute, judgeSignature, PORTING_RULES } from './porting';
import { judgeQuantization, QUANTIZATION_RULES } from './quantization';
import { judgeShape, SHAPE_RULES } from './shapes';
import { lintStructure, STRUCTURE_RULES } from './structure';

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

/** What looks at a whole file, beside the refusals. */
export const LINTS: readonly Lint[] = [lintFaults, lintEvaluation, lintStructure, lintClaims];

/** Every rule, by code. */
export const RULES: readonly Rule[] = [
  SHAPE_RULES,
  CALL_RULES,
  QUANTIZATION_RULES,
  CHECKPOINT_RULES,
  PORTING_RULES,
  FAULT_RULES,
  EVALUATION_RULES,
  STRUCTURE_RULES,
  CLAIM_RULES,
]
  .flatMap(family => Object.values<Rule>(family))
  .sort((a, b) => (a.code < b.code ? -1 : 1));
