/**
 * Running and quantizing for a client: requests to the executor with progress and cancelling, and previews for hovers.
 */
import {
  type CancellationToken,
  type Connection,
  LSPErrorCodes,
  ResponseError,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver';
import { isKnown } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import type { LayerSite } from '../analysis/types';
import type {
  ActivationSource,
  ConfigSource,
  ProgramResult,
  QuantizeParams,
  QuantizeResult,
  RunParams,
  RunResult,
  Settings,
} from '../protocol';
import { readConfig } from '../session/inputs';
import { pathOfUri } from '../workspace/paths';
import type { Workspace } from '../workspace/workspace';
import { canQuantize } from './code-lens';
import {
  type AttachedModel,
  type ExecuteOptions,
  type ExecuteRequest,
  type Executor,
  type LayerPreview,
  PREVIEW_SETTINGS,
} from './executor';
import { parameterCount, parameterTree } from './parameters';
import type { Places } from './places';

/** A hover waits this long for the live part, and is shown without it when it takes longer. */
const WAIT_MILLISECONDS = 1500;
/** What takes longer than a hover waits is there for the next one, unless it takes this long. */
const PREVIEW_MILLISECONDS = 15_000;
/** Layers with more weights are not run while one waits for a hover. */
const MOST_PREVIEW_WEIGHTS = 64e6;

export class LongRequests {
  private readonly previews = new Map<LayerSite, Promise<LayerPreview | null>>();

  constructor(
    private readonly connection: Connection,
    private readonly workspace: Workspace,
    private readonly places: Places,
    private readonly executor: Executor | null,
    private readonly session: {
      settings(): Settings;
      /** The checkpoint that is attached to a document. */
      model(path: string): AttachedModel | null;
    },
  ) {}

  /** Forgets previews: they were made with other weights. */
  forget(): void {
    this.previews.clear();
  }

  run(params: RunParams, token: CancellationToken): Promise<RunResult> {
    return this.perform(params, token, (executor, request, options) => executor.run(request, options));
  }

  program(params: RunParams, token: CancellationToken): Promise<ProgramResult> {
    return this.perform(params, token, (executor, request) => executor.program(request));
  }

  quantize(params: QuantizeParams, token: CancellationToken): Promise<QuantizeResult> {
    const { bits, groupSizes, modes, activations } = params;
    return this.perform(
      { ...params, inputs: params.inputs ?? [], backend: params.backend ?? null },
      token,
      (executor, request, options) =>
        executor.quantize({ ...request, bits, groupSizes, modes, activations: activationsOf(activations) }, options),
    );
  }

  private async perform<T>(
    params: RunParams,
    token: CancellationToken,
    act: (executor: Executor, request: ExecuteRequest, options: ExecuteOptions) => Promise<T>,
  ): Promise<T> {
    const { executor } = this;
    if (!executor) throw new ResponseError(LSPErrorCodes.RequestFailed, 'This server cannot run layers');
    const controller = new AbortController();
    const subscription = token.onCancellationRequested(() => controller.abort());
    const report = this.reporter(params.workDoneToken);
    try {
      report({ kind: 'begin', title: params.target.name, cancellable: true, percentage: 0 });
      return await act(executor, this.request(params), {
        signal: controller.signal,
        onProgress: ({ message, fraction }) =>
          report({ kind: 'report', message, ...(fraction === null ? {} : { percentage: Math.round(100 * fraction) }) }),
        locate: origin => this.places.location(origin),
      });
    } catch (error) {
      if (controller.signal.aborted) throw new ResponseError(LSPErrorCodes.RequestCancelled, 'Cancelled');
      throw new ResponseError(LSPErrorCodes.RequestFailed, error instanceof Error ? error.message : String(error));
    } finally {
      report({ kind: 'end' });
      subscription.dispose();
    }
  }

  private reporter(token: string | number | undefined) {
    return (value: WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd): void => {
      if (token !== undefined) void this.connection.sendProgress(WorkDoneProgress.type, token, value);
    };
  }

  private request(params: RunParams): ExecuteRequest {
    const { uri, target, inputs, symbols, seed, config, weights, backend } = params;
    const { range } = target;
    const place = range && {
      start: this.places.offset(uri, range.start),
      end: this.places.offset(uri, range.end),
    };
    const file = this.places.path(uri);
    const model = weights ? null : this.session.model(file);
    return {
      file,
      target: { kind: target.kind, name: target.name, place },
      inputs: inputs.map(input => (input.file ? { ...input, file: pathOfUri(input.file) } : input)),
      symbols: symbols ?? {},
      seed,
      config: this.config(config) ?? model?.config ?? null,
      weights: weights ? pathOfUri(weights) : null,
      model,
      backend,
    };
  }

  /** @throws Error with a message for the user */
  config(source: ConfigSource | null): Readonly<Record<string, unknown>> | null {
    return typeof source === 'string' ? readConfig(this.workspace.files, pathOfUri(source)) : source;
  }

  /** The layer's output and quantization errors, once for each analysis; null where they cannot be had, or not yet. */
  async preview(layer: LayerSite): Promise<LayerPreview | null> {
    let known = this.previews.get(layer);
    if (!known) {
      // Sites belong to one analysis: old ones are of no more use.
      if (this.previews.size > 32) this.previews.clear();
      this.previews.set(layer, (known = this.makePreview(layer)));
    }
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>(resolve => {
      timer = setTimeout(() => resolve(null), WAIT_MILLISECONDS);
    });
    return Promise.race([known, late]).finally(() => clearTimeout(timer));
  }

  private async makePreview(layer: LayerSite): Promise<LayerPreview | null> {
    const { executor } = this;
    const count = parameterCount(parameterTree(layer.instance, new Facts()));
    if (!executor || (count !== null && isKnown(count) && count > MOST_PREVIEW_WEIGHTS)) return null;
    const { seed, backend } = this.session.settings().run;
    const request: ExecuteRequest = {
      file: layer.file,
      target: { kind: 'layer', name: layer.name ?? layer.instance.cls.name, place: layer },
      inputs: [],
      symbols: {},
      seed,
      config: null,
      weights: null,
      model: this.session.model(layer.file),
      backend,
    };
    const options: ExecuteOptions = {
      signal: AbortSignal.timeout(PREVIEW_MILLISECONDS),
      onProgress: () => {},
      locate: origin => this.places.location(origin),
    };
    try {
      const result = await executor.run(request, options);
      const quantized = canQuantize(layer.instance)
        ? await executor.quantize({ ...request, ...PREVIEW_SETTINGS }, options).catch(() => null)
        : null;
      const unquantized = quantized?.parameters.find(p => p.skipped !== null)?.skipped ?? null;
      return { result, rows: quantized?.rows ?? [], unquantized };
    } catch {
      return null; // a hover shows what can be had, and nothing of what cannot
    }
  }
}

/** Files of a client are URIs. */
const activationsOf = (source: ActivationSource | undefined): ActivationSource | undefined =>
  source?.kind === 'file' ? { ...source, file: pathOfUri(source.file) } : source;
