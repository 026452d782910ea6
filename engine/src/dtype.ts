/**
 * MLX's data types and how they combine.
 *
 * The promotion rule is MLX 0.32.4's `promote_types` (recorded cases in test/truth); weak Python scalars never widen
 * the kind of an array, see `promoteScalar`.
 */

export const DTYPES = [
  'bool',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
] as const;

export type DType = (typeof DTYPES)[number];

/** The abstract kinds below `mx.generic`, as `mx.issubdtype` knows them. */
export type DTypeKind = 'bool' | 'unsigned' | 'signed' | 'float' | 'complex';

interface DTypeFacts {
  /** Bytes an element takes in MLX's memory. */
  size: number;
  kind: DTypeKind;
}

const FACTS: Record<DType, DTypeFacts> = {
  bool: { size: 1, kind: 'bool' },
  uint8: { size: 1, kind: 'unsigned' },
  uint16: { size: 2, kind: 'unsigned' },
  uint32: { size: 4, kind: 'unsigned' },
  uint64: { size: 8, kind: 'unsigned' },
  int8: { size: 1, kind: 'signed' },
  int16: { size: 2, kind: 'signed' },
  int32: { size: 4, kind: 'signed' },
  int64: { size: 8, kind: 'signed' },
  float16: { size: 2, kind: 'float' },
  bfloat16: { size: 2, kind: 'float' },
  float32: { size: 4, kind: 'float' },
  float64: { size: 8, kind: 'float' },
  complex64: { size: 8, kind: 'complex' },
};

/** Bytes an element of `dtype` takes. */
export const sizeOf = (dtype: DType): number => FACTS[dtype].size;
export const kindOf = (dtype: DType): DTypeKind => FACTS[dtype].kind;
export const isFloating = (dtype: DType): boolean => kindOf(dtype) === 'float';
/** Float or complex: what MLX calls inexact. */
export const isInexact = (dtype: DType): boolean => kindOf(dtype) === 'float' || kindOf(dtype) === 'complex';
/** Signed or unsigned integer; bool is not one. */
export const isInteger = (dtype: DType): boolean => kindOf(dtype) === 'signed' || kindOf(dtype) === 'unsigned';

/** The dtype of `a op b` for two arrays. Unknown (null) when either is. */
export function promote(a: DType | null, b: DType | null): DType | null {
  if (a === null || b === null) return null;
  if (a === b) return a;
  const ka = kindOf(a);
  const kb = kindOf(b);
  if (ka === 'complex' || kb === 'complex') return 'complex64';
  if (ka === 'float' && kb === 'float') {
    if (a === 'float64' || b === 'float64') return 'float64';
    return 'float32'; // two different ones of float16, bfloat16, float32
  }
  if (ka === 'float') return a;
  if (kb === 'float') return b;
  if (ka === 'bool') return b;
  if (kb === 'bool') return a;
  if (ka === kb) return sizeOf(a) >= sizeOf(b) ? a : b;
  const [signed, unsigned] = ka === 'signed' ? [a, b] : [b, a];
  if (sizeOf(signed) > sizeOf(unsigned)) return signed;
  // A signed type that holds every value of the unsigned one; for uint64 there is none and MLX gives float32.
  return ({ 1: 'int16', 2: 'int32', 4: 'int64', 8: 'float32' } as const)[sizeOf(unsigned) as 1 | 2 | 4 | 8];
}

/** The dtype of an array combined with a weak Python scalar. `array` is unknown (null) only propagates. */
export function promoteScalar(array: DType | null, scalar: 'bool' | 'int' | 'float' | 'complex'): DType | null {
  if (array === null) return null;
  const kind = kindOf(array);
  if (scalar === 'complex') return 'complex64';
  if (scalar === 'float') return kind === 'float' || kind === 'complex' ? array : 'float32';
  if (scalar === 'int') return kind === 'bool' ? 'int32' : array;
  return array;
}
