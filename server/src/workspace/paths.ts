/**
 * The names that the workspace knows files by.
 *
 * A path has forward slashes everywhere: `/home/me/net.py`, `c:/me/net.py`. What is not on a disk (an unsaved document, a
 * file of a virtual workspace) goes by its URI, which has slashes too, so that the functions here serve both.
 */
import { URI } from 'vscode-uri';

export const isUri = (path: string): boolean => /^[a-z][\w+.-]+:/i.test(path);

/** The path of a document or folder: of its file, or the URI itself where it is no file. No slash at its end. */
export function pathOfUri(uri: string): string {
  const parsed = URI.parse(uri);
  if (parsed.scheme !== 'file') return uri.replace(/\/$/, '');
  const path = slashed(parsed.fsPath);
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

export function uriOfPath(path: string): string {
  return isUri(path) ? path : URI.file(path).toString();
}

/** Windows' separators as slashes, and its drive in lower case, as VS Code writes it. */
export function slashed(path: string): string {
  const forward = path.includes('\\') && !path.startsWith('/') ? path.replaceAll('\\', '/') : path;
  return /^[A-Z]:\//.test(forward) ? forward[0].toLowerCase() + forward.slice(1) : forward;
}

/** The folder that holds a path: `/` for `/a`, and for a URI its last part taken off. */
export function dirname(path: string): string {
  const at = path.lastIndexOf('/');
  if (at < 0) return '';
  return at === 0 ? '/' : path.slice(0, at);
}

export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The last part's ending with its dot (`.py`), or nothing. */
export function extension(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(dot) : '';
}

/** `part` seen from `folder`; an absolute part stands for itself. `.` and `..` are worked out. */
export function join(folder: string, ...parts: readonly string[]): string {
  let result = folder;
  for (const part of parts) {
    if (isAbsolute(part)) result = part;
    else if (result === '') result = part;
    else result = result.endsWith('/') ? result + part : `${result}/${part}`;
  }
  return normalize(result);
}

export const isAbsolute = (path: string): boolean => path.startsWith('/') || /^[a-z]:\//i.test(path) || isUri(path);

function normalize(path: string): string {
  if (!/(^|\/)\.{0,2}(\/|$)/.test(path)) return path;
  const head = /^([a-z][\w+.-]+:(\/\/[^/]*)?|[a-z]:)?\/?/i.exec(path)![0];
  const kept: string[] = [];
  for (const part of path.slice(head.length).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && kept.length > 0 && kept[kept.length - 1] !== '..') kept.pop();
    else if (part !== '..' || !head) kept.push(part);
  }
  return head + kept.join('/');
}

/** Whether `path` is `folder` or lies in it. */
export const isInside = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);

/** `path` as seen from `folder` (`../x.py`), or itself where they have no root in common. */
export function relative(folder: string, path: string): string {
  if (isInside(path, folder)) return path.slice(folder.endsWith('/') ? folder.length : folder.length + 1) || '.';
  const from = folder.split('/').filter(Boolean);
  const to = path.split('/').filter(Boolean);
  let common = 0;
  while (common < from.length && common < to.length && from[common] === to[common]) common++;
  if (common === 0) return path;
  return [...Array<string>(from.length - common).fill('..'), ...to.slice(common)].join('/');
}
