/**
 * `mlx.core.linalg`: decompositions, inverses, solutions and norms.
 */
import { type Dim, min, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { type DType, isFloating, kindOf, promote } from '../dtype';
import { type ArrayType, type Attrs, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { broadcastDim, broadcastShapes } from './broadcast';
import { crossProducts, decompose, solveAll, type Triangle } from './linear_kernels';
import { norm } from './norm_kernel';

// ---- one matrix -------------------------------------------------------------------------------------------------------

const REAL: readonly DType[] = ['float32', 'float64'];
const COMPLEX: readonly DType[] = [...REAL, 'complex64'];

/** A stack of matrices: what leads them, their rows and columns, and the shorter of the two. */
interface Matrix {
  readonly batch: readonly Dim[];
  readonly rows: Dim;
  readonly columns: Dim;
  readonly rank: Dim;
  readonly dtype: DType | null;
}

interface Decomposition {
  readonly square?: boolean;
  /** The dtypes it takes; any where absent. */
  readonly dtypes?: readonly DType[];
  results(matrix: Matrix): readonly (readonly [shape: readonly Dim[], dtype: DType | null])[];
}

/** The dtype of real numbers beside it. */
const real = (dtype: DType | null): DType | null => (dtype === 'complex64' ? 'float32' : dtype);
/** Floats keep their dtype, other numbers become float32. */
const floating = (dtype: DType | null): DType | null => (dtype === null || isFloating(dtype) ? dtype : 'float32');

const same: Decomposition['results'] = ({ batch, rows, columns, dtype }) => [[[...batch, rows, columns], dtype]];

const DECOMPOSITIONS: Readonly<Record<string, Decomposition>> = {
  inv: { square: true, dtypes: REAL, results: same },
  tri_inv: { square: true, dtypes: REAL, results: same },
  cholesky: { square: true, dtypes: REAL, results: same },
  cholesky_inv: { square: true, dtypes: REAL, results: same },
  pinv: { dtypes: REAL, results: ({ batch, rows, columns, dtype }) => [[[...batch, columns, rows], dtype]] },
  det: { square: true, results: ({ batch, dtype }) => [[batch, floating(dtype)]] },
  slogdet: {
    square: true,
    results: ({ batch, dtype }) => [
      [batch, floating(dtype)],
      [batch, floating(dtype)],
    ],
  },
  eigvals: { square: true, dtypes: COMPLEX, results: ({ batch, rows }) => [[[...batch, rows], 'complex64']] },
  eig: {
    square: true,
    dtypes: COMPLEX,
    results: ({ batch, rows }) => [
      [[...batch, rows], 'complex64'],
      [[...batch, rows, rows], 'complex64'],
    ],
  },
  eigvalsh: { square: true, dtypes: COMPLEX, results: ({ batch, rows, dtype }) => [[[...batch, rows], real(dtype)]] },
  eigh: {
    square: true,
    dtypes: COMPLEX,
    results: ({ batch, rows, dtype }) => [
      [[...batch, rows], real(dtype)],
      [[...batch, rows, rows], dtype],
    ],
  },
  lu: {
    dtypes: REAL,
    results: ({ batch, rows, columns, rank, dtype }) => [
      [[...batch, rows], 'uint32'],
      [[...batch, rows, rank], dtype],
      [[...batch, rank, columns], dtype],
    ],
  },
  lu_factor: {
    dtypes: REAL,
    results: ({ batch, rows, columns, rank, dtype }) => [
      [[...batch, rows, columns], dtype],
      [[...batch, rank], 'uint32'],
    ],
  },
  qr: {
    dtypes: REAL,
    results: ({ batch, rows, columns, rank, dtype }) => [
      [[...batch, rows, rank], dtype],
      [[...batch, rank, columns], dtype],
    ],
  },
  svd: {
    dtypes: COMPLEX,
    results: ({ batch, rows, columns, rank, dtype }) => [
      [[...batch, rows, rows], dtype],
      [[...batch, rank], real(dtype)],
      [[...batch, columns, columns], dtype],
    ],
  },
  svdvals: { dtypes: COMPLEX, results: ({ batch, rank, dtype }) => [[[...batch, rank], real(dtype)]] },
};

/** @throws Refusal for fewer than two axes, a wrong dtype, or a matrix that must be square and is not */
function matrixOf(facts: Facts, name: string, type: RankedType, { square, dtypes }: Decomposition): Matrix {
  const { shape, dtype } = type;
  if (shape.length < 2)
    throw new Refusal('matmul', `linalg.${name} takes matrices, of two axes at least, not ${showType(type)}`, {
      input: 0,
    });
  if (dtype !== null && (dtypes ? !dtypes.includes(dtype) : dtype === 'complex64'))
    throw new Refusal('dtype', `linalg.${name} takes ${(dtypes ?? REAL).join(', ')}, not ${showType(type)}`, {
      input: 0,
    });
  const [rows, columns] = shape.slice(-2);
  if (square) requireSquare(facts, name, type, rows, columns);
  return { batch: shape.slice(0, -2), rows, columns, rank: square ? rows : min(rows, columns), dtype };
}

const requireSquare = (facts: Facts, name: string, type: RankedType, rows: Dim, columns: Dim): void =>
  facts.require(
    rows,
    columns,
    () =>
      new Refusal('matmul', `linalg.${name} takes square matrices, not ${showType(type)}`, {
        input: 0,
        expected: rows,
        actual: columns,
      }),
  );

for (const [name, decomposition] of Object.entries(DECOMPOSITIONS)) {
  const typed = (matrix: Matrix): ArrayType[] =>
    decomposition.results(matrix).map(([shape, dtype]) => ({ shape, dtype }));
  defineOp<Triangle & Attrs>({
    name,
    infer: (facts, [type]) => typed(matrixOf(facts, name, type, decomposition)),
    inferOpen: (_, [{ dtype }]) =>
      typed({ batch: [], rows: 0, columns: 0, rank: 0, dtype }).map(t => ({ shape: null, dtype: t.dtype })),
    kernel: ([x], attrs, out) => decompose(name, x, attrs, out),
  });
}

// ---- solving ----------------------------------------------------------------------------------------------------------

/** Checks a and b of `solve`. Answers the dtype and whether b is one vector. */
function equation(facts: Facts, name: string, [a, b]: readonly RankedType[]): { dtype: DType | null; vector: boolean } {
  const both = `${showType(a)} and ${showType(b)}`;
  if (a.shape.length < 2)
    throw new Refusal('matmul', `linalg.${name} takes a matrix as its first input, not ${showType(a)}`, { input: 0 });
  if (b.shape.length < 1)
    throw new Refusal('matmul', `linalg.${name} takes a vector or matrices as its second input, not ${showType(b)}`, {
      input: 1,
    });
  const [rows, columns] = a.shape.slice(-2);
  requireSquare(facts, name, a, rows, columns);
  const vector = b.shape.length === 1;
  const length = b.shape[b.shape.length - (vector ? 1 : 2)];
  facts.require(
    columns,
    length,
    () =>
      new Refusal(
        'matmul',
        `linalg.${name}: the matrix has ${showDim(columns)} columns, the right side ${showDim(length)} rows: ${both}`,
        {
          input: 1,
          expected: columns,
          actual: length,
        },
      ),
  );
  const dtype = promote(a.dtype, b.dtype);
  for (const one of [dtype, a.dtype])
    if (one !== null && !REAL.includes(one))
      throw new Refusal('dtype', `linalg.${name} takes float32 and float64, not ${both}`);
  return { dtype, vector };
}

defineOp({
  name: 'solve',
  infer(facts, types) {
    const [a, b] = types;
    const { dtype, vector } = equation(facts, 'solve', types);
    const matrix = vector ? [b.shape[0], 1] : b.shape;
    if (matrix.length !== a.shape.length)
      throw new Refusal(
        'gather',
        `linalg.solve needs a right side for each matrix: ${showType(b)} for ${showType(a)}`,
        { input: 1 },
      );
    const batch = a.shape
      .slice(0, -2)
      .map((d, i) => broadcastDim(facts, d, matrix[i], () => unbroadcast('solve', a, b)));
    const shape = [...batch, ...matrix.slice(-2)];
    return { shape: vector ? shape.slice(0, -1) : shape, dtype };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel: (inputs, _, [out]) => solveAll(inputs, null, out),
});

const unbroadcast = (name: string, a: ArrayType, b: ArrayType): Refusal =>
  new Refusal('broadcast', `linalg.${name}: the leading axes do not broadcast: ${showType(a)} and ${showType(b)}`);

defineOp<Triangle & Attrs>({
  name: 'solve_triangular',
  infer(facts, types) {
    const [a, b] = types;
    const { dtype, vector } = equation(facts, 'solve_triangular', types);
    const batch = vector
      ? a.shape.slice(0, -2)
      : broadcastShapes(facts, a.shape.slice(0, -2), b.shape.slice(0, -2), () => unbroadcast('solve_triangular', a, b));
    return { shape: [...batch, ...(vector ? b.shape : b.shape.slice(-2))], dtype };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel: (inputs, attrs, [out]) => solveAll(inputs, attrs, out),
});

// ---- cross product ----------------------------------------------------------------------------------------------------

defineOp<Attrs & { readonly axis: number }>({
  name: 'cross',
  infer(facts, [a, b], { axis }) {
    const lengths = [a, b].map((type, input) => {
      const rank = type.shape.length;
      if (axis < -rank || axis >= rank)
        throw new Refusal(
          'axis',
          `linalg.cross has no axis ${axis} in ${showType(type)}`,
          { input, axis },
          'IndexError',
        );
      const length = type.shape.at(axis)!;
      if (facts.equal(length, 2) === 'no' && facts.equal(length, 3) === 'no')
        throw new Refusal('value', `linalg.cross takes vectors of 2 or 3 along axis ${axis}, not ${showType(type)}`, {
          input,
          axis,
        });
      return length;
    });
    const dtype = promote(a.dtype, b.dtype);
    if (lengths.some(d => facts.equal(d, 2) === 'unknown' && facts.equal(d, 3) === 'unknown'))
      return { shape: null, dtype };
    // vectors of 2 lie in a plane: they get a third element
    const full = [a, b].map(type => type.shape.with(axis < 0 ? axis : axis - type.shape.length, 3));
    const shape = broadcastShapes(facts, full[0], full[1], () => unbroadcast('cross', a, b));
    return { shape, dtype };
  },
  inferOpen: (_, [a, b]) => ({ shape: null, dtype: promote(a.dtype, b.dtype) }),
  kernel: (inputs, { axis }, [out]) => crossProducts(inputs, axis, out),
});

// ---- norms ------------------------------------------------------------------------------------------------------------

/** `ord` as given: a number, a name, or null for the root of the sum of squares. */
export type NormAttrs = {
  readonly ord: number | string | null;
  readonly axes: readonly number[] | null;
  readonly keepdims: boolean;
};

const MATRIX_ORDERS: readonly number[] = [1, -1, 2, -2, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** Whether the norm is one of singular values. */
const spectral = (ord: NormAttrs['ord'], axes: number): boolean =>
  ord === 'nuc' || (axes === 2 && (ord === 2 || ord === -2));

/** @throws Refusal where `ord` is no norm over so many axes */
function requireOrder(type: RankedType, ord: NormAttrs['ord'], count: number, all: boolean): void {
  const refuse = (problem: string) => new Refusal('value', `linalg.norm: ${problem}: ${showType(type)}`, { input: 0 });
  if (ord === null) {
    if (count > 2 && !all) throw refuse(`it is taken over one axis or two, not ${count}`);
    return;
  }
  if (typeof ord === 'string') {
    if (count !== 2) throw refuse(`'${ord}' is a norm of matrices, over two axes, not ${count}`);
    if (!['f', 'fro', 'nuc'].includes(ord)) throw refuse(`there is no norm '${ord}'; 'fro' and 'nuc' are`);
    return;
  }
  if (count < 1 || count > 2) throw refuse(`it is taken over one axis or two, not ${count}`);
  if (count === 2 && !MATRIX_ORDERS.includes(ord)) throw refuse(`there is no matrix norm of order ${ord}`);
}

/**
 * The axes that two reductions one after the other leave. MLX counts negative axes from the back once before the first
 * and again in each, so that what is out of range for the array may still be in range there.
 */
function reducedTwice(type: RankedType, axes: readonly number[], keepdims: boolean, inner: 0 | 1): readonly Dim[] {
  const rank = type.shape.length;
  const [first, second] = (inner === 0 ? axes : axes.toReversed()).map(axis => (axis < 0 ? axis + rank : axis));
  const once = reduced(type, type.shape, first, keepdims);
  return reduced(type, once, !keepdims && second > first ? second - 1 : second, keepdims);
}

function reduced(type: RankedType, shape: readonly Dim[], axis: number, keepdims: boolean): readonly Dim[] {
  const rank = shape.length;
  if (axis < -rank || axis >= rank)
    throw new Refusal('axis', `linalg.norm: an axis is out of range for ${showType(type)}`, { axis }, 'IndexError');
  const at = axis < 0 ? axis + rank : axis;
  return keepdims ? shape.with(at, 1) : shape.toSpliced(at, 1);
}

function normDtype(type: RankedType, ord: NormAttrs['ord'], count: number): DType | null {
  const { dtype } = type;
  if (dtype === null) return null;
  if (spectral(ord, count) && !COMPLEX.includes(dtype))
    throw new Refusal('dtype', `linalg.norm of singular values takes ${COMPLEX.join(', ')}, not ${showType(type)}`);
  if (kindOf(dtype) === 'complex') return typeof ord === 'number' && !(ord === 2 && count === 1) ? dtype : 'float32';
  return floating(dtype);
}

defineOp<NormAttrs>({
  name: 'norm',
  infer(_, [type], { ord, axes, keepdims }) {
    const list = axes ?? type.shape.map((__, i) => i);
    requireOrder(type, ord, list.length, axes === null);
    const dtype = normDtype(type, ord, list.length);
    if (list.length === 2 && typeof ord === 'number' && !spectral(ord, 2))
      return { shape: reducedTwice(type, list, keepdims, Math.abs(ord) === 1 ? 0 : 1), dtype };
    const rank = type.shape.length;
    const gone = list.map(axis => {
      if (axis < -rank || axis >= rank)
        throw new Refusal('axis', `linalg.norm has no axis ${axis} in ${showType(type)}`, { axis }, 'IndexError');
      return axis < 0 ? axis + rank : axis;
    });
    if (!spectral(ord, list.length) && new Set(gone).size < gone.length)
      throw new Refusal('axis', `linalg.norm is given the same axis twice for ${showType(type)}`);
    if (new Set(gone).size < gone.length) {
      if (keepdims) throw new Refusal('axis', `linalg.norm is given the same axis twice for ${showType(type)}`);
      return { shape: null, dtype };
    }
    const shape = keepdims
      ? type.shape.map((d, i) => (gone.includes(i) ? 1 : d))
      : type.shape.filter((__, i) => !gone.includes(i));
    return { shape, dtype };
  },
  kernel([x], { ord, axes }, [out]) {
    const rank = x.shape.length;
    const gone = (axes ?? x.shape.map((_, i) => i)).map(axis => (axis < 0 ? axis + rank : axis));
    if (new Set(gone).size < gone.length) throw new Error('the same axis is given twice');
    return norm(x, { ord, axes: gone }, out);
  },
  inferOpen: (_, [type], { ord, axes, keepdims }) => ({
    shape: axes === null && !keepdims ? [] : null,
    dtype:
      ord === null || typeof ord === 'string' ? real(floatingOrComplex(type.dtype)) : floatingOrComplex(type.dtype),
  }),
});

const floatingOrComplex = (dtype: DType | null): DType | null => (dtype === 'complex64' ? dtype : floating(dtype));
