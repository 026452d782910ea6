/**
 * One product on the kernels: y = x @ w for x [m, k] and weights that are dense, affine or microscaled.
 */
import type { DType } from '../../src/dtype';
import type { Arena } from './arena';
import { ROUNDING } from './kernels';

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
    setWeights(arena, weights, weights.rows ? k : n);
    const yAt = arena.allocate(m * n * 4);
    const workspace = arena.allocate(arena.kernels.workspaceBytes());
    arena.kernels.multiply(xAt, yAt, m, k, n, rounding, workspace);
    return arena.floats(yAt, m * n).slice();
  });
}

/** Copies the weights in and tells the kernels where they lie. `width` is the length of a row of the storage. */
function setWeights(arena: Arena, weights: Weights, width: number): void {
  const rows = Number(weights.rows);
  if (weights.kind === 'dense') {
    arena.kernels.setDense(arena.put(weights.data), width, rows);
    return;
  }
  const { groupSize, bits } = weights;
  const codes = arena.put(weights.codes);
  const scales = arena.put(weights.scales);
  if (weights.kind === 'affine')
    arena.kernels.setAffine(codes, scales, arena.put(weights.biases), width, groupSize, bits, rows);
  else arena.kernels.setMicroscaled(codes, scales, width, groupSize, bits, rows);
}
