/**
 * Laws that hold of arrays of every shape: what is recorded of MLX are single cases, these are their neighbours.
 *
 * Shapes are checked on all of them and values through the reference kernels, on small integers, which floats hold exactly.
 */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { elementCount, tensor } from '../../../engine/src/tensor';
import type { Value } from '../../../server/src/interpreter/values';
import { run } from '../../support/python';

const RUNS = 60;

const length = fc.integer({ min: 1, max: 4 });
const shapes = (minLength = 0, maxLength = 4) => fc.array(length, { minLength, maxLength });

/** An array of small integers as float32, the same for the same shape and seed. */
function numbers(shape: readonly number[], seed = 0): ArrayNode {
  const value = tensor('float32', shape);
  for (let i = 0; i < elementCount(shape); i++) value.data[i] = ((i + seed) * 7 + 3) % 11;
  return source({ shape, dtype: 'float32' }, { value });
}

/** The array that an expression over `given` is worth; null where it is refused. */
function ask(expression: string, given: Record<string, ArrayNode>): ArrayNode | null {
  const { refusals, names } = run(`result = ${expression}`, Object.entries(given));
  if (refusals.length > 0) return null;
  const result = names.get('result') as Value;
  if (result.kind !== 'array') throw new Error(`${expression} is no array but ${result.kind}`);
  return result.node;
}

async function contents(expression: string, given: Record<string, ArrayNode>) {
  const node = ask(expression, given);
  if (!node) throw new Error(`${expression} is refused`);
  const [{ shape, dtype, data }] = (await evaluate([node])).outputs;
  expect([shape, dtype]).toEqual([node.shape, node.dtype]);
  return { shape, dtype, data: Array.from(data as ArrayLike<number | bigint>, Number) };
}

/** Both expressions have the same shape, dtype and values. */
async function same(one: string, other: string, given: Record<string, ArrayNode>): Promise<void> {
  expect(await contents(one, given)).toEqual(await contents(other, given));
}

const check = (...parameters: Parameters<typeof fc.asyncProperty>): Promise<void> =>
  fc.assert(fc.asyncProperty(...parameters), { numRuns: RUNS });

/** NumPy's rule for two shapes; null where they do not broadcast. */
function broadcast(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const result: number[] = [];
  for (let i = 1; i <= rank; i++) {
    const [m, n] = [a.at(-i) ?? 1, b.at(-i) ?? 1];
    if (i <= a.length && i <= b.length && m !== n && m !== 1 && n !== 1) return null;
    result.unshift(m === 1 ? n : m);
  }
  return result;
}

const permutation = (rank: number) =>
  fc.shuffledSubarray(
    Array.from({ length: rank }, (_, i) => i),
    { minLength: rank },
  );

describe('broadcasting', () => {
  it('follows the rule, and is refused where the rule has no answer', () =>
    check(shapes(), shapes(), async (a, b) => {
      const given = { a: numbers(a as number[]), b: numbers(b as number[], 5) };
      expect(ask('a * b', given)?.shape ?? null).toEqual(broadcast(a as number[], b as number[]));
    }));

  it('commutes, associates and distributes', () =>
    check(shapes(1), async shape => {
      const s = shape as number[];
      const given = { a: numbers(s), b: numbers([s[s.length - 1]], 2), c: numbers([...s.slice(0, -1), 1], 4) };
      await same('a + b', 'b + a', given);
      await same('(a + b) + c', 'a + (b + c)', given);
      await same('a * (b + c)', 'a * b + a * c', given);
      await same('a * b', 'mx.broadcast_to(b, a.shape) * a', given);
    }));
});

describe('shapes', () => {
  it('come back through reshape, whichever axis is left to infer', () =>
    check(shapes(1), fc.nat(3), async (shape, left) => {
      const s = shape as number[];
      const given = { a: numbers(s) };
      const inferred = s.with((left as number) % s.length, -1);
      await same(`a.reshape(-1).reshape([${inferred}])`, 'a', given);
      await same(`a.flatten().reshape([${s}])`, 'a', given);
      await same(`mx.unflatten(a.flatten(), 0, [${s}])`, 'a', given);
    }));

  it('come back through a permutation and its inverse', () =>
    check(
      fc.integer({ min: 1, max: 4 }).chain(rank => fc.tuple(shapes(rank, rank), permutation(rank))),
      async drawn => {
        const [shape, order] = drawn as [number[], number[]];
        const inverse = order.map((_, i) => order.indexOf(i));
        const given = { a: numbers(shape) };
        expect(ask(`a.transpose([${order}])`, given)?.shape).toEqual(order.map(axis => shape[axis]));
        await same(`a.transpose([${order}]).transpose([${inverse}])`, 'a', given);
        await same('a.T', `a.transpose([${shape.map((_, i) => shape.length - 1 - i)}])`, given);
      },
    ));

  it('come back through expand_dims and squeeze, moveaxis and its reverse, flips and rolls', () =>
    check(shapes(1), fc.nat(4), fc.integer({ min: -5, max: 5 }), async (shape, at, by) => {
      const rank = (shape as number[]).length;
      const given = { a: numbers(shape as number[]) };
      const axis = (at as number) % rank;
      await same(`mx.expand_dims(a, ${at as number} % ${rank + 1}).squeeze(${at as number} % ${rank + 1})`, 'a', given);
      await same(`mx.moveaxis(mx.moveaxis(a, ${axis}, 0), 0, ${axis})`, 'a', given);
      await same(`mx.flip(mx.flip(a, ${axis}), ${axis})`, 'a', given);
      await same(`mx.roll(mx.roll(a, ${by}, ${axis}), ${-(by as number)}, ${axis})`, 'a', given);
    }));
});

