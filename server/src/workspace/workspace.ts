/**
 * The project as an analysis sees it: open documents over files, parsed once, with imports resolved.
 *
 * `Workspace` is the analyser's `SourceProvider`. A source lives until its text changes; whoever knows of a change
 * (an edit, a watcher, a pushed file) tells it with `changed`, and learns which analyses to make anew.
 */
import type { SourceFile, SourceProvider } from '../analysis/types';
import type { ArraysInFile } from '../interpreter/interpreter';
import { graft, type Parsed } from '../python/graft';
import { parse } from '../python/parse';
import { LineIndex } from '../python/positions';
import { isCheckpoint, readCheckpointNow } from './checkpoint';
import type { FileSystem } from './file-system';
import { ImportResolver, sitePackagesOf } from './imports';
import { type Notebook, readNotebook } from './notebook';
import { basename, dirname, extension, isInside, join, relative } from './paths';
import { isExcluded, type ProjectSettings, settingsFor } from './settings';

export interface WorkspaceOptions {
  readonly folders: readonly string[];
  /** A virtual environment, such as VIRTUAL_ENV names. */
  readonly environment?: string | null;
  readonly searchPaths?: readonly string[];
}

interface Held {
  readonly source: SourceFile;
  readonly notebook: Notebook | null;
  /** The file's stamp when it was read; null for an open document. */
  readonly stamp: number | null;
}

/** Folders that hold no sources of the project. */
const NEVER_CHECKED = new Set(['node_modules', '__pycache__', 'site-packages', 'build', 'dist']);

export class Workspace implements SourceProvider {
  private readonly held = new Map<string, Held>();
  private readonly open = new Map<string, { text: string; notebook: Notebook | null }>();
  /** The trees that open documents had before they were edited. */
  private readonly parsed = new Map<string, Parsed>();
  private readonly settings = new Map<string, ProjectSettings>();
  private readonly checkpoints = new Map<string, { stamp: number | null; found: ArraysInFile | null }>();
  private resolver: ImportResolver | null = null;

  constructor(
    readonly files: FileSystem,
    private options: WorkspaceOptions,
  ) {}

  get folders(): readonly string[] {
    return this.options.folders;
  }

  configure(options: Partial<WorkspaceOptions>): void {
    this.options = { ...this.options, ...options };
    this.forgetImports();
  }

  // ---- sources --------------------------------------------------------------------------------------------------------

  source(path: string): SourceFile | null {
    return this.hold(path)?.source ?? null;
  }

  /** How a notebook's lines belong to its cells; null for other files. */
  notebook(path: string): Notebook | null {
    return this.hold(path)?.notebook ?? null;
  }

  private hold(path: string): Held | null {
    const known = this.held.get(path);
    if (known) return known;
    const opened = this.open.get(path);
    let text = opened?.text ?? this.files.read(path);
    let notebook = opened?.notebook ?? null;
    if (text === null) {
      // A package without `__init__.py` is an empty module that has sub-modules.
      if (basename(path) !== '__init__.py' || this.files.kind(dirname(path)) !== 'folder') return null;
      text = '';
    }
    if (!opened && extension(path) === '.ipynb') {
      try {
        notebook = readNotebook(text);
        text = notebook.text;
      } catch {
        return null;
      }
    }
    let module = parse(text);
    const before = this.parsed.get(path);
    // What an edit leaves as it was stays the same nodes, so that analyses know it again.
    if (before && graft(before, { text, module })) module = before.module;
    if (opened) this.parsed.set(path, { text, module });
    const source: SourceFile = { path, text, module, lines: new LineIndex(text) };
    const held = { source, notebook, stamp: opened ? null : this.files.stamp(path) };
    this.held.set(path, held);
    return held;
  }

  resolve(name: string, level: number, from: string): string | null {
    if (!this.resolver) {
      const { folders, environment = null, searchPaths = [] } = this.options;
      const projects = folders.map(folder => this.settingsFor(join(folder, 'x.py')));
      const chosen = environment ?? projects.find(p => p.environment)?.environment ?? null;
      this.resolver = new ImportResolver(this.files, {
        folders,
        searchPaths: [...searchPaths, ...projects.flatMap(p => p.searchPaths)],
        sitePackages: sitePackagesOf(this.files, folders, chosen),
      });
    }
    return this.resolver.resolve(name, level, from);
  }

