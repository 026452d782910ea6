/**
 * Operations that reorder axes, or the elements along them: transpose, swapaxes, moveaxis, flip, roll.
 */
import type { Dim } from '../dims/dim';
import { OpenShape } from '../dims/shape';
import { type ArrayType, type Attrs, defineOp, type OpDef, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import type { Tensor } from '../tensor';
import { normalizeAxes, normalizeAxis } from './axes';
import { readBox, reshaped, stridesOf, sums, takeAt } from './positions';
import { extendTail } from './rank';

// ---- axes -------------------------------------------------------------------------------------------------------------

type Permutation<A extends Attrs> = (type: RankedType, attrs: A) => readonly number[];

const permuteTensor = (x: Tensor, order: readonly number[], shape: readonly number[]): Tensor => {
  const strides = stridesOf(x.shape);
  return readBox(
    x,
    shape,
    order.map(axis => strides[axis]),
  );
};

/** An operation whose i-th axis is the input's axis `order(type, attrs)[i]`. */
function definePermutation<A extends Attrs>(
  name: string,
  order: Permutation<A>,
  inferOpen: NonNullable<OpDef<A>['inferOpen']>,
): void {
  defineOp<A>({
    name,
    infer: (_, [type], attrs) => ({ shape: order(type, attrs).map(axis => type.shape[axis]), dtype: type.dtype }),
    inferOpen,
    kernel: ([x], attrs, [out]) => permuteTensor(x, order(x, attrs), out.shape),
  });
  orders.set(name, order as unknown as Permutation<Attrs>);
}

const orders = new Map<string, Permutation<Attrs>>();

/** The axis order of an operation that only permutes axes (result axis i is input axis order[i]); null for others. */
export const permutation = (op: string, input: RankedType, attrs: Attrs): readonly number[] | null =>
  orders.get(op)?.(input, attrs) ?? null;

type TransposeAttrs = { readonly axes: readonly number[] | null };

definePermutation<TransposeAttrs>(
  'transpose',
  (type, { axes }) => {
    if (axes === null) return type.shape.map((_, i) => type.shape.length - 1 - i);
    if (axes.length !== type.shape.length)
      throw new Refusal(
        'transpose',
        `transpose needs the whole order of the ${type.shape.length} axes of ${showType(type)}, it is given ${axes.length}${axes.length === 2 ? ': use swapaxes to exchange two' : ''}`,
        { input: 0, expected: type.shape.length, actual: axes.length },
      );
    return normalizeAxes('transpose', type, axes);
  },
  (facts, [{ shape, dtype }], { axes }) => {
    if (axes === null || !(shape instanceof OpenShape)) return { shape: null, dtype };
    const full = facts.refineRank(shape, axes.length);
    if (full === null) return { shape: null, dtype };
    return { shape: normalizeAxes('transpose', { shape: full, dtype }, axes).map(axis => full[axis]), dtype };
  },
);

/** Axes counted from the back are found in the known tail, or learnt to be there. */
const inTail =
  <A extends Attrs>(
    order: Permutation<A>,
    axesOf: (attrs: A) => readonly number[],
  ): NonNullable<OpDef<A>['inferOpen']> =>
  (facts, [{ shape, dtype }], attrs) => {
    const axes = axesOf(attrs);
    if (!(shape instanceof OpenShape) || axes.some(axis => axis >= 0)) return { shape: null, dtype };
    const open = extendTail(facts, shape, -Math.min(...axes));
    if (!(open instanceof OpenShape)) return { shape: null, dtype };
    const tail = order({ shape: open.tail, dtype }, attrs).map(axis => open.tail[axis]);
    return { shape: new OpenShape(open.lead, tail), dtype };
  };

type SwapAttrs = { readonly axis1: number; readonly axis2: number };

const swapped =
  (name: string): Permutation<SwapAttrs> =>
  (type, { axis1, axis2 }) => {
    const [a, b] = [normalizeAxis(name, type, axis1), normalizeAxis(name, type, axis2)];
    return type.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  };

definePermutation<SwapAttrs>(
  'swapaxes',
  swapped('swapaxes'),
  inTail(swapped('swapaxes'), ({ axis1, axis2 }) => [axis1, axis2]),
);

const lastTwo: Permutation<Attrs> = type => {
  if (type.shape.length < 2)
    throw new Refusal('axis', `matrix_transpose needs at least two axes, not ${showType(type)}`, { input: 0 });
  return swapped('matrix_transpose')(type, { axis1: -2, axis2: -1 });
};

definePermutation(
  'matrix_transpose',
  lastTwo,
  inTail(lastTwo, () => [-2, -1]),
);

type MoveAttrs = { readonly source: number; readonly destination: number };

const moved: Permutation<MoveAttrs> = (type, { source, destination }) => {
  const from = normalizeAxis('moveaxis', type, source);
  const to = normalizeAxis('moveaxis', type, destination);
  const order = type.shape.map((_, i) => i);
  order.splice(from, 1);
  order.splice(to, 0, from);
  return order;
};

definePermutation<MoveAttrs>(
  'moveaxis',
  moved,
  inTail(moved, ({ source, destination }) => [source, destination]),
);

// ---- elements ---------------------------------------------------------------------------------------------------------

const same = (_: unknown, [type]: readonly ArrayType[]): ArrayType => type;

/** For each axis, which of its elements stands at each place. */
const pick = (x: Tensor, source: (axis: number, i: number) => number): Tensor => {
  const strides = stridesOf(x.shape);
  const lists = x.shape.map((n, axis) => Array.from({ length: n }, (_, i) => source(axis, i) * strides[axis]));
  return takeAt(x, sums(lists), x.shape);
};

defineOp<{ readonly axes: readonly number[] | null }>({
  name: 'flip',
  infer(_, [type], { axes }) {
    for (const axis of axes ?? []) normalizeAxis('flip', type, axis);
    return type;
  },
  inferOpen: same,
  kernel([x], { axes }) {
    const flipped = new Set(axes?.map(axis => normalizeAxis('flip', x, axis)) ?? x.shape.keys());
    return pick(x, (axis, i) => (flipped.has(axis) ? x.shape[axis] - 1 - i : i));
  },
});

type RollAttrs = { readonly shifts: readonly Dim[]; readonly axes: readonly number[] | null };

defineOp<RollAttrs>({
  name: 'roll',
  infer(_, [type], { shifts, axes }) {
    if (axes === null) return type;
    for (const axis of axes) normalizeAxis('roll', type, axis);
    if (shifts.length !== 1 && shifts.length < axes.length)
      throw new Refusal('value', `roll needs a shift for each axis: ${shifts.length} for ${axes.length}`);
    return type;
  },
  inferOpen: same,
  kernel([x], { shifts, axes }) {
    if (axes === null) {
      const total = (shifts as readonly number[]).reduce((a, b) => a + b, 0);
      const flat = reshaped(x, [x.shape.reduce((a, b) => a * b, 1)]);
      return reshaped(rolled(flat, [total]), x.shape);
    }
    const by = x.shape.map(() => 0);
    for (const [i, axis] of axes.entries())
      by[normalizeAxis('roll', x, axis)] += Number(shifts.length === 1 ? shifts[0] : shifts[i]);
    return rolled(x, by);
  },
});

const rolled = (x: Tensor, by: readonly number[]): Tensor =>
  pick(x, (axis, i) => (((i - by[axis]) % x.shape[axis]) + x.shape[axis]) % x.shape[axis]);
