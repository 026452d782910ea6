/**
 * What every backend must compute as the reference does, at sizes around the edges of tiles and workgroups.
 */

import { Facts } from '../../../engine/src/dims/facts';
import type { DType } from '../../../engine/src/dtype';
import type { Attrs } from '../../../engine/src/graph/op';
import { type ConcreteType, opNamed } from '../../../engine/src/graph/op';
import { rounder } from '../../../engine/src/numeric/round';
import { QUANTIZATION_MODES, type QuantizationMode } from '../../../engine/src/quantize/modes';
import { quantize } from '../../../engine/src/quantize/quantize';
import { elementCount, type Tensor, tensor } from '../../../engine/src/tensor';
import { values } from './products';
import '../../../engine/src/ops';

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly attrs: Attrs;
  readonly inputs: readonly Tensor[];
}

/** The types that the operation's rule gives for a case. */
export function resultTypes({ op, attrs, inputs }: Case): readonly ConcreteType[] {
  const types = opNamed(op).infer(new Facts(), inputs, attrs);
  return (Array.isArray(types) ? types : [types]) as readonly ConcreteType[];
}

/** Reproducible values of a half or single type. */
export function random(dtype: DType, shape: readonly number[], seed: number, scale = 1): Tensor {
  const round = rounder(dtype);
  return tensor(
    dtype,
    shape,
    values(elementCount(shape), seed).map(v => round(v * scale)) as Float32Array<ArrayBuffer>,
  );
}

const show = (inputs: readonly ConcreteType[]) => inputs.map(i => `${i.dtype}[${i.shape}]`).join(' ');

const FLOATS = ['float32', 'float16', 'bfloat16'] as const;

const PRODUCTS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [
    [1, 1],
    [1, 1],
  ],
  [[7], [7]],
  [[7], [7, 5]],
  [[3, 7], [7]],
  [
    [67, 100],
    [100, 45],
  ],
  [
    [5, 257],
    [257, 33],
  ],
  [
    [2, 3, 4, 17],
    [17, 6],
  ],
  [
    [2, 3, 4, 17],
    [3, 17, 6],
  ],
  [
    [4, 17],
    [2, 3, 17, 6],
  ],
  [
    [2, 1, 4, 9],
    [1, 3, 9, 8],
  ],
  [
    [64, 64],
    [64, 64],
  ],
  [
    [63, 15],
    [15, 65],
  ],
  [
    [129, 33],
    [33, 130],
  ],
  [
    [3, 0],
    [0, 2],
  ],
  [
    [0, 3],
    [3, 2],
  ],
];

const TRANSPOSED_PRODUCTS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[7], [5, 7]],
  [
    [1, 130],
    [45, 130],
  ],
  [
    [67, 100],
    [45, 100],
  ],
  [
    [2, 3, 4, 17],
    [6, 17],
  ],
  [
    [2, 3, 4, 17],
    [3, 6, 17],
  ],
  [
    [2, 1, 70, 9],
    [1, 3, 33, 9],
  ],
];

export function productCases(): Case[] {
  const cases: Case[] = [];
  for (const dtype of FLOATS)
    for (const [left, right] of PRODUCTS) {
      const inputs = [random(dtype, left, 1), random(dtype, right, 2)];
      cases.push({ name: `matmul ${show(inputs)}`, op: 'matmul', attrs: {}, inputs });
      const c = random(dtype, right.length > 1 ? right.slice(-1) : [], 3);
      for (const attrs of [{}, { alpha: 0.3, beta: 1.7 }])
        cases.push({
          name: `addmm ${show(inputs)} ${JSON.stringify(attrs)}`,
          op: 'addmm',
          attrs,
          inputs: [c, ...inputs],
        });
    }
  for (const dtype of FLOATS)
    for (const [left, right] of TRANSPOSED_PRODUCTS) {
      const inputs = [random(dtype, left, 1), random(dtype, right, 2)];
      cases.push({ name: `matmul_transposed ${show(inputs)}`, op: 'matmul_transposed', attrs: {}, inputs });
      const c = random(dtype, right.slice(-2, -1), 3);
      cases.push({
        name: `addmm_transposed ${show(inputs)}`,
        op: 'addmm_transposed',
        attrs: {},
        inputs: [c, ...inputs],
      });
    }
  cases.push({
    name: 'gather_mm_transposed',
    op: 'gather_mm_transposed',
    attrs: { given: ['rhs_indices'] },
    inputs: [
      random('float32', [2, 3, 8], 1),
      random('float32', [4, 5, 8], 2),
      tensor('uint32', [2], Uint32Array.of(3, 1)),
    ],
  });
  const mixed = [random('float16', [3, 8], 1), random('float32', [8, 4], 2)];
  cases.push({ name: 'matmul of two dtypes', op: 'matmul', attrs: {}, inputs: mixed });
  cases.push({
    name: 'gather_mm',
    op: 'gather_mm',
    attrs: { given: ['rhs_indices'] },
    inputs: [
      random('float32', [2, 3, 8], 1),
      random('float32', [4, 8, 5], 2),
      tensor('uint32', [2], Uint32Array.of(3, 1)),
    ],
  });
  return cases;
}