  // ---- checkpoints ----------------------------------------------------------------------------------------------------

  /** What a checkpoint holds, from its headers; they are read again when the file changes. */
  arraysIn(path: string): ArraysInFile | null {
    const stamp = this.files.stamp(path);
    const known = this.checkpoints.get(path);
    if (known && known.stamp === stamp) return known.found;
    const checkpoint = stamp !== null && isCheckpoint(path) ? readCheckpointNow(path, this.files) : null;
    const found = checkpoint && { arrays: checkpoint.arrays, problem: checkpoint.problems[0]?.message ?? null };
    this.checkpoints.set(path, { stamp, found });
    return found;
  }

  // ---- changes --------------------------------------------------------------------------------------------------------

  /** An editor shows this text for the path, saved or not. `notebook`: the cells it is joined from. */
  openDocument(path: string, text: string, notebook: Notebook | null = null): void {
    const isNew = !this.open.has(path);
    this.open.set(path, { text, notebook });
    this.held.delete(path);
    if (isNew && this.files.kind(path) === null) this.forgetImports();
  }

  closeDocument(path: string): void {
    this.open.delete(path);
    this.held.delete(path);
    this.parsed.delete(path);
  }

  isOpen(path: string): boolean {
    return this.open.has(path);
  }

  /** A file was written, made or removed. */
  changed(path: string): void {
    if (!this.open.has(path)) this.held.delete(path);
    if (basename(path) === 'pyproject.toml') this.settings.clear();
    this.forgetImports();
  }

  /** Looks for changes of files that nobody told of; answers the changed paths. */
  refresh(): string[] {
    const changed = [...this.held].filter(([path, { stamp }]) => stamp !== null && this.files.stamp(path) !== stamp);
    for (const [path] of changed) this.changed(path);
    return changed.map(([path]) => path);
  }

  private forgetImports(): void {
    this.resolver = null;
  }

  // ---- settings and listing -------------------------------------------------------------------------------------------

  settingsFor(path: string): ProjectSettings {
    const folder = dirname(path);
    let found = this.settings.get(folder);
    if (!found) this.settings.set(folder, (found = settingsFor(this.files, folder)));
    return found;
  }

  /** Whether a file belongs to the project's own sources and not to an installed package. */
  isOwn(path: string): boolean {
    if (/(^|\/)(site-packages|dist-packages)\//.test(path)) return false;
    return this.folders.length === 0 || this.folders.some(folder => isInside(path, folder));
  }

  /** The Python files and notebooks in a folder, sorted: no virtual environments, hidden or excluded ones. */
  pythonFiles(folder: string): string[] {
    const found: string[] = [];
    const visit = (current: string): void => {
      for (const { name, isFolder } of this.files.list(current)) {
        const path = join(current, name);
        if (isFolder) {
          if (name.startsWith('.') || NEVER_CHECKED.has(name) || this.files.kind(join(path, 'pyvenv.cfg'))) continue;
          if (!isExcluded(this.settingsFor(join(path, 'x.py')), path)) visit(path);
        } else if (/\.(py|ipynb)$/.test(name) && !isExcluded(this.settingsFor(path), path)) found.push(path);
      }
    };
    visit(folder);
    return found.sort();
  }

  /** Config files (`config.json` and `*config*.json`) near a file, nearest folder first. */
  configsNear(path: string): string[] {
    const found: string[] = [];
    const top = this.folders.find(folder => isInside(path, folder)) ?? dirname(path);
    const isConfig = (name: string) => /config.*\.json$/i.test(name);
    for (let current = dirname(path); isInside(current, top); current = dirname(current)) {
      for (const { name, isFolder } of this.files.list(current)) {
        if (!isFolder && isConfig(name)) found.push(join(current, name));
        else if (isFolder && !name.startsWith('.') && !NEVER_CHECKED.has(name))
          for (const inner of this.files.list(join(current, name)))
            if (!inner.isFolder && isConfig(inner.name)) found.push(join(current, name, inner.name));
      }
      if (current === dirname(current)) break;
    }
    return [...new Set(found)].sort((a, b) => distance(path, a) - distance(path, b) || (a < b ? -1 : 1));
  }
}

const distance = (from: string, to: string): number => relative(dirname(from), to).split('/').length;
