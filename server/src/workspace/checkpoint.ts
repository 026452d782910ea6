/**
 * Checkpoints as they lie on disk: one file, shards with an index, a Hugging Face cache folder. Only headers are read,
 * so gigabytes take milliseconds; what is wrong with the files is told beside what they hold.
 */
import type { DType } from '../../../engine/src/dtype';
import { npzHeader } from '../../../engine/src/formats/npz_header';
import { FormatError, type Reading, type Span } from '../../../engine/src/formats/random_access';
import { parseShardIndex, safetensorsHeader } from '../../../engine/src/formats/safetensors';
import type { FileSystem } from './file-system';
import { basename, dirname, join } from './paths';

export interface CheckpointArray {
  readonly name: string;
  readonly shape: readonly number[];
  /** The dtype it has in MLX; null for one that MLX cannot load. */
  readonly dtype: DType | null;
  readonly storedDtype: string;
  /** The file that holds it. */
  readonly file: string;
  /** Where its elements start in the file, row-major; null where they cannot be read as they stand (compressed). */
  readonly offset: number | null;
}

export type CheckpointProblemKind = 'missing-shard' | 'unreadable' | 'cut-off' | 'dtype' | 'index';

export interface CheckpointProblem {
  readonly kind: CheckpointProblemKind;
  readonly file: string;
  /** One sentence for a user, with the file's name. */
  readonly message: string;
  /** Arrays that it concerns, where they are known. */
  readonly arrays: readonly string[];
}

export interface Checkpoint {
  /** As given. */
  readonly path: string;
  /** The folder whose `config.json` belongs to it. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly arrays: ReadonlyMap<string, CheckpointArray>;
  readonly problems: readonly CheckpointProblem[];
  /** Whether every array of the checkpoint is known, in spite of problems. */
  readonly complete: boolean;
}

/** Asks for bytes of a file; is given them with the file's size, or null where there is no such file. */
export interface FileSpan extends Span {
  readonly path: string;
}
type Answer = { readonly bytes: Uint8Array; readonly size: number } | null;
type CheckpointReading = Generator<FileSpan, Checkpoint, Answer>;

/** Reads the headers. @throws Error with a message for the user where the path holds no checkpoint */
export async function readCheckpoint(path: string, files: FileSystem): Promise<Checkpoint> {
  const reading = checkpoint(path, files);
  let step = reading.next();
  while (!step.done) {
    const { path: file, offset, length } = step.value;
    step = reading.next(await files.readBytes(file, offset, offset + length).catch(() => null));
  }
  return step.value;
}

/** As `readCheckpoint`, at once; null where files answer only later (a browser). */
export function readCheckpointNow(path: string, files: FileSystem): Checkpoint | null {
  if (!files.readNow) return null;
  const reading = checkpoint(path, files);
  let step = reading.next();
  while (!step.done) {
    const { path: file, offset, length } = step.value;
    step = reading.next(files.readNow(file, offset, offset + length));
  }
  return step.value;
}

/** Whether a path looks like a checkpoint that can be read here. */
export const isCheckpoint = (path: string): boolean => /\.(safetensors|npz|safetensors\.index\.json)$/.test(path);

function* checkpoint(path: string, files: FileSystem): CheckpointReading {
  const { shards, expected, problems } = shardsOf(path, files);
  const arrays = new Map<string, CheckpointArray>();
  let complete = true;
  for (const file of shards) {
    const promised = [...expected].filter(([, shard]) => shard === file).map(([name]) => name);
    const found = yield* shard(file);
    if ('problem' in found) {
      problems.push({ ...found.problem, arrays: promised });
      complete = false;
      continue;
    }
    problems.push(...found.problems);
    for (const array of found.arrays) arrays.set(array.name, array);
    const absent = promised.filter(name => !arrays.has(name));
    if (absent.length > 0) {
      const message = `${basename(file)} lacks ${listing(absent)}, which the index says it holds`;
      problems.push({ kind: 'index', file, message, arrays: absent });
    }
  }
  return { path, folder: shards.length > 0 ? dirname(shards[0]) : path, files: shards, arrays, problems, complete };
}

/** `a, b, c and 4 more`. */
export const listing = (names: readonly string[], most = 3): string =>
  names.length <= most ? names.join(', ') : `${names.slice(0, most).join(', ')} and ${names.length - most} more`;

function* shard(
  file: string,
): Generator<
  FileSpan,
  { arrays: CheckpointArray[]; problems: CheckpointProblem[] } | { problem: Omit<CheckpointProblem, 'arrays'> },
  Answer
