/**
 * Settings of a project: the table `[tool.mlx-scope]` of the nearest `pyproject.toml`.
 */
import { parse, TomlError } from 'smol-toml';
import type { FileSystem } from './file-system';
import { type PathPattern, pathPattern } from './globs';
import { dirname, join, relative } from './paths';

/** A class to enter a file by, with what its dimensions come from. */
export interface EntrySetting {
  /** The Python file; absolute. */
  readonly file: string;
  readonly entry: string | null;
  /** An absolute path of a `config.json`, or its contents. */
  readonly config: string | Readonly<Record<string, unknown>> | null;
  /** As on the command line: `inputs=int32[2,7]`. */
  readonly inputs: readonly string[];
}

export interface ProjectSettings {
  /** The folder of the `pyproject.toml`, which paths in it are relative to. */
  readonly folder: string | null;
  readonly select: readonly string[];
  readonly ignore: readonly string[];
  readonly exclude: readonly PathPattern[];
  readonly perFileIgnores: readonly { readonly matches: PathPattern; readonly codes: readonly string[] }[];
  readonly searchPaths: readonly string[];
  /** A virtual environment, absolute. */
  readonly environment: string | null;
  readonly entries: readonly EntrySetting[];
  /** What is wrong with the table, for the user. */
  readonly problems: readonly string[];
}

export const NO_SETTINGS: ProjectSettings = {
  folder: null,
  select: [],
  ignore: [],
  exclude: [],
  perFileIgnores: [],
  searchPaths: [],
  environment: null,
  entries: [],
  problems: [],
};

/** The settings that hold for files in `folder`: of the nearest `pyproject.toml` upwards that has our table. */
export function settingsFor(files: FileSystem, folder: string): ProjectSettings {
  for (let current = folder; ; current = dirname(current)) {
    const text = files.read(join(current, 'pyproject.toml'));
    if (text?.includes('mlx-scope')) {
      const settings = readSettings(text, current);
      if (settings) return settings;
    }
    if (current === dirname(current) || current === '') return NO_SETTINGS;
  }
}

/** Reads a `pyproject.toml`; null where it has no table of ours. Mistakes are told in `problems`, and skipped. */
export function readSettings(text: string, folder: string): ProjectSettings | null {
  const problems: string[] = [];
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [reason] = error.message.split('\n');
    return { ...NO_SETTINGS, folder, problems: [`pyproject.toml, line ${error.line}: ${reason}`] };
  }
  const tool = document.tool;
  if (!isTable(tool) || !isTable(tool['mlx-scope'])) return null;
  const reader = new TableReader(tool['mlx-scope'], 'tool.mlx-scope', problems);
  const settings: ProjectSettings = {
    folder,
    select: reader.strings('select'),
    ignore: reader.strings('ignore'),
    exclude: reader.strings('exclude').map(pathPattern),
    perFileIgnores: reader
      .table('per-file-ignores', t => t.keys().map(glob => ({ matches: pathPattern(glob), codes: t.strings(glob) })))
      .flat(),
    searchPaths: reader.strings('search-paths').map(path => join(folder, path)),
    environment: reader.path('environment', folder),
    entries: reader.tables('entries', t => {
      const file = t.path('file', folder);
      const config = t.isTable('config') ? t.raw('config') : t.path('config', folder);
      const entry = { entry: t.string('entry'), config, inputs: t.strings('inputs') };
      t.finish();
      if (file === null) problems.push('tool.mlx-scope.entries: each entry needs a `file`');
      return file === null ? null : { file, ...entry };
    }),
    problems,
  };
  reader.finish();
  return settings;
}

/** Whether `exclude` takes the file out of checks of its folder. */
export const isExcluded = (settings: ProjectSettings, path: string): boolean =>
  settings.folder !== null && settings.exclude.some(matches => matches(relative(settings.folder!, path)));

/** Codes that `per-file-ignores` silences in the file. */
export const ignoredIn = (settings: ProjectSettings, path: string): string[] =>
  settings.folder === null
    ? []
    : settings.perFileIgnores.filter(p => p.matches(relative(settings.folder!, path))).flatMap(p => p.codes);

type Table = Record<string, unknown>;
const isTable = (value: unknown): value is Table =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Reads a table's keys by type, and remembers which were read, so that misspelt ones can be told. */
class TableReader {
  private readonly seen = new Set<string>();

  constructor(
    private readonly content: Table,
    private readonly name: string,
    private readonly problems: string[],
  ) {}

  keys(): string[] {
    return Object.keys(this.content);
  }

  private get(key: string): unknown {
    this.seen.add(key);
    return this.content[key];
  }

  private wrong(key: string, wanted: string): void {
    this.problems.push(`${this.name}: \`${key}\` must be ${wanted}`);
  }

  strings(key: string): string[] {
    const value = this.get(key);
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every(v => typeof v === 'string')) return value;
    this.wrong(key, 'a list of strings');
    return [];
  }

  string(key: string): string | null {
    const value = this.get(key);
    if (value === undefined || typeof value === 'string') return value ?? null;
    this.wrong(key, 'a string');
    return null;
  }

  path(key: string, folder: string): string | null {
    const value = this.string(key);
    return value === null ? null : join(folder, value);
  }

  isTable(key: string): boolean {
    return isTable(this.content[key]);
  }

  raw(key: string): Table {
    return this.get(key) as Table;
  }

  /** What `read` makes of the table under `key`; nothing where it is absent. */
  table<T>(key: string, read: (table: TableReader) => T): T[] {
    const value = this.get(key);
    if (value === undefined) return [];
    if (isTable(value)) return [read(new TableReader(value, `${this.name}.${key}`, this.problems))];
    this.wrong(key, 'a table');
    return [];
  }

  tables<T>(key: string, read: (table: TableReader) => T | null): T[] {
    const value = this.get(key);
    if (value === undefined) return [];
    if (!Array.isArray(value) || !value.every(isTable)) {
      this.wrong(key, 'an array of tables (`[[tool.mlx-scope.entries]]`)');
      return [];
    }
    const results = value.map(table => read(new TableReader(table, `${this.name}.${key}`, this.problems)));
    return results.filter((r): r is Awaited<typeof r> & NonNullable<typeof r> => r !== null);
  }

  /** Tells of keys that nothing read. */
  finish(): void {
    for (const key of this.keys())
      if (!this.seen.has(key)) this.problems.push(`${this.name}: there is no setting \`${key}\``);
  }
}
