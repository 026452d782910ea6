/**
 * NumPy's dtypes, and the ones MLX gives their arrays.
 */
import { type DType, sizeOf } from '../../../../engine/src/dtype';
import type { Interpreter } from '../../interpreter/interpreter';
import type { Value } from '../../interpreter/values';
import { isDType } from '../define';

/** Dtypes that MLX lacks, and what it converts them to; null for those it cannot. */
const FOREIGN: Record<string, DType | null> = {
  float64: 'float32',
  complex128: 'complex64',
  object_: null,
  str_: null,
};

/** Bytes of an element, where MLX's dtype does not tell. */
const SIZES: Record<string, number> = { float64: 8, complex128: 16, object_: 8, str_: 4 };

/** Names NumPy has dtypes for. */
export const NUMPY_DTYPES = [
  'bool_',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'int8',
  'int16',
  'int32',
  'int64',
  'float16',
  'float32',
  'float64',
  'complex64',
  'complex128',
  'object_',
  'str_',
];

/** The dtype of the array that MLX makes of one of NumPy's `dtype`; null when there is none or it is not known. */
export function mlxDType(dtype: string | null): DType | null {
  if (dtype === null) return null;
  if (Object.hasOwn(FOREIGN, dtype)) return FOREIGN[dtype];
  const name = dtype === 'bool_' ? 'bool' : dtype;
  return isDType(name) ? name : null;
}

/** `float`, `int` and `bool` as dtypes. */
const PYTHON: Record<string, string> = { float: 'float64', int: 'int64', bool: 'bool_', complex: 'complex128' };
const ALIASES: Record<string, string> = {
  bool: 'bool_',
  single: 'float32',
  double: 'float64',
  half: 'float16',
  intp: 'int64',
};

/** The dtype that a `dtype=` argument names; undefined where it was not given, null where it is not known. */
export function namedDType(interpreter: Interpreter, value: Value | undefined): string | null | undefined {
  const v = value && interpreter.settled(value);
  if (!v || v.kind === 'none') return undefined;
  if (v.kind === 'native' && v.type.name === 'dtype') return v.data as string;
  const name = v.kind === 'str' ? v.value : v.kind === 'class' ? (PYTHON[v.name] ?? null) : null;
  return name === null ? null : (ALIASES[name] ?? (NUMPY_DTYPES.includes(name) ? name : null));
}

/** Bytes an element of a known dtype takes. */
export const sizeOfDType = (dtype: string): number => SIZES[dtype] ?? sizeOf(mlxDType(dtype)!);