> {
  const name = basename(file);
  const start = yield { path: file, offset: 0, length: 8 };
  if (start === null)
    return { problem: { kind: 'missing-shard', file, message: `${name} is missing from the checkpoint` } };
  try {
    if (name.endsWith('.npz')) {
      const entries = yield* reading(file, npzHeader(start.size));
      const arrays = [...entries.values()].map(e => ({ ...e, storedDtype: e.dtype, file }));
      return { arrays, problems: [] };
    }
    const { tensors, cutOff } = yield* reading(file, safetensorsHeader(start.size));
    const problems: CheckpointProblem[] = [];
    if (cutOff.length > 0) {
      const names = cutOff.map(e => e.name);
      const message = `${name} is cut off at byte ${start.size}: ${listing(names)} ${names.length === 1 ? 'lies' : 'lie'} beyond its end`;
      problems.push({ kind: 'cut-off', file, message, arrays: names });
    }
    const foreign = [...tensors.values()].filter(e => e.dtype === null);
    if (foreign.length > 0) {
      const dtypes = [...new Set(foreign.map(e => e.storedDtype))].join(', ');
      const names = foreign.map(e => e.name);
      const message = `${name} holds ${dtypes} (${listing(names)}), which MLX cannot load`;
      problems.push({ kind: 'dtype', file, message, arrays: names });
    }
    return { arrays: [...tensors.values()].map(e => ({ ...e, file })), problems };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { problem: { kind: 'unreadable', file, message: `${name} cannot be read: ${error.message}` } };
  }
}

/** A reading of one file as a part of the checkpoint's. */
function* reading<T>(path: string, steps: Reading<T>): Generator<FileSpan, T, Answer> {
  let step = steps.next();
  while (!step.done) {
    const answer: Answer = yield { path, ...step.value };
    if (answer === null) throw new FormatError('the file has gone while it was read');
    step = steps.next(answer.bytes);
  }
  return step.value;
}

// ---- which files ------------------------------------------------------------------------------------------------------

interface Shards {
  readonly shards: string[];
  /** Array → the file that an index says holds it. */
  readonly expected: ReadonlyMap<string, string>;
  readonly problems: CheckpointProblem[];
}

const INDEX = 'model.safetensors.index.json';
const NUMBERED = /^(.*)-(\d{5})-of-(\d{5})(\.safetensors)$/;

function shardsOf(path: string, files: FileSystem): Shards {
  if (files.kind(path) !== 'folder') {
    if (path.endsWith('.index.json')) return indexed(path, dirname(path), [], files);
    return { shards: [path], expected: new Map(), problems: [] };
  }
  const folder = snapshotOf(path, files);
  const names = files
    .list(folder)
    .filter(e => !e.isFolder)
    .map(e => e.name)
    .sort();
  // What mlx-lm loads: other safetensors beside them are adapters, or the same weights in another layout.
  const tensors = names.filter(n => n.endsWith('.safetensors'));
  const models = tensors.filter(n => n.startsWith('model'));
  const own = (models.length > 0 ? models : tensors.length > 0 ? tensors : names.filter(n => n.endsWith('.npz'))).map(
    n => join(folder, n),
  );
  const index = names.find(n => n === INDEX) ?? names.find(n => n.endsWith('.safetensors.index.json'));
  if (index) return indexed(join(folder, index), folder, own, files);
  if (own.length === 0) throw new Error(`${path} holds no .safetensors or .npz files`);
  return { shards: withNumbered(own), expected: new Map(), problems: [] };
}

/** The newest snapshot in a folder of the Hugging Face cache, or the folder itself. */
function snapshotOf(folder: string, files: FileSystem): string {
  const snapshots = join(folder, 'snapshots');
  if (files.kind(snapshots) !== 'folder') return folder;
  const revision = files.read(join(folder, 'refs/main'))?.trim();
  const all = files.list(snapshots).filter(e => e.isFolder);
  const chosen = all.find(e => e.name === revision) ?? all[0];
  if (!chosen) throw new Error(`${folder} holds no snapshot: the download did not end`);
  return join(snapshots, chosen.name);
}

function indexed(index: string, folder: string, own: readonly string[], files: FileSystem): Shards {
  const problems: CheckpointProblem[] = [];
  let expected: ReadonlyMap<string, string> = new Map();
  try {
    const text = files.read(index);
    if (text === null) throw new FormatError('it cannot be read');
    expected = new Map([...parseShardIndex(text)].map(([name, file]) => [name, join(folder, file)]));
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const message = `${basename(index)}: ${error.message}`;
    problems.push({ kind: 'index', file: index, message, arrays: [] });
  }
  const shards = [...new Set([...expected.values(), ...own])].sort();
  if (shards.length === 0) throw new Error(`${folder} holds no .safetensors files`);
  return { shards, expected, problems };
}

/** The shards with those that their numbering says there must be. */
function withNumbered(shards: readonly string[]): string[] {
  const all = new Set(shards);
  for (const shard of shards) {
    const match = NUMBERED.exec(basename(shard));
    if (!match) continue;
    const [, stem, , count, ending] = match;
    for (let i = 1; i <= Number(count); i++)
      all.add(join(dirname(shard), `${stem}-${String(i).padStart(5, '0')}-of-${count}${ending}`));
  }
  return [...all].sort();
}
