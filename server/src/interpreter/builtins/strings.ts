/**
 * Methods of `str`.
 */
import { anonymous, isKnown } from '../../../../engine/src/dims/dim';
import type { Evaluator } from '../evaluator';
import { type Arguments, bool, int, list, openList, str, tuple, type Value } from '../values';
import { formatTemplate } from './format-spec';

export type Method<V extends Value = Value> = (ev: Evaluator, self: V, passed: Arguments) => Value;

const first = (passed: Arguments): Value | undefined => passed.positional[0];

/** The known text of an argument; null otherwise. */
function text(ev: Evaluator, v: Value | undefined): string | null {
  const s = v && ev.settled(v);
  return s?.kind === 'str' ? s.value : null;
}

/** A method from text (and text arguments) to text, a flag or a number. */
const onText =
  (run: (s: string, ...parts: string[]) => string | boolean | number | null): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const parts = passed.positional.map(p => text(ev, p));
    const known = s !== null && !parts.includes(null);
    const probe = run(known ? s : '', ...((known ? parts : parts.map(() => '')) as string[]));
    if (typeof probe === 'boolean') return bool(known ? probe : null);
    if (typeof probe === 'number') return int(known ? probe : anonymous());
    return str(known ? probe : null);
  };

/** A method that makes text as wide as its first argument, with the second for what is missing. */
const padding =
  (run: (s: string, missing: number, fill: string, width: number) => string): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const width = first(passed) && ev.settled(first(passed)!);
    const fill = passed.positional[1] ? text(ev, passed.positional[1]) : ' ';
    if (s === null || fill === null || width?.kind !== 'int' || !isKnown(width.value)) return str(null);
    return str(run(s, Math.max(0, width.value - s.length), fill, width.value));
  };

/** A method that raises ValueError where what it looks for is not there. */
const locating =
  (find: (s: string, part: string) => number): Method =>
  (ev, self, passed) => {
    const [s, part] = [text(ev, self), text(ev, first(passed))];
    if (s === null || part === null || passed.positional.length > 1) return int(anonymous());
    const at = find(s, part);
    return at < 0 ? ev.raised('ValueError', 'is not in the text') : int(at);
  };

const affix =
  (test: (s: string, part: string) => boolean): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const arg = first(passed);
    const options = arg && ev.settled(arg).kind === 'tuple' ? (ev.iterate(arg).items ?? []) : arg ? [arg] : [];
    const answers = options.map(o => {
      const part = text(ev, o);
      return s === null || part === null ? null : test(s, part);
    });
    return bool(answers.includes(true) ? true : answers.includes(null) || answers.length === 0 ? null : false);
  };

const splitting =
  (run: (s: string, by: string | null, most: number) => string[]): Method =>
  (ev, self, passed) => {
    const s = text(ev, self);
    const by = first(passed);
    const separator = by && ev.settled(by).kind !== 'none' ? text(ev, by) : null;
    const most = passed.positional[1] ?? passed.keywords.get('maxsplit');
    const limit = most && ev.settled(most);
    if (s === null || (by && ev.settled(by).kind !== 'none' && separator === null))
      return openList(str(null), anonymous(1));
    if (separator === '') return ev.raised('ValueError', 'splits at nothing');
    return list(run(s, separator, limit?.kind === 'int' && isKnown(limit.value) ? limit.value : -1).map(str));
  };

/** Whitespace splits leave no empty parts and keep what is behind the last split as it is. */
function split(s: string, by: string | null, most: number): string[] {
  if (by === null) {
    const parts: string[] = [];
    let rest = s.trimStart();
    while (rest !== '' && (most < 0 || parts.length < most)) {
      const part = /^\S+/.exec(rest)![0];
      parts.push(part);
      rest = rest.slice(part.length).trimStart();
    }
    return rest === '' ? parts : [...parts, rest];
  }
  const parts = s.split(by);
  return most < 0 || parts.length <= most + 1 ? parts : [...parts.slice(0, most), parts.slice(most).join(by)];
}

function rsplit(s: string, by: string | null, most: number): string[] {
  if (by === null) return split(reversed(s), null, most).map(reversed).reverse();
  const parts = s.split(by);
  if (most < 0 || parts.length <= most + 1) return parts;
  const at = parts.length - most;
  return [parts.slice(0, at).join(by), ...parts.slice(at)];
}

const reversed = (s: string): string => [...s].reverse().join('');

function lines(s: string): string[] {
  const parts = s.split(/\r\n|\r|\n/);
  if (parts.at(-1) === '') parts.pop();
  return parts;
}

