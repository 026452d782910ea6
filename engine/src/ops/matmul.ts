/**
 * Matrix products: matmul, addmm, gather_mm, inner, outer and tensordot.
 *
 * The kernels sum in the order of MLX's CPU build: over k in sequence, multiplication and addition rounded apart, in
 * float32 for half precision too, which is rounded once at the end.
 */
import { type Dim, product } from '../dims/dim';
import { Facts } from '../dims/facts';
import { type DType, isFloating, isInexact, promote } from '../dtype';
import { type ArrayType, defineOp, type RankedType, type Shape } from '../graph/op';
import { Refusal, type RefusalDetail, type RefusalKind } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { elementCount, type Tensor } from '../tensor';
import { anyRank } from './any_rank';
import { normalizeAxis } from './axes';
import { broadcastOpen, broadcastShapes } from './broadcast';
import { cannotBroadcast } from './elementwise';
import { expandIndex } from './expand';
import { type Given, optionalInput } from './optional';
import { reshaped } from './positions';
import { accumulator, addScaled, contract, matrixProduct, multiply, multiplyMatrices } from './product_kernels';
import { joinTail, leastRank, rankOf, splitTail } from './tails';

type None = Record<never, never>;

const refuse = (kind: RefusalKind, message: string, detail: RefusalDetail = {}): Refusal =>
  new Refusal(kind, message, detail);

// ---- rules ------------------------------------------------------------------------------------------------------------

/** The arrays as they stand in a message: `float32[32, 256] @ float32[128, 10]`. */
const shown = (a: ArrayType, b: ArrayType): string => `${showType(a)} @ ${showType(b)}`;

/** The last axis of `a` must be as long as the one of `b` that it is summed with: the last but one, or the only one. */
function checkInner(facts: Facts, op: string, a: ArrayType, b: ArrayType, kind: RefusalKind, first = 0): void {
  for (const [input, type] of [a, b].entries())
    if (rankOf(type.shape) === 0)
      throw refuse(kind, `${op}: a scalar is no matrix: ${shown(a, b)}`, { input: first + input });
  const left = splitTail(facts, a.shape, 1);
  const vector = rankOf(b.shape) === 1;
  // of an array that may be a vector the axis is not known
  const right = vector || leastRank(b.shape) >= 2 ? splitTail(facts, b.shape, vector ? 1 : 2) : null;
  if (!left || !right) return;
  const [columns] = left.tail;
  const [rows] = right.tail;
  facts.require(columns, rows, () =>
    refuse(
      kind,
      `${op}: the last axis of the first array is ${showLength(facts, columns)} long, ` +
        `the second has ${showLength(facts, rows)} ${vector ? 'elements' : 'rows'}: ${shown(a, b)}`,
      { input: first, axis: (rankOf(a.shape) ?? 0) - 1, expected: rows, actual: columns },
    ),
  );
}

const showLength = (facts: Facts, d: Dim): string => `${facts.resolve(d)}`;

/** The shape of a @ b once the inner axes agree. */
function productShape(facts: Facts, op: string, a: ArrayType, b: ArrayType, kind: RefusalKind): Shape {
  const ranks = [rankOf(a.shape), rankOf(b.shape)];
  if (ranks[1] === 1) return splitTail(facts, a.shape, 1)?.batch ?? null;
  if (leastRank(b.shape) < 2) return null; // it may be a vector
  const right = splitTail(facts, b.shape, 2)!;
  if (ranks[1] === 2) {
    const left = splitTail(facts, a.shape, 1);
    return left && joinTail(left.batch, right.tail.slice(1));
  }
  if (ranks[0] === 1) return joinTail(right.batch, right.tail.slice(1));
  if (leastRank(a.shape) < 2) return null;
  const left = splitTail(facts, a.shape, 2)!;
  const batch = broadcastOpen(facts, left.batch, right.batch, () =>
    refuse(kind, `${op}: the leading axes do not broadcast: ${shown(a, b)}`),
  );
  return joinTail(batch, [left.tail[0], right.tail[1]]);
}

