/**
 * Arrays as bytes, little endian and row major, with half precision in 16 bits: what files hold.
 */
import { type DType, sizeOf } from '../dtype';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../numeric/half';
import { elementCount, type Storage, type Tensor, tensor } from '../tensor';

/** The array with these bytes. They are copied, since in a file they start at any byte. */
export function fromBytes<D extends DType>(dtype: D, shape: readonly number[], bytes: Uint8Array): Tensor<D> {
  const wanted = elementCount(shape) * sizeOf(dtype);
  if (bytes.length !== wanted)
    throw new RangeError(`${dtype}[${shape.join(', ')}] takes ${wanted} bytes, not ${bytes.length}`);
  const { buffer } = Uint8Array.from(bytes);
  return { shape, dtype, data: view(dtype, buffer) as Storage[D] };
}

function view(dtype: DType, buffer: ArrayBuffer): Storage[DType] {
  if (dtype === 'float16') return decodeFloat16(new Uint16Array(buffer));
  if (dtype === 'bfloat16') return decodeBfloat16(new Uint16Array(buffer));
  const View = tensor(dtype, [0]).data.constructor as new (buffer: ArrayBuffer) => Storage[DType];
  return new View(buffer);
}

/** The bytes of an array; of no copy where it is held as it is stored. */
export function toBytes(x: Tensor): Uint8Array {
  const { data } = x;
  if (x.dtype === 'float16') return toBytesOf(encodeFloat16(data as Float32Array));
  if (x.dtype === 'bfloat16') return toBytesOf(encodeBfloat16(data as Float32Array));
  return toBytesOf(data);
}

const toBytesOf = (data: ArrayBufferView): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
