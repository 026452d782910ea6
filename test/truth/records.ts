/**
 * The recorded behaviour of real MLX: what the files of test/truth/records hold, and how they are read.
 *
 * A case is an expression (or a statement that assigns to a name) over `mx`, `nn`, `optim`, `utils`, `np`, `math`, `functools` and the
 * arrays of `env`, with what MLX 0.32.4 answered: `out`, or the `error` that it raised while recording the graph.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { DType } from '../../engine/src/dtype';

/** An array argument. Contents follow a fixed pattern unless `values` or `fill` say otherwise. */
export interface RecordedArray {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly values?: NestedNumbers;
  readonly fill?: 'pos' | 'eye';
}
export type NestedNumbers = number | boolean | readonly NestedNumbers[];

/** A result, as truthlib writes it. */
export type Recorded =
  | null
  | boolean
  | number
  | string
  | { readonly shape: readonly number[]; readonly dtype: DType }
  | { readonly dtype: DType }
  | { readonly float: number | string }
  | { readonly complex: readonly [number, number] }
  | { readonly tuple: readonly Recorded[] }
  | { readonly list: readonly Recorded[] }
  | { readonly dict: { readonly [key: string]: Recorded } }
  | { readonly numpy: string; readonly value?: number | boolean | string; readonly shape?: readonly number[] }
  | { readonly object: string };

export interface Case {
  readonly id: number;
  /** The family: `mx.reshape`, `.reshape`, `index`, `nn.Linear`. */
  readonly op: string;
  readonly expr: string;
  readonly env: { readonly [name: string]: RecordedArray };
  readonly out: Recorded;
  readonly error: string | null;
  /** What MLX raised when the result was evaluated: the graph itself was recorded. */
  readonly eval_error?: string;
  readonly crash?: string;
  /** How a layer's module alone is made, and its parameters by path. */
  readonly init?: string;
  /** How it is called, where it is. */
  readonly call?: string;
  readonly params?: { readonly [path: string]: { readonly shape: readonly number[]; readonly dtype: DType } } | null;
  readonly trainable?: readonly string[] | null;
  readonly repr?: string | null;
}

/** The cases of a `*.jsonl` or `*.jsonl.gz` file; lines that are none (the metadata first, traces) are left out. */
export function readCases(path: string): Case[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const rows = text.split('\n').filter(line => line.includes('"expr":') && /"(out|error|crash)":/.test(line));
  return rows.map((line, id) => ({ id, env: {}, ...(JSON.parse(line) as Partial<Case>) }) as Case);
}
