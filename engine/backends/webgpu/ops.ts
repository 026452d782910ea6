/**
 * Operations as dispatches: what the GPU is sent for each.
 */
import type { Attrs, ConcreteType } from '../../src/graph/op';
import { floatBits } from '../../src/numeric/float';
import { normalizeAxes } from '../../src/ops/axes';
import { CHAIN, type ChainAttrs, type ChainStep, chainable } from '../../src/ops/chain';
import { gatherIndex } from '../../src/ops/matmul';
import { type Given, optionalInput } from '../../src/ops/optional';
import { addScaled } from '../../src/ops/product_kernels';
import { concrete } from '../../src/ops/quantize_checks';
import { exchanged, TRANSPOSED } from '../../src/ops/transposed_products';
import { elementCount, type Tensor } from '../../src/tensor';
import { runs } from '../batches';
import { broadcastAxes } from '../broadcast';
import { isHeldAsFloat32, roundedTo } from '../held';
import {
  asColumn,
  asRow,
  broadcastPairs,
  type Pairs,
  productShape,
  quantizedAttrs,
  quantizedBatch,
  quantizedMatrices,
} from '../products';
import { CHAIN_OPS, chain, MOST_AXES, ROW_OF_WORKGROUPS, WORKGROUP } from './elementwise';
import type { Dispatch } from './gpu';
import { denseProduct, quantizedProduct, TILE } from './matmul';
import { normRows, softmaxRows } from './rows';
import type { Shader } from './shader';

export interface GpuOp {
  supports(attrs: Attrs, inputs: readonly ConcreteType[]): boolean;
  /** Multiplications or elements that there are to compute. */
  work(attrs: Attrs, inputs: readonly ConcreteType[], out: ConcreteType): number;
  /** `most` workgroups fit along an axis of a dispatch. */
  dispatches(attrs: Attrs, inputs: readonly Tensor[], out: ConcreteType, most: number): readonly Dispatch[];
  /** The result, of the floats that the dispatches wrote. */
  finish(values: Float32Array<ArrayBuffer>, attrs: Attrs, inputs: readonly Tensor[], out: ConcreteType): Tensor;
}

const roundOnce: GpuOp['finish'] = (values, _attrs, _inputs, out) => roundedTo(out, values);

// ---- products ---------------------------------------------------------------------------------------------------------

interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly pairs: Pairs;
}

/** Dispatches of a tiled product. `inputs` are x and the arrays of the weights. */
function productDispatches(
  shader: Shader,
  { m, k, n, pairs }: Product,
  inputs: Dispatch['inputs'],
  most: number,
): readonly Dispatch[] {
  const [first, ...others] = runs(pairs.ofX, pairs.ofW);
  // rows that all meet one matrix are one large product
  const whole = others.length === 0 && first.x === 0;
  const rows = whole ? m * first.count : m;
  const count = whole ? 1 : pairs.ofX.length;
  const matrices = new Uint32Array(2 * count);
  for (let i = 0; i < count; i++) matrices.set([pairs.ofX[i], pairs.ofW[i]], 2 * i);
  const dispatches: Dispatch[] = [];
  for (let at = 0; at < count; at += most)
    dispatches.push({
      shader,
      params: [rows, k, n, at],
      inputs: [matrices, ...inputs],
      workgroups: [Math.ceil(n / TILE), Math.ceil(rows / TILE), Math.min(most, count - at)],
    });
  return dispatches;
}

function denseDispatches(a: Tensor, b: Tensor, transposed: boolean, pairs: Pairs, most: number): readonly Dispatch[] {
  const [m, k] = asRow(a).slice(-2);
  const column = asColumn(factor(b, transposed));
  const n = column[column.length - 1];
  return productDispatches(denseProduct(transposed), { m, k, n, pairs }, [a.data, b.data], most);
}

/** The matrices of b as they take part in the product. */
const factor = (b: ConcreteType, transposed: boolean): ConcreteType => (transposed ? exchanged(b) : b);

const multiplications = (a: ConcreteType, b: ConcreteType): number =>
  elementCount(productShape(a, b)) * a.shape[a.shape.length - 1];

const allFloats = (inputs: readonly ConcreteType[]): boolean => inputs.every(type => isHeldAsFloat32(type.dtype));

