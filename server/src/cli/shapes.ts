/** `mlx-scope shapes`: the shape of every array in a file, or on the path of an entry. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Dim, showDim, symbolsOf } from '../../../engine/src/dims/dim';
import { DTYPES, type DType } from '../../../engine/src/dtype';
import type { FileAnalysis, InputSpec, Observation } from '../analysis/types';
import { existing, openProject, type Project, placeOf, UsageError } from './project';

/** One row of the JSON contract. */
interface Row {
  file: string;
  line: number;
  column: number;
  kind: Observation['kind'];
  name: string | null;
  function: string;
  shape: (number | string | null)[] | null;
  dtype: string | null;
  view?: string;
  value?: string;
}

/** `inputs=int32[2,7]` @throws UsageError */
export function parseInput(text: string): InputSpec {
  const match = /^(\w+)=(\w+)\[([^\]]*)\]$/.exec(text);
  if (!match || !DTYPES.includes(match[2] as DType))
    throw new UsageError(`--input ${text}: write NAME=dtype[dims], such as inputs=int32[2,7]`);
  const dims = match[3]
    .split(',')
    .map(d => d.trim())
    .filter(Boolean);
  const shape = dims.map(d => (/^\d+$/.test(d) ? Number(d) : d)) as Dim[];
  return { name: match[1], dtype: match[2], shape };
}

/** A JSON object, or the path of a file that holds one. @throws UsageError */
export function parseConfig(text: string | undefined): Record<string, unknown> | null {
  if (text === undefined) return null;
  try {
    return JSON.parse(text.trimStart().startsWith('{') ? text : readFileSync(text, 'utf8')) as Record<string, unknown>;
  } catch (e) {
    throw new UsageError(`--config ${text}: ${e instanceof Error ? e.message : e}`);
  }
}

const axis = (d: Dim): number | string | null =>
  typeof d === 'number' ? d : [...symbolsOf(d)].some(s => s.anonymous) ? null : showDim(d);

export function shapes(argv: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      entry: { type: 'string' },
      config: { type: 'string' },
      input: { type: 'string', multiple: true },
      format: { type: 'string', default: 'text' },
      all: { type: 'boolean' },
    },
  });
  if (positionals.length !== 1) throw new UsageError('shapes needs one file');
  if (values.format !== 'text' && values.format !== 'json')
    throw new UsageError(`--format is text or json, not ${values.format}`);
  const project = openProject();
  const file = existing(project, positionals[0]);
  const analyses = values.entry
    ? project.analyser.entry({
        file,
        name: values.entry,
        config: parseConfig(values.config),
        inputs: (values.input ?? []).map(parseInput),
        seed: null,
      }).reached
    : [project.analyser.analyse(file)];
  const rows = analyses.flatMap(a => rowsOf(project, a, values.all ?? false, !values.entry));
  if (values.format === 'json') console.log(JSON.stringify(rows, null, 2));
  else for (const r of rows) console.log(textOf(r));
  return 0;
}

function rowsOf(project: Project, analysis: FileAnalysis, all: boolean, withView: boolean): Row[] {
  return analysis.observations.flatMap(o => {
    if (!o.type && !all) return [];
    const { file, range } = placeOf(project, o);
    const { type } = o;
    const ranked = type && Array.isArray(type.shape) ? (type.shape as readonly Dim[]) : null;
    return [
      {
        file,
        line: range.start.line,
        column: range.start.column,
        kind: o.kind,
        name: o.name,
        function: o.function,
        shape: ranked ? ranked.map(axis) : null,
        dtype: type?.dtype ?? null,
        ...(withView ? { view: o.view } : {}),
        ...(type ? {} : { value: o.value.kind === 'int' ? showDim(o.value.value) : o.value.kind }),
      },
    ];
  });
}

const textOf = (r: Row): string => {
  const shape = r.shape ? `[${r.shape.map(d => d ?? '?').join(', ')}]` : '[...]';
  return `${r.file}:${r.line}:${r.column}: ${r.function} ${r.name ?? r.kind} ${r.value ?? `${r.dtype ?? ''}${shape}`}`;
};
