/**
 * Loading a checkpoint as mlx-lm does: the model's own `sanitize`, then `nn.quantize` as the config and the checkpoint
 * say, then the weights into the parameters. Everything is interpreted; no array is read.
 *
 * What comes out are the checkpoint's arrays, or graphs over them, under the names that the model gives its parameters.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { Refusal } from '../../../engine/src/graph/refusal';
import { PythonRaise } from '../interpreter/evaluator';
import { args, type Interpreter, Unknowable } from '../interpreter/interpreter';
import { bool, builtin, dict, type InstanceValue, int, str, type Value } from '../interpreter/values';
import { packingOf } from '../mlx/nn/mismatch';
import { updateParameters } from '../mlx/nn/parameters';
import { quantize } from '../mlx/nn/quantized';
import { unflatten } from '../mlx/nn/tree';
import { numericType } from '../mlx/nn/weights';
import type { Run } from './analyser';
import { fromJson } from './entry';

export type Config = Readonly<Record<string, unknown>>;

/** How the config says that layers are quantized. */
export interface QuantizationConfig {
  readonly groupSize: number;
  readonly bits: number;
  readonly mode: string;
  /** Settings of single layers by path: a dict of arguments, or false for none. */
  readonly layers: ReadonlyMap<string, unknown>;
}

