import { describe, expect, it } from 'vitest';
import '../../../engine/src/ops/binary';
import '../../../engine/src/ops/matmul';
import '../../../engine/src/ops/permuting';
import '../../../engine/src/ops/random';
import '../../../engine/src/ops/unary';
import { type DimSymbol, type Poly, symbol, symbolsOf } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, RowVariable } from '../../../engine/src/dims/shape';
import type { DType } from '../../../engine/src/dtype';
import { type Backend, reference, Unavailable } from '../../../engine/src/evaluate/backend';
import { type EvaluateOptions, evaluate } from '../../../engine/src/evaluate/evaluate';
import { EvaluationError, plan, showBytes } from '../../../engine/src/evaluate/plan';
import { type ArrayNode, record, source } from '../../../engine/src/graph/graph';
import { defineOp, opNamed, type Shape } from '../../../engine/src/graph/op';
import { elementCount, type Tensor } from '../../../engine/src/tensor';

const counting = (...shape: number[]): Tensor => ({
  shape,
  dtype: 'float32',
  data: Float32Array.from({ length: elementCount(shape) }, (_, i) => i),
});
const input = (label: string, shape: Shape, dtype: DType | null = 'float32') => source({ shape, dtype }, { label });
const constant = (value: Tensor) => source({ shape: value.shape, dtype: value.dtype }, { value });
const op = (name: string, inputs: readonly ArrayNode[], attrs = {}, facts = new Facts()) =>
  record(facts, name, inputs, attrs)[0];
const atom = (s: Poly): DimSymbol => [...symbolsOf(s)][0];

/** The first output's values. */
const valuesOf = async (node: ArrayNode, options?: EvaluateOptions) => [
  ...(await evaluate([node], options)).outputs[0].data,
];

const problem = async (outputs: readonly ArrayNode[], options?: EvaluateOptions): Promise<string> => {
  const error = await evaluate(outputs, options).catch(e => e);
  expect(error).toBeInstanceOf(EvaluationError);
  return `${error.problem}: ${error.message}`;
};

/** Addition that no chain takes in. */
defineOp({ name: 'apart', infer: opNamed('add').infer, kernel: opNamed('add').kernel });

describe('evaluation', () => {
  it('computes what outputs rest on, each operation once', async () => {
    const x = input('x', [3]);
    const doubled = op('add', [x, x]);
    const squared = op('multiply', [doubled, doubled]);
    const { outputs, steps } = await evaluate([squared, doubled, x], { bind: new Map([[x, counting(3)]]) });
    expect(outputs.map(o => [...o.data])).toEqual([
      [0, 4, 16],
      [0, 2, 4],
      [0, 1, 2],
    ]);
    expect(steps.map(s => [s.call.op, s.backend])).toEqual([
      ['add', 'reference'],
      ['multiply', 'reference'],
    ]);
    for (const step of steps) expect(step.milliseconds).toBeGreaterThanOrEqual(0);
  });

  it('takes the numbers of symbols from the arrays given', async () => {
    const [B, D] = [symbol('B', { flexible: true }), symbol('D')];
    const [x, w] = [input('x', [B, D]), input('w', [D, 2])];
    const bind = new Map([
      [x, counting(1, 3)],
      [w, counting(3, 2)],
    ]);
    expect(await valuesOf(op('matmul', [x, w]), { bind })).toEqual([10, 13]);
  });

  it('takes the rank of an open shape from the array given', async () => {
    const x = input('x', new OpenShape(new RowVariable('x'), []), null);
    expect(await valuesOf(op('add', [x, x]), { bind: new Map([[x, counting(2, 2)]]) })).toEqual([0, 2, 4, 6]);
  });

  it('takes numbers chosen for symbols, also inside attributes', async () => {
    const N = symbol('N');
    const zero = constant(counting(1));
    const drawn = op('random.uniform', [zero, zero], { shape: [N], dtype: 'float32', key: { seed: 0, draw: 0 } });
    expect(await valuesOf(drawn, { symbols: new Map([[atom(N), 4]]) })).toEqual([0, 0, 0, 0]);
  });

  it('resolves symbols through the facts of the recording, and learns nothing into them', async () => {
    const facts = new Facts();
    const N = symbol('N', { flexible: true });
    facts.assumeEqual(N, 2);
    const x = input('x', [N]);
    const mark = facts.mark();
    expect(await valuesOf(op('add', [x, x], {}, facts), { facts, bind: new Map([[x, counting(2)]]) })).toEqual([0, 2]);
    expect(facts.mark()).toBe(mark);
  });

  it('asks the rule again where recording could not tell', async () => {
    const [a, b] = [input('a', [symbol('m')]), input('b', [symbol('n')])];
    const sum = op('add', [a, b]);
    const bind = new Map([
      [a, counting(1)],
      [b, counting(3)],
    ]);
    expect(await valuesOf(sum, { bind })).toEqual([0, 1, 2]);
  });

  it('puts given values in the place of a computed array', async () => {
    const x = input('x', [2]);
    const y = op('add', [x, x]);
    expect(await valuesOf(op('multiply', [y, y]), { bind: new Map([[y, counting(2)]]) })).toEqual([0, 1]);
  });

  it('stands deep graphs', async () => {
    let x: ArrayNode = constant(counting(2));
    const one = constant({ shape: [], dtype: 'float32', data: Float32Array.of(1) });
    for (let i = 0; i < 20_000; i++) x = op('add', [x, one]);
    expect(await valuesOf(x)).toEqual([20_000, 20_001]);
  });
});

