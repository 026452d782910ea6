/**
 * What runs and quantizes: `analysis/execute.ts` in the product, a stand-in in tests. The features and the command line
 * know no more of it than this.
 */
import type { Origin } from '../interpreter/values';
import type {
  ActivationSource,
  BackendName,
  InputArray,
  ProgramResult,
  QuantizationMode,
  QuantizeResult,
  QuantizeRow,
  Range,
  RunResult,
  Target,
} from '../protocol';
import type { Checkpoint } from '../workspace/checkpoint';

/** A class made from a config, and the checkpoint whose weights it gets. */
export interface AttachedModel {
  readonly entry: string;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly checkpoint: Checkpoint;
}

export interface ExecuteRequest {
  readonly file: string;
  readonly target: {
    readonly kind: Target['kind'];
    readonly name: string;
    /** Of the constructor's call or the class's name; null for entries and programs. */
    readonly place: { readonly start: number; readonly end: number } | null;
  };
  readonly inputs: readonly InputArray[];
  readonly symbols: Readonly<Record<string, number>>;
  readonly seed: number | null;
  readonly config: Readonly<Record<string, unknown>> | null;
  /** Path of a safetensors file or a folder of them. */
  readonly weights: string | null;
  /** The model that the weights are of, where that is known: whatever is run is a part of it. */
  readonly model?: AttachedModel | null;
  readonly backend: BackendName | null;
}

/** What to try; empty lists mean all that MLX offers. */
export interface QuantizeChoice {
  readonly bits: readonly number[];
  readonly groupSizes: readonly number[];
  readonly modes: readonly QuantizationMode[];
}
export interface QuantizeRequest extends ExecuteRequest, QuantizeChoice {
  readonly activations?: ActivationSource;
}

export interface ExecuteOptions {
  readonly signal: AbortSignal;
  /** `fraction` is between 0 and 1, or null when it cannot be told. */
  onProgress(progress: { message: string; fraction: number | null }): void;
  /** Where a layer is made, as results tell it. */
  locate(origin: Origin): { uri: string; range: Range };
}

/** All reject with an Error whose message is for the user, and with an AbortError when `signal` is aborted. */
export interface Executor {
  run(request: ExecuteRequest, options: ExecuteOptions): Promise<RunResult>;
  /** What `run` would compute its outputs by. */
  program(request: ExecuteRequest): Promise<ProgramResult>;
  quantize(request: QuantizeRequest, options: ExecuteOptions): Promise<QuantizeResult>;
  /** Every matrix of a checkpoint (a safetensors file or a folder of them), without a model. */
  quantizeWeights(path: string, choice: QuantizeChoice, options: ExecuteOptions): Promise<QuantizeResult>;
}

/** What a hover shows of a layer's life. */
export interface LayerPreview {
  readonly result: RunResult | null;
  readonly rows: readonly QuantizeRow[];
  /** Why its weight is not among the rows, such as `its last axis, 784, is not a multiple of 64`; null where it is. */
  readonly unquantized: string | null;
}

/** The settings whose errors a hover compares: the usual choices, small enough to compute while one waits. */
export const PREVIEW_SETTINGS = { bits: [2, 3, 4, 6, 8], groupSizes: [64], modes: ['affine'] } as const;
