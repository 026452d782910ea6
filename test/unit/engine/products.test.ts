import { describe, expect, it } from 'vitest';
import '../../../engine/src/ops/binary';
import '../../../engine/src/ops/einsum';
import '../../../engine/src/ops/matmul';
import '../../../engine/src/ops/quantize';
import '../../../engine/src/ops/quantized_products';
import type { DType } from '../../../engine/src/dtype';
import type { Attrs } from '../../../engine/src/graph/op';
import { cast } from '../../../engine/src/numeric/cast';
import type { QuantizationMode } from '../../../engine/src/quantize/modes';
import { quantize } from '../../../engine/src/quantize/quantize';
import { normal } from '../../../engine/src/random/distributions';
import { keyOf } from '../../../engine/src/random/key';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import { cases, expectNear, expectSame, type Recorded, run } from './golden';

type Typed = readonly [DType, readonly number[]];
type Picks = Readonly<Record<string, readonly (number | readonly number[])[]>>;

/** What the recorder drew: normal numbers of the seed's key. */
const drawn = (seed: number, [dtype, shape]: Typed): Tensor => cast(normal(keyOf(seed), shape), dtype);

function indices(values: Picks[string]): Tensor {
  const rows = values.map(v => (typeof v === 'number' ? [v] : v));
  const flat = Int32Array.from(rows.flat());
  const shape = typeof values[0] === 'number' ? [values.length] : [values.length, elementCount([rows[0].length])];
  return { shape, dtype: 'int32', data: flat };
}

interface Case {
  readonly op: string;
  readonly inputs: readonly Typed[];
  readonly attrs: Attrs;
  readonly picks?: Picks;
  readonly out: Recorded;
  readonly exact: boolean;
}

describe('matrix products', () => {
  const all = cases<Case>('products');
  it.each(all.map((c, i) => [`${c.op} ${i}: ${JSON.stringify([c.inputs, c.attrs, c.picks])}`, c] as const))(
    '%s',
    (what, c) => {
      const picks = Object.entries(c.picks ?? {});
      const inputs = [...c.inputs.map((type, i) => drawn(i, type)), ...picks.map(([, values]) => indices(values))];
      const [out] = run(c.op, inputs, { ...c.attrs, given: picks.map(([name]) => name) });
      if (c.exact) expectSame(out, c.out, what);
      else expectNear(out, c.out, 1e-6, what);
    },
  );
});

interface QuantizedCase {
  readonly op: string;
  readonly x: Typed;
  readonly w: Typed;
  readonly attrs: {
    readonly mode: QuantizationMode;
    readonly bits: number;
    readonly group_size: number;
    readonly transpose: boolean;
  };
  readonly picks: Picks;
  readonly out: Recorded;
}

describe('products with quantized matrices, in the order of operations of MLX', () => {
  const all = cases<QuantizedCase>('quantized_products');
  it.each([...new Set(all.map(c => `${c.op} ${c.attrs.mode} ${c.attrs.bits}`))])('%s', group => {
    for (const c of all.filter(c => `${c.op} ${c.attrs.mode} ${c.attrs.bits}` === group)) {
      const { mode, bits, group_size: groupSize } = c.attrs;
      const { packed, scales, biases } = quantize(drawn(1, c.w), { mode, bits, groupSize });
      const picks = Object.entries(c.picks);
      const given = [...(biases ? ['biases'] : []), ...picks.map(([name]) => name)];
      const inputs = [drawn(0, c.x), packed, scales, ...(biases ? [biases] : []), ...picks.map(([, v]) => indices(v))];
      const [out] = run(c.op, inputs, { ...c.attrs, given });
      expectSame(out, c.out, JSON.stringify([c.x, c.w, c.attrs, c.picks]));
    }
  });
});

it('refuses an index that no matrix has', () => {
  const [a, b] = [drawn(0, ['float32', [2, 3]]), drawn(1, ['float32', [4, 3, 5]])];
  expect(() => run('gather_mm', [a, b, indices([4])], { given: ['rhs_indices'] })).toThrow(
    'index 4 is out of range: there are 4',
  );
});
