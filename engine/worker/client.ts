/**
 * Evaluates graphs in a worker, so that the thread that answers the user stays free and long work can be stopped.
 *
 * A worker computes one program at a time. Cancelling is polite first (between two operations); a single operation that
 * runs on takes its worker down, and the next evaluation starts a new one.
 */
import type { BackendChoice } from '../backends/create';
import type { EvaluateOptions, Evaluation } from '../src/evaluate/evaluate';
import { EvaluationError } from '../src/evaluate/plan';
import { transferable, type Written, writeProgram } from '../src/evaluate/program';
import type { ArrayNode } from '../src/graph/graph';
import type { WorkerPort } from './port';
import type { Reply } from './protocol';

export interface WorkerOptions extends Omit<EvaluateOptions, 'backend'> {
  /** `wasm` in exact arithmetic without it. */
  readonly backend?: BackendChoice;
  /** Hands the storage of sources over instead of copying it: arrays given to this evaluation are empty afterwards. */
  readonly giveAway?: boolean;
}

interface Job {
  readonly id: number;
  readonly written: Written;
  readonly options: WorkerOptions;
  readonly resolve: (result: Evaluation) => void;
  readonly reject: (reason: unknown) => void;
}

/** How long a cancelled operation may still run before its worker is ended. */
const GRACE_MILLISECONDS = 150;

export class EngineClient {
  private port: WorkerPort | null = null;
  private nextId = 1;
  private current: Job | null = null;
  private readonly waiting: Job[] = [];
  private grace: ReturnType<typeof setTimeout> | undefined;
  private disposed = false;

  /** @param spawn starts a worker: `browserPort(new Worker(url))` or `nodePort(file)` */
  constructor(private readonly spawn: () => WorkerPort) {}

  /**
   * As `evaluate`: the values of `outputs`.
   * @throws EvaluationError as there; the signal's reason when cancelled; Error when the worker is lost
   */
  async evaluate(outputs: readonly ArrayNode[], options: WorkerOptions = {}): Promise<Evaluation> {
    if (this.disposed) throw new Error('the engine has been shut down');
    const { signal } = options;
    signal?.throwIfAborted();
    const written = writeProgram(outputs, options);
    return new Promise((resolve, reject) => {
      const job: Job = { id: this.nextId++, written, options, resolve, reject };
      const cancel = () => this.cancel(job);
      signal?.addEventListener('abort', cancel, { once: true });
      const done = <T>(settle: (value: T) => void): ((value: T) => void) => {
        return value => {
          signal?.removeEventListener('abort', cancel);
          settle(value);
        };
      };
      this.waiting.push({ ...job, resolve: done(resolve), reject: done(reject) });
      this.next();
    });
  }

  /** Ends the worker; evaluations under way are rejected. */
  dispose(): void {
    this.disposed = true;
    for (const job of this.waiting.splice(0)) job.reject(new Error('the engine has been shut down'));
    this.lose(new Error('the engine has been shut down'));
  }

  private next(): void {
    if (this.current) return;
    const job = this.waiting.shift();
    if (!job) return;
    this.current = job;
    const { program } = job.written;
    const { backend = { name: 'wasm' }, memoryLimit, giveAway } = job.options;
    try {
      this.ensurePort().post(
        { kind: 'run', id: job.id, program, backend, memoryLimit },
        giveAway ? transferable(program.sources) : [],
      );
    } catch (error) {
      this.finish(() => job.reject(error));
    }
  }

  private ensurePort(): WorkerPort {
    if (this.port) return this.port;
    const port = this.spawn();
    this.port = port;
    port.onReply(reply => {
      if (port === this.port) this.receive(reply);
    });
    port.onFailure(error => {
      if (port === this.port) this.lose(error);
    });
    return port;
  }

  private receive(reply: Reply): void {
    const job = this.current;
    if (!job || reply.id !== job.id) return;
    const { written, options } = job;
    if (reply.kind === 'progress') {
      options.onProgress?.({ done: reply.done, total: reply.total, call: written.calls[reply.call] });
      return;
    }
    this.finish(() => {
      // an answer that crossed the cancellation on its way is not waited for any more
      if (options.signal?.aborted || reply.kind === 'cancelled') job.reject(options.signal?.reason);
      else if (reply.kind === 'done') {
        const steps = reply.steps.map(step => ({ ...step, call: written.calls[step.call] }));
        const { outputs, peakBytes, milliseconds } = reply;
        job.resolve({ outputs, steps, peakBytes, milliseconds });
      } else if (reply.problem) {
        const node = reply.array === undefined ? null : written.arrays[reply.array];
        job.reject(new EvaluationError(reply.problem, reply.message, node));
      } else job.reject(new Error(reply.message));
    });
  }

  private cancel({ id, options }: Job): void {
    const { signal } = options;
    if (this.current?.id === id) {
      this.port?.post({ kind: 'cancel', id }, []);
      this.grace = setTimeout(() => this.lose(signal?.reason), GRACE_MILLISECONDS);
      return;
    }
    const at = this.waiting.findIndex(job => job.id === id);
    if (at >= 0) this.waiting.splice(at, 1)[0].reject(signal?.reason);
  }

  /** The worker is of no more use: what it was computing fails with `reason`. */
  private lose(reason: unknown): void {
    this.port?.terminate();
    this.port = null;
    const job = this.current;
    this.finish(() => job?.reject(reason));
  }

  private finish(settle: () => void): void {
    clearTimeout(this.grace);
    this.current = null;
    settle();
    if (!this.disposed) this.next();
  }
}
