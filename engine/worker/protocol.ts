/**
 * What the engine's worker and its client say to each other. Everything survives structured cloning.
 */
import type { BackendChoice } from '../backends/create';
import type { StepReport } from '../src/evaluate/evaluate';
import type { EvaluationProblem } from '../src/evaluate/plan';
import type { Program } from '../src/evaluate/program';
import type { Tensor } from '../src/tensor';

export type Request =
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly program: Program;
      readonly backend: BackendChoice;
      readonly memoryLimit?: number;
    }
  | { readonly kind: 'cancel'; readonly id: number };

/** Arrays and calls are named by their numbers in the program. */
export type Reply =
  | {
      readonly kind: 'progress';
      readonly id: number;
      readonly done: number;
      readonly total: number;
      readonly call: number;
    }
  | {
      readonly kind: 'done';
      readonly id: number;
      readonly outputs: readonly Tensor[];
      readonly steps: readonly (Omit<StepReport, 'call'> & { readonly call: number })[];
      readonly peakBytes: number;
      readonly milliseconds: number;
    }
  | {
      readonly kind: 'failed';
      readonly id: number;
      readonly message: string;
      /** Absent for errors that are not of the evaluation. */
      readonly problem?: EvaluationProblem;
      readonly array?: number;
    }
  | { readonly kind: 'cancelled'; readonly id: number };
