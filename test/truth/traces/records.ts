/**
 * Traces of real programs under real MLX: what a `*_truth.jsonl.gz` of traces holds, and how it is read.
 *
 * The first line names the source files with their tables of sites; each further line is a program, with the values that
 * every site had in each scenario: `"float32[2,7,64]"`, numbers, `{"t": […]}` for tuples, `{"l": […]}` for lists.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A value as the recorder wrote it. */
export type Traced =
  | string
  | number
  | null
  | { readonly t: readonly Traced[] | number; readonly of?: readonly Traced[] }
  | { readonly l: readonly Traced[] | number; readonly of?: readonly Traced[] }
  | { readonly d: { readonly [key: string]: Traced } };

/** kind, line from 1, column from 0 in UTF-8 bytes, end line, end column, function's index or -1, name. */
export type Site = readonly [string, number, number, number, number, number, string | null];

export interface TracedFile {
  readonly sha256: string;
  readonly sites: readonly Site[];
  readonly funcs: readonly string[];
}

export interface TraceMeta {
  readonly versions: { readonly [name: string]: string | null };
  readonly files: { readonly [path: string]: TracedFile };
}

export interface RecordedScenario {
  readonly facts: { readonly [file: string]: { readonly [site: string]: readonly Traced[] } };
  /** The call, in programs whose calls differ. */
  readonly call?: string;
}

export interface RecordedInput {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values?: unknown;
}

export interface TracedProgram {
  readonly id: string;
  readonly module: string;
  readonly scenarios: { readonly [name: string]: RecordedScenario };
  readonly errors: { readonly [name: string]: string };
  /** Of a configured model: how its arguments are made, and from what. */
  readonly ctor?: 'ModelArgs' | 'from_dict';
  readonly config?: unknown;
  /** The config's text, in which floats can be told from ints. */
  readonly configText?: string;
  readonly args_class?: string;
  readonly model_class?: string;
  /** Of any other program: where it lies, what runs first, the model and what is called. */
  readonly path?: readonly string[];
  readonly setup?: string;
  readonly model?: string;
  readonly calls?: readonly string[];
  readonly env?: { readonly [name: string]: RecordedInput };
}

export interface Traces {
  readonly meta: TraceMeta;
  readonly programs: readonly TracedProgram[];
}

/** The text of the object that stands behind `"config":`. */
function configText(line: string): string | undefined {
  const found = /"config":\s*\{/.exec(line);
  if (!found) return undefined;
  const start = found.index + found[0].length - 1;
  let depth = 0;
  for (let i = start; i < line.length; i++) {
    const c = line[i];
    if (c === '"') for (i++; line[i] !== '"'; i++) line[i] === '\\' && i++;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return line.slice(start, i + 1);
  }
  return undefined;
}

function linesOf(path: string): string[] {
  const bytes = readFileSync(path);
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split('\n');
}

/** Whether a file holds traces: its first line says so. */
export const holdsTraces = (path: string): boolean => linesOf(path)[0].includes('"mlx shape truth"');

export function readTraces(path: string, wanted: (id: string) => boolean = () => true): Traces {
  const [first, ...lines] = linesOf(path);
  const programs: TracedProgram[] = [];
  for (const line of lines) {
    const id = /"id":\s*"([^"]*)"/.exec(line);
    if (id && !wanted(id[1])) continue;
    programs.push({ ...(JSON.parse(line) as TracedProgram), configText: configText(line) });
  }
  return { meta: JSON.parse(first) as TraceMeta, programs };
}
