/**
 * The worker's side: computes the programs it is sent, one at a time, and says how far it is.
 */
import { createBackends } from '../backends/create';
import type { Backend } from '../src/evaluate/backend';
import { evaluate } from '../src/evaluate/evaluate';
import { EvaluationError } from '../src/evaluate/plan';
import { ownStorage, readProgram, transferable } from '../src/evaluate/program';
import type { ArrayNode } from '../src/graph/graph';
import type { Tensor } from '../src/tensor';
import type { Reply, Request } from './protocol';
import '../src/ops';

/** Progress is told at most this often. */
const PROGRESS_MILLISECONDS = 50;

/** Answers requests with `post`; the result is what to call with each. */
export function host(post: (reply: Reply, transfer: ArrayBuffer[]) => void): (request: Request) => void {
  const running = new Map<number, AbortController>();
  const backends = new Map<string, Promise<readonly Backend[]>>();
  let previous = Promise.resolve();

  async function run(request: Request & { kind: 'run' }, signal: AbortSignal): Promise<void> {
    const { id, program, memoryLimit } = request;
    if (signal.aborted) return post({ kind: 'cancelled', id }, []);
    const key = JSON.stringify(request.backend);
    if (!backends.has(key)) backends.set(key, createBackends(request.backend));
    let arrays: readonly ArrayNode[] = [];
    try {
      const { outputs, calls, ...read } = readProgram(program);
      arrays = read.arrays;
      const numberOf = new Map(calls.map((call, i) => [call, i]));
      let told = performance.now();
      const result = await evaluate(outputs, {
        backend: await backends.get(key)!,
        memoryLimit,
        signal,
        onProgress({ done, total, call }) {
          const now = performance.now();
          if (now - told < PROGRESS_MILLISECONDS) return;
          told = now;
          post({ kind: 'progress', id, done, total, call: numberOf.get(call)! }, []);
        },
      });
      const tensors = result.outputs.map(ownStorage) as Tensor[];
      const steps = result.steps.map(step => ({ ...step, call: numberOf.get(step.call)! }));
      const { peakBytes, milliseconds } = result;
      post({ kind: 'done', id, outputs: tensors, steps, peakBytes, milliseconds }, transferable(tensors));
    } catch (error) {
      if (signal.aborted) return post({ kind: 'cancelled', id }, []);
      const message = error instanceof Error ? error.message : String(error);
      if (!(error instanceof EvaluationError)) return post({ kind: 'failed', id, message }, []);
      const array = error.node ? arrays.indexOf(error.node) : -1;
      post({ kind: 'failed', id, message, problem: error.problem, ...(array >= 0 ? { array } : {}) }, []);
    }
  }

  return request => {
    if (request.kind === 'cancel') return running.get(request.id)?.abort();
    const controller = new AbortController();
    running.set(request.id, controller);
    previous = previous.then(() => run(request, controller.signal)).finally(() => running.delete(request.id));
  };
}
