/**
 * What an .npz archive holds, without its arrays: the archive's directory, and the beginning of each entry.
 *
 * ZIP keeps its directory at the end; NumPy writes entries above 4 GB in the 64-bit form. Compressed entries are
 * decompressed only as far as their header goes.
 */
import { Inflate } from 'fflate';
import type { DType } from '../dtype';
import { type NpyHeader, npyHeader } from './npy';
import { exactly, FormatError, type Reading } from './random_access';

export interface NpzEntry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  /** Where its elements lie in the archive, in row-major order; null where they cannot be read as they stand. */
  readonly offset: number | null;
}

const [DIRECTORY_END, DIRECTORY_END_64, LOCATOR_64, ENTRY] = [0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50];
/** The directory's end record and the longest comment that may follow it. */
const LONGEST_END = 22 + 0xffff;
/** Enough of an entry for its local header and that of the .npy file in it. */
const BEGINNING = 4096;

interface Place {
  readonly name: string;
  readonly stored: boolean;
  readonly offset: number;
}

/**
 * The arrays of an archive of `size` bytes, by name without `.npy`.
 * @throws FormatError when it is no archive, is cut off, or an entry is no array
 */
export function* npzHeader(size: number): Reading<ReadonlyMap<string, NpzEntry>> {
  const tail = Math.min(size, LONGEST_END);
  const end = view(yield* exactly(size, size - tail, tail, 'the archive'));
  let at = end.byteLength - 22;
  while (at >= 0 && end.getUint32(at, true) !== DIRECTORY_END) at--;
  if (at < 0) throw new FormatError('this is no .npz archive, or it is cut off: it has no directory at its end');
  let [count, length, offset] = [
    end.getUint16(at + 10, true),
    end.getUint32(at + 12, true),
    end.getUint32(at + 16, true),
  ];
  if (at >= 20 && end.getUint32(at - 20, true) === LOCATOR_64) {
    const wide = view(yield* exactly(size, number64(end, at - 12), 56, 'the directory of the archive'));
    if (wide.getUint32(0, true) !== DIRECTORY_END_64) throw new FormatError('the directory of the archive is damaged');
    [count, length, offset] = [number64(wide, 32), number64(wide, 40), number64(wide, 48)];
  }
  const directory = yield* exactly(size, offset, length, 'the directory of the archive');
  const entries = new Map<string, NpzEntry>();
  for (const place of places(directory, count)) {
    const header = yield* entryHeader(size, place);
    entries.set(place.name.replace(/\.npy$/, ''), header);
  }
  return entries;
}

function* places(directory: Uint8Array, count: number): Generator<Place> {
  const data = view(directory);
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > data.byteLength || data.getUint32(at, true) !== ENTRY)
      throw new FormatError('the directory of the archive is damaged');
    const [nameLength, extraLength, commentLength] = [28, 30, 32].map(k => data.getUint16(at + k, true));
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
    let offset = data.getUint32(at + 42, true);
    if (offset === 0xffffffff) offset = wideOffset(data, at, at + 46 + nameLength, extraLength);
    yield { name, stored: data.getUint16(at + 10, true) === 0, offset };
    at += 46 + nameLength + extraLength + commentLength;
  }
}

/** The local header's place from the extra field that holds what 32 bits cannot: sizes first, where they are large. */
function wideOffset(data: DataView, entry: number, extra: number, length: number): number {
  for (let at = extra; at + 4 <= extra + length; at += 4 + data.getUint16(at + 2, true)) {
    if (data.getUint16(at, true) !== 1) continue;
    const before = [24, 20].filter(field => data.getUint32(entry + field, true) === 0xffffffff).length;
    return number64(data, at + 4 + 8 * before);
  }
  throw new FormatError('the directory of the archive is damaged');
}

function* entryHeader(size: number, { name, stored, offset }: Place): Reading<NpzEntry> {
  const bytes = yield { offset, length: Math.min(BEGINNING, size - offset) };
  if (bytes.length < 30) throw new FormatError(`${name} is cut off`);
  const local = view(bytes);
  const start = 30 + local.getUint16(26, true) + local.getUint16(28, true);
  const data = bytes.subarray(start);
  let header: NpyHeader;
  try {
    header = npyHeader(stored ? data : inflated(data));
  } catch (error) {
    throw new FormatError(`${name}: ${(error as Error).message}`);
  }
  const { shape, dtype, bigEndian, columnMajor } = header;
  const asItStands = stored && !bigEndian && !(columnMajor && shape.length > 1);
  return {
    name: name.replace(/\.npy$/, ''),
    shape,
    dtype,
    offset: asItStands ? offset + start + header.start : null,
  };
}

/** As much of compressed data as these bytes hold. */
function inflated(bytes: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  const stream = new Inflate(part => parts.push(part));
  stream.push(bytes, false);
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const number64 = (data: DataView, at: number): number => Number(data.getBigUint64(at, true));