/** Shapes that broadcast: equal, by a scalar, along a row, along a column, in the middle, both ways. */
const BROADCASTS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[7], [7]],
  [[129], []],
  [[], [65]],
  [
    [5, 33],
    [5, 33],
  ],
  [[5, 33], [33]],
  [
    [5, 33],
    [5, 1],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 5],
  ],
  [
    [2, 1, 4, 1],
    [1, 3, 1, 5],
  ],
  [
    [2, 1, 3, 1, 4, 1],
    [1, 2, 1, 3, 1, 4],
  ],
];

const UNARY =
  'exp log sqrt rsqrt tanh sigmoid erf negative abs square reciprocal log2 log10 log1p expm1 sin cos floor ceil logical_not'.split(
    ' ',
  );
const BINARY =
  'add subtract multiply divide maximum minimum equal not_equal less less_equal greater greater_equal logical_and logical_or'.split(
    ' ',
  );
/** Operations on positive numbers. */
const OF_POSITIVE = ['log', 'log2', 'log10', 'log1p', 'sqrt', 'rsqrt'];

/** What lies at the ends of float32, and beyond. */
const EXTREMES = [Infinity, -Infinity, 0, -0, 1, -1, 100, -100, 3e38, -3e38, 1e-30, NaN];

/** Elementwise operations, some of them over what is not an ordinary number. */
export function elementwiseCases(): Case[] {
  const cases: Case[] = [];
  const add = (op: string, inputs: readonly Tensor[], what = '') =>
    cases.push({ name: `${op} ${show(inputs)}${what}`, op, attrs: {}, inputs });
  for (const dtype of FLOATS) {
    for (const op of UNARY)
      for (const shape of [[], [1], [63], [5, 77]]) {
        const x = random(dtype, shape, 1, 4);
        add(op, [OF_POSITIVE.includes(op) ? positive(x) : x]);
      }
    for (const op of BINARY)
      for (const [left, right] of BROADCASTS)
        add(op, [random(dtype, left, 1, 4), apartFromZero(random(dtype, right, 2))]);
    const numbers = random(dtype, [4, 8], 1);
    const holes = withNan(random(dtype, [8], 2));
    for (const op of UNARY) add(op, [withNan(positive(random(dtype, [8], 3)))], ' with NaN');
    for (const op of BINARY) {
      add(op, [numbers, holes], ' with NaN');
      add(op, [holes, numbers], ' with NaN');
    }
  }
  const extremes = tensor('float32', [EXTREMES.length], Float32Array.from(EXTREMES));
  const column = tensor('float32', [EXTREMES.length, 1], Float32Array.from(EXTREMES));
  for (const op of UNARY) add(op, [extremes], ' at the extremes');
  for (const op of BINARY) add(op, [column, extremes], ' at the extremes');
  add('add', [random('float16', [3, 8], 1), random('float32', [8], 2)]);
  add('multiply', [random('float16', [8], 1), random('bfloat16', [3, 8], 2)]);
  // more than one row of workgroups
  add('add', [random('float32', [3, 1 << 20], 1), random('float32', [3, 1], 2)]);
  return cases;
}

/** x and a quantized matrix of `shape`, as the operations take them. */
function quantizedInputs(x: Tensor, shape: readonly number[], mode: QuantizationMode, bits: number, groupSize: number) {
  const w = quantize(random(x.dtype, shape, 2), { mode, bits, groupSize });
  return [x, w.packed, w.scales, ...(w.biases ? [w.biases] : [])];
}

export function quantizedCases(): Case[] {
  const cases: Case[] = [];
  for (const [mode, facts] of Object.entries(QUANTIZATION_MODES) as [
    QuantizationMode,
    (typeof QUANTIZATION_MODES)['affine'],
  ][])
    for (const bits of facts.bits)
      for (const dtype of FLOATS)
        for (const transpose of [true, false])
          for (const [i, left] of [
            [1, 128],
            [5, 128],
            [2, 3, 128],
          ].entries()) {
            const groupSize = facts.groupSizes[i % facts.groupSizes.length];
            const shape = transpose ? [43, 128] : [128, 256];
            const inputs = quantizedInputs(random(dtype, left, 1), shape, mode, bits, groupSize);
            const given = mode === 'affine' ? ['biases'] : [];
            cases.push({
              name: `${mode} ${bits} bits by ${groupSize}, ${transpose ? 'transposed ' : ''}${show(inputs)}`,
              op: 'quantized_matmul',
              attrs: { mode, bits, group_size: groupSize, transpose, given },
              inputs,
            });
          }
  const batched = quantizedInputs(random('float32', [2, 3, 4, 64], 1), [2, 3, 10, 64], 'affine', 4, 32);
  const attrs = { mode: 'affine', bits: 4, group_size: 32, transpose: true };
  cases.push({
    name: 'a batch of matrices',
    op: 'quantized_matmul',
    attrs: { ...attrs, given: ['biases'] },
    inputs: batched,
  });
  const [, w, s, b] = quantizedInputs(random('float32', [1, 64], 1), [4, 10, 64], 'affine', 4, 32);
  cases.push({
    name: 'gather_qmm',
    op: 'gather_qmm',
    attrs: { ...attrs, given: ['biases', 'rhs_indices'] },
    inputs: [random('float32', [2, 3, 64], 1), w, s, b, tensor('uint32', [2], Uint32Array.of(2, 0))],
  });
  return cases;
}

