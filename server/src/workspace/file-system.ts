/**
 * What the workspace needs of the place its files are in.
 *
 * Text is read at once and not by promise, because interpreting an `import` cannot wait: a browser's files are pushed
 * ahead of use (`MemoryFileSystem`), Node's are read when asked for (`file-system.node.ts`).
 */
import { basename, dirname, isInside } from './paths';

export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

export interface FileSystem {
  /** The file's text, or null where there is none that can be read as text. */
  read(path: string): string | null;
  kind(path: string): 'file' | 'folder' | null;
  /** What a folder holds, in no particular order; nothing for what is no folder. */
  list(path: string): readonly Entry[];
  /** A number that changes when the file does, or null where there is no file. */
  stamp(path: string): number | null;
  /** Bytes `start` to `end` (or to the file's end) and its whole size. Rejects where there is no such file. */
  readBytes(path: string, start: number, end: number): Promise<{ bytes: Uint8Array; size: number }>;
  /** As `readBytes`, at once; null where there is no such file. Absent where files answer only later. */
  readNow?(path: string, start: number, end: number): { bytes: Uint8Array; size: number } | null;
}

/** Files that someone hands over: a browser's client, a test. */
export class MemoryFileSystem implements FileSystem {
  private readonly files = new Map<string, { text: string; stamp: number }>();
  /** Folder → what it holds. Kept beside `files` so that looking in a folder costs only its size. */
  private readonly folders = new Map<string, Map<string, Entry>>();
  private clock = 0;

  /** `bytes` reads parts of binary files, which are not handed over whole. */
  constructor(
    files: Iterable<readonly [string, string]> = [],
    private readonly bytes: FileSystem['readBytes'] | null = null,
  ) {
    for (const [path, text] of files) this.write(path, text);
  }

  write(path: string, text: string): void {
    this.files.set(path, { text, stamp: ++this.clock });
    let child: Entry = { name: basename(path), isFolder: false };
    for (let folder = dirname(path); ; folder = dirname(folder)) {
      let entries = this.folders.get(folder);
      const known = entries !== undefined;
      if (!entries) this.folders.set(folder, (entries = new Map()));
      entries.set(child.name, child);
      if (known || folder === '' || folder === dirname(folder)) break;
      child = { name: basename(folder), isFolder: true };
    }
  }

  remove(path: string): void {
    for (const file of [...this.files.keys()])
      if (isInside(file, path)) {
        this.files.delete(file);
        this.forget(file);
      }
  }

  /** Takes a path out of its folder, and folders that become empty out of theirs. */
  private forget(path: string): void {
    this.folders.delete(path);
    const folder = dirname(path);
    const entries = this.folders.get(folder);
    if (!entries) return;
    entries.delete(basename(path));
    if (entries.size === 0 && folder !== path) this.forget(folder);
  }

  read(path: string): string | null {
    return this.files.get(path)?.text ?? null;
  }

  kind(path: string): 'file' | 'folder' | null {
    if (this.files.has(path)) return 'file';
    return this.folders.has(path) ? 'folder' : null;
  }

  list(path: string): readonly Entry[] {
    return [...(this.folders.get(path)?.values() ?? [])];
  }

  stamp(path: string): number | null {
    return this.files.get(path)?.stamp ?? null;
  }

  readNow(path: string, start: number, end: number): { bytes: Uint8Array; size: number } | null {
    const text = this.read(path);
    if (text === null) return null;
    const all = new TextEncoder().encode(text);
    return { bytes: all.slice(start, end), size: all.length };
  }

  async readBytes(path: string, start: number, end: number): Promise<{ bytes: Uint8Array; size: number }> {
    const text = this.readNow(path, start, end);
    if (text !== null) return text;
    if (!this.bytes) throw new Error(`there is no file ${path}`);
    return this.bytes(path, start, end);
  }
}
