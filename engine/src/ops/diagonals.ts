/**
 * Diagonals: diag, diagonal, trace. All dims of a diagonal's matrix axes must be known for its length to be.
 */
import { add, anonymous, type Dim, isKnown, min, sub } from '../dims/dim';
import { Facts } from '../dims/facts';
import { type DType, isFloating, kindOf, sizeOf } from '../dtype';
import { defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { type Tensor, tensor } from '../tensor';
import { normalizeAxis } from './axes';
import { readBox, steps, stridesOf } from './positions';
import { writeAt } from './write_at';

type DiagonalAttrs = { readonly offset: number; readonly axis1: number; readonly axis2: number };

/** The two matrix axes, counted from the front. */
function matrixAxes(name: string, type: RankedType, { axis1, axis2 }: DiagonalAttrs): [number, number] {
  if (type.shape.length < 2)
    throw new Refusal('axis', `${name} needs at least two axes, not ${showType(type)}`, { input: 0 });
  const axes: [number, number] = [normalizeAxis(name, type, axis1), normalizeAxis(name, type, axis2)];
  if (axes[0] === axes[1]) throw new Refusal('axis', `${name} needs two different axes, not axis ${axis1} twice`);
  return axes;
}

/** How many elements the diagonal `offset` columns to the right of the main one has. */
function diagonalLength(facts: Facts, rows: Dim, columns: Dim, offset: number): Dim {
  const [height, width] = offset < 0 ? [add(rows, offset), columns] : [rows, sub(columns, offset)];
  if (isKnown(height) && isKnown(width)) return Math.max(0, Math.min(height, width));
  if (facts.equal(height, width) === 'yes' && facts.less(height, 0) === 'no') return height;
  const shorter = min(height, width);
  return facts.less(shorter, 0) === 'no' ? shorter : anonymous();
}

function diagonalShape(facts: Facts, name: string, type: RankedType, attrs: DiagonalAttrs): Dim[] {
  const [a, b] = matrixAxes(name, type, attrs);
  const length = diagonalLength(facts, type.shape[a], type.shape[b], attrs.offset);
  return [...type.shape.filter((_, i) => i !== a && i !== b), length];
}

/** The diagonal as the last axis. */
function diagonalOf(x: Tensor, attrs: DiagonalAttrs, shape: readonly number[]): Tensor {
  const [a, b] = matrixAxes('diagonal', x, attrs);
  const strides = stridesOf(x.shape);
  const start = attrs.offset < 0 ? -attrs.offset * strides[a] : attrs.offset * strides[b];
  const rest = strides.filter((_, i) => i !== a && i !== b);
  return readBox(x, shape, [...rest, strides[a] + strides[b]], start);
}

defineOp<DiagonalAttrs>({
  name: 'diagonal',
  infer: (facts, [type], attrs) => ({ shape: diagonalShape(facts, 'diagonal', type, attrs), dtype: type.dtype }),
  inferOpen: (_, [{ dtype }]) => ({ shape: null, dtype }),
  kernel: ([x], attrs, [out]) => diagonalOf(x, attrs, out.shape),
});

/** The dtype that a sum is taken in. */
function sumType(dtype: DType | null): DType | null {
  if (dtype === null) return null;
  if (kindOf(dtype) === 'bool' || (kindOf(dtype) === 'signed' && sizeOf(dtype) < 4)) return 'int32';
  return kindOf(dtype) === 'unsigned' && sizeOf(dtype) < 4 ? 'uint32' : dtype;
}

type TraceAttrs = DiagonalAttrs & { readonly dtype: DType | null };

defineOp<TraceAttrs>({
  name: 'trace',
  infer(facts, [type], attrs) {
    return {
      shape: diagonalShape(facts, 'trace', type, attrs).slice(0, -1),
      dtype: attrs.dtype ?? sumType(type.dtype),
    };
  },
  inferOpen: (_, [type], { dtype }) => ({ shape: null, dtype: dtype ?? sumType(type.dtype) }),
  kernel([x], attrs, [out]) {
    const shape = diagonalShape(new Facts(), 'trace', x, attrs) as number[];
    const parts = diagonalOf(cast(x, out.dtype), attrs, shape);
    return sumLast(parts, out.shape);
  },
});

/** Sums over the last axis, in float64 or in the integers' own arithmetic. */
function sumLast(x: Tensor, shape: readonly number[]): Tensor {
  const result = tensor(x.dtype, shape);
  const length = x.shape[x.shape.length - 1];
  const lanes = x.dtype === 'complex64' ? 2 : 1;
  const round = isFloating(x.dtype) ? rounder(x.dtype) : (sum: number) => sum;
  const [from, to] = [x.data as { [i: number]: number }, result.data as { [i: number]: number }];
  for (let i = 0; i < result.data.length; i++) {
    const [row, lane] = [Math.floor(i / lanes), i % lanes];
    let total = to[i];
    for (let j = 0; j < length; j++) total += from[(row * length + j) * lanes + lane];
    to[i] = round(total);
  }
  return result;
}

defineOp<{ readonly k: number }>({
  name: 'diag',
  infer(facts, [type], { k }) {
    const { shape, dtype } = type;
    if (shape.length === 1) return { shape: [add(shape[0], Math.abs(k)), add(shape[0], Math.abs(k))], dtype };
    if (shape.length === 2) return { shape: [diagonalLength(facts, shape[0], shape[1], k)], dtype };
    throw new Refusal('axis', `diag takes arrays of one or two axes, not ${showType(type)}`, { input: 0 });
  },
  inferOpen: (_, [{ dtype }]) => ({ shape: null, dtype }),
  kernel([x], { k }, [out]) {
    if (x.shape.length === 2) return diagonalOf(x, { offset: k, axis1: 0, axis2: 1 }, out.shape);
    const size = out.shape[0];
    return writeAt(tensor(x.dtype, out.shape), x, steps(x.shape[0], size + 1, k < 0 ? -k * size : k), 'set');
  },
});
