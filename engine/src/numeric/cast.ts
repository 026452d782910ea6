/**
 * Conversion of arrays between dtypes, as `astype` does it.
 *
 * A float becomes an integer by cutting off its fraction; integers wrap around; complex numbers lose their imaginary
 * part. Floats too large for an integer are undefined in C: here they give what x86 processors give.
 */
import { type DType, isInteger } from '../dtype';
import { allocate, elementCount, type Tensor, type TensorData } from '../tensor';
import { toInt32 } from './float';
import { rounder } from './round';

/** `x` with dtype `dtype`; `x` itself when it has it already. */
export function cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
  if (x.dtype === dtype) return x as Tensor<D>;
  const count = elementCount(x.shape);
  const data = allocate(dtype, count);
  // complex values are pairs, of which the real part is read or written
  const from = x.dtype === 'complex64' ? 2 : 1;
  const to = dtype === 'complex64' ? 2 : 1;
  const convert = converter(x.dtype, dtype);
  for (let i = 0; i < count; i++) (data as Writable)[i * to] = convert(x.data[i * from]);
  return { shape: x.shape, dtype, data };
}

/** Any storage, seen so that what `convert` answers can be put in: a bigint exactly where it holds bigints. */
type Writable = { [i: number]: number | bigint };

type Convert = (value: number | bigint) => number | bigint;

const isBig = (dtype: DType): boolean => dtype === 'int64' || dtype === 'uint64';

function converter(from: DType, to: DType): Convert {
  if (to === 'bool') return value => Number(Number(value) !== 0);
  if (isInteger(to)) {
    // typed arrays wrap what they are given modulo their width
    if (isBig(from)) return isBig(to) ? value => value : value => Number(BigInt.asIntN(32, value as bigint));
    if (from === 'bool' || isInteger(from)) return isBig(to) ? value => BigInt(value) : value => value;
    return FROM_FLOAT[to as keyof typeof FROM_FLOAT] ?? (value => toInt32(value as number));
  }
  const round = rounder(to);
  if (isBig(from) && to !== 'float64') return value => round(bigToFloat(value as bigint));
  return value => round(Number(value));
}

const INT64_MIN = -(2n ** 63n);
const toInt64 = (x: number): bigint => (x >= -(2 ** 63) && x < 2 ** 63 ? BigInt(Math.trunc(x)) : INT64_MIN);

const FROM_FLOAT: Partial<Record<DType, Convert>> = {
  uint32: value => Number(BigInt.asUintN(32, toInt64(value as number))),
  int64: value => toInt64(value as number),
  uint64: value =>
    (value as number) >= 2 ** 63 ? toInt64((value as number) - 2 ** 63) - INT64_MIN : toInt64(value as number),
};

/** A double that rounds to the same float32 as `value`: beyond 53 bits the lost ones go into the last (round to odd). */
function bigToFloat(value: bigint): number {
  if (value > -(2n ** 53n) && value < 2n ** 53n) return Number(value);
  const size = value < 0n ? -value : value;
  const high = Number((size >> 11n) | ((size & 2047n) === 0n ? 0n : 1n)) * 2048;
  return value < 0n ? -high : high;
}

/** The values as numbers; 64-bit integers beyond 2^53 lose their last bits. Not for complex arrays. */
export function toNumbers(data: TensorData): Float64Array {
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = Number(data[i]);
  return out;
}
