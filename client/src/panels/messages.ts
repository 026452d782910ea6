/** What a panel's page and the extension say to each other. One page serves one task at a time: a run or a comparison. */
import type {
  ProgramResult,
  QuantizeParams,
  QuantizeResult,
  Range,
  RunParams,
  RunResult,
  Target,
} from '../../../server/src/protocol';

/** The two tasks, each with its parameters and its answer. */
export interface Tasks {
  run: { params: RunParams; result: RunResult };
  quantize: { params: QuantizeParams; result: QuantizeResult };
}
export type TaskName = keyof Tasks;

/** What a page shows above its controls. */
export interface Subject {
  target: Target;
  uri: string;
  /** `models/llama.py:12`. */
  place: string;
}

export type ToPage<T extends TaskName = TaskName> =
  | { type: 'started'; subject: Subject; params: Tasks[T]['params'] }
  | { type: 'progress'; message: string; fraction: number | null }
  | { type: 'result'; result: Tasks[T]['result'] }
  | { type: 'failed'; message: string }
  | { type: 'cancelled' }
  /** What was asked for by `program`, or why it cannot be had. */
  | { type: 'program'; id: number; answer: ProgramResult | { problem: string } };

export type FromPage<T extends TaskName = TaskName> =
  | { type: 'ready' }
  | { type: 'start'; params: Tasks[T]['params'] }
  | { type: 'cancel' }
  /** Wants to compute this run's outputs itself; the answer has the same id. */
  | { type: 'program'; id: number; params: RunParams }
  | { type: 'reveal'; uri: string; range: Range | null }
  /** Opens the other panel on the same subject. */
  | { type: 'switch' }
  | { type: 'save'; name: string; text: string };
