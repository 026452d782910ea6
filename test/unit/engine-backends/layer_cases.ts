/**
 * What layers are made of beside products: rows that are normalized, positions, attention, and chains of elementwise
 * operations.
 */
import { Facts } from '../../../engine/src/dims/facts';
import type { DType } from '../../../engine/src/dtype';
import { type ConcreteType, opNamed } from '../../../engine/src/graph/op';
import type { ChainStep } from '../../../engine/src/ops/chain';
import { type Tensor, tensor } from '../../../engine/src/tensor';
import { type Case, random } from './cases';

const FLOATS = ['float32', 'float16', 'bfloat16'] as const;

export function rowCases(): Case[] {
  const cases: Case[] = [];
  for (const dtype of FLOATS) {
    for (const [shape, axes] of [
      [[5], [-1]],
      [[3, 129], [1]],
      [
        [2, 3, 7],
        [1, 2],
      ],
      [[2, 3, 4], null],
      [
        [2, 3, 4],
        [2, 1],
      ],
    ] as const)
      cases.push({
        name: `softmax ${dtype} ${shape} over ${axes}`,
        op: 'softmax',
        attrs: { axes, precise: false },
        inputs: [random(dtype, shape, 1, 20)],
      });
    for (const op of ['rms_norm', 'layer_norm'])
      for (const shape of [[7], [3, 64], [2, 3, 129]]) {
        const width = shape[shape.length - 1];
        const x = random(dtype, shape, 1, 3);
        const rows = [random(dtype, [width], 2), random(dtype, [width], 3)];
        const given = op === 'rms_norm' ? [[], ['weight']] : [[], ['weight'], ['weight', 'bias']];
        for (const names of given)
          cases.push({
            name: `${op} ${dtype} ${shape} with ${names.join(' and ') || 'nothing'}`,
            op,
            attrs: { eps: 1e-5, given: names },
            inputs: [x, ...rows.slice(0, names.length)],
          });
      }
    for (const traditional of [false, true])
      for (const dims of [6, 16])
        for (const starts of [[3], [0, 11]]) {
          const offset = tensor('int32', starts.length > 1 ? [2] : [], Int32Array.from(starts));
          const attrs = { dims, traditional, base: 10000, scale: 0.5 };
          const x = random(dtype, [2, 3, 5, 16], 4);
          const name = `rope ${dtype} of ${dims}${traditional ? ', traditional,' : ''} from ${starts}`;
          cases.push({ name, op: 'rope', attrs, inputs: [x, offset] });
        }
  }
  const freqs = tensor('float32', [3], Float32Array.of(1, 10, 50));
  cases.push({
    name: 'rope with frequencies',
    op: 'rope',
    attrs: { dims: 6, traditional: false, base: null, scale: 1, given: ['freqs'] },
    inputs: [random('float32', [1, 2, 4, 8], 5), tensor('int32', [], Int32Array.of(2)), freqs],
  });
  return cases;
}

/** A mask that hides a third, but never a whole row. */
const holes = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1);
  return tensor(
    'bool',
    shape,
    Uint8Array.from({ length: count }, (_, i) => Number(i % 3 !== 1)),
  );
};

export function attentionCases(): Case[] {
  const cases: Case[] = [];
  for (const dtype of FLOATS)
    for (const [heads, shared, length, keys] of [
      [2, 2, 5, 5],
      [4, 2, 3, 9],
      [3, 1, 1, 33],
      [2, 2, 9, 4],
    ]) {
      const q = random(dtype, [2, heads, length, 16], 1, 2);
      const k = random(dtype, [2, shared, keys, 16], 2, 2);
      const v = random(dtype, [2, shared, keys, 12], 3);
      const add = (what: string, causal: boolean, given: Readonly<Record<string, Tensor>>) =>
        cases.push({
          name: `attention ${dtype} ${heads} by ${shared}, ${length} of ${keys}${what}`,
          op: 'attention',
          attrs: { scale: 0.25, causal, given: Object.keys(given) },
          inputs: [q, k, v, ...Object.values(given)],
        });
      add('', false, {});
      if (length <= keys) add(', causal', true, {});
      add(', masked', false, { mask: holes([length, keys]) });
      add(', masked by head', false, { mask: random(dtype, [heads, 1, keys], 4) });
      add(', masked by batch', false, { mask: holes([2, 1, 1, keys]) });
      add(', with sinks', false, { sinks: random(dtype, [heads], 5) });
    }
  return cases;
}

type Step = readonly [op: string, operands: readonly number[], attrs?: ChainStep['attrs']];

/** The case that a chain of these steps is. */
function chain(name: string, inputs: readonly Tensor[], steps: readonly Step[]): Case {
  const types: ConcreteType[] = [...inputs];
  const typed = steps.map(([op, operands, attrs = {}]): ChainStep => {
    const given = operands.map(i => types[i]);
    const { shape, dtype } = opNamed(op).infer(new Facts(), given, attrs) as ConcreteType;
    types.push({ shape, dtype });
    return { op, attrs, operands, type: { shape, dtype } };
  });
  return { name: `chain: ${name}`, op: 'chain', attrs: { steps: typed }, inputs };
}

export function chainCases(): Case[] {
  const cases: Case[] = [];
  for (const dtype of FLOATS)
    for (const shape of [[3], [5, 77], [2, 3, 700], [1500]]) {
      const [x, y] = [random(dtype, shape, 1, 2), random(dtype, shape, 2, 2)];
      const row = random(dtype, shape.slice(-1), 3);
      const column = random(dtype, [...shape.slice(0, -1), 1], 4);
      const one = tensor(dtype as DType, [], Float32Array.of(0.5));
      const what = `${dtype} ${shape}`;
      cases.push(
        chain(
          `gated, ${what}`,
          [x, y],
          [
            ['sigmoid', [0]],
            ['multiply', [0, 2]],
            ['multiply', [3, 1]],
          ],
        ),
        chain(
          `scaled and moved, ${what}`,
          [x, row, column, one],
          [
            ['multiply', [0, 1]],
            ['add', [4, 2]],
            ['maximum', [5, 3]],
            ['square', [6]],
          ],
        ),
        chain(
          `chosen, ${what}`,
          [x, y, one],
          [
            ['greater', [0, 1]],
            ['less', [0, 2]],
            ['logical_or', [3, 4]],
            ['where', [5, 0, 2]],
            ['negative', [6]],
          ],
        ),
        chain(
          `tested, ${what}`,
          [x, y],
          [
            ['subtract', [0, 1]],
            ['abs', [2]],
            ['less_equal', [3, 0]],
          ],
        ),
        chain(
          `cast, ${what}`,
          [x, row],
          [
            ['astype', [0], { dtype: 'float32' }],
            ['exp', [2]],
            ['multiply', [3, 1]],
            ['astype', [4], { dtype: 'float16' }],
          ],
        ),
      );
    }
  const flags = tensor('bool', [2, 1, 5], Uint8Array.of(1, 0, 0, 1, 1, 0, 1, 1, 0, 0));
  const grid = random('float32', [2, 3, 5], 6);
  cases.push(
    chain(
      'by flags',
      [flags, grid, tensor('float32', [], Float32Array.of(-Infinity))],
      [
        ['logical_not', [0]],
        ['where', [3, 1, 2]],
      ],
    ),
  );
  return cases;
}
