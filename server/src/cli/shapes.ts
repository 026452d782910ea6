/** `mlx-scope shapes`: the shape of every array in a file, or on the path of an entry. */
import { parseArgs } from 'node:util';
import type { EntryAnalysis } from '../analysis/analyser';
import type { FileAnalysis } from '../analysis/types';
import { shapeRows } from '../features/shape-rows';
import type { ShapeRow } from '../protocol';
import { type Command, ENTRY_DETAILS, ENTRY_OPTIONS, exactlyOne, oneOf, UsageError } from './command';
import { enter, existingSource, openProject, shown } from './project';

export const shapes: Command = {
  usage: 'shapes FILE [--entry NAME --config FILE|JSON --input NAME=dtype[dims] …] [--format text|json] [--all]',
  summary: 'Lists every array that is assigned, passed or returned, with its shape.',
  details: `${ENTRY_DETAILS}
  --format NAME             text (default) or json
  --all                     also ints, tuples and objects`,
  run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...ENTRY_OPTIONS,
        format: { type: 'string', default: 'text' },
        all: { type: 'boolean', default: false },
      },
    });
    const project = openProject({ everything: values.all });
    const file = existingSource(project, exactlyOne(positionals, 'shapes needs one file'));
    const format = oneOf('--format', values.format, ['text', 'json']);
    const { entry } = values;
    if (!entry && (values.config || values.input)) throw new UsageError('--config and --input need an --entry');
    const analyses = entry ? entered(enter(project, file, entry, values)) : [project.analyser.analyse(file)];
    const rows = analyses.flatMap(a => shapeRows(a, shown(a.source.path), values.all));
    if (format === 'json') console.log(JSON.stringify(rows, null, 2));
    else for (const row of rows) if (row.kind !== 'expr') console.log(textOf(row));
    return 0;
  },
};

/** Every file that the entry reached; what cut it short is told. */
function entered({ limits, reached }: EntryAnalysis): readonly FileAnalysis[] {
  for (const limit of limits) console.error(`mlx-scope: ${limit}`);
  return reached;
}

const textOf = (r: ShapeRow): string => {
  const shape = r.shape ? `[${r.shape.map(axis => axis ?? '?').join(', ')}]` : '[...]';
  return `${r.file}:${r.line}:${r.column}: ${r.function} ${r.name} ${r.value ?? `${r.dtype ?? ''}${shape}`}`;
};