export interface Loaded {
  /** The arrays that stand for the checkpoint's, by the name there. */
  readonly sources: ReadonlyMap<ArrayNode, string>;
  /** What the parameters are to become, by name; null where `sanitize` could not be followed. */
  readonly weights: ReadonlyMap<string, Value> | null;
  /** Whether there may be other weights than these. */
  readonly open: boolean;
  readonly quantization: QuantizationConfig | null;
  /** Why something was not followed, for a user. */
  readonly notes: readonly string[];
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const SCHEME_KEYS = new Set(['group_size', 'bits', 'mode', 'quant_method', 'linear_class']);

/** Quantization methods of other frameworks whose packed weights MLX takes as they are. */
const METHODS: Readonly<Record<string, Omit<QuantizationConfig, 'layers'>>> = {
  mxfp4: { groupSize: 32, bits: 4, mode: 'mxfp4' },
  mxfp8: { groupSize: 32, bits: 8, mode: 'mxfp8' },
};

/** What a config says of quantization; a sentence where it says something that is not followed; null for nothing. */
export function quantizationOf(config: Config | null): QuantizationConfig | string | null {
  const own = config?.quantization;
  if (isObject(own)) {
    const layers = new Map(Object.entries(own).filter(([key]) => !SCHEME_KEYS.has(key)));
    const number = (key: string, standard: number) => (typeof own[key] === 'number' ? own[key] : standard);
    const mode = typeof own.mode === 'string' ? own.mode : 'affine';
    return { groupSize: number('group_size', 64), bits: number('bits', 4), mode, layers };
  }
  const text = config?.text_config;
  const foreign = config?.quantization_config ?? (isObject(text) ? text.quantization_config : undefined);
  if (!isObject(foreign)) return null;
  const method = String(foreign.quant_method);
  if (METHODS[method]) return { ...METHODS[method], layers: new Map() };
  if (method === 'fp8') return null; // a sanitize makes floats of it
  return `The weights are converted from ${method} when they are loaded, which is not followed.`;
}

/** Sanitizes the arrays and quantizes the model for them. @param arrays the checkpoint's, by name */
export function prepareWeights(
  run: Run,
  root: InstanceValue,
  arrays: ReadonlyMap<string, ArrayType>,
  config: Config | null,
): Loaded {
  const { ev } = run;
  const notes: string[] = [];
  const sources = new Map<ArrayNode, string>();
  const given = dict(
    [...arrays].map(([name, type]) => {
      const array = ev.source(type, name);
      sources.set(array.node, name);
      return [name, array] as const;
    }),
  );
  const weights = sanitized(run, root, given, notes);
  const said = quantizationOf(config);
  if (typeof said === 'string')
    return { sources, weights: null, open: true, quantization: null, notes: [...notes, said] };
  if (weights === null) return { sources, weights: null, open: true, quantization: said, notes };
  const known = new Map<string, Value>();
  let open = weights.rest !== null;
  for (const { key, value } of weights.entries.values()) {
    const name = ev.settled(key);
    if (name.kind === 'str' && name.value !== null) known.set(name.value, ev.settled(value));
    else open = true;
  }
  if (said) quantizeFor(run, root, known, said, notes);
  return { sources, weights: known, open, quantization: said, notes };
}

/** Writes the weights into the model's parameters, as far as there are such. */
export function loadInto(interpreter: Interpreter, root: InstanceValue, weights: ReadonlyMap<string, Value>): void {
  updateParameters(interpreter, root, unflatten([...weights]), false);
}

function sanitized(run: Run, root: InstanceValue, given: Value & { kind: 'dict' }, notes: string[]) {
  const { ev } = run;
  const sanitize = ev.getAttribute(root, 'sanitize');
  if (sanitize === null) return given;
  let answer: Value;
  try {
    answer = ev.settled(ev.callWith(sanitize, given));
  } catch (e) {
    const refusal: Refusal | null = e instanceof PythonRaise ? e.refusal : null;
    if (!(e instanceof PythonRaise) && !(e instanceof Unknowable)) throw e;
    notes.push(`sanitize raises${refusal ? `: ${refusal.message}` : ''}`);
    return null;
  }
  if (answer.kind === 'dict') return answer;
  const why = answer.kind === 'unknown' ? `: it ${answer.reason}` : '';
  notes.push(`What sanitize answers is not known${why}. Names and shapes are not compared.`);
  return null;
}

/** `nn.quantize` with the predicate of a loader: layers that the config names, and those with scales in the checkpoint. */
function quantizeFor(
  run: Run,
  root: InstanceValue,
  weights: ReadonlyMap<string, Value>,
  { groupSize, bits, mode, layers }: QuantizationConfig,
  notes: string[],
): void {
  const { ev } = run;
  const predicate = builtin('class_predicate', (interpreter, { positional: [path, layer] }) => {
    const name = path.kind === 'str' ? path.value : null;
    if (name === null || layer.kind !== 'instance') throw new Unknowable('the path of a layer is not known');
    if (layers.has(name)) return fromJson(layers.get(name));
    if (interpreter.getAttribute(layer, 'to_quantized') === null || !weights.has(`${name}.scales`)) return bool(false);
    return packedAs(interpreter, layer, name, weights) ?? bool(true);
  });
  try {
    ev.call(
      quantize,
      args(
        [root, int(groupSize), int(bits)],
        [
          ['mode', str(mode)],
          ['class_predicate', predicate],
        ],
      ),
    );
  } catch (e) {
    if (!(e instanceof PythonRaise) && !(e instanceof Unknowable)) throw e;
    notes.push(`The model could not be quantized as its config says${e instanceof Unknowable ? `: ${e.reason}` : ''}.`);
  }
}

/** How the checkpoint's weight of a layer is packed, from its widths; null where they do not tell. */
function packedAs(
  interpreter: Interpreter,
  layer: InstanceValue,
  path: string,
  weights: ReadonlyMap<string, Value>,
): Value | null {
  const columns = numericType(interpreter, layer.attributes.get('weight'))?.shape.at(-1);
  const words = numericType(interpreter, weights.get(`${path}.weight`))?.shape.at(-1);
  const scales = numericType(interpreter, weights.get(`${path}.scales`));
  const perRow = scales?.shape.at(-1);
  if (!columns || !words || !scales || !perRow) return null;
  const packing = packingOf(columns, words, perRow);
  if (!packing) return null;
  const { bits, groupSize } = packing;
  const mode = scales.dtype !== 'uint8' ? 'affine' : bits === 8 ? 'mxfp8' : groupSize === 16 ? 'nvfp4' : 'mxfp4';
  return dict([
    ['group_size', int(groupSize)],
    ['bits', int(bits)],
    ['mode', str(mode)],
  ]);
}
