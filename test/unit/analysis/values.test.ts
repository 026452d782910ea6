/** Values that `run` and `quantize` show, against what MLX 0.32.4 printed (CPU build). */
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { run } from '../../support/python';

const arrays = async (text: string, names: readonly string[]) => {
  const { names: scope, refusals, evaluator } = run(text);
  expect(refusals).toEqual([]);
  const nodes = names.map(name => {
    const value = scope.get(name);
    if (value?.kind !== 'array') throw new Error(`${name} is ${value?.kind}`);
    return value.node;
  });
  return (await evaluate(nodes, { facts: evaluator.facts })).outputs;
};

test('a layer made and fed from one seed gives the very numbers of MLX', async () => {
  const [y] = await arrays(
    `mx.random.seed(0)
layer = nn.Linear(8, 4)
x = mx.random.normal((2, 8))
y = layer(x)
`,
    ['y'],
  );
  expect([...y.data]).toEqual([
    -0.3194580078125, 0.08269168436527252, 0.21373029053211212, -0.14723864197731018, -0.4091525971889496,
    0.12255445122718811, 0.21816983819007874, -0.2504717707633972,
  ]);
});

test('4-bit quantization of a seeded layer has the bytes of MLX', async () => {
  const outputs = await arrays(
    `mx.random.seed(0)
layer = nn.Linear(512, 512)
q = layer.to_quantized(group_size=64, bits=4)
w, s, b = q.weight, q.scales, q.biases
`,
    ['w', 's', 'b'],
  );
  const hashes = outputs.map(({ data: { buffer, byteOffset, byteLength } }) =>
    createHash('md5')
      .update(new Uint8Array(buffer, byteOffset, byteLength))
      .digest('hex'),
  );
  expect(hashes).toEqual([
    'aced7f5f74b6755dafc589d66e0849a6',
    '8729ab33c15c08e34e6db0ee54abc5a5',
    '478cdd9a99e3bc7d3ed667a90469d5de',
  ]);
});
