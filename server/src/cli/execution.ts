/** What `run` and `quantize` share: a request from the command line, progress on the error stream, Ctrl-C to stop. */
import type { ExecuteOptions, ExecuteRequest, Executor } from '../features/executor';
import { nodeHost } from '../host.node';
import { uriOfPath } from '../workspace/paths';
import { backendOf, type EntryValues, inputsOf, seedOf, symbolsOf, UsageError } from './command';
import { configOf, existing, existingSource, type Project } from './project';

/** Values of `RUN_OPTIONS`, as parsed. */
export interface RunValues extends EntryValues {
  weights?: string;
  seed?: string;
  backend?: string;
}

export function executorOf(project: Project): Executor {
  const executor = nodeHost().makeExecutor?.(project.workspace);
  if (!executor) throw new UsageError('this build cannot run layers');
  return executor;
}

/** The request for `FILE --entry NAME`; without an entry the file as Python would run it. */
export function requestOf(project: Project, file: string, values: RunValues): ExecuteRequest {
  return {
    file: existingSource(project, file),
    target: values.entry
      ? { kind: 'entry', name: values.entry, place: null }
      : { kind: 'program', name: '<module>', place: null },
    inputs: inputsOf(values.input).map(i => (i.file ? { ...i, file: existing(project, i.file) } : i)),
    symbols: symbolsOf(values.symbol),
    seed: seedOf(values.seed),
    config: configOf(project, values.config),
    weights: values.weights === undefined ? null : existing(project, values.weights),
    backend: backendOf(values.backend),
  };
}

/** Performs with progress shown where a person watches. @throws UsageError with what went wrong */
export async function perform<T>(act: (options: ExecuteOptions) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.once('SIGINT', stop);
  const watched = process.stderr.isTTY;
  try {
    return await act({
      signal: controller.signal,
      onProgress: ({ message, fraction }) => {
        if (!watched) return;
        const percent = fraction === null ? '' : `${Math.round(100 * fraction)} % `;
        process.stderr.write(`\r\x1b[K${percent}${message}`);
      },
      locate: origin => ({
        uri: uriOfPath(origin.file),
        range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      }),
    });
  } catch (error) {
    throw new UsageError(controller.signal.aborted ? 'stopped' : (error as Error).message);
  } finally {
    process.off('SIGINT', stop);
    if (watched) process.stderr.write('\r\x1b[K');
  }
}
