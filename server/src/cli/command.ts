/** What a command of the command line is, and the options that several share. */
import type { BackendName, InputArray } from '../protocol';
import { parseInput } from '../session/inputs';

/** A wrong use of the command line: told without a stack, exit status 2. */
export class UsageError extends Error {}

export interface Command {
  /** Its arguments, as `--help` shows them. */
  readonly usage: string;
  readonly summary: string;
  /** The options, one a line. */
  readonly details: string;
  /** Answers the exit status. @throws UsageError */
  run(argv: readonly string[]): number | Promise<number>;
}

/** The value if it is one of `allowed`. @throws UsageError */
export function oneOf<T extends string>(option: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find(a => a === value);
  if (found === undefined) throw new UsageError(`${option} is one of ${allowed.join(', ')}, not ${value}`);
  return found;
}

/** The words of comma-separated (and repeated) values. */
export const words = (values: readonly string[] | undefined): string[] =>
  (values ?? []).flatMap(v => v.split(',')).flatMap(w => (w.trim() ? [w.trim()] : []));

/** @throws UsageError */
export function integers(option: string, values: readonly string[] | undefined): number[] {
  return words(values).map(w => {
    if (!/^\d+$/.test(w)) throw new UsageError(`${option} takes whole numbers, not ${w}`);
    return Number(w);
  });
}

export const exactlyOne = (positionals: readonly string[], what: string): string => {
  if (positionals.length !== 1) throw new UsageError(`${what}, and ${positionals.length} are given`);
  return positionals[0];
};

/** Options of the commands that enter a model. */
export const ENTRY_OPTIONS = {
  entry: { type: 'string' },
  config: { type: 'string' },
  input: { type: 'string', multiple: true },
  symbol: { type: 'string', multiple: true },
} as const;

/** Values of `ENTRY_OPTIONS`, as parsed. */
export interface EntryValues {
  entry?: string;
  config?: string;
  input?: string[];
  symbol?: string[];
}

/** Options of the commands that compute. */
export const RUN_OPTIONS = {
  ...ENTRY_OPTIONS,
  weights: { type: 'string' },
  seed: { type: 'string' },
  backend: { type: 'string' },
} as const;

export const ENTRY_DETAILS = `  --entry NAME              the class, method (Class.method) or function to enter; a function may make the model
  --config FILE|JSON        a config.json, or a JSON object, that makes the class
  --input NAME=dtype[dims]  an input, such as inputs=int32[2,7] or x=float32[B,784]; repeat for several
  --symbol NAME=N           a number for a symbol in an input's dims`;

export const RUN_DETAILS = `${ENTRY_DETAILS}
  --weights PATH            a safetensors file, or a folder of them, to load (default: random initial values)
  --seed N                  the seed of weights and inputs (default 0)
  --backend NAME            wasm (default), reference or webgpu`;

export const inputsOf = (values: readonly string[] | undefined): InputArray[] => (values ?? []).map(parseInput);

/** `B=2` → { B: 2 }. @throws UsageError */
export function symbolsOf(values: readonly string[] | undefined): Record<string, number> {
  return Object.fromEntries(
    words(values).map(text => {
      const match = /^(\w+)=(\d+)$/.exec(text);
      if (!match) throw new UsageError(`--symbol is written NAME=N, not ${text}`);
      return [match[1], Number(match[2])];
    }),
  );
}

const BACKENDS: readonly BackendName[] = ['wasm', 'reference', 'webgpu'];
export const backendOf = (value: string | undefined): BackendName | null =>
  value === undefined ? null : oneOf('--backend', value, BACKENDS);

export function seedOf(value: string | undefined): number {
  if (value === undefined) return 0;
  if (!/^\d+$/.test(value)) throw new UsageError(`--seed is a whole number, not ${value}`);
  return Number(value);
}