describe('evaluation refuses before it starts', () => {
  it('sources without values', async () => {
    expect(await problem([input('x', [2])])).toBe('source: x, float32[2], has no values: give it some');
  });

  it('values of another shape or dtype, or at odds with each other', async () => {
    const N = symbol('N');
    const [x, y] = [input('x', [N, 3]), input('y', [N])];
    const sum = op('add', [x, op('add', [y, y])]);
    const given = (a: Tensor, b: Tensor) => ({
      bind: new Map([
        [x, a],
        [y, b],
      ]),
    });
    expect(await problem([sum], given(counting(2, 4), counting(2)))).toBe(
      'source: the values given for x, float32[N, 3], are float32[2, 4]',
    );
    expect(await problem([sum], given(counting(6), counting(2)))).toContain('are float32[6]');
    expect(await problem([sum], given(counting(2, 3), counting(5)))).toContain(
      'given for y, float32[N], are float32[5]',
    );
    const whole: Tensor = { shape: [2, 3], dtype: 'int32', data: new Int32Array(6) };
    expect(await problem([sum], given(whole, counting(2)))).toContain('are int32[2, 3]');
  });

  it('symbols without numbers, by name', async () => {
    const zero = constant(counting(1));
    const [N, M] = [symbol('N'), symbol('M')];
    const drawn = op('random.uniform', [zero, zero], { shape: [N], dtype: 'float32', key: { seed: 0, draw: 0 } });
    expect(await problem([drawn])).toBe('symbol: N in the arguments of random.uniform has no number yet: give it one');
    expect(await problem([drawn], { symbols: new Map([[atom(M), 3]]) })).toContain('N in the arguments');
  });

  it('a number that the code contradicts', async () => {
    const facts = new Facts();
    const N = symbol('N', { flexible: true });
    facts.assumeEqual(N, 3);
    const x = input('x', [N]);
    const options = { facts, symbols: new Map([[atom(N), 4]]), bind: new Map([[x, counting(4)]]) };
    expect(await problem([op('add', [x, x], {}, facts)], options)).toBe(
      'symbol: N cannot be 4: the code gives it another value',
    );
  });

  it('what MLX would raise with these numbers', async () => {
    const [a, b] = [input('a', [symbol('m')]), input('b', [symbol('n')])];
    const bind = new Map([
      [a, counting(2)],
      [b, counting(3)],
    ]);
    expect(await problem([op('add', [a, b])], { bind })).toContain(
      'refused: add cannot combine float32[2] with float32[3]',
    );
  });

  it('more memory than allowed, and says how much', async () => {
    const x = constant(counting(1000));
    expect(await problem([op('add', [x, x])], { memoryLimit: 5000 })).toBe(
      'memory: this would need 8 kB, the limit is 5 kB: try fewer rows or a smaller layer',
    );
  });

  it('operations without a kernel', async () => {
    defineOp({ name: 'test.nothing', infer: (_, [x]) => x });
    expect(await problem([op('test.nothing', [constant(counting(1))])])).toBe(
      'kernel: test.nothing cannot be computed here yet',
    );
  });
});

describe('memory', () => {
  it('counts an array until its last use', () => {
    const x = constant(counting(250)); // 1 kB
    let y = op('apart', [x, x]);
    for (let i = 0; i < 9; i++) y = op('apart', [y, x]);
    const { peakBytes, steps } = plan([y]);
    expect(peakBytes).toBe(3000);
    expect(steps.map(s => s.frees.length)).toEqual([0, ...Array(9).fill(1)]);
    expect(plan([y, steps[3].call.outputs[0]]).peakBytes).toBe(4000);
  });

  it('counts half precision as it is held here', () => {
    const half: Tensor = { shape: [100], dtype: 'float16', data: new Float32Array(100) };
    expect(plan([constant(half)]).peakBytes).toBe(400);
  });

  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1500, '1.5 kB'],
    [3.2e9, '3.2 GB'],
    [123456789, '123 MB'],
    [999_600, '1 MB'],
  ])('shows %d as %s', (bytes, text) => expect(showBytes(bytes)).toBe(text));
});

