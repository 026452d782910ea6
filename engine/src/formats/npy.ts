/**
 * NumPy's .npy files, as NumPy and MLX write them, and .npz archives of them.
 *
 * MLX does not align what follows the header, and stores bfloat16 as two raw bytes, `<V2`.
 */
import { unzipSync, zipSync } from 'fflate';
import type { DType } from '../dtype';
import { sizeOf } from '../dtype';
import { readBox } from '../ops/positions';
import { elementCount, type Tensor } from '../tensor';
import { fromBytes, toBytes } from './elements';
import { FormatError } from './random_access';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** Type strings without their byte order. */
const DTYPES: Readonly<Record<string, DType>> = {
  b1: 'bool',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  c8: 'complex64',
  V2: 'bfloat16',
};

/**
 * The array in a .npy file of version 1, 2 or 3.
 * @throws FormatError when it is none, is cut off, or holds what MLX cannot load
 */
export function readNpy(file: Uint8Array): Tensor {
  const { dtype, bigEndian, columnMajor, shape, start } = npyHeader(file);
  const length = elementCount(shape) * sizeOf(dtype);
  if (file.length < start + length)
    throw new FormatError(
      `the .npy file is cut off: ${dtype}[${shape.join(', ')}] takes ${length} bytes, there are ${file.length - start}`,
    );
  let bytes = file.subarray(start, start + length);
  if (bigEndian) bytes = swapped(bytes, dtype === 'complex64' ? 4 : sizeOf(dtype));
  return columnMajor ? rowMajor(fromBytes(dtype, shape, bytes)) : fromBytes(dtype, shape, bytes);
}

/**
 * What a .npy file's beginning says of the array in it.
 * @throws FormatError when it is none, is cut off in its header, or holds what MLX cannot load
 */
export function npyHeader(file: Uint8Array): NpyHeader {
  if (!MAGIC.every((byte, i) => file[i] === byte)) throw new FormatError('this is no .npy file');
  const version = file[6];
  if (version < 1 || version > 3) throw new FormatError(`.npy version ${version} is not known; 1 to 3 are`);
  const long = version > 1;
  const text = long ? 12 : 10;
  if (file.length < text) throw new FormatError('the .npy file is cut off in its header');
  const numbers = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const start = text + (long ? numbers.getUint32(8, true) : numbers.getUint16(8, true));
  if (file.length < start) throw new FormatError('the .npy file is cut off in its header');
  return { ...parseHeader(new TextDecoder().decode(file.subarray(text, start))), start };
}

export interface NpyHeader {
  readonly dtype: DType;
  readonly bigEndian: boolean;
  readonly columnMajor: boolean;
  readonly shape: readonly number[];
  /** Where its elements start. */
  readonly start: number;
}

/** The header is a Python dict literal: `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`. */
function parseHeader(text: string): Omit<NpyHeader, 'start'> {
  const value = (key: string, pattern: string): string => {
    const found = new RegExp(`['"]${key}['"]\\s*:\\s*${pattern}`).exec(text);
    if (!found) throw new FormatError(`the .npy header has no readable ${key}: ${text.trim()}`);
    return found[1];
  };
  const descr = value('descr', `['"]([^'"]*)['"]`);
  const dtype = DTYPES[descr.slice(1)];
  if (!dtype || !'<>|='.includes(descr[0])) throw new FormatError(`.npy arrays of type ${descr} cannot be loaded`);
  const columnMajor = value('fortran_order', '(True|False)') === 'True';
  const shape = value('shape', '\\(([\\d\\s,]*)\\)')
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(Number);
  return { dtype, bigEndian: descr[0] === '>', columnMajor, shape };
}

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice();
  for (let i = 0; i < out.length; i += size) out.subarray(i, i + size).reverse();
  return out;
}

/** The array whose first axis varies fastest in `x`. */
function rowMajor(x: Tensor): Tensor {
  const strides = x.shape.map((_, axis) => elementCount(x.shape.slice(0, axis)));
  return readBox(x, x.shape, strides);
}

/** A .npy file of version 1 that NumPy and MLX read. */
export function writeNpy(x: Tensor): Uint8Array<ArrayBuffer> {
  const type = Object.keys(DTYPES).find(key => DTYPES[key] === x.dtype)!;
  const order = sizeOf(x.dtype) === 1 ? '|' : '<';
  const shape = `(${x.shape.join(', ')}${x.shape.length === 1 ? ',' : ''})`;
  const dict = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${shape}, }`;
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11)}\n`;
  const data = toBytes(x);
  const file = new Uint8Array(10 + header.length + data.length);
  file.set([...MAGIC, 1, 0, header.length & 255, header.length >> 8]);
  file.set(new TextEncoder().encode(header), 10);
  file.set(data, 10 + header.length);
  return file;
}

/**
 * The arrays of an .npz archive by name, without `.npy`.
 * @throws FormatError when it is no archive, or an entry is no array
 */
export function readNpz(file: Uint8Array): ReadonlyMap<string, Tensor> {
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(file);
  } catch (error) {
    throw new FormatError(`this is no .npz archive (${(error as Error).message})`);
  }
  return new Map(
    Object.entries(entries).map(([name, bytes]) => {
      try {
        return [name.replace(/\.npy$/, ''), readNpy(bytes)];
      } catch (error) {
        throw new FormatError(`${name}: ${(error as Error).message}`);
      }
    }),
  );
}

/** An uncompressed .npz archive. */
export const writeNpz = (arrays: ReadonlyMap<string, Tensor>): Uint8Array<ArrayBuffer> =>
  zipSync(Object.fromEntries([...arrays].map(([name, x]) => [`${name}.npy`, writeNpy(x)])), { level: 0 });
