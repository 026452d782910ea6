/**
 * The reference kernels give the values that real MLX gives, through MLX's own surface (recorded by test/truth/values).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../../engine/src/dtype';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { allocate, elementCount, type Tensor, tensor } from '../../../engine/src/tensor';
import type { Value } from '../../../server/src/interpreter/values';
import { run } from '../../support/python';

type Scalar = number | boolean | readonly [number, number];
interface Recorded {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly Scalar[];
}
interface Case {
  readonly expr: string;
  readonly env: Readonly<Record<string, Recorded>>;
  readonly out: readonly Recorded[];
}

const file = join(import.meta.dirname, '../../truth/values/values.json.gz');
const { cases } = JSON.parse(gunzipSync(readFileSync(file)).toString()) as { cases: readonly Case[] };

const numbers = (recorded: Recorded): number[] => recorded.values.flat().map(Number);

function constant(recorded: Recorded): ArrayNode {
  const data = allocate(recorded.dtype, elementCount(recorded.shape)) as { [i: number]: number | bigint };
  const big = recorded.dtype === 'int64' || recorded.dtype === 'uint64';
  for (const [i, n] of numbers(recorded).entries()) data[i] = big ? BigInt(n) : n;
  const value = tensor(recorded.dtype, recorded.shape, data as Tensor['data']);
  return source({ shape: recorded.shape, dtype: recorded.dtype }, { value });
}

function nodes(value: Value | undefined): ArrayNode[] {
  if (value?.kind === 'array') return [value.node];
  if ((value?.kind === 'list' || value?.kind === 'tuple') && value.items) return value.items.flatMap(nodes);
  throw new Error(`not an array but ${value?.kind}`);
}

/** How far a value may be from the recorded one, as a share of the largest in its array. */
const TOLERANCE: Partial<Record<DType, number>> = { float32: 2e-6, complex64: 2e-6, float16: 2e-3, bfloat16: 1.6e-2 };

describe('values that MLX computes', () => {
  for (const [i, { expr, env, out }] of cases.entries())
    it(`${i}: ${expr}`, async () => {
      const statement = /^a\[.*\] = /.test(expr);
      const given = Object.entries(env).map(([name, recorded]) => [name, constant(recorded)] as const);
      const ran = run(statement ? expr : `result = ${expr}`, given);
      expect(ran.refusals).toEqual([]);
      const answers = nodes(ran.names.get(statement ? 'a' : 'result'));
      const { outputs } = await evaluate(answers);
      expect(outputs.map(o => [o.dtype, o.shape])).toEqual(out.map(o => [o.dtype, o.shape]));
      for (const [k, recorded] of out.entries()) {
        const want = numbers(recorded);
        const have = Array.from(outputs[k].data as ArrayLike<number | bigint>, Number);
        const size = Math.max(...want.map(Math.abs), 1e-3);
        const worst = Math.max(
          ...want.map((w, j) => (Object.is(w, have[j]) || w === have[j] ? 0 : Math.abs(w - have[j]))),
          0,
        );
        expect(worst / size, `output ${k}: ${have.slice(0, 8)} for ${want.slice(0, 8)}`).toBeLessThanOrEqual(
          TOLERANCE[recorded.dtype] ?? 0,
        );
      }
    });
});