const inexact = (op: string, dtypes: readonly (DType | null)[], real: boolean): DType | null => {
  const dtype = dtypes.reduce(promote);
  if (dtype !== null && !(real ? isFloating(dtype) : isInexact(dtype)))
    throw refuse(
      'dtype',
      `${op}: matrix products need ${real ? 'real floats' : 'floats'}, these are ${dtypes.join(' and ')}`,
    );
  return dtype;
};

function matmulType(facts: Facts, a: ArrayType, b: ArrayType): ArrayType {
  checkInner(facts, 'matmul', a, b, 'matmul');
  const dtype = inexact('matmul', [a.dtype, b.dtype], false);
  return { shape: facts.shape(productShape(facts, 'matmul', a, b, 'matmul')), dtype };
}

export const matmul = defineOp<None>({
  name: 'matmul',
  ...anyRank((facts, [a, b]) => matmulType(facts, a, b)),
  kernel: ([a, b], _, [out]) => multiplyMatrices(a, b, out),
});

/** beta · c + alpha · (a @ b); inputs c, a, b. The order of rounding is that of a transposed b, as layers pass it. */
export const addmm = defineOp<{ readonly alpha?: number; readonly beta?: number }>({
  name: 'addmm',
  ...anyRank((facts, [c, a, b]) => {
    const dtype = [a.dtype, b.dtype, c.dtype].reduce(promote);
    if (dtype === 'complex64') {
      const result = matmulType(facts, a, b);
      return { shape: broadcastOpen(facts, result.shape, c.shape, cannotBroadcast('addmm', result, c)), dtype };
    }
    checkInner(facts, 'addmm', a, b, 'matmul', 1);
    inexact('addmm', [a.dtype, b.dtype, c.dtype], true);
    const shape = facts.shape(productShape(facts, 'addmm', a, b, 'matmul'));
    checkAddend(facts, c, a, b, shape);
    return { shape, dtype };
  }),
  kernel([c, a, b], { alpha = 1, beta = 1 }, [out]) {
    const dtype = out.dtype === 'complex64' ? promote(a.dtype, b.dtype)! : accumulator(out.dtype);
    const half = (x: Tensor): Tensor => (out.dtype === 'complex64' ? x : cast(x, out.dtype));
    return addScaled(multiplyMatrices(half(a), half(b), { shape: productNumbers(a, b), dtype }), c, alpha, beta, out);
  },
});

/** The shape of a @ b for arrays whose axes are numbers. */
const productNumbers = (a: Tensor, b: Tensor): readonly number[] =>
  productShape(new Facts(), 'addmm', a, b, 'matmul') as readonly number[];

/** c must broadcast to the product, without widening it. */
function checkAddend(facts: Facts, c: ArrayType, a: ArrayType, b: ArrayType, shape: Shape): void {
  const message = () =>
    refuse(
      'broadcast',
      `addmm: ${showType(c)} does not broadcast to the product, ${showType({ shape, dtype: a.dtype })}`,
      {
        input: 0,
      },
    );
  const addend = facts.shape(c.shape);
  if (!Array.isArray(addend) || !Array.isArray(shape)) return;
  const [rankA, rankB] = [rankOf(a.shape), rankOf(b.shape)];
  // with a batch only on the left MLX flattens it, and a vector result becomes a column there
  const target = rankA !== null && rankA > 2 && rankB === 1 && addend.length === 1 ? [1] : (shape as readonly Dim[]);
  if (addend.length > target.length) throw message();
  const together = broadcastShapes(facts, target, addend as readonly Dim[], message);
  for (const [axis, d] of together.entries()) if (facts.equal(d, target[axis]) === 'no') throw message();
}

type GatherAttrs = Given<'lhs_indices' | 'rhs_indices'>;

/** Shape of the indices of one operand: given, or one for each of its matrices. */
function indexShape(
  facts: Facts,
  op: string,
  indices: ArrayType | undefined,
  operand: ArrayType,
  input: number,
): Shape {
  const rank = rankOf(operand.shape);
  if (rank !== null && rank < 2)
    throw refuse('gather', `${op}: matrices to choose from need two axes at least, this is ${showType(operand)}`, {
      input,
    });
  if (!indices) return splitTail(facts, operand.shape, 2)?.batch ?? null;
  if (indices.dtype !== null && (indices.dtype === 'bool' || isInexact(indices.dtype)))
    throw refuse('index-dtype', `${op}: indices are integers, these are ${showType(indices)}`);
  return indices.shape;
}

