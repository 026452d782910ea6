/**
 * What the language server and its client say to each other beyond LSP, and what running and quantizing answer.
 *
 * Everything here is plain JSON and this file imports nothing, so that the client, the server, the command line and a
 * web worker all share it. Positions are LSP's: lines and UTF-16 columns from 0. URIs are strings. The JSON that
 * `mlx-scope run`, `quantize`, `shapes` and `summary` print is made of the same types.
 */

export interface Position {
  line: number;
  character: number;
}
export interface Range {
  start: Position;
  end: Position;
}
/** LSP's token of a progress report that the client opened, to be shown while a request runs. */
export type ProgressToken = string | number;

// ---- targets and inputs -----------------------------------------------------------------------------------------------

/**
 * What to run or quantize.
 * - `layer`: one layer, `range` is its constructor's call (`nn.Linear(784, 128)`), `name` as assigned (`self.fc1`).
 * - `class`: an `nn.Module` class, `range` is its name in the `class` statement.
 * - `entry`: a class or function with a config and input shapes, by `name`; `range` may be null.
 * - `program`: the file as Python would run it; `name` is a module-level variable or `<module>`.
 */
export interface Target {
  kind: 'layer' | 'class' | 'entry' | 'program';
  name: string;
  range: Range | null;
}

/** An input array. Without `file` its values are made from the seed (normal floats, small non-negative ints). */
export interface InputArray {
  name: string;
  dtype: string;
  /** Numbers, or names of symbols that `symbols` of the request gives numbers to. */
  shape: (number | string)[];
  /** URI or path of an `.npy` file, or `archive.npz:key`, or `file.safetensors:key`. */
  file?: string;
  /** Its elements in row-major order: token ids, say. */
  values?: number[];
}

/** A model's config: the URI or path of a `config.json`, or its contents. */
export type ConfigSource = string | Record<string, unknown>;

export type BackendName = 'wasm' | 'reference' | 'webgpu';
export type QuantizationMode = 'affine' | 'mxfp4' | 'mxfp8' | 'nvfp4';

// ---- mlx-scope/run ----------------------------------------------------------------------------------------------------

/** Runs a target with fresh (or given) weights. Errors are LSP response errors with a message for the user. */
export interface RunParams {
  uri: string;
  target: Target;
  /** Empty: the first types that the analysis saw arrive, with symbols at small defaults. */
  inputs: InputArray[];
  /** Numbers for dimension symbols by name (`B`, `L`); those that are not given get small defaults, told in `symbols` of the answer. */
  symbols?: Record<string, number>;
  seed: number | null;
  config: ConfigSource | null;
  /** A safetensors file or a folder of them, to load instead of initial values. */
  weights?: string | null;
  backend: BackendName | null;
  workDoneToken?: ProgressToken;
}

/** Statistics of an array's elements; null where it has none that count (empty, or all NaN). */
export interface ArrayStatistics {
  min: number | null;
  max: number | null;
  mean: number | null;
  /** Population standard deviation, as `mx.std`. */
  std: number | null;
  nan: number;
  inf: number;
  histogram: Histogram | null;
}
/** `counts[i]` elements lie in [`from` + i·w, `from` + (i+1)·w), w = (`to` − `from`) / counts.length; the last is closed. */
export interface Histogram {
  from: number;
  to: number;
  counts: number[];
}

/** An array's value, as far as it is shown. `inf`, `-inf` and `nan` travel as strings, since JSON has none. */
export type Scalar = number | boolean | 'nan' | 'inf' | '-inf';

export interface ArrayResult {
  /** `output`, `output[0]`, `hidden`: where in the returned value it stands. */
  name: string;
  shape: number[];
  dtype: string;
  stats: ArrayStatistics;
  /** The first elements in row-major order, at most 4,096 (complex numbers as two). */
  values: Scalar[];
  /** Whether `values` holds every element. */
  complete: boolean;
}

/** One layer's part in a run, in the order of execution. */
export interface LayerResult {
  /** `layers.0.self_attn.q_proj`: the path in the parameter tree. */
  path: string;
  /** `Linear`. */
  type: string;
  inputs: { shape: number[]; dtype: string }[];
  outputs: ArrayResult[];
  seconds: number;
  /** Elements of its own and its children's parameters. */
  parameters: number;
  /** Where it is made, if in the workspace. */
  uri: string | null;
  range: Range | null;
}

export interface RunResult {
  outputs: ArrayResult[];
  layers: LayerResult[];
  /** The inputs as they were used: what the panel offers to edit. */
  inputs: InputArray[];
  /** The numbers that symbols got. */
  symbols: Record<string, number>;
  seed: number;
  backend: string;
  seconds: number;
  peakBytes: number;
  /** What a reader should know: "weights are random", "sampled rows", fallbacks. */
  notes: string[];
}

