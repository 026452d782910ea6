/** The product's executor: prepares graphs through the analyser and evaluates them with the engine. */
import { createBackends } from '../../../engine/backends/create';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { Analyser } from '../analysis/analyser';
import type { ExecuteRequest, Executor } from '../features/executor';
import type { Workspace } from '../workspace/workspace';
import { withModel } from './attached';
import { program } from './program';
import { quantizeCheckpoint, quantizeTarget } from './quantize';
import { type Engine, type Machine, prepareWithValues, run } from './run';
import { type OpenBinary, withTypesOfFiles } from './weights';

/** Evaluates on this thread, with pauses. */
export const hereEngine: Engine = {
  evaluate: async (outputs, { backend, ...options }) =>
    evaluate(outputs, { ...options, backend: await createBackends({ name: backend }) }),
};

export function makeExecutor(
  workspace: Workspace,
  engine: Engine = hereEngine,
  open: OpenBinary | null = null,
): Executor {
  const machine: Machine = { files: workspace.files, open, engine };
  const analyser = new Analyser(workspace);
  const typedRequest = async <R extends ExecuteRequest>(request: R): Promise<R> =>
    withModel(await withTypesOfFiles(request, open), analyser, workspace.files);
  return {
    run: async (request, options) => {
      const typed = await typedRequest(request);
      return run(await prepareWithValues(analyser, typed, machine, options.signal), typed, machine, options);
    },
    program: async request => {
      const typed = await typedRequest(request);
      return program(await prepareWithValues(analyser, typed, machine), typed, machine);
    },
    quantize: async (request, options) => {
      const typed = await typedRequest(request);
      return quantizeTarget(await prepareWithValues(analyser, typed, machine, options.signal), typed, machine, options);
    },
    quantizeWeights: (path, choice, options) => quantizeCheckpoint(path, choice, machine, options),
  };
}
