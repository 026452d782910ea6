/**
 * Elementwise operations, alone and in chains: the program that the kernel (kernels/chain.ts) walks.
 */
import type { Attrs, ConcreteType } from '../../src/graph/op';
import { CHAIN, CHAINED_OPS, type ChainAttrs, type ChainStep, chainable } from '../../src/ops/chain';
import { elementCount, type Tensor } from '../../src/tensor';
import { broadcastAxes } from '../broadcast';
import type { Arena } from './arena';
import { ROUNDING } from './kernels';
import type { WasmOp } from './op';

/** As kernels/chain.ts numbers them; 0 copies. */
const CODES: Readonly<Record<string, number>> = {
  stop_gradient: 0,
  negative: 1,
  abs: 2,
  square: 3,
  sqrt: 4,
  rsqrt: 5,
  reciprocal: 6,
  exp: 7,
  sigmoid: 8,
  tanh: 9,
  erf: 10,
  log: 11,
  log2: 12,
  log10: 13,
  log1p: 14,
  expm1: 15,
  sin: 16,
  cos: 17,
  floor: 18,
  ceil: 19,
  logical_not: 20,
  add: 32,
  subtract: 33,
  multiply: 34,
  divide: 35,
  maximum: 36,
  minimum: 37,
  power: 38,
  equal: 39,
  not_equal: 40,
  less: 41,
  less_equal: 42,
  greater: 43,
  greater_equal: 44,
  logical_and: 45,
  logical_or: 46,
  where: 64,
};
const COPY = 0;
const TRUTH = 21;

const codeOf = ({ op, type }: ChainStep): number =>
  op === 'astype' ? (type.dtype === 'bool' ? TRUTH : COPY) : CODES[op];

/** As kernels/chain.ts lays inputs out: address, whether bytes, inner stride, strides of MOST_AXES outer axes. */
const MOST_AXES = 8;
const INPUT_WORDS = 3 + MOST_AXES;

function compute(arena: Arena, inputs: readonly Tensor[], steps: readonly ChainStep[], out: ConcreteType): Tensor {
  const count = elementCount(out.shape);
  const bools = out.dtype === 'bool';
  if (count === 0) return { ...out, data: bools ? new Uint8Array(0) : new Float32Array(0) } as Tensor;
  const axes = broadcastAxes(inputs, out);
  const inner = axes.pop() ?? { length: 1, strides: inputs.map(() => 0) };
  return arena.use(() => {
    const described = new Uint32Array(inputs.length * INPUT_WORDS);
    for (const [i, { data, dtype }] of inputs.entries()) {
      const outer = axes.map(({ strides }) => strides[i]);
      described.set([arena.put(data), Number(dtype === 'bool'), inner.strides[i], ...outer], i * INPUT_WORDS);
    }
    const program = steps.flatMap(step => {
      const [a = 0, b = 0, c = 0] = step.operands;
      return [codeOf(step), a, b, c, ROUNDING[step.type.dtype] ?? 0];
    });
    const [code, table, lengths] = [program, described, axes.map(({ length }) => length)].map(words =>
      arena.put(Uint32Array.from(words)),
    );
    const to = arena.allocate(bools ? count : count * 4);
    const workspace = arena.allocate(arena.kernels.chainWorkspaceBytes());
    arena.kernels.chain(
      code,
      steps.length,
      table,
      inputs.length,
      lengths,
      axes.length,
      inner.length,
      to,
      Number(bools),
      workspace,
    );
    const data = bools ? arena.bytes(to, count).slice() : arena.floats(to, count).slice();
    return { shape: out.shape, dtype: out.dtype, data } as Tensor;
  });
}

const fits = (inputs: readonly ConcreteType[]): boolean => inputs.every(({ shape }) => shape.length <= MOST_AXES);

const single = (op: string): WasmOp => ({
  supports(attrs, inputs) {
    if (!fits(inputs)) return false;
    // what it gives is a float or a boolean wherever what it takes is, but for a cast
    const out = op === 'astype' ? ({ shape: [], dtype: attrs.dtype } as ConcreteType) : inputs[inputs.length - 1];
    return chainable(op, inputs, out);
  },
  run: ({ arena }, inputs, attrs, [out]) => [
    compute(arena, inputs, [{ op, attrs, operands: inputs.map((_, i) => i), type: out }], out),
  ],
});

const chain: WasmOp = {
  supports: (_, inputs) => fits(inputs),
  run: ({ arena }, inputs, attrs: Attrs, [out]) => [
    compute(arena, inputs, (attrs as unknown as ChainAttrs).steps, out),
  ],
};

export const ELEMENTWISE_OPS: Readonly<Record<string, WasmOp>> = {
  [CHAIN]: chain,
  ...Object.fromEntries(CHAINED_OPS.map(op => [op, single(op)])),
};
