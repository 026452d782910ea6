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
  const bytes = offset + length <= file.size ? await file.read(offset, length) : null;
  if (bytes?.length !== length)
    throw new FormatError(
      `${what} ends at byte ${offset + length}, but the file has ${file.size} bytes: it is cut off`,
    );
  return bytes;
}
