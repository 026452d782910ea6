/**
 * Findings for people: a line to click, the source with the fault underlined, and what belongs to it.
 *
 *     examples/mnist.py:15:16: error MLX101 Linear expects 128 features on the last axis, x has 256: float32[32, 256]
 *        |
 *     11 |         self.fc2 = nn.Linear(128, 10)
 *        |                    ------------------ this Linear is 128 wide; it gets 256
 *     15 |         return self.fc2(x)
 *        |                ^^^^^^^^^^^
 *        = fix: Make the Linear 256 wide
 */
import type { Origin } from '../interpreter/values';
import type { Diagnostic, Severity } from '../rules/diagnostic';
import type { Totals } from './formats';
import { type Project, placeOf } from './project';

const usesColour = (): boolean => Boolean(process.stdout.isTTY) && !process.env.NO_COLOR;

type Style = 'error' | 'warning' | 'info' | 'bold' | 'dim' | 'fix';
const CODES: Readonly<Record<Style, number>> = { error: 31, warning: 33, info: 36, bold: 1, dim: 2, fix: 32 };
const paint = (style: Style, text: string): string => (usesColour() ? `\x1b[${CODES[style]}m${text}\x1b[0m` : text);

export function asText(project: Project, diagnostics: readonly Diagnostic[], totals: Totals): string {
  const parts = diagnostics.map(d => `${finding(project, d)}\n`);
  if (totals.statistics) parts.push(...statistics(diagnostics));
  const n = diagnostics.length;
  const files = `${totals.files} file${totals.files === 1 ? '' : 's'}`;
  parts.push(n === 0 ? `Nothing that MLX would refuse in ${files}.` : `${n} finding${n === 1 ? '' : 's'} in ${files}.`);
  return parts.join('\n');
}

function statistics(diagnostics: readonly Diagnostic[]): string[] {
  const counts = new Map<string, number>();
  for (const { rule } of diagnostics) {
    const key = `${rule.code} ${rule.name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts].sort().map(([rule, n]) => `${`${n}`.padStart(5)}  ${rule}`);
}

interface Frame {
  readonly line: number;
  readonly text: string;
  readonly mark: string;
}

function finding(project: Project, d: Diagnostic): string {
  const { file, cell, range } = placeOf(project, d);
  const at = `${file}:${cell === undefined ? '' : `cell ${cell}:`}${range.start.line}:${range.start.column}`;
  const { severity, code } = d.rule;
  const head = `${paint('bold', at)}: ${paint(severity, `${severity} ${code}`)} ${d.message}`;
  // Places in the same cell or file are shown with their source, others named.
  const near = d.related.filter(r => r.file === d.file && placeOf(project, r).cell === cell);
  const far = d.related.filter(r => !near.includes(r));
  const frames = [frame(project, d, '^', '', severity), ...near.map(r => frame(project, r, '-', r.message, null))].sort(
    (a, b) => a.line - b.line,
  );
  const gutter = ' '.repeat(Math.max(...frames.map(f => `${f.line}`.length)));
  const bar = paint('dim', '|');
  const lines = [head, `${gutter} ${bar}`];
  for (const { line, text, mark } of frames)
    lines.push(`${paint('dim', `${line}`.padStart(gutter.length))} ${bar} ${text}`, `${gutter} ${bar} ${mark}`);
  for (const r of far) {
    const place = placeOf(project, r);
    lines.push(`${gutter} = ${place.file}:${place.range.start.line}:${place.range.start.column}: ${r.message}`);
  }
  for (const fix of d.fixes) lines.push(`${gutter} = ${paint('fix', 'fix')}: ${fix.title}`);
  return lines.join('\n');
}

function frame(project: Project, origin: Origin, stroke: string, note: string, severity: Severity | null): Frame {
  const { range } = placeOf(project, origin);
  const lines = project.workspace.source(origin.file)!.lines;
  const text = lines.lineText(lines.lineAt(origin.start));
  // Tabs stay tabs, so that the strokes stand below what they mean.
  const indent = text.slice(0, range.start.column - 1).replace(/[^\t]/g, ' ');
  const last = range.end.line === range.start.line ? range.end.column : text.length + 1;
  const strokes = stroke.repeat(Math.max(1, last - range.start.column));
  const mark = `${indent}${paint(severity ?? 'info', strokes)}${note && ` ${note}`}`;
  return { line: range.start.line, text, mark };
}
