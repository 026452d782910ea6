/**
 * Which file an `import` means, without Python: workspace folders, packages, `src/` layouts, and installed packages.
 *
 * MLX itself is never looked up, since its surface is built in; nor are installed packages that are not built on MLX:
 * numpy or transformers would cost seconds to read and tell nothing about arrays.
 */
import type { FileSystem } from './file-system';
import { dirname, isInside, join } from './paths';

export interface ImportRoots {
  /** Workspace folders (command line: the working directory). */
  readonly folders: readonly string[];
  /** More places to look in, before installed packages. */
  readonly searchPaths: readonly string[];
  /** Folders like `.venv/lib/python3.12/site-packages`. */
  readonly sitePackages: readonly string[];
}

/** How far up from a file outside every workspace folder imports are looked for. */
const MOST_PARENTS = 4;

export class ImportResolver {
  private readonly answers = new Map<string, string | null>();
  /** Whether an installed package is built on MLX. */
  private readonly installed = new Map<string, boolean>();

  constructor(
    private readonly files: FileSystem,
    private readonly roots: ImportRoots,
  ) {}

  /**
   * The file that `import name` means in the file `from`; with `level` leading dots it is relative to that file's package.
   * A folder without `__init__.py` that holds Python is answered as the `__init__.py` it lacks. Null: not in reach.
   */
  resolve(name: string, level: number, from: string): string | null {
    if (level === 0 && (name === 'mlx' || name.startsWith('mlx.'))) return null;
    const folder = dirname(from);
    const key = `${level} ${name} ${folder}`;
    let answer = this.answers.get(key);
    if (answer === undefined) this.answers.set(key, (answer = this.find(name, level, folder)));
    return answer;
  }

  private find(name: string, level: number, folder: string): string | null {
    const parts = name === '' ? [] : name.split('.');
    if (level > 0) {
      let base = folder;
      for (let i = 1; i < level; i++) base = dirname(base);
      return this.moduleIn(base, parts);
    }
    let namespace: string | null = null;
    for (const root of this.candidates(folder)) {
      const found = this.moduleIn(root, parts);
      if (found === null) continue;
      // A real module anywhere wins over a bare folder of that name, as in Python.
      if (this.files.kind(found) === 'file') return found;
      namespace ??= found;
    }
    for (const site of this.roots.sitePackages) {
      if (!this.isBuiltOnMlx(site, parts[0])) continue;
      const found = this.moduleIn(site, parts);
      if (found !== null) return found;
    }
    return namespace;
  }

  /** Folders to look in for an absolute import, nearest first. */
  private *candidates(folder: string): Generator<string> {
    const workspace = this.roots.folders.filter(f => isInside(folder, f)).sort((a, b) => b.length - a.length)[0];
    // Inside a package, Python's path holds the folder around the outermost package; scripts have their own folder.
    let current = folder;
    if (!this.isPackage(folder)) yield folder;
    for (let i = 0; workspace ? current !== workspace && isInside(current, workspace) : i < MOST_PARENTS; i++) {
      const parent = dirname(current);
      if (parent === current || parent === '') break;
      current = parent;
      if (!this.isPackage(current)) {
        yield current;
        yield join(current, 'src');
      }
    }
    for (const root of this.roots.folders) {
      yield root;
      yield join(root, 'src');
    }
    yield* this.roots.searchPaths;
  }

  private isPackage(folder: string): boolean {
    return this.files.kind(join(folder, '__init__.py')) === 'file';
  }

  private moduleIn(root: string, parts: readonly string[]): string | null {
    const base = join(root, ...parts);
    if (this.isPackage(base)) return join(base, '__init__.py');
    if (parts.length > 0 && this.files.kind(`${base}.py`) === 'file') return `${base}.py`;
    const holdsPython = () =>
      this.files.list(base).some(e => e.name.endsWith('.py') || (e.isFolder && this.isPackage(join(base, e.name))));
    return this.files.kind(base) === 'folder' && holdsPython() ? join(base, '__init__.py') : null;
  }

  private isBuiltOnMlx(site: string, name: string): boolean {
    const key = `${site} ${name}`;
    let answer = this.installed.get(key);
    if (answer === undefined) this.installed.set(key, (answer = this.readMetadata(site, name)));
    return answer;
  }

  private readMetadata(site: string, name: string): boolean {
    if (/^mlx[_-]/.test(name)) return true;
    const normal = (text: string) => text.toLowerCase().replace(/[-_.]+/g, '_');
    const info = this.files
      .list(site)
      .find(e => e.isFolder && e.name.endsWith('.dist-info') && normal(e.name.split('-')[0]) === normal(name));
    const metadata = info && this.files.read(join(site, info.name, 'METADATA'));
    return metadata !== undefined && metadata !== null && /^Requires-Dist:\s*mlx\b(?![-_.]?\w)/im.test(metadata);
  }
}

/**
 * The site-packages folders of a virtual environment: of the one given, else of `.venv`, `venv` or `env` in a folder.
 */
export function sitePackagesOf(files: FileSystem, folders: readonly string[], environment: string | null): string[] {
  const places = environment ? [environment] : folders.flatMap(f => ['.venv', 'venv', 'env'].map(v => join(f, v)));
  const found: string[] = [];
  for (const place of places) {
    const windows = join(place, 'Lib/site-packages');
    if (files.kind(windows) === 'folder') found.push(windows);
    for (const { name, isFolder } of files.list(join(place, 'lib'))) {
      const packages = join(place, 'lib', name, 'site-packages');
      if (isFolder && name.startsWith('python') && files.kind(packages) === 'folder') found.push(packages);
    }
  }
  return found;
}
