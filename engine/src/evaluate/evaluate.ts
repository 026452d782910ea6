/**
 * Evaluation: computes the values of arrays of a graph, one operation after another.
 *
 * It pauses now and then so that its thread can answer others and hear of cancellation; arrays are let go after their
 * last use.
 */
import type { ArrayNode, OpCall } from '../graph/graph';
import { showType } from '../graph/show';
import type { Tensor } from '../tensor';
import { type Backend, reference, Unavailable } from './backend';
import { EvaluationError, type PlanOptions, plan, type Step } from './plan';

export interface EvaluateOptions extends PlanOptions {
  /** Asked first, in this order; what they decline runs in `reference`. */
  readonly backend?: Backend | readonly Backend[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  /** Operations computed so far, and all there are. */
  readonly done: number;
  readonly total: number;
  /** The one computed last. */
  readonly call: OpCall;
}

export interface StepReport {
  readonly call: OpCall;
  /** The name of the backend that computed it. */
  readonly backend: string;
  readonly milliseconds: number;
  /** Which backends had given it up before, and why. */
  readonly givenUp?: readonly { readonly backend: string; readonly reason: string }[];
}

export interface Evaluation {
  /** The values of the outputs, in their order. */
  readonly outputs: readonly Tensor[];
  readonly steps: readonly StepReport[];
  /** Bytes held at the same time at most, sources included. */
  readonly peakBytes: number;
  readonly milliseconds: number;
}

/** How long a thread may be held without a pause, where single operations allow. */
const SLICE_MILLISECONDS = 12;

/**
 * The values of `outputs`.
 * @throws EvaluationError when it cannot start (see `plan`) or an operation fails; the signal's reason when cancelled
 */
export async function evaluate(outputs: readonly ArrayNode[], options: EvaluateOptions = {}): Promise<Evaluation> {
  options.signal?.throwIfAborted();
  const start = performance.now();
  const { steps, sources, peakBytes } = plan(outputs, options);
  for (const step of steps) backendFor(step, options.backend);
  const values = new Map<ArrayNode, Tensor>(sources);
  const reports: StepReport[] = [];
  let pausedAt = start;
  for (const [i, step] of steps.entries()) {
    const before = performance.now();
    if (before - pausedAt > SLICE_MILLISECONDS) {
      await pause();
      pausedAt = performance.now();
    }
    options.signal?.throwIfAborted();
    const begun = performance.now();
    const { results, ...report } = await runStep(step, values, options.backend);
    for (const [j, node] of step.call.outputs.entries()) values.set(node, results[j]);
    for (const node of step.frees) values.delete(node);
    reports.push({ call: step.call, ...report, milliseconds: performance.now() - begun });
    options.onProgress?.({ done: i + 1, total: steps.length, call: step.call });
  }
  return {
    outputs: outputs.map(node => values.get(node)!),
    steps: reports,
    peakBytes,
    milliseconds: performance.now() - start,
  };
}

/** Lets the event loop turn: timers, messages and input are handled before this goes on. */
const pause = (): Promise<void> => new Promise(resolve => setTimeout(resolve));

/** The first that supports the step and has not given it up. */
function backendFor(
  { call, op, attrs, inputs }: Step,
  wanted: EvaluateOptions['backend'] = [],
  without: readonly Backend[] = [],
): Backend {
  for (const backend of [wanted, reference].flat())
    if (!without.includes(backend) && backend.supports(op, attrs, inputs)) return backend;
  throw new EvaluationError('kernel', `${call.op} cannot be computed here yet`, call.outputs[0]);
}

async function runStep(
  step: Step,
  values: ReadonlyMap<ArrayNode, Tensor>,
  wanted: EvaluateOptions['backend'],
): Promise<Pick<StepReport, 'backend' | 'givenUp'> & { readonly results: readonly Tensor[] }> {
  const inputs = step.nodes.map(node => values.get(node)!);
  const failed: Backend[] = [];
  const givenUp: { backend: string; reason: string }[] = [];
  for (;;) {
    const backend = backendFor(step, wanted, failed);
    try {
      const results = await runOn(backend, step, inputs);
      return { results, backend: backend.name, ...(givenUp.length > 0 ? { givenUp } : {}) };
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      failed.push(backend);
      givenUp.push({ backend: backend.name, reason: error.message });
    }
  }
}

async function runOn(
  backend: Backend,
  { call, op, attrs, out }: Step,
  inputs: readonly Tensor[],
): Promise<readonly Tensor[]> {
  let results: readonly Tensor[];
  try {
    results = await backend.run(op, attrs, inputs, out);
  } catch (error) {
    if (error instanceof Unavailable) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new EvaluationError('failed', `${call.op} failed on ${backend.name}: ${reason}`, call.outputs[0], {
      cause: error,
    });
  }
  for (const [i, wanted] of out.entries())
    if (!results[i] || showType(results[i]) !== showType(wanted))
      throw new EvaluationError(
        'failed',
        `${call.op} on ${backend.name} gave ${results[i] ? showType(results[i]) : 'nothing'} for ${showType(wanted)}`,
        call.outputs[i],
      );
  return results;
}