/**
 * The batch that a gathered product has: the two arrays of indices broadcast.
 * @throws Refusal for indices that are no integers or do not broadcast, and operands without matrices
 */
export function gatheredBatch(
  facts: Facts,
  op: string,
  operands: readonly [ArrayType, ArrayType],
  indices: readonly [ArrayType | undefined, ArrayType | undefined],
): Shape {
  const left = indexShape(facts, op, indices[0], operands[0], 0);
  const right = indexShape(facts, op, indices[1], operands[1], 1);
  const described = (i: 0 | 1, shape: Shape): ArrayType => ({ shape, dtype: indices[i]?.dtype ?? 'uint32' });
  return broadcastOpen(facts, left, right, () =>
    refuse(
      'broadcast',
      `${op}: the indices on the left ${showType(described(0, left))} and on the right ` +
        `${showType(described(1, right))} do not broadcast`,
    ),
  );
}

/** Optional inputs after a and b: lhs_indices, rhs_indices, which pick matrices of each. */
export const gatherMm = defineOp<GatherAttrs>({
  name: 'gather_mm',
  ...anyRank((facts, inputs, attrs) => {
    const [a, b] = inputs;
    const lhs = optionalInput(inputs, attrs, 2, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs, 2, 'rhs_indices');
    if (!lhs && !rhs) return matmulType(facts, a, b);
    checkInner(facts, 'gather_mm', a, b, 'matmul');
    const dtype = inexact('gather_mm', [a.dtype, b.dtype], true);
    // a vector is one matrix of one row or column, and its axis is dropped from the result
    const left = rankOf(a.shape) === 1 ? { ...a, shape: [1, ...(a.shape as readonly Dim[])] } : a;
    const right = rankOf(b.shape) === 1 ? { ...b, shape: [...(b.shape as readonly Dim[]), 1] } : b;
    const batch = gatheredBatch(facts, 'gather_mm', [left, right], [lhs, rhs]);
    if (rankOf(a.shape) === null || rankOf(b.shape) === null) {
      if (leastRank(a.shape) < 2 || leastRank(b.shape) < 2) return { shape: null, dtype };
    }
    const rows = splitTail(facts, left.shape, 2)!.tail[0];
    const columns = splitTail(facts, right.shape, 2)!.tail[1];
    const kept = [...(left === a ? [rows] : []), ...(right === b ? [columns] : [])];
    return { shape: facts.shape(joinTail(batch, kept)), dtype };
  }),
  kernel(inputs, attrs, [out]) {
    const [a, b] = inputs;
    const lhs = optionalInput(inputs, attrs, 2, 'lhs_indices');
    const rhs = optionalInput(inputs, attrs, 2, 'rhs_indices');
    if (!lhs && !rhs) return multiplyMatrices(a, b, out);
    const left = a.shape.length === 1 ? [1, a.shape[0]] : a.shape;
    const right = b.shape.length === 1 ? [b.shape[0], 1] : b.shape;
    const kept = Number(a.shape.length > 1) + Number(b.shape.length > 1);
    const batch = out.shape.slice(0, out.shape.length - kept);
    return matrixProduct(
      reshaped(cast(a, out.dtype), left),
      reshaped(cast(b, out.dtype), right),
      gatherIndex(lhs, left, batch),
      gatherIndex(rhs, right, batch),
      out,
    );
  },
});

/** For each matrix of the result, which one of an operand it is made of. Negative indices count from the back. */
export function gatherIndex(
  indices: Tensor | undefined,
  operand: readonly number[],
  batch: readonly number[],
): Int32Array {
  const matrices = operand.slice(0, -2);
  if (!indices) return expandIndex(matrices, batch);
  const count = elementCount(matrices);
  return expandIndex(indices.shape, batch).map(i => {
    const index = Number(indices.data[i]);
    const matrix = index < 0 ? index + count : index;
    if (matrix < 0 || matrix >= count) throw new Error(`index ${index} is out of range: there are ${count} matrices`);
    return matrix;
  });
}