describe('backends', () => {
  const x = constant(counting(2));
  const sum = op('multiply', [op('apart', [x, x]), x]);
  const partial = (run: Backend['run']): Backend => ({ name: 'partial', supports: name => name === 'apart', run });

  it('compute what they support, asynchronously too', async () => {
    const backend = partial(async (...args) => await reference.run(...args));
    const { outputs, steps } = await evaluate([sum], { backend });
    expect([...outputs[0].data]).toEqual([0, 2]);
    expect(steps.map(s => s.backend)).toEqual(['partial', 'reference']);
  });

  it('are named when they fail or answer wrongly', async () => {
    const lost = partial(() => {
      throw new Error('the device was lost');
    });
    expect(await problem([sum], { backend: lost })).toBe('failed: apart failed on partial: the device was lost');
    expect(await problem([sum], { backend: partial(() => [counting(3)]) })).toBe(
      'failed: apart on partial gave float32[3] for float32[2]',
    );
    expect(await problem([sum], { backend: partial(() => []) })).toContain('gave nothing');
  });

  it('hand over to the next when they give up, and are asked again before every step', async () => {
    let lost = false;
    const first: Backend = {
      name: 'first',
      supports: () => !lost,
      run() {
        lost = true;
        throw new Unavailable('the device was lost');
      },
    };
    const second = partial(reference.run);
    const { outputs, steps } = await evaluate([sum], { backend: [first, second] });
    expect([...outputs[0].data]).toEqual([0, 2]);
    expect(steps.map(({ backend, givenUp }) => ({ backend, givenUp }))).toEqual([
      { backend: 'partial', givenUp: [{ backend: 'first', reason: 'the device was lost' }] },
      { backend: 'reference', givenUp: undefined },
    ]);
  });
});

describe('cancelling', () => {
  it('stops between operations, and lets the event loop turn meanwhile', async () => {
    const controller = new AbortController();
    defineOp({
      name: 'test.slow',
      infer: (_, [x]) => x,
      kernel: ([x]) => {
        const until = performance.now() + 8;
        while (performance.now() < until);
        return x;
      },
    });
    let y: ArrayNode = constant(counting(1));
    for (let i = 0; i < 200; i++) y = op('test.slow', [y]);
    let done = 0;
    setTimeout(() => controller.abort(), 30);
    const running = evaluate([y], { signal: controller.signal, onProgress: p => (done = p.done) });
    await expect(running).rejects.toThrow('aborted');
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(50);
  });

  it('does not begin when already cancelled', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(evaluate([constant(counting(1))], { signal })).rejects.toThrow('no longer wanted');
  });

  it('reports progress', async () => {
    const x = constant(counting(1));
    const seen: string[] = [];
    await evaluate([op('apart', [op('apart', [x, x]), x])], {
      onProgress: p => seen.push(`${p.done}/${p.total} ${p.call.op}`),
    });
    expect(seen).toEqual(['1/2 apart', '2/2 apart']);
  });
});

describe('steps that are computed together', () => {
  const x = constant(counting(2, 3));

  it('are chains of what only the next one reads', async () => {
    const y = op('add', [x, x]);
    const z = op('multiply', [op('exp', [y]), op('negative', [y])]);
    const { outputs, steps } = await evaluate([z]);
    expect(steps.map(s => s.call.op)).toEqual(['add', 'multiply']);
    expect([...outputs[0].data].slice(0, 2)).toEqual([-0, Math.fround(Math.fround(Math.exp(2)) * -2)]);
    expect((await evaluate([z, y])).steps).toHaveLength(2);
  });

  it('are no longer than a chain may be', async () => {
    let y: ArrayNode = x;
    for (let i = 0; i < 60; i++) y = op('add', [y, x]);
    const { outputs, steps } = await evaluate([y]);
    expect(steps).toHaveLength(3);
    expect([...outputs[0].data]).toEqual([0, 61, 122, 183, 244, 305]);
  });

  it('are products with matrices that are stored transposed', async () => {
    const product = op('matmul', [x, op('transpose', [x], { axes: null })]);
    const { outputs, steps, peakBytes } = await evaluate([product]);
    expect(steps.map(s => s.call.op)).toEqual(['matmul']);
    expect([...outputs[0].data]).toEqual([5, 14, 14, 50]);
    expect(peakBytes).toBe(24 + 16);
  });

  it('leave what is an output', async () => {
    const turned = op('transpose', [x], { axes: null });
    const { outputs, steps } = await evaluate([op('matmul', [x, turned]), turned]);
    expect(steps).toHaveLength(2);
    expect([...outputs[1].data]).toEqual([0, 3, 1, 4, 2, 5]);
  });
});