const matmul = (transposed: boolean): GpuOp => ({
  supports: (_, inputs) => allFloats(inputs),
  work: (_, [a, b]) => multiplications(a, factor(b, transposed)),
  dispatches: (_, [a, b], _out, most) =>
    denseDispatches(a, b, transposed, broadcastPairs(a, factor(b, transposed)), most),
  finish: roundOnce,
});

/** The GPU multiplies, the little that is left is done here. */
const addmm = (transposed: boolean): GpuOp => ({
  supports: (_, inputs) => allFloats(inputs),
  work: (_, [, a, b]) => multiplications(a, factor(b, transposed)),
  dispatches: (_, [, a, b], _out, most) =>
    denseDispatches(a, b, transposed, broadcastPairs(a, factor(b, transposed)), most),
  finish(data, { alpha = 1, beta = 1 }, [c, a, b], out) {
    const sums: Tensor = { shape: productShape(a, factor(b, transposed)), dtype: 'float32', data };
    return addScaled(sums, c, alpha as number, beta as number, out);
  },
});

type Indices = Given<'lhs_indices' | 'rhs_indices'>;

const gatherMm = (transposed: boolean): GpuOp => ({
  supports: (_, [a, b]) => allFloats([a, b]) && a.shape.length > 1 && b.shape.length > 1,
  work: (_, [a], out) => elementCount(out.shape) * a.shape[a.shape.length - 1],
  dispatches(attrs, inputs, out, most) {
    const [a, b] = inputs;
    const lhs = optionalInput(inputs, attrs as Indices, 2, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs as Indices, 2, 'rhs_indices');
    const other = factor(b, transposed);
    const batch = out.shape.slice(0, -2);
    const pairs =
      lhs || rhs
        ? { ofX: gatherIndex(lhs, a.shape, batch), ofW: gatherIndex(rhs, other.shape, batch) }
        : broadcastPairs(a, other);
    return denseDispatches(a, b, transposed, pairs, most);
  },
  finish: roundOnce,
});

const quantizedMatmul: GpuOp = {
  supports(attrs, [x, , scales]) {
    return isHeldAsFloat32(x.dtype) && (quantizedAttrs(attrs).mode !== 'affine' || isHeldAsFloat32(scales.dtype));
  },
  work: (_, [x], out) => elementCount(out.shape) * x.shape[x.shape.length - 1],
  dispatches(attrs, inputs, out, most) {
    const given = quantizedAttrs(attrs);
    const quantization = concrete('quantized_matmul', given);
    const { codes, scales, biases, rows, columns } = quantizedMatrices(inputs, given, quantization, out.dtype);
    const [n, k] = given.transpose ? [rows, columns] : [columns, rows];
    const { m, ...pairs } = quantizedBatch(inputs, out);
    const { mode, bits, groupSize } = quantization;
    const shader = quantizedProduct(mode, bits, groupSize, given.transpose);
    const arrays = [inputs[0].data, codes, scales, ...(biases ? [biases] : [])];
    return productDispatches(shader, { m, k, n, pairs }, arrays, most);
  },
  finish: roundOnce,
};

// ---- elementwise ------------------------------------------------------------------------------------------------------

function workgroups(count: number): [number, number, number] {
  const needed = Math.ceil(count / WORKGROUP);
  return [Math.min(needed, ROW_OF_WORKGROUPS), Math.ceil(needed / ROW_OF_WORKGROUPS), 1];
}

/** Storage buffers that every device lets a program have, less the one it writes. */
const MOST_INPUTS = 7;

function chainDispatches(
  inputs: readonly Tensor[],
  steps: readonly ChainStep[],
  out: ConcreteType,
): readonly Dispatch[] {
  const count = elementCount(out.shape);
  const axes = [...broadcastAxes(inputs, out)].reverse();
  while (axes.length < MOST_AXES) axes.push({ length: 1, strides: inputs.map(() => 0) });
  const strides = inputs.flatMap((_, i) => axes.map(axis => axis.strides[i]));
  const params = [count, ...axes.map(({ length }) => length), ...strides];
  const arrays = inputs.map(({ data, dtype }) => (dtype === 'bool' ? Float32Array.from(data as Uint8Array) : data));
  return [{ shader: chain(inputs.length, steps), params, inputs: arrays, workgroups: workgroups(count) }];
}