// ---- mlx-scope/program ------------------------------------------------------------------------------------------------

/** What a run computes, for a client that computes it again on hardware of its own. Refused where it holds much data. */
export interface ProgramResult {
  /** The names of the outputs, as in the run's answer. */
  outputs: string[];
  /** As `readProgramText` of engine/src/evaluate/program_text reads it. */
  program: string;
}

// ---- mlx-scope/quantize -----------------------------------------------------------------------------------------------

/** Quantizes every quantizable parameter of a target in all combinations that MLX offers of the lists. */
export interface QuantizeParams {
  uri: string;
  target: Target;
  /** Empty lists mean all that MLX offers. */
  bits: number[];
  groupSizes: number[];
  modes: QuantizationMode[];
  /** A safetensors file or a folder of them; null: those attached to the document, or initial values. */
  weights: string | null;
  /** What the layers get, for output errors; absent: seeded normal numbers for a layer, nothing for a model. */
  activations?: ActivationSource;
  inputs?: InputArray[];
  symbols?: Record<string, number>;
  seed: number | null;
  config: ConfigSource | null;
  backend?: BackendName | null;
  workDoneToken?: ProgressToken;
}

/**
 * Inputs of layers. `normal`: seeded normal numbers. `model`: recorded while the model runs on the request's inputs.
 * `file`: rows of an `.npy` (or `archive.npz:key`, `file.safetensors:key`), for layers as wide as they are.
 */
export type ActivationSource =
  | { kind: 'none' }
  | { kind: 'normal' }
  | { kind: 'model' }
  | { kind: 'file'; file: string };

/** Errors of an array against its original: ‖a−b‖/‖b‖, 10·log₁₀ of signal over noise, and absolute error quantiles. */
export interface ErrorMeasures {
  relativeError: number;
  /** null when exact. */
  sqnrDb: number | null;
  /** null when either side is all zeros. */
  cosine: number | null;
  p50: number;
  p95: number;
  max: number;
}

export interface QuantizeRow {
  /** `layers.0.self_attn.q_proj.weight`. */
  parameter: string;
  mode: QuantizationMode;
  bits: number;
  groupSize: number;
  /** Bits a weight including scales and biases. */
  bitsPerWeight: number;
  /** Size of the quantized parameter with scales and biases. */
  bytes: number;
  weight: ErrorMeasures;
  /** The error of the layer's output for the input of the run; null where it was not run. */
  output: ErrorMeasures | null;
  /** What quantizing the whole parameter takes here. */
  seconds: number;
}

export interface QuantizeParameter {
  parameter: string;
  shape: number[];
  dtype: string;
  /** Size as it stands. */
  bytes: number;
  /** Why it has no rows ("its last axis, 100, is not a multiple of 32, 64 or 128"), or null. */
  skipped: string | null;
}

/** Signed errors of a parameter's elements under a setting. */
export interface ErrorHistogram {
  parameter: string;
  mode: QuantizationMode;
  bits: number;
  groupSize: number;
  histogram: Histogram;
}

/** Columns whose root mean square is large: `ratio` to that of the median column. The largest first. */
export interface OutlierColumns {
  parameter: string;
  columns: { column: number; ratio: number }[];
}

/** The rows of one parameter with the greatest error, for the row's settings. */
export interface WorstRow {
  /** Rows of the weight, or features of the output. */
  of: 'weight' | 'output';
  parameter: string;
  mode: QuantizationMode;
  bits: number;
  groupSize: number;
  /** Index along all axes but the last. */
  index: number[];
  relativeError: number;
}

export interface QuantizeResult {
  rows: QuantizeRow[];
  parameters: QuantizeParameter[];
  worst: WorstRow[];
  /** Of few parameters; empty for large models. */
  histograms: ErrorHistogram[];
  outliers: OutlierColumns[];
  /** Whether errors are of a sample of each parameter's rows. */
  sampled: boolean;
  /** `random` or the path of the weights. */
  source: string;
  backend: string;
  seconds: number;
  notes: string[];
}

// ---- mlx-scope/shapes, summary, outline -------------------------------------------------------------------------------

/** Shapes of an entry, or of the file in both views when `entry` is null: the rows of `mlx-scope shapes`. */
export interface ShapesParams {
  uri: string;
  entry: string | null;
  inputs: InputArray[];
  config: ConfigSource | null;
  /** Also ints, tuples and objects, under `value`. */
  all?: boolean;
  workDoneToken?: ProgressToken;
}

