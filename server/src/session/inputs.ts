/**
 * Inputs, configs and entries as users write them, read the same way for the command line, settings and requests.
 */
import { type Dim, symbol } from '../../../engine/src/dims/dim';
import { DTYPES, type DType } from '../../../engine/src/dtype';
import type { FileAnalysis, InputSpec } from '../analysis/types';
import type { InputArray } from '../protocol';
import type { FileSystem } from '../workspace/file-system';

/** Wrong words of a user, with a message for them. */
export class InputError extends Error {}

/** `inputs=int32[2,7]`, `x=float32[B,784]`, or with values `x=@values.npy`. @throws InputError */
export function parseInput(text: string): InputArray {
  const wrong = () =>
    new InputError(`an input is written NAME=dtype[dims], such as inputs=int32[2,7], or NAME=@FILE.npy, not ${text}`);
  const file = /^(\w+)=@(.+)$/.exec(text);
  if (file) return { name: file[1], dtype: 'float32', shape: [], file: file[2] };
  const match = /^(\w+)=(\w+)\[([^\]]*)\]$/.exec(text.replaceAll(' ', ''));
  if (!match) throw wrong();
  const [, name, dtype, list] = match;
  if (!DTYPES.includes(dtype as DType))
    throw new InputError(`there is no dtype ${dtype}: MLX has ${DTYPES.join(', ')}`);
  const shape = list === '' ? [] : list.replace(/,$/, '').split(',');
  if (!shape.every(axis => /^(\d+|[A-Za-z_]\w*)$/.test(axis))) throw wrong();
  return { name, dtype, shape: shape.map(axis => (/^\d+$/.test(axis) ? Number(axis) : axis)) };
}

/** The input as the analyser takes it: equal names are one symbol. */
export function inputSpecs(inputs: readonly InputArray[], symbols: Readonly<Record<string, number>> = {}): InputSpec[] {
  const known = new Map<string, Dim>(Object.entries(symbols));
  const axis = (name: string): Dim => {
    let found = known.get(name);
    if (found === undefined) known.set(name, (found = symbol(name)));
    return found;
  };
  return inputs.map(({ name, dtype, shape }) => ({
    name,
    dtype,
    shape: shape.map(a => (typeof a === 'number' ? a : axis(a))),
  }));
}

const FLOAT_KEY = '\u0000float';

/** JSON with `2.0` told apart from `2`, as Python reads them: the former becomes an object that `revive` unwraps. */
const markFloats = (json: string): string =>
  json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, token =>
    /^-?\d*[.eE\d+-]*[.eE]/.test(token) ? `{${JSON.stringify(FLOAT_KEY)}:${token}}` : token,
  );

/** A float is a `Number` object, which `fromJson` reads as one. */
const revive = (_: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && FLOAT_KEY in value ? new Number(value[FLOAT_KEY]) : value;

/** The object that a JSON text holds. @throws InputError */
export function parseConfig(json: string, name: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(markFloats(json), revive);
  } catch (error) {
    throw new InputError(`${name} is not valid JSON: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InputError(`${name} must hold a JSON object`);
  return value as Record<string, unknown>;
}

/** @throws InputError where there is no such file, or it holds no object */
export function readConfig(files: FileSystem, path: string): Readonly<Record<string, unknown>> {
  const text = files.read(path);
  if (text === null) throw new InputError(`${path} cannot be read`);
  return parseConfig(text, path);
}

const CONFIG_NAME = /^(config|args|cfg|params|model_args|options|hparams)$/;

/** The class that takes a config: `Model` by convention, else the last module whose constructor names one. */
export function entryFor({ classes, source }: FileAnalysis): string | null {
  const modules = classes.filter(c => c.isModule);
  if (modules.some(c => c.name === 'Model')) return 'Model';
  const takesConfig = modules.filter(c => {
    const node = source.module.body.find(s => s.start === c.start);
    const init = node?.kind === 'ClassDef' && node.body.find(s => s.kind === 'FunctionDef' && s.name === '__init__');
    return init && init.kind === 'FunctionDef' && init.params.some(p => CONFIG_NAME.test(p.name));
  });
  return (takesConfig.at(-1) ?? modules.at(-1))?.name ?? null;
}
