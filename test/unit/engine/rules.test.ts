/**
 * What MLX accepts and refuses of products, quantization and random numbers, over neighbouring shapes and dtypes.
 */
import { describe, expect, it } from 'vitest';
import '../../../engine/src/ops/binary';
import '../../../engine/src/ops/einsum';
import '../../../engine/src/ops/matmul';
import '../../../engine/src/ops/quantize';
import '../../../engine/src/ops/quantized_products';
import '../../../engine/src/ops/random';
import { Facts } from '../../../engine/src/dims/facts';
import type { DType } from '../../../engine/src/dtype';
import { record, source } from '../../../engine/src/graph/graph';
import type { Attrs } from '../../../engine/src/graph/op';
import { Refusal } from '../../../engine/src/graph/refusal';
import { cases } from './golden';

type Typed = readonly [DType, readonly number[]];

interface Case {
  readonly op: string;
  readonly inputs: readonly Typed[];
  readonly given: readonly string[];
  readonly attrs: { readonly [name: string]: unknown };
  readonly out?: readonly Typed[];
  readonly error?: string;
}

/** Attributes that Python leaves out. */
const DEFAULTS: Readonly<Record<string, Attrs>> = {
  quantize: { mode: 'affine', bits: null, group_size: null },
  dequantize: { mode: 'affine', bits: null, group_size: null },
  quantized_matmul: { mode: 'affine', bits: null, group_size: null, transpose: true },
  gather_qmm: { mode: 'affine', bits: null, group_size: null, transpose: true },
  'random.uniform': { dtype: 'float32' },
  'random.normal': { dtype: 'float32' },
  'random.truncated_normal': { dtype: 'float32' },
  'random.multivariate_normal': { dtype: 'float32' },
  'random.laplace': { loc: 0, scale: 1 },
};

/** Python passes an array to permutation by position. */
function given({ op, inputs, given }: Case): readonly string[] {
  return op === 'random.permutation' && inputs.length > given.length ? ['x', ...given] : given;
}

function ours(c: Case): readonly Typed[] | string {
  const inputs = c.inputs.map(([dtype, shape]) => source({ dtype, shape }));
  const dtype = c.attrs.dtype === 'bool_' ? { dtype: 'bool' } : {};
  const key = c.op.startsWith('random.') && !c.given.includes('key') ? { key: { seed: 0, draw: 0 } } : {};
  try {
    const out = record(new Facts(), c.op, inputs, {
      ...DEFAULTS[c.op],
      ...(c.attrs as Attrs),
      ...dtype,
      ...key,
      given: given(c),
    });
    return out.map(o => [o.dtype, o.shape] as Typed);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    expect(error.message.length).toBeGreaterThan(20);
    return error.pythonType;
  }
}

/** Refusals of MLX's CPU build that its Metal build does not know: they are no proof of a fault. */
const ONLY_ON_CPU = ({ op, attrs, inputs }: Case): boolean =>
  op === 'quantize' && attrs.mode !== undefined && attrs.mode !== 'affine' && inputs[0][1].includes(0);

describe('rules', () => {
  const all = cases<Case>('rules').filter(c => !ONLY_ON_CPU(c));
  it.each([...new Set(all.map(c => c.op))])('%s answers and refuses as MLX does', op => {
    const wrong: string[] = [];
    for (const c of all.filter(c => c.op === op)) {
      const got = JSON.stringify(ours(c));
      const wanted = JSON.stringify(c.out ?? c.error);
      if (got !== wanted) wrong.push(`${JSON.stringify([c.inputs, c.given, c.attrs])}\n  is ${got}, in MLX ${wanted}`);
    }
    expect(wrong.join('\n')).toBe('');
  });
});
