/**
 * Marks: comments in a Python fixture that say what the analyser knows of the code above them.
 *
 *     hidden = fc1(x)
 *     #^^^^^ float32[4, 16]              what a name, parameter, expression or `return` is; alternatives by ` | `
 *     #        ^^^^^^ ...
 *     y = hidden @ hidden
 *     #   ^^^^^^^^^^^^^^^ MLX102 4       a finding there, of this code, with these words in its message
 *     n = open(path).read()
 *     #^ unknown: is read at run time    a value that cannot be known, and why
 *     z = h[0] + h
 *     #   ^^^^^^^^ no finding            correct, though it may not look so
 *
 * Carets stand under exactly what is meant, up to the end of its first line; the `#` counts as a caret where one touches it
 * and something starts there, and a comma, colon or equals sign at their end does not. Lines such as `# entry: Model`, `# config: {…}`, `# input: x=float32[2, 3]` ask for the
 * entry's view; `# runs: …` is for `test/fixtures/verify.py`.
 */
import { showType } from '../../engine/src/graph/show';
import { Analyser } from '../../server/src/analysis/analyser';
import type { EntryRequest, FileAnalysis, Observation } from '../../server/src/analysis/types';
import { showValue } from '../../server/src/features/show';
import type { Diagnostic } from '../../server/src/rules/diagnostic';
import { findingsToDiagnostics } from '../../server/src/rules/report';
import { inputSpecs, parseConfig, parseInput } from '../../server/src/session/inputs';
import type { Workspace } from '../../server/src/workspace/workspace';

export interface Mark {
  /** The mark's own line, from 0. */
  readonly line: number;
  /** What the carets stand under. */
  readonly start: number;
  readonly end: number;
  readonly says: string;
}

const MARK = /^\s*#\s*\^+ +\S/;

/** Every mark of a text. @throws Error for one that stands under nothing */
export function marksOf(text: string): Mark[] {
  const marks: Mark[] = [];
  const lines = text.split('\n');
  let code = { at: 0, text: '' };
  let at = 0;
  for (const [line, content] of lines.entries()) {
    if (MARK.test(content)) marks.push(markOf(line, content, code));
    else code = { at, text: content };
    at += content.length + 1;
  }
  return marks;
}

function markOf(line: number, content: string, code: { at: number; text: string }): Mark {
  const hash = content.indexOf('#');
  const caret = content.indexOf('^');
  const after = content.indexOf(' ', caret);
  const from = caret === hash + 1 && startsAt(code.text, hash) ? hash : caret;
  const under = code.text.slice(from, after);
  if (under.trim() === '' || under !== under.trimStart())
    throw new Error(`line ${line + 1}: the mark is under nothing`);
  const start = code.at + from;
  return { line, start, end: start + under.replace(/[\s,:=]+$/, '').length, says: content.slice(after).trim() };
}

const startsAt = (text: string, column: number): boolean =>
  /\S/.test(text[column] ?? '') && !(/\w/.test(text[column]) && /\w/.test(text[column - 1] ?? ''));

/** The entry that a fixture asks for; null where it is read without one. */
export function entryOf(file: string, text: string): EntryRequest | null {
  const all = (name: string) => [...text.matchAll(new RegExp(`^# ${name}: (.+)$`, 'gm'))].map(m => m[1]);
  const [name] = all('entry');
  if (!name) return null;
  const [config] = all('config');
  return {
    file,
    name,
    config: config ? parseConfig(config, 'the config line') : null,
    inputs: inputSpecs(all('input').map(parseInput)),
    seed: null,
  };
}

export interface Reading {
  /** The file's own analysis and those of files it reached. */
  readonly analyses: readonly FileAnalysis[];
  readonly diagnostics: readonly Diagnostic[];
}

/** A fixture read as `check` and `shapes` do: through its entry where it names one. */
export function read(workspace: Workspace, file: string): Reading {
  const analyser = new Analyser(workspace);
  const entry = entryOf(file, workspace.source(file)!.text);
  const plain = analyser.analyseReached(file);
  const entered = entry ? analyser.entry(entry).reached : [];
  const diagnostics = [...plain, ...entered].flatMap(analysis =>
    findingsToDiagnostics(analysis, {
      selection: () => ({ select: [], ignore: [] }),
      isOwn: () => true,
      source: path => workspace.source(path),
    }),
  );
  return { analyses: entry ? entered : plain, diagnostics: distinct(diagnostics) };
}

const distinct = (all: readonly Diagnostic[]): Diagnostic[] => [
  ...new Map(all.map(d => [`${d.file}:${d.start}:${d.end}:${d.rule.code}`, d])).values(),
];

/** What is known at exactly this place, alternatives by ` | `; null where nothing was seen. */
export function knownAt(analyses: readonly FileAnalysis[], file: string, start: number, end: number): string | null {
  const texts = new Set<string>();
  for (const { source, observations, facts } of analyses) {
    if (source.path !== file) continue;
    for (const o of observations) {
      const place = o.kind === 'arg' ? nameOf(source.text, o) : o;
      if (place.start !== start || endOnLine(source.text, place) !== end) continue;
      if (o.type) texts.add(showType(o.type));
      else texts.add(o.value.kind === 'unknown' ? `unknown: ${o.value.reason}` : showValue(o.value, facts[o.view]));
    }
  }
  return texts.size > 0 ? [...texts].join(' | ') : null;
}

/** A parameter's name without its stars, annotation and default. */
function nameOf(text: string, { start, end, name }: Observation): { start: number; end: number } {
  const at = start + Math.max(0, text.slice(start, end).indexOf(name ?? ''));
  return { start: at, end: at + (name?.length ?? 0) };
}

/** The end of a place, or of its first line. */
function endOnLine(text: string, { start, end }: { start: number; end: number }): number {
  const newline = text.indexOf('\n', start);
  if (newline < 0 || newline >= end) return end;
  return start + text.slice(start, newline).trimEnd().length;
}

/** Where a file's marks and what was read differ, a line each. */
export function differences({ analyses, diagnostics }: Reading, file: string, text: string): string[] {
  const wrong: string[] = [];
  const own = diagnostics.filter(d => d.file === file);
  const marked = new Set<Diagnostic>();
  const at = (offset: number): number => text.slice(0, offset).split('\n').length;
  for (const { line, start, end, says } of marksOf(text)) {
    const where = `line ${line + 1}: \`${text.slice(start, end)}\``;
    const code = /^(MLX\d{3})(?: (.*))?$/.exec(says);
    if (code) {
      const here = own.filter(d => d.start === start && endOnLine(text, d) === end);
      const found = here.find(d => d.rule.code === code[1] && d.message.includes(code[2] ?? ''));
      if (found) marked.add(found);
      else wrong.push(`${where} should be refused as ${says}, not ${here.map(titleOf).join('; ') || 'accepted'}`);
    } else if (says === 'no finding') {
      const over = own.find(d => d.start < end && d.end > start);
      if (over) wrong.push(`${where} should be accepted, not ${titleOf(over)}`);
    } else {
      const known = knownAt(analyses, file, start, end);
      if (known !== says) wrong.push(`${where} should be ${says}, not ${known ?? 'unseen'}`);
    }
  }
  for (const d of own) if (!marked.has(d)) wrong.push(`line ${at(d.start)}: nothing marks ${titleOf(d)}`);
  return wrong;
}

const titleOf = (d: Diagnostic): string => `${d.rule.code} ${d.message}`;
