/** Files on this machine's disks. */
import fs from 'node:fs';
import type { Entry, FileSystem } from './file-system';
import { join } from './paths';

/** Larger Python files than this are data; reading them would stall every analysis. */
const LARGEST_TEXT = 8 * 1024 * 1024;

export class NodeFileSystem implements FileSystem {
  read(path: string): string | null {
    try {
      if (fs.statSync(path).size > LARGEST_TEXT) return null;
      const text = fs.readFileSync(path, 'utf8');
      return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    } catch {
      return null;
    }
  }

  kind(path: string): 'file' | 'folder' | null {
    const stats = fs.statSync(path, { throwIfNoEntry: false });
    if (!stats) return null;
    return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : null;
  }

  list(path: string): readonly Entry[] {
    try {
      return fs.readdirSync(path, { withFileTypes: true }).map(entry => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? this.kind(join(path, entry.name)) === 'folder' : entry.isDirectory(),
      }));
    } catch {
      return [];
    }
  }

  stamp(path: string): number | null {
    try {
      return fs.statSync(path).mtimeMs;
    } catch {
      return null;
    }
  }

  async readBytes(path: string, start: number, end: number): Promise<{ bytes: Uint8Array; size: number }> {
    const file = await fs.promises.open(path, 'r');
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(Math.max(Math.min(end, size) - start, 0));
      // One read may answer less than was asked for.
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
        if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
        done += bytesRead;
      }
      return { bytes, size };
    } finally {
      await file.close();
    }
  }

  readNow(path: string, start: number, end: number): { bytes: Uint8Array; size: number } | null {
    let file: number;
    try {
      file = fs.openSync(path, 'r');
    } catch {
      return null;
    }
    try {
      const { size } = fs.fstatSync(file);
      const bytes = new Uint8Array(Math.max(Math.min(end, size) - start, 0));
      let done = 0;
      while (done < bytes.length) {
        const count = fs.readSync(file, bytes, done, bytes.length - done, start + done);
        if (count === 0) break;
        done += count;
      }
      return { bytes: bytes.subarray(0, done), size };
    } finally {
      fs.closeSync(file);
    }
  }
}
