/** `mlx-scope check`: what MLX would refuse, in files and folders. */
import { parseArgs } from 'node:util';
import type { Diagnostic } from '../rules/diagnostic';
import { findingsToDiagnostics, inOrder } from '../rules/report';
import { existing, openProject, type Project, placeOf, reportOptions, UsageError } from './project';

const FORMATS = ['text', 'json', 'github'] as const;
type Format = (typeof FORMATS)[number];

const codes = (list: string | undefined): string[] =>
  list
    ? list
        .split(',')
        .map(s => s.trim())
        .filter(Boolean)
    : [];

/** Answers the exit status: 0 clean, 1 findings. */
export function check(argv: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      format: { type: 'string', default: 'text' },
      select: { type: 'string' },
      ignore: { type: 'string' },
      statistics: { type: 'boolean' },
      'exit-zero': { type: 'boolean' },
    },
  });
  if (positionals.length === 0) throw new UsageError('check needs a file or folder');
  const format = FORMATS.find(f => f === values.format);
  if (!format) throw new UsageError(`--format is one of ${FORMATS.join(', ')}, not ${values.format}`);
  const project = openProject();
  const options = reportOptions(project, codes(values.select), codes(values.ignore));
  const files = positionals.flatMap(p => {
    const path = existing(project, p);
    return project.workspace.files.kind(path) === 'folder' ? project.workspace.pythonFiles(path) : [path];
  });
  const found = new Map<string, Diagnostic>();
  for (const file of files) {
    for (const analysis of project.analyser.analyseReached(file))
      for (const d of findingsToDiagnostics(analysis, options)) {
        const key = `${d.file}:${d.start}:${d.rule.code}`;
        if (!found.has(key)) found.set(key, d);
      }
  }
  const diagnostics = [...found.values()].sort(inOrder);
  print(project, diagnostics, format);
  if (format === 'text') summarise(diagnostics, files.length, values.statistics ?? false);
  return diagnostics.length > 0 && !values['exit-zero'] ? 1 : 0;
}

function print(project: Project, diagnostics: readonly Diagnostic[], format: Format): void {
  if (format === 'json') {
    console.log(
      JSON.stringify(
        diagnostics.map(d => asJson(project, d)),
        null,
        2,
      ),
    );
    return;
  }
  for (const d of diagnostics) console.log(format === 'github' ? asGithub(project, d) : asText(project, d));
}

function asJson(project: Project, d: Diagnostic) {
  return {
    code: d.rule.code,
    rule: d.rule.name,
    severity: d.rule.severity,
    message: d.message,
    ...placeOf(project, d),
    related: d.related.map(r => ({ ...placeOf(project, r), message: r.message })),
    fixes: d.fixes.map(f => ({
      title: f.title,
      edits: f.edits.map(e => ({ ...placeOf(project, e), newText: e.newText })),
    })),
  };
}

function asGithub(project: Project, d: Diagnostic): string {
  const { file, range } = placeOf(project, d);
  const level = d.rule.severity === 'info' ? 'notice' : d.rule.severity;
  const quoted = (s: string) => s.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  return `::${level} file=${file},line=${range.start.line},col=${range.start.column},endLine=${range.end.line},endColumn=${range.end.column},title=${d.rule.code}::${quoted(d.message)}`;
}

function asText(project: Project, d: Diagnostic): string {
  const { file, range } = placeOf(project, d);
  const source = project.workspace.source(d.file);
  const line = source?.lines.lineText(range.start.line - 1) ?? '';
  const gutter = ' '.repeat(`${range.start.line}`.length);
  const width =
    range.end.line === range.start.line ? range.end.column - range.start.column : line.length - range.start.column + 1;
  const parts = [
    `${file}:${range.start.line}:${range.start.column}: ${d.rule.severity} ${d.rule.code} ${d.message}`,
    `${gutter} |`,
    `${range.start.line} | ${line}`,
    `${gutter} | ${' '.repeat(range.start.column - 1)}${'^'.repeat(Math.max(1, width))}`,
  ];
  for (const r of d.related) {
    const place = placeOf(project, r);
    parts.push(`${gutter} = ${place.file}:${place.range.start.line}: ${r.message}`);
  }
  for (const f of d.fixes) parts.push(`${gutter} = fix: ${f.title}`);
  return `${parts.join('\n')}\n`;
}

function summarise(diagnostics: readonly Diagnostic[], files: number, statistics: boolean): void {
  if (statistics) {
    const counts = new Map<string, number>();
    for (const d of diagnostics)
      counts.set(`${d.rule.code} ${d.rule.name}`, (counts.get(`${d.rule.code} ${d.rule.name}`) ?? 0) + 1);
    for (const [rule, n] of [...counts].sort()) console.log(`${n}\t${rule}`);
  }
  const n = diagnostics.length;
  console.log(
    `${n === 0 ? 'Nothing that MLX would refuse' : `${n} finding${n === 1 ? '' : 's'}`} in ${files} file${files === 1 ? '' : 's'}.`,
  );
}