export interface ShapeRow {
  /** A path relative to the working directory (command line), or a URI (LSP). */
  file: string;
  /** From 1, as is `column` (UTF-16 units). */
  line: number;
  column: number;
  /** For `expr`, which may begin where another does: the place after its last character. */
  end?: { line: number; column: number };
  kind: 'assign' | 'arg' | 'return' | 'expr';
  /** The target as written, the parameter, or `<return>`; null for `expr`. */
  name: string | null;
  function: string;
  /** Numbers, symbols' expressions, null for an unknown axis; null itself where even the rank is unknown. */
  shape: (number | string | null)[] | null;
  dtype: string | null;
  view: 'program' | 'reader' | 'entry';
  /** With `all`: what is not an array, as Python would write it. */
  value?: string;
}

/** The parameter tree of a class or a layer. */
export interface SummaryParams {
  uri: string;
  target: Target;
  config: ConfigSource | null;
}

export interface SummaryParameter {
  /** `layers.0.mlp.up_proj.weight`. */
  path: string;
  shape: (number | string | null)[] | null;
  dtype: string | null;
  /** Elements; an expression when some axis is a symbol, null when unknown. */
  count: number | string | null;
  trainable: boolean;
}

export interface SummaryResult {
  name: string;
  parameters: SummaryParameter[];
  /** Elements in all; an expression when some axis is a symbol, null when unknown. */
  total: number | string | null;
  /** Sizes in bytes where the total is a number: as float32, bfloat16, and 4-bit affine with groups of 64. */
  bytes: { float32: number; bfloat16: number; affine4: number } | null;
}

export interface OutlineParams {
  uri: string;
}

/** A node of the model outline: a class, a layer in it, or a parameter of that. */
export interface OutlineNode {
  kind: 'class' | 'layer' | 'parameter';
  /** `Attention`, `q_proj`, `weight`. */
  name: string;
  /** `nn.Linear`'s class name, a parameter's type `float32[4096, 4096]`, or empty. */
  detail: string;
  /** For layers: `[B, L, 4096] → [B, L, 1024]`, where seen. */
  flow: string | null;
  parameters: number | string | null;
  /** Where it is made or defined, in `uri` (parameters have their layer's place). */
  uri: string;
  range: Range;
  /** What can be run or quantized here; null for parameters. */
  target: Target | null;
  children: OutlineNode[];
}

// ---- configs ----------------------------------------------------------------------------------------------------------

/** Reads the file with this config from now on (null: without). Diagnostics, hints and hovers follow. */
export interface SetConfigParams {
  uri: string;
  /** The class to enter; null: the one that takes the config, found by the server. */
  entry: string | null;
  config: ConfigSource | null;
  inputs?: InputArray[];
}
export interface SetConfigResult {
  /** The class that is entered, or null when none is (cleared, or none found: then `message` says why). */
  entry: string | null;
  message: string | null;
}

/** Config files near a document, nearest first: what a picker offers. */
export interface ConfigsParams {
  uri: string;
}
export type ConfigsResult = { uri: string; label: string; current: boolean }[];

/** Writes the shapes found as comments at the ends of lines; the answer is an LSP WorkspaceEdit's `changes`. */
export interface ShapeCommentsParams {
  uri: string;
  /** Only assignments inside; null: the whole file. */
  range: Range | null;
}
export interface TextEdit {
  range: Range;
  newText: string;
}
export type ShapeCommentsResult = Record<string, TextEdit[]>;

// ---- checkpoints ------------------------------------------------------------------------------------------------------

/** Compares a model's parameters with the headers of a checkpoint. Its findings are published as diagnostics too. */
export interface CheckpointParams {
  uri: string;
  /** The class of the model; null: found by the server. */
  entry: string | null;
  /** null: the `config.json` beside the weights. */
  config: ConfigSource | null;
  /** A .safetensors or .npz file, an index, or a folder of them; null: what is attached. */
  weights: string | null;
}

export interface ArrayTypeJson {
  shape: number[];
  dtype: string | null;
}

/** One name of the model or the checkpoint. */
export interface CheckpointRow {
  parameter: string;
  /** `MLX303` and `weights-shape`; null where both sides agree. */
  code: string | null;
  rule: string | null;
  /** Whether every loader would fail on it. */
  certain: boolean;
  message: string | null;
  /** What would explain the difference, as a part of a sentence. */
  explanation: string | null;
  /** null for a name that only the checkpoint has. */
  model: ArrayTypeJson | null;
  /** As `sanitize` leaves it; null for a name that only the model has. */
  checkpoint: ArrayTypeJson | null;
  /** Where the model makes the parameter. */
  uri: string | null;
  range: Range | null;
}

export interface CheckpointResult {
  entry: string;
  weights: string;
  files: string[];
  arrays: number;
  rows: CheckpointRow[];
  /** What is wrong with the files themselves. */
  problems: string[];
  /** Whether everything could be compared. */
  complete: boolean;
  notes: string[];
}

/** From now on hovers, runs and comparisons in the document use these weights (null: initial ones again). */
export interface AttachParams {
  uri: string;
  entry: string | null;
  config: ConfigSource | null;
  weights: string | null;
}
export interface AttachResult {
  /** How the model fits the weights; null when nothing is attached. */
  check: CheckpointResult | null;
}