export function quantizeCases(): Case[] {
  const cases: Case[] = [];
  for (const bits of QUANTIZATION_MODES.affine.bits)
    for (const group_size of QUANTIZATION_MODES.affine.groupSizes)
      for (const dtype of FLOATS) {
        const attrs = { mode: 'affine', bits, group_size };
        const weights = {
          ordinary: random(dtype, [3, 256], 1),
          positive: positive(random(dtype, [3, 256], 2)),
          'without numbers': unusual(random(dtype, [3, 256], 3, 100)),
          constant: tensor(dtype, [2, 128], new Float32Array(256).fill(0.5)),
        };
        for (const [kind, w] of Object.entries(weights))
          cases.push({ name: `${kind} ${dtype}, ${bits} bits by ${group_size}`, op: 'quantize', attrs, inputs: [w] });
      }
  for (const [mode, { bits, groupSizes }] of Object.entries(QUANTIZATION_MODES))
    for (const dtype of FLOATS) {
      if (mode === 'affine') continue;
      const attrs = { mode, bits: bits[0], group_size: groupSizes[0] };
      for (const scale of [1, 1e-4, 3000])
        cases.push({
          name: `${mode} ${dtype} to ${scale}`,
          op: 'quantize',
          attrs,
          inputs: [random(dtype, [3, 256], scale, scale)],
        });
      cases.push({
        name: `${mode} ${dtype} without numbers`,
        op: 'quantize',
        attrs,
        inputs: [unusual(random(dtype, [3, 256], 3, 100))],
      });
    }
  return cases;
}

/** Draws of every dtype: odd and even counts, bounds that are single numbers, and means and deviations of normal numbers. */
export function randomCases(): Case[] {
  const cases: Case[] = [];
  const key = tensor('uint32', [2], Uint32Array.of(7, 0xdeadbeef));
  for (const shape of [[], [1], [5], [8], [3, 7], [33, 129], [400, 500]]) {
    cases.push({ name: `bits ${shape}`, op: 'random.bits', attrs: { shape, width: 4, given: ['key'] }, inputs: [key] });
    for (const dtype of FLOATS) {
      const attrs = { shape, dtype, given: ['key'] };
      for (const [low, high] of [
        [0, 1],
        [-0.37, 0.37],
        [2.5, 1000],
      ]) {
        const bounds = [scalar(low), scalar(high)];
        const name = `uniform ${dtype} ${shape} from ${low} to ${high}`;
        cases.push({ name, op: 'random.uniform', attrs, inputs: [...bounds, key] });
      }
      const name = `normal ${dtype} ${shape}`;
      cases.push({ name, op: 'random.normal', attrs, inputs: [key] });
      cases.push({
        name: `${name} moved and scaled`,
        op: 'random.normal',
        attrs: { ...attrs, given: ['loc', 'scale', 'key'] },
        inputs: [scalar(0.3), scalar(0.02), key],
      });
    }
  }
  const draw = { shape: [17], dtype: 'float32', key: { seed: 5, draw: 3 } };
  cases.push({ name: 'normal of a seed', op: 'random.normal', attrs: draw, inputs: [] });
  return cases;
}

const scalar = (value: number): Tensor => tensor('float32', [], Float32Array.of(value));

const positive = (x: Tensor): Tensor => tensor(x.dtype, x.shape, (x.data as Float32Array<ArrayBuffer>).map(Math.abs));

/** Divisors: no quotient is beyond the dtype. */
const apartFromZero = (x: Tensor): Tensor =>
  tensor(
    x.dtype,
    x.shape,
    (x.data as Float32Array<ArrayBuffer>).map(v => rounder(x.dtype)(v < 0 ? v - 0.5 : v + 0.5)),
  );

function withNan(x: Tensor): Tensor {
  const data = x.data.slice() as Float32Array<ArrayBuffer>;
  data[2] = NaN;
  return tensor(x.dtype, x.shape, data);
}

/** NaN, infinities, zeros of both signs and a group of nothing else, among ordinary values. */
function unusual(x: Tensor): Tensor {
  const data = x.data.slice() as Float32Array<ArrayBuffer>;
  data.fill(0, 0, 128);
  data.set([NaN, Infinity, -Infinity, 0, -0], 300);
  data.fill(NaN, 512, 640);
  return tensor(x.dtype, x.shape, data);
}
