/**
 * Files as the readers here see them: parts can be read without the whole, which may be tens of gigabytes.
 */

export interface RandomAccess {
  /** Bytes of the file. */
  readonly size: number;
  /** The bytes [offset, offset + length); fewer only where the file ends. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** A file that is not what it says, or holds what cannot be read; the message names the place and the cause. */
export class FormatError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'FormatError';
  }
}

/** Bytes in memory as a file. */
export const inMemory = (bytes: Uint8Array): RandomAccess => ({
  size: bytes.length,
  read: async (offset, length) => bytes.subarray(offset, offset + length),
});

/** Exactly these bytes. @throws FormatError where the file ends before, naming `what` */
export async function readExactly(
  file: RandomAccess,
  offset: number,
  length: number,
  what: string,
): Promise<Uint8Array> {
  return read(file, exactly(file.size, offset, length, what));
}

/** Bytes [offset, offset + length) of a file. */
export interface Span {
  readonly offset: number;
  readonly length: number;
}

/**
 * A way to read a file: asks for one span after another, is given their bytes (fewer only where the file ends), and
 * answers in the end. One such way serves files that answer at once and files that answer later.
 */
export type Reading<T> = Generator<Span, T, Uint8Array>;

/** What the reading answers for a file. Rejects with what the file rejects with, and what the reading throws. */
export async function read<T>(file: RandomAccess, reading: Reading<T>): Promise<T> {
  let step = reading.next();
  while (!step.done) step = reading.next(await file.read(step.value.offset, step.value.length));
  return step.value;
}

/** As `read`, for a file whose bytes are at hand. */
export function readNow<T>(bytes: (span: Span) => Uint8Array, reading: Reading<T>): T {
  let step = reading.next();
  while (!step.done) step = reading.next(bytes(step.value));
  return step.value;
}

/** Exactly these bytes of a file of `size` bytes. @throws FormatError where the file ends before, naming `what` */
export function* exactly(size: number, offset: number, length: number, what: string): Reading<Uint8Array> {
  const bytes = offset + length <= size ? yield { offset, length } : null;
  if (bytes?.length !== length)
    throw new FormatError(`${what} ends at byte ${offset + length}, but the file has ${size} bytes: it is cut off`);
  return bytes;
}
