/**
 * Files on disk, for Node.
 */
import { open } from 'node:fs/promises';
import type { RandomAccess } from './random_access';

/** A file kept open until `close`. */
export interface OpenFile extends RandomAccess {
  close(): Promise<void>;
}

/** Opens a file for reading. Rejects with Node's error where that cannot be. */
export async function openFile(path: string): Promise<OpenFile> {
  const handle = await open(path, 'r');
  const { size } = await handle.stat();
  return {
    size,
    async read(offset, length) {
      const bytes = new Uint8Array(length);
      let filled = 0;
      while (filled < length) {
        const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    },
    close: () => handle.close(),
  };
}