// ---- contractions -----------------------------------------------------------------------------------------------------

/** Sums over the last axes of both; scalars multiply. */
export const inner = defineOp<None>({
  name: 'inner',
  infer(facts, [a, b]) {
    if (a.shape.length === 0 || b.shape.length === 0)
      return { shape: a.shape.length === 0 ? b.shape : a.shape, dtype: promote(a.dtype, b.dtype) };
    const [m, n] = [a.shape.at(-1)!, b.shape.at(-1)!];
    facts.require(m, n, () =>
      refuse('matmul', `inner: the last axes differ, ${m} and ${n}: ${showType(a)} and ${showType(b)}`, {
        input: 1,
        expected: m,
        actual: n,
      }),
    );
    return {
      shape: [...a.shape.slice(0, -1), ...b.shape.slice(0, -1)],
      dtype: inexact('inner', [a.dtype, b.dtype], false),
    };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel([a, b], _, [out]) {
    if (a.shape.length === 0 || b.shape.length === 0) return multiply(a, b, out);
    return contract(a, b, [a.shape.length - 1], [b.shape.length - 1], out);
  },
});

/** Every element of the one times every element of the other, both taken as vectors. */
export const outer = defineOp<None>({
  name: 'outer',
  infer: (_, [a, b]) => ({ shape: [product(a.shape), product(b.shape)], dtype: promote(a.dtype, b.dtype) }),
  kernel: ([a, b], _, [out]) => multiply(reshaped(a, [out.shape[0], 1]), reshaped(b, [1, out.shape[1]]), out),
});

/** `axes`: how many last axes of a meet as many first axes of b, or the axes of each. */
export const tensordot = defineOp<{ readonly axes: number | readonly (readonly number[])[] }>({
  name: 'tensordot',
  infer(facts, [a, b], { axes }) {
    const pairs = axisPairs(a, b, axes);
    const [left, right]: [number[], number[]] = [[], []];
    for (const [first, second] of pairs) {
      const [i, j] = [normalizeAxis('tensordot', a, first), normalizeAxis('tensordot', b, second)];
      const [m, n] = [a.shape[i], b.shape[j]];
      facts.require(m, n, () =>
        refuse(
          'matmul',
          `tensordot: axis ${first} of ${showType(a)} is ${m} long, axis ${second} of ${showType(b)} is ${n}`,
          { input: 1, axis: j, expected: m, actual: n },
        ),
      );
      left.push(i);
      right.push(j);
    }
    for (const [type, used] of [
      [a, left],
      [b, right],
    ] as const)
      if (new Set(used).size < used.length)
        throw refuse('axis', `tensordot: an axis of ${showType(type)} is named twice`);
    const dtype = inexact('tensordot', [a.dtype, b.dtype], false);
    return { shape: [...without(a.shape, left), ...without(b.shape, right)], dtype };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel([a, b], { axes }, [out]) {
    const pairs = axisPairs(a, b, axes);
    const left = pairs.map(([axis]) => normalizeAxis('tensordot', a, axis));
    const right = pairs.map(([, axis]) => normalizeAxis('tensordot', b, axis));
    return contract(a, b, left, right, out);
  },
});

const without = <T>(shape: readonly T[], axes: readonly number[]): T[] => shape.filter((_, i) => !axes.includes(i));

/** The axes of the two arrays that meet, as they were written. */
function axisPairs(
  a: RankedType,
  b: RankedType,
  axes: number | readonly (readonly number[])[],
): readonly (readonly [number, number])[] {
  if (typeof axes === 'number') {
    if (axes < 0) throw refuse('axis', `tensordot: ${axes} axes cannot be summed`);
    if (axes > Math.min(a.shape.length, b.shape.length))
      throw refuse(
        'axis',
        `tensordot: ${axes} axes are to be summed, but the arrays are ${showType(a)} and ${showType(b)}`,
      );
    return Array.from({ length: axes }, (_, i) => [i - axes, i] as const);
  }
  const [left, right] = axes;
  if (left.length !== right.length)
    throw refuse('axis', `tensordot: ${left.length} axes of the first array meet ${right.length} of the second`);
  return left.map((axis, i) => [axis, right[i]] as const);
}