const finishChain: GpuOp['finish'] = (values, _attrs, _inputs, out) =>
  out.dtype === 'bool' ? { ...out, dtype: 'bool', data: Uint8Array.from(values) } : roundedTo(out, values);

const fitsChain = (inputs: readonly ConcreteType[]): boolean =>
  inputs.length <= MOST_INPUTS &&
  inputs.every(({ shape, dtype }) => shape.length <= MOST_AXES && (dtype === 'bool' || isHeldAsFloat32(dtype)));

const chainOp: GpuOp = {
  supports: (attrs, inputs) =>
    fitsChain(inputs) && (attrs as unknown as ChainAttrs).steps.every(({ op }) => CHAIN_OPS.has(op)),
  work: (_attrs, _inputs, out) => elementCount(out.shape),
  dispatches: (attrs, inputs, out) => chainDispatches(inputs, (attrs as unknown as ChainAttrs).steps, out),
  finish: finishChain,
};

const elementwise = (op: string): GpuOp => ({
  supports(attrs, inputs) {
    const out = op === 'astype' ? ({ shape: [], dtype: attrs.dtype } as ConcreteType) : inputs[inputs.length - 1];
    return fitsChain(inputs) && chainable(op, inputs, out);
  },
  work: (_attrs, _inputs, out) => elementCount(out.shape),
  dispatches: (attrs, inputs, out) =>
    chainDispatches(inputs, [{ op, attrs, operands: inputs.map((_, i) => i), type: out }], out),
  finish: finishChain,
});

// ---- rows -------------------------------------------------------------------------------------------------------------

/** Workgroups for so many rows. */
const ofRows = (rows: number): [number, number, number] => [
  Math.min(rows, ROW_OF_WORKGROUPS),
  Math.ceil(rows / ROW_OF_WORKGROUPS),
  1,
];

const hasRows = ({ shape }: ConcreteType): boolean => shape.length > 0 && elementCount(shape) > 0;

const softmax: GpuOp = {
  supports({ axes }, [x]) {
    if (!allFloats([x]) || !hasRows(x)) return false;
    // axes that end with the last lie one behind the other
    const over = normalizeAxes('softmax', x, axes as readonly number[] | null);
    return over.length > 0 && over.length === x.shape.length - Math.min(...over);
  },
  work: (_attrs, _inputs, out) => elementCount(out.shape),
  dispatches({ axes }, [x]) {
    const over = normalizeAxes('softmax', x, axes as readonly number[] | null);
    const n = elementCount(x.shape.slice(Math.min(...over)));
    const rows = x.data.length / n;
    return [{ shader: softmaxRows(), params: [rows, n], inputs: [x.data], workgroups: ofRows(rows) }];
  },
  finish: roundOnce,
};

const norm = (centred: boolean): GpuOp => ({
  supports: (_, inputs) => allFloats(inputs) && hasRows(inputs[0]),
  work: (_attrs, _inputs, out) => elementCount(out.shape),
  dispatches(attrs, inputs) {
    const [x] = inputs;
    const n = x.shape[x.shape.length - 1];
    const rows = x.data.length / n;
    const [weight, bias] = (['weight', 'bias'] as const).map(name =>
      optionalInput(inputs, attrs as Given<'weight' | 'bias'>, 1, name),
    );
    const shader = normRows(centred, weight !== undefined, bias !== undefined);
    const arrays = [x, weight, bias].flatMap(one => (one ? [one.data] : []));
    const params = [rows, n, floatBits(Number(attrs.eps ?? 0))];
    return [{ shader, params, inputs: arrays, workgroups: ofRows(rows) }];
  },
  finish: roundOnce,
});

export const GPU_OPS: Readonly<Record<string, GpuOp>> = {
  ...Object.fromEntries(
    Object.entries({ matmul, addmm, gather_mm: gatherMm }).flatMap(([name, op]) => [
      [name, op(false)],
      [`${name}${TRANSPOSED}`, op(true)],
    ]),
  ),
  quantized_matmul: quantizedMatmul,
  softmax,
  rms_norm: norm(false),
  layer_norm: norm(true),
  [CHAIN]: chainOp,
  ...Object.fromEntries([...CHAIN_OPS].map(op => [op, elementwise(op)])),
};
