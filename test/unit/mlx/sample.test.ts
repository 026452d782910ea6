/**
 * The reference kernels give MLX's values over a sample of every family of recorded cases, in all dtypes it takes
 * (test/truth/values/sample.py): integers and booleans exactly, floats within the rounding of their dtype.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { DType } from '../../../engine/src/dtype';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { fromBytes } from '../../../engine/src/formats/elements';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { allOps } from '../../../engine/src/graph/op';
import type { Tensor } from '../../../engine/src/tensor';
import type { Value } from '../../../server/src/interpreter/values';
import { run } from '../../support/python';
import type { RecordedArray } from '../../truth/records';
import { recordedNode } from '../../truth/score';

interface Sample {
  readonly family: string;
  readonly expr: string;
  readonly env: { readonly [name: string]: RecordedArray };
  readonly init?: string;
  readonly out: readonly { readonly dtype: DType; readonly shape: readonly number[]; readonly data: string }[];
}

const file = join(import.meta.dirname, '../../truth/values/sample.jsonl.gz');
const [, ...lines] = gunzipSync(readFileSync(file)).toString().trim().split('\n');
const families = new Map<string, Sample[]>();
for (const sample of lines.map(line => JSON.parse(line) as Sample)) {
  const own = families.get(sample.family);
  if (own) own.push(sample);
  else families.set(sample.family, [sample]);
}

/** How far a value may be from the recorded one, as a share of the largest in its array. */
const TOLERANCE: Partial<Record<DType, number>> = {
  float32: 4e-6,
  complex64: 4e-6,
  // MLX's exponentials, logarithms and inverses of float64 are no better
  float64: 1e-7,
  float16: 4e-3,
  bfloat16: 3.2e-2,
};

/** The arrays in a result, in order. */
function nodes(value: Value | undefined): ArrayNode[] {
  if (value?.kind === 'array') return [value.node];
  if (value?.kind === 'list' || value?.kind === 'tuple') return value.items?.flatMap(nodes) ?? [];
  return [];
}

const numbers = ({ data }: Tensor): number[] => Array.from(data as ArrayLike<number | bigint>, Number);

/** The largest difference, as a share of the largest number; infinities and NaN must be the same. */
function difference(have: readonly number[], want: readonly number[]): number {
  const size = Math.max(...want.filter(Number.isFinite).map(Math.abs), 1e-3);
  return Math.max(
    0,
    ...want.map((w, i) => (Object.is(w, have[i]) || w === have[i] ? 0 : Math.abs(w - have[i]) / size)),
  );
}

/** The chosen cases of values.test.ts. */
const chosen = JSON.parse(
  gunzipSync(readFileSync(join(import.meta.dirname, '../../truth/values/values.json.gz'))).toString(),
) as { cases: readonly { expr: string; env: Readonly<Record<string, { shape: readonly number[]; dtype: DType }>> }[] };

/** Operations that no program names: evaluation puts them in the place of others, or they serve others. */
const INTERNAL = ['matmul_transposed', 'addmm_transposed', 'gather_mm_transposed', 'chain', 'random.bits'];

const SETUP = 'import numpy as np\nimport math\nimport functools\n';
/** The operations that sampled or chosen cases were computed with. */
const seen = new Set<string>();

function note(answers: readonly ArrayNode[]): void {
  for (let waiting = [...answers], node = waiting.pop(); node; node = waiting.pop()) {
    if (!node.call) continue;
    seen.add(node.call.op);
    waiting = waiting.concat(node.call.inputs);
  }
}

/** What is wrong with our answer to a sample, or null. */
async function fault({ expr, env, init, out }: Sample): Promise<string | null> {
  const given = Object.entries(env).map(([name, recorded]) => [name, recordedNode(recorded)] as const);
  const [target] = /^\w+(?=(\[.*\])? [-+*/@%&|^<>]*= )/.exec(expr) ?? [null];
  const made = init ? `m = ${init}\nmx.random.seed(0)\n` : '';
  const ran = run(`${SETUP}mx.random.seed(0)\n${made}${target ? expr : `result = ${expr}`}`, given);
  if (ran.refusals.length > 0) return ran.refusals[0].message;
  const answers = nodes(ran.names.get(target ?? 'result'));
  if (answers.length !== out.length) return `${answers.length} arrays instead of ${out.length}`;
  note(answers);
  const { outputs } = await evaluate(answers);
  for (const [i, recorded] of out.entries()) {
    const want = fromBytes(recorded.dtype, recorded.shape, Buffer.from(recorded.data, 'base64'));
    const type = `${outputs[i].dtype}[${outputs[i].shape}]`;
    if (type !== `${want.dtype}[${want.shape}]`) return `${type} instead of ${want.dtype}[${want.shape}]`;
    const off = difference(numbers(outputs[i]), numbers(want));
    // half precision on the way shows in a float32 result
    const ways = [want.dtype, ...(TOLERANCE[want.dtype] ? Object.values(env).map(a => a.dtype) : [])];
    if (!(off <= Math.max(...ways.map(dtype => TOLERANCE[dtype] ?? 0))))
      return `off by ${off}: ${numbers(outputs[i]).slice(0, 6)} instead of ${numbers(want).slice(0, 6)}`;
  }
  return null;
}

describe('values of recorded cases', () => {
  it.each([...families])('%s', async (_family, samples) => {
    const faults: string[] = [];
    for (const sample of samples) {
      const found = await fault(sample).catch(e => `${e instanceof Error ? e.message : e}`);
      if (found) faults.push(`${sample.expr} ${JSON.stringify(sample.env)}: ${found}`);
    }
    expect(faults).toEqual([]);
  });

  it('goes, with the chosen ones, through every operation that has a kernel', () => {
    for (const { expr, env } of chosen.cases) {
      const given = Object.entries(env).map(([name, { shape, dtype }]) => [name, source({ shape, dtype })] as const);
      note(nodes(run(/^a\[.*\] = /.test(expr) ? expr : `result = ${expr}`, given).names.get('result')));
    }
    for (const name of INTERNAL) seen.add(name);
    expect(allOps().flatMap(op => (op.kernel && !seen.has(op.name) ? [op.name] : []))).toEqual([]);
  });
});