const trim = (s: string, chars: string | undefined, left: boolean, right: boolean): string => {
  const drop = (c: string) => (chars === undefined ? /\s/.test(c) : chars.includes(c));
  let [from, to] = [0, s.length];
  if (left) while (from < to && drop(s[from])) from++;
  if (right) while (to > from && drop(s[to - 1])) to--;
  return s.slice(from, to);
};

export const STR: Record<string, Method> = {
  lower: onText(s => s.toLowerCase()),
  upper: onText(s => s.toUpperCase()),
  capitalize: onText(s => s.charAt(0).toUpperCase() + s.slice(1).toLowerCase()),
  casefold: onText(s => s.toLowerCase()),
  swapcase: onText(s => [...s].map(c => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('')),
  title: onText(s => s.replace(/\p{L}+/gu, w => w.charAt(0).toUpperCase() + w.slice(1).toLowerCase())),
  strip: onText((s, c) => trim(s, c, true, true)),
  lstrip: onText((s, c) => trim(s, c, true, false)),
  rstrip: onText((s, c) => trim(s, c, false, true)),
  removeprefix: onText((s, p) => (s.startsWith(p) ? s.slice(p.length) : s)),
  removesuffix: onText((s, p) => (p && s.endsWith(p) ? s.slice(0, -p.length) : s)),
  startswith: affix((s, p) => s.startsWith(p)),
  endswith: affix((s, p) => s.endsWith(p)),
  isdigit: onText(s => /^\d+$/.test(s)),
  isalpha: onText(s => /^\p{L}+$/u.test(s)),
  isalnum: onText(s => /^[\p{L}\d]+$/u.test(s)),
  isspace: onText(s => /^\s+$/.test(s)),
  isupper: onText(s => s === s.toUpperCase() && s !== s.toLowerCase()),
  islower: onText(s => s === s.toLowerCase() && s !== s.toUpperCase()),
  ljust: padding((s, missing, fill) => s + fill.repeat(missing)),
  rjust: padding((s, missing, fill) => fill.repeat(missing) + s),
  center: padding((s, missing, fill, width) => {
    const left = (missing >> 1) + (missing & width & 1);
    return fill.repeat(left) + s + fill.repeat(missing - left);
  }),
  zfill: padding((s, missing) => s.replace(/^[-+]?/, sign => sign + '0'.repeat(missing))),
  isidentifier: onText(s => /^[\p{L}_][\p{L}\d_]*$/u.test(s)),
  find: onText((s, p) => s.indexOf(p)),
  rfind: onText((s, p) => s.lastIndexOf(p)),
  count: onText((s, p) => (p === '' ? s.length + 1 : s.split(p).length - 1)),
  index: locating((s, p) => s.indexOf(p)),
  rindex: locating((s, p) => s.lastIndexOf(p)),
  encode: () => ({ kind: 'bytes' }),
  split: splitting(split),
  rsplit: splitting(rsplit),
  splitlines: (ev, self, passed) =>
    passed.positional.length + passed.keywords.size > 0
      ? openList(str(null), anonymous())
      : splitting(lines)(ev, self, passed),
  partition: (ev, self, passed) => {
    const [s, p] = [text(ev, self), text(ev, first(passed))];
    if (s === null || p === null) return tuple([str(null), str(null), str(null)]);
    const at = s.indexOf(p);
    return tuple((at < 0 ? [s, '', ''] : [s.slice(0, at), p, s.slice(at + p.length)]).map(str));
  },
  rpartition: (ev, self, passed) => {
    const [s, p] = [text(ev, self), text(ev, first(passed))];
    if (s === null || p === null) return tuple([str(null), str(null), str(null)]);
    const at = s.lastIndexOf(p);
    return tuple((at < 0 ? ['', '', s] : [s.slice(0, at), p, s.slice(at + p.length)]).map(str));
  },
  replace: (ev, self, passed) => {
    const [s, a, b] = [text(ev, self), text(ev, passed.positional[0]), text(ev, passed.positional[1])];
    if (s === null || a === null || b === null || passed.positional.length > 2 || passed.keywords.size > 0)
      return str(null);
    return str(a === '' ? [b, ...[...s].map(c => c + b)].join('') : s.split(a).join(b));
  },
  join: (ev, self, passed) => {
    const glue = text(ev, self);
    const over = first(passed) && ev.iterate(first(passed)!);
    const parts = over?.items?.map(i => text(ev, i));
    return str(glue !== null && parts && !parts.includes(null) ? parts.join(glue) : null);
  },
  format: (ev, self, passed) => {
    const s = text(ev, self);
    return str(s === null ? null : formatTemplate(ev, s, passed.positional, passed.keywords));
  },
};
