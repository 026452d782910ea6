import { describe, expect, it } from 'vitest';
import '../../../engine/src/ops/random';
import { symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { record, source } from '../../../engine/src/graph/graph';
import type { Attrs } from '../../../engine/src/graph/op';
import { implicitKey, keyOf, splitKey } from '../../../engine/src/random/key';
import { squareRoot } from '../../../engine/src/random/multivariate';
import { randomWords } from '../../../engine/src/random/threefry';
import type { Tensor } from '../../../engine/src/tensor';
import { cases, decode, expectNear, expectSame, type Recorded, run } from './golden';

interface Case {
  readonly op: string;
  readonly seed?: string;
  readonly draw?: number;
  readonly attrs: Attrs;
  readonly inputs?: readonly Recorded[];
  readonly given?: readonly string[];
  readonly out: Recorded;
}

const keyTensor = (seed: string): Tensor => ({ shape: [2], dtype: 'uint32', data: Uint32Array.from(keyOf(seed)) });

describe('the distributions of mx.random', () => {
  const all = cases<Case>('random');
  const kinds = [...new Set(all.map(c => c.op))];
  it.each(kinds)('%s is what MLX draws, bit for bit', op => {
    for (const c of all.filter(c => c.op === op)) {
      const inputs = (c.inputs ?? []).map(decode);
      const what = JSON.stringify({ ...c, inputs: c.inputs?.map(i => i.shape), out: undefined });
      let attrs: Attrs = { ...c.attrs, given: c.given ?? [] };
      if (c.draw !== undefined) attrs = { ...attrs, key: { seed: c.seed!, draw: c.draw } };
      else if (c.seed !== undefined) {
        inputs.push(keyTensor(c.seed));
        if (op !== 'random.split') attrs = { ...attrs, given: [...(c.given ?? []), 'key'] };
      }
      const [out] = run(op, inputs, attrs);
      // MLX takes the root of a covariance from LAPACK, whose last bits are its own
      if (op === 'random.multivariate_normal') expectNear(out, c.out, 1e-6, what);
      else expectSame(out, c.out, what);
    }
  });

  it('starts layers as nn.Linear does: weight with the first implicit draw, bias with the second', () => {
    const layers = cases<{ seed: number; in: number; out: number; weight: Recorded; bias: Recorded }>('layers');
    for (const layer of layers) {
      const bound = Math.sqrt(1 / layer.in);
      const [low, high] = [-bound, bound].map(
        (value): Tensor => ({ shape: [], dtype: 'float32', data: Float32Array.of(value) }),
      );
      const draw = (shape: readonly number[], n: number) =>
        run('random.uniform', [low, high], { shape, dtype: 'float32', key: { seed: layer.seed, draw: n } })[0];
      expectSame(draw([layer.out, layer.in], 0), layer.weight, `weight of ${layer.in} → ${layer.out}`);
      expectSame(draw([layer.out], 1), layer.bias, `bias of ${layer.in} → ${layer.out}`);
    }
  });
});

describe('keys', () => {
  it('are two halves of a 64-bit seed', () => {
    expect(keyOf(5)).toEqual([0, 5]);
    expect(keyOf('18446744073709551615')).toEqual([0xffffffff, 0xffffffff]);
  });

  it.each([-1, 0.5, '18446744073709551616', 'x', 2 ** 60])('refuse the seed %s', seed => {
    expect(() => keyOf(seed)).toThrow('whole number from 0 to 2^64 - 1');
  });

  it('walk the implicit chain in any order', () => {
    const forward = [0, 1, 2, 3].map(draw => implicitKey({ seed: 77, draw }));
    for (let seed = 100; seed < 130; seed++) implicitKey({ seed, draw: 0 }); // pushes the chain out of the cache
    expect([3, 1, 0, 2].map(draw => implicitKey({ seed: 77, draw }))).toEqual([3, 1, 0, 2].map(i => forward[i]));
    const [state, sub] = splitKey(keyOf(77));
    expect(forward[0]).toEqual(sub);
    expect(forward[1]).toEqual(splitKey(state)[1]);
  });

  it('hash the counters of an odd count as those of the next even one, but for the last word', () => {
    expect(randomWords(keyOf(1), 0)).toHaveLength(0);
    expect(randomWords(keyOf(1), 1)).toHaveLength(1);
    expect([...randomWords(keyOf(3), 2)]).toEqual(splitKey(keyOf(3), 1)[0]);
  });
});

describe('narrow random bits', () => {
  it('are the bytes of the 32-bit ones', () => {
    const key = keyTensor('9');
    const draw = (width: number, n: number) =>
      run('random.bits', [key], { shape: [n], width, given: ['key'] })[0].data as Uint8Array;
    const words = draw(4, 3);
    expect([...draw(1, 12)]).toEqual([...new Uint8Array(words.buffer)]);
    expect([...draw(2, 5)]).toEqual([...new Uint16Array(words.buffer)].slice(0, 5));
  });
});

describe('shapes with symbols', () => {
  it('pass through, with parameters of other ranks', () => {
    const [B, D] = [symbol('B'), symbol('D')];
    const low = source({ shape: [], dtype: 'float32' });
    const attrs = { shape: [B, D], dtype: 'float32', key: { seed: 0, draw: 0 } };
    expect(record(new Facts(), 'random.uniform', [low, low], attrs)[0].shape).toEqual([B, D]);
    const scale = source({ shape: [D], dtype: 'float32' });
    const normal = record(new Facts(), 'random.normal', [scale], { ...attrs, given: ['scale'] })[0];
    expect(normal.shape).toEqual([B, D]);
    const logits = source({ shape: [B, 1, D], dtype: 'float32' });
    expect(record(new Facts(), 'random.categorical', [logits], { axis: -1 })[0]).toMatchObject({
      shape: [B, 1],
      dtype: 'uint32',
    });
  });
});

it('takes square roots of matrices', () => {
  const a = Float32Array.of(2, 0.3, 0.1, 0.3, 1, -0.4, 0.1, -0.4, 3);
  const root = squareRoot(a, 3);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) {
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += root[i * 3 + k] * root[k * 3 + j];
      expect(sum).toBeCloseTo(a[i * 3 + j], 6);
    }
});