describe('joining and cutting', () => {
  it('split undoes concatenate, and concatenate split', () =>
    check(shapes(1), fc.nat(3), fc.array(length, { minLength: 1, maxLength: 3 }), async (shape, at, sizes) => {
      const s = shape as number[];
      const axis = (at as number) % s.length;
      const lengths = sizes as number[];
      const parts = Object.fromEntries(lengths.map((n, i) => [`p${i}`, numbers(s.with(axis, n), i)]));
      const cuts = lengths.slice(0, -1).map((_, i) => lengths.slice(0, i + 1).reduce((x, y) => x + y, 0));
      const joined = `mx.concatenate([${Object.keys(parts)}], axis=${axis})`;
      for (const i of lengths.keys()) await same(`mx.split(${joined}, [${cuts}], axis=${axis})[${i}]`, `p${i}`, parts);
      await same(`mx.concatenate(mx.split(${joined}, [${cuts}], axis=${axis}), axis=${axis})`, joined, parts);
      await same(`mx.concatenate(mx.split(p0, ${lengths[0]}, axis=${axis}), axis=${axis})`, 'p0', parts);
    }));

  it('stack and unstack, pad and slice, repeat and step', () =>
    check(shapes(1), fc.nat(3), length, async (shape, at, n) => {
      const s = shape as number[];
      const axis = (at as number) % s.length;
      const given = { a: numbers(s) };
      await same(`mx.stack(mx.unstack(a, axis=${axis}), axis=${axis})`, 'a', given);
      await same(`mx.pad(a, ${n})[${s.map(d => `${n}:${(n as number) + d}`)}]`, 'a', given);
      const all = s.map((_, i) => (i === axis ? `::${n}` : ':')).join();
      await same(`mx.repeat(a, ${n}, axis=${axis})[${all}]`, 'a', given);
      await same(`mx.take(a, mx.arange(${s[axis]}), axis=${axis})`, 'a', given);
    }));

  it('a slice of a slice is a slice', () =>
    check(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.nat(9), fc.nat(9), async (n, i, j, k) => {
      const given = { a: numbers([n as number, 2]) };
      await same(`a[${i}:][${j}:]`, `a[${(i as number) + (j as number)}:]`, given);
      await same(`a[:${i}][:${k}]`, `a[:${Math.min(i as number, k as number)}]`, given);
      await same('a[::-1][::-1]', 'a', given);
    }));
});

describe('products', () => {
  const matrices = fc.tuple(shapes(0, 2), length, length, length, length);

  it('have the shape of their outer axes, with the others broadcast', () =>
    check(matrices, shapes(0, 2), async (drawn, other) => {
      const [batch, m, k, n] = drawn as [number[], number, number, number];
      const given = { a: numbers([...batch, m, k]), b: numbers([...(other as number[]), k, n], 3) };
      const outer = broadcast(batch, other as number[]);
      expect(ask('a @ b', given)?.shape ?? null).toEqual(outer && [...outer, m, n]);
    }));

  it('are refused where the inner axes differ', () =>
    check(matrices, async drawn => {
      const [batch, m, k, n] = drawn as [number[], number, number, number];
      expect(ask('a @ b', { a: numbers([...batch, m, k]), b: numbers([k + 1, n]) })).toBeNull();
    }));

  it('associate, distribute and transpose', () =>
    check(matrices, async drawn => {
      const [batch, m, k, n, p] = drawn as [number[], number, number, number, number];
      const given = {
        a: numbers([...batch, m, k]),
        b: numbers([k, n], 1),
        c: numbers([n, p], 2),
        d: numbers([k, n], 6),
      };
      await same('(a @ b) @ c', 'a @ (b @ c)', given);
      await same('a @ (b + d)', 'a @ b + a @ d', given);
      await same('(a @ b).swapaxes(-1, -2)', 'b.T @ a.swapaxes(-1, -2)', given);
      await same('a @ b', "mx.einsum('...mk,kn->...mn', a, b)", given);
      await same('a @ mx.eye(a.shape[-1])', 'a', given);
      await same('mx.addmm(a @ d, a, b)', 'a @ d + a @ b', given);
    }));
});

describe('reductions', () => {
  it('over several axes are those over one after the other', () =>
    check(shapes(2), async shape => {
      const given = { a: numbers(shape as number[]) };
      for (const name of ['sum', 'max', 'min']) {
        await same(`mx.${name}(a)`, `mx.${name}(a.flatten(), axis=0)`, given);
        await same(`mx.${name}(a, axis=(0, -1))`, `mx.${name}(mx.${name}(a, axis=-1), axis=0)`, given);
        await same(`mx.${name}(a, axis=0, keepdims=True)`, `mx.expand_dims(mx.${name}(a, axis=0), 0)`, given);
      }
      await same('mx.cumsum(a, axis=0)[-1]', 'mx.sum(a, axis=0)', given);
      await same('mx.sort(mx.sort(a, axis=0), axis=0)', 'mx.sort(a, axis=0)', given);
      await same('mx.take_along_axis(a, mx.argsort(a, axis=0), axis=0)', 'mx.sort(a, axis=0)', given);
    }));
});
