/**
 * `pathlib.Path` and `os.path`: paths as text, so that a file which a program names by its own place (`__file__`) can be
 * found. Nothing on disk is asked: whether a file exists, or what a folder holds, is not known.
 */
import type { Interpreter } from '../interpreter';
import {
  type Arguments,
  bool,
  builtin,
  type ModuleValue,
  module,
  type NativeType,
  type NativeValue,
  NONE,
  nativeClass,
  str,
  unknown,
  type Value,
} from '../values';

/** `a/b` with `c` is `a/b/c`; an absolute part stands for itself. Null where a part is not known. */
export function joinParts(parts: readonly (string | null)[]): string | null {
  let result = '';
  for (const part of parts) {
    if (part === null) return null;
    if (part.startsWith('/') || /^[a-z]:[\\/]/i.test(part)) result = part;
    else if (part !== '' && part !== '.') result = result === '' ? part : `${result.replace(/\/$/, '')}/${part}`;
  }
  return result;
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
const suffixOf = (path: string): string => /[^.](\.[^./]*)$/.exec(nameOf(path))?.[1] ?? '';

/** The folder of a path as `Path.parent` gives it: `.` for a lone name. */
function parentOf(path: string): string {
  const at = path.lastIndexOf('/');
  return at < 0 ? '.' : at === 0 ? '/' : path.slice(0, at);
}

// ---- pathlib ----------------------------------------------------------------------------------------------------------

const textOf = (v: NativeValue): string | null => v.data as string | null;
const pathOf = (text: string | null): Value => ({ kind: 'native', type: pathType, data: text });

/** The text of a str or a Path; null where it is not known. */
function partOf(interpreter: Interpreter, value: Value | undefined): string | null {
  const v = value && interpreter.settled(value);
  if (v?.kind === 'str') return v.value;
  return v?.kind === 'native' && v.type === pathType ? textOf(v) : null;
}

const partsOf = (interpreter: Interpreter, { positional, open }: Arguments): (string | null)[] =>
  open ? [null] : positional.map(p => partOf(interpreter, p));

const pathClass = {
  ...nativeClass('Path', [], [], (interpreter, _cls, passed) => {
    const joined = joinParts(partsOf(interpreter, passed));
    return pathOf(joined === '' ? '.' : joined);
  }),
  // What is not listed (`home`, `cwd`) is unknown.
  open: true,
};
(pathClass as { mro: unknown }).mro = [pathClass];

const when = (text: string | null, make: (text: string) => string): string | null =>
  text === null ? null : make(text);

const PROPERTIES: Readonly<Record<string, (path: string) => Value>> = {
  parent: path => pathOf(parentOf(path)),
  name: path => str(nameOf(path)),
  stem: path => str(nameOf(path).slice(0, nameOf(path).length - suffixOf(path).length)),
  suffix: path => str(suffixOf(path)),
};

/** Methods that answer the path itself, in the one spelling there is here. */
const SAME = new Set(['resolve', 'absolute', 'expanduser']);
const ASKING = new Set(['exists', 'is_file', 'is_dir', 'is_symlink']);

const pathType: NativeType = {
  name: 'Path',
  cls: pathClass,
  format: value => textOf(value as NativeValue),
  getAttribute(_, value, name) {
    const text = textOf(value as NativeValue);
    const property = PROPERTIES[name];
    if (property) return text === null ? (name === 'parent' ? pathOf(null) : str(null)) : property(text);
    if (name === 'joinpath')
      return builtin(name, (interpreter, passed) => pathOf(joinParts([text, ...partsOf(interpreter, passed)])));
    if (name === 'with_suffix')
      return builtin(name, (interpreter, { positional }) => {
        const suffix = partOf(interpreter, positional[0]);
        return pathOf(suffix === null ? null : when(text, t => t.slice(0, t.length - suffixOf(t).length) + suffix));
      });
    if (name === 'with_name')
      return builtin(name, (interpreter, { positional }) =>
        pathOf(text === null ? null : joinParts([parentOf(text), partOf(interpreter, positional[0])])),
      );
    // Where the program runs is not known, so a relative path has no absolute form here.
    if (SAME.has(name))
      return builtin(name, () => pathOf(text?.startsWith('/') || /^[a-z]:/i.test(text ?? '') ? text : null));
    if (name === 'as_posix') return builtin(name, () => str(text));
    if (ASKING.has(name)) return builtin(name, () => bool(null));
    if (name === 'mkdir' || name === 'touch' || name === 'unlink') return builtin(name, () => NONE);
    return unknown(`is ${name} of a path`);
  },
  binary(interpreter, op, value, other, reflected) {
    if (op !== '/') return null;
    const parts = [textOf(value as NativeValue), partOf(interpreter, other)];
    return pathOf(joinParts(reflected ? parts.reverse() : parts));
  },
  compare(interpreter, op, value, other) {
    if (op !== '==' && op !== '!=') return bool(null);
    const right = interpreter.settled(other);
    if (right.kind !== 'native')
      return right.kind === 'unknown' || right.kind === 'union' ? bool(null) : bool(op === '!=');
    const texts = [textOf(value as NativeValue), partOf(interpreter, right)];
    return bool(texts.includes(null) ? null : (texts[0] === texts[1]) === (op === '=='));
  },
};

// ---- os.path ----------------------------------------------------------------------------------------------------------

type OfPath = (interpreter: Interpreter, passed: Arguments) => Value;
const fn = (name: string, run: OfPath): readonly [string, Value] => [name, builtin(name, run)];
const ofFirst =
  (make: (path: string) => string): OfPath =>
  (interpreter, { positional, open }) =>
    str(open ? null : when(partOf(interpreter, positional[0]), make));

const osPath = module(
  'os.path',
  [
    fn('join', (interpreter, passed) => str(joinParts(partsOf(interpreter, passed)))),
    fn(
      'dirname',
      ofFirst(path => (path.includes('/') ? parentOf(path) : '')),
    ),
    fn('basename', ofFirst(nameOf)),
    ...['abspath', 'realpath'].map(name =>
      fn(name, (interpreter, { positional }) => {
        const path = partOf(interpreter, positional[0]);
        return str(path?.startsWith('/') || /^[a-z]:/i.test(path ?? '') ? path : null);
      }),
    ),
    ...['exists', 'isfile', 'isdir'].map(name => fn(name, () => bool(null))),
  ],
  true,
);

/** Modules by name; open, as all of the library. */
export const PATH_MODULES: Readonly<Record<string, ModuleValue>> = {
  pathlib: module(
    'pathlib',
    ['Path', 'PurePath', 'PosixPath', 'PurePosixPath'].map(name => [name, pathClass] as const),
    true,
  ),
  os: module(
    'os',
    [['path', osPath], fn('fspath', (interpreter, { positional }) => str(partOf(interpreter, positional[0])))],
    true,
  ),
  'os.path': osPath,
};