// ---- files, for servers that cannot read them (web) -------------------------------------------------------------------

/**
 * Client → server notification. A client that hosts the server in a browser sends every Python file, notebook,
 * `pyproject.toml` and `*.json` under 1 MB of the workspace folders at start (in batches of any size, `complete` with
 * the last one), and again whenever one changes. Open documents need not be sent: their text arrives by LSP.
 */
export interface FilesParams {
  /** `text` is null for a file that is gone. */
  files: { uri: string; text: string | null }[];
  complete: boolean;
}

/** Server → client request: a part of a binary file (checkpoints), as base64. */
export interface ReadBytesParams {
  uri: string;
  start: number;
  /** After the last byte; may lie beyond the file's end. */
  end: number;
}
export interface ReadBytesResult {
  base64: string;
  /** The file's size in bytes. */
  size: number;
}

// ---- status -----------------------------------------------------------------------------------------------------------

/** Server → client notification: for the one status item. */
export interface StatusParams {
  state: 'ready' | 'busy' | 'error';
  /** "3 findings in model.py", or what went wrong. */
  message: string;
  /** The document whose analysis this tells of, or null. */
  uri: string | null;
  /** Milliseconds the last analysis took. */
  milliseconds: number | null;
  config: string | null;
}

// ---- names ------------------------------------------------------------------------------------------------------------

/** Requests by method name: parameters and answers. All go from client to server but for `readBytes`. */
export interface Requests {
  'mlx-scope/run': [RunParams, RunResult];
  'mlx-scope/program': [RunParams, ProgramResult];
  'mlx-scope/quantize': [QuantizeParams, QuantizeResult];
  'mlx-scope/shapes': [ShapesParams, ShapeRow[]];
  'mlx-scope/summary': [SummaryParams, SummaryResult];
  'mlx-scope/outline': [OutlineParams, OutlineNode[]];
  'mlx-scope/setConfig': [SetConfigParams, SetConfigResult];
  'mlx-scope/configs': [ConfigsParams, ConfigsResult];
  'mlx-scope/shapeComments': [ShapeCommentsParams, ShapeCommentsResult];
  'mlx-scope/checkpoint': [CheckpointParams, CheckpointResult];
  'mlx-scope/attach': [AttachParams, AttachResult];
  'mlx-scope/readBytes': [ReadBytesParams, ReadBytesResult];
}
/** Notifications by method name. `files` goes to the server; the others come from it. */
export interface Notifications {
  'mlx-scope/files': FilesParams;
  'mlx-scope/status': StatusParams;
  /** The outline of a document has changed: ask again. */
  'mlx-scope/outlineChanged': OutlineParams;
}

/**
 * Commands that lenses and code actions name. The client registers them; their only argument is a `CommandArgument`.
 * In clients without them (`InitializationOptions.commands`) the server has them itself: `workspace/executeCommand` runs
 * with the usual settings, says the outcome in a message and answers with the request's JSON.
 */
export const COMMANDS = {
  run: 'mlx-scope.run',
  quantize: 'mlx-scope.quantize',
  summary: 'mlx-scope.showSummary',
} as const;
export interface CommandArgument {
  uri: string;
  target: Target;
}

/** Settings of the section `mlxScope`, as the client sends them. */
export interface Settings {
  diagnostics: { enabled: boolean; select: string[]; ignore: string[] };
  inlayHints: { enabled: boolean; dtype: 'non-default' | 'always' | 'never'; parameters: boolean; returns: boolean };
  hover: { enabled: boolean; liveOutput: boolean };
  codeLens: { enabled: boolean };
  /** When `always`, signature help answers for MLX names even where other servers may. */
  signatureHelp: 'auto' | 'always' | 'never';
  python: { searchPaths: string[] };
  run: { backend: BackendName; seed: number };
}
export const DEFAULT_SETTINGS: Settings = {
  diagnostics: { enabled: true, select: [], ignore: [] },
  inlayHints: { enabled: true, dtype: 'non-default', parameters: true, returns: true },
  hover: { enabled: true, liveOutput: true },
  codeLens: { enabled: true },
  signatureHelp: 'auto',
  python: { searchPaths: [] },
  run: { backend: 'wasm', seed: 0 },
};
/** `initializationOptions` of the client. */
export interface InitializationOptions {
  settings?: Partial<Settings>;
  /** Files are pushed with `mlx-scope/files`; always so in a browser. */
  pushesFiles?: boolean;
  /** URI of the folder that holds the rules' pages (`MLX101.md`); without it diagnostics link to none. */
  documentation?: string;
  /** The client has the commands of `COMMANDS`, so the server does not offer to execute them. */
  commands?: boolean;
}
