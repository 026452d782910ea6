/**
 * The safetensors format: 8 bytes with the length of a JSON header, the header, then the arrays.
 *
 * The header alone says every name, dtype and shape; arrays, or rows of them, are read when they are wanted.
 */
import { type DType, sizeOf } from '../dtype';
import { elementCount, type Tensor } from '../tensor';
import { fromBytes, toBytes } from './elements';
import { exactly, FormatError, type RandomAccess, type Reading, read, readExactly } from './random_access';

export interface TensorEntry {
  readonly name: string;
  readonly shape: readonly number[];
  /** The dtype the array has in MLX; null for one that MLX cannot load. */
  readonly dtype: DType | null;
  /** The dtype as the file writes it: `BF16`. */
  readonly storedDtype: string;
  /** Where its bytes lie in the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  /** By name, in the order of the header. */
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Arrays that lie beyond the file's end, which is cut off. */
  readonly cutOff: readonly TensorEntry[];
}

/** What MLX loads stored dtypes as. 8-bit floats are kept as their codes. */
const DTYPES: Readonly<Record<string, DType>> = {
  BOOL: 'bool',
  U8: 'uint8',
  U16: 'uint16',
  U32: 'uint32',
  U64: 'uint64',
  I8: 'int8',
  I16: 'int16',
  I32: 'int32',
  I64: 'int64',
  F16: 'float16',
  BF16: 'bfloat16',
  F32: 'float32',
  C64: 'complex64',
  F8_E4M3: 'uint8',
  F8_E8M0: 'uint8',
};

/** Far beyond any real header (that of a 1,000-layer model has some megabytes), and short enough to read. */
const LONGEST_HEADER = 100_000_000;

/**
 * The header of a file.
 * @throws FormatError when the file is cut off, or the header is none or contradicts itself
 */
export async function readHeader(file: RandomAccess): Promise<SafetensorsHeader> {
  const header = await read(file, safetensorsHeader(file.size));
  const [beyond] = header.cutOff;
  if (beyond)
    throw new FormatError(
      `${beyond.name} lies at bytes ${beyond.offset} to ${beyond.offset + beyond.byteLength}, but the file has ${file.size}: it is cut off or damaged`,
    );
  return header;
}

/**
 * Reads the header of a file of `size` bytes, also where arrays are cut off: then it says which.
 * @throws FormatError when the header itself is cut off, is none, or contradicts itself
 */
export function* safetensorsHeader(size: number): Reading<SafetensorsHeader> {
  const start = yield* exactly(size, 0, 8, 'the length of the header');
  const length = Number(new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true));
  if (length > LONGEST_HEADER)
    throw new FormatError(`this is no safetensors file: its header would be ${length} bytes long`);
  const text = yield* exactly(size, 8, length, 'the header');
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(text));
  } catch (error) {
    throw new FormatError(`this is no safetensors file: its header is not JSON (${(error as Error).message})`);
  }
  if (!isObject(json)) throw new FormatError('this is no safetensors file: its header is no JSON object');
  const tensors = new Map<string, TensorEntry>();
  let metadata: Record<string, string> = {};
  for (const [name, entry] of Object.entries(json))
    if (name === '__metadata__') metadata = isObject(entry) ? (entry as Record<string, string>) : {};
    else tensors.set(name, parseEntry(name, entry, 8 + length));
  return { tensors, metadata, cutOff: [...tensors.values()].filter(e => e.offset + e.byteLength > size) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const areCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every(n => Number.isSafeInteger(n) && n >= 0);

function parseEntry(name: string, entry: unknown, base: number): TensorEntry {
  if (!isObject(entry)) throw new FormatError(`${name} has no description in the header`);
  const { dtype: storedDtype, shape, data_offsets: offsets } = entry;
  if (typeof storedDtype !== 'string' || !areCounts(shape) || !areCounts(offsets) || offsets.length !== 2)
    throw new FormatError(`the header describes ${name} without dtype, shape and data_offsets`);
  const [from, to] = offsets;
  if (to < from) throw new FormatError(`the header has ${name} end at byte ${to}, before its start at ${from}`);
  const dtype = DTYPES[storedDtype] ?? null;
  const wanted = dtype === null ? to - from : elementCount(shape) * sizeOf(dtype);
  if (wanted !== to - from)
    throw new FormatError(
      `${name} is ${storedDtype}[${shape.join(', ')}], ${wanted} bytes, but the header gives it ${to - from}`,
    );
  return { name, shape, dtype, storedDtype, offset: base + from, byteLength: to - from };
}

/** @throws FormatError for a dtype that MLX cannot load, or a file cut off meanwhile */
export async function readTensor(file: RandomAccess, entry: TensorEntry): Promise<Tensor> {
  const dtype = loadable(entry);
  return fromBytes(dtype, entry.shape, await readExactly(file, entry.offset, entry.byteLength, entry.name));
}

/**
 * The rows [start, end) along the first axis; bounds beyond the array are cut to it. A scalar has no rows.
 * @throws FormatError as `readTensor`, and for a scalar
 */
export async function readRows(file: RandomAccess, entry: TensorEntry, start: number, end: number): Promise<Tensor> {
  const dtype = loadable(entry);
  if (entry.shape.length === 0) throw new FormatError(`${entry.name} is a scalar, it has no rows`);
  const [rows, ...rest] = entry.shape;
  const from = Math.min(Math.max(0, start), rows);
  const to = Math.min(Math.max(from, end), rows);
  const rowBytes = elementCount(rest) * sizeOf(dtype);
  const bytes = await readExactly(file, entry.offset + from * rowBytes, (to - from) * rowBytes, entry.name);
  return fromBytes(dtype, [to - from, ...rest], bytes);
}

function loadable({ name, dtype, storedDtype }: TensorEntry): DType {
  if (dtype === null) throw new FormatError(`${name} has dtype ${storedDtype}, which MLX cannot load`);
  return dtype;
}

/**
 * A file with these arrays.
 * @throws FormatError for float64, which MLX neither writes nor loads in this format
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = { format: 'mlx' },
): Uint8Array<ArrayBuffer> {
  const names = Object.entries(DTYPES).filter(([stored]) => !stored.startsWith('F8'));
  const header: Record<string, unknown> = { __metadata__: metadata };
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const [name, x] of tensors) {
    const stored = names.find(([, dtype]) => dtype === x.dtype)?.[0];
    if (!stored) throw new FormatError(`${name} is ${x.dtype}, which MLX does not save as safetensors`);
    const bytes = toBytes(x);
    header[name] = { dtype: stored, shape: x.shape, data_offsets: [at, at + bytes.length] };
    parts.push(bytes);
    at += bytes.length;
  }
  // spaces behind the header keep the arrays on multiples of 8 bytes
  const json = JSON.stringify(header);
  const text = new TextEncoder().encode(json + ' '.repeat((8 - (new TextEncoder().encode(json).length % 8)) % 8));
  const file = new Uint8Array(8 + text.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let offset = 8 + text.length;
  for (const part of parts) {
    file.set(part, offset);
    offset += part.length;
  }
  return file;
}

/**
 * Which file holds each parameter, from the text of a `model.safetensors.index.json`.
 * @throws FormatError when there is no `weight_map` of names to files
 */
export function parseShardIndex(text: string): ReadonlyMap<string, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new FormatError(`the index of shards is not JSON (${(error as Error).message})`);
  }
  const map = isObject(json) ? json.weight_map : null;
  if (!isObject(map) || !Object.values(map).every(file => typeof file === 'string'))
    throw new FormatError('the index of shards has no weight_map of parameter names to files');
  return new Map(Object.entries(map as Record<string, string>));
}
