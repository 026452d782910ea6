/**
 * One product on the kernels: y = x @ w for x [m, k] and weights that are dense, affine or microscaled.
 */
import type { DType } from '../../src/dtype';
import type { Arena } from './arena';
import { ROUNDING } from './kernels';
import type { KernelCall } from './threads';

/** `rows` says that a column of the product is a row of the storage: weights [n, k] instead of [k, n]. */
export type Weights =
  | { readonly kind: 'dense'; readonly rows: boolean; readonly data: Float32Array }
  | (Packed & { readonly kind: 'affine'; readonly biases: Float32Array })
  | (Packed & { readonly kind: 'microscaled' });

interface Packed {
  readonly rows: boolean;
  /** The packed codes, groups along the storage's rows. */
  readonly codes: Uint32Array;
  /** One a group, decoded to float32. */
  readonly scales: Float32Array;
  readonly groupSize: number;
  /** 1 to 6 or 8 for affine codes; 4 (e2m1) or 8 (e4m3) for microscaled ones. */
  readonly bits: number;
}

export interface ProductSize {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/**
 * x @ w, [m, n]. With `dtype` float16 or bfloat16 each step is rounded to it, which only packed weights allow.
 * @throws Error when the arena's ceiling is too low.
 */
export function multiply(
  arena: Arena,
  { m, k, n }: ProductSize,
  x: Float32Array,
  weights: Weights,
  dtype: DType = 'float32',
): Float32Array<ArrayBuffer> {
  const rounding = ROUNDING[dtype];
  if (rounding === undefined || (rounding !== 0 && weights.kind === 'dense'))
    throw new Error(`no kernel multiplies ${weights.kind} weights in ${dtype}`);
  return arena.use(() => {
    const xAt = arena.put(x);
    const placed = place(arena, weights, weights.rows ? k : n);
    const yAt = arena.allocate(m * n * 4);
    multiplyPlaced(arena, { m, k, n }, xAt, yAt, placed, rounding);
    return arena.floats(yAt, m * n).slice();
  });
}

/** Weights in the arena: the call that tells the kernels of those from row `first` of the storage on. */
export type Placed = { readonly rows: boolean; readonly set: (first: number) => KernelCall };

/** Copies the weights in. `width` is the length of a row of the storage. */
function place(arena: Arena, weights: Weights, width: number): Placed {
  const { rows } = weights;
  if (weights.kind === 'dense') return placeDense(arena.put(weights.data), width, rows);
  const { groupSize, bits } = weights;
  const [codes, scales] = [arena.put(weights.codes), arena.put(weights.scales)];
  const biases = weights.kind === 'affine' ? arena.put(weights.biases) : 0;
  return {
    rows,
    set(first) {
      const code = codes + (first * width * bits) / 8;
      const group = ((first * width) / groupSize) * 4;
      const rest = [width, groupSize, bits, Number(rows)];
      return weights.kind === 'affine'
        ? ['setAffine', code, scales + group, biases + group, ...rest]
        : ['setMicroscaled', code, scales + group, ...rest];
    },
  };
}

/** Dense weights that are in the arena already. */
export const placeDense = (at: number, width: number, rows: boolean): Placed => ({
  rows,
  set: first => ['setDense', at + first * width * 4, width, Number(rows)],
});

/** Multiplications that are worth a thread. */
const LEAST_WORK = 1 << 22;
/** Rows and columns of x and y that the kernels take together. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 32;

/** The product of what is in the arena, shared between threads by rows of x, or by columns where x is one row. */
export function multiplyPlaced(
  arena: Arena,
  { m, k, n }: ProductSize,
  x: number,
  y: number,
  weights: Placed,
  rounding: number,
): void {
  const bytes = arena.kernels.workspaceBytes();
  const call = (from: number, to: number, first: number, columns: number): readonly KernelCall[] => [
    weights.set(first),
    ['multiply', x + from * k * 4, y + (from * n + first) * 4, to - from, k, columns, rounding, arena.allocate(bytes)],
  ];
  if (m === 1 && weights.rows)
    arena.inParts(n, TILE_COLUMNS, Math.ceil(LEAST_WORK / Math.max(k, 1)), (from, to) => call(0, 1, from, to - from));
  else
    arena.inParts(m, TILE_ROWS, Math.max(2 * TILE_ROWS, Math.ceil(LEAST_WORK / Math.max(k * n, 1))), (from, to) =>
      call(from, to, 0, n),
    );
}
