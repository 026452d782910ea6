/** `mlx-scope shapes`: the shape of every array in a file, or on the path of an entry. */
import { parseArgs } from 'node:util';
import { shapeRows } from '../features/shape-rows';
import type { ShapeRow } from '../protocol';
import { inputSpecs } from '../session/inputs';
import {
  type Command,
  ENTRY_DETAILS,
  ENTRY_OPTIONS,
  exactlyOne,
  inputsOf,
  oneOf,
  symbolsOf,
  UsageError,
} from './command';
import { configOf, existingSource, openProject, shown } from './project';

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
    const project = openProject();
    const file = existingSource(project, exactlyOne(positionals, 'shapes needs one file'));
    const format = oneOf('--format', values.format, ['text', 'json']);
    const { entry, config } = values;
    if (!entry && (config || values.input)) throw new UsageError('--config and --input need an --entry');
    const analyses = entry
      ? enter(project, file, entry, config, values.input, values.symbol)
      : [project.analyser.analyse(file)];
    const rows = analyses.flatMap(a => shapeRows(a, shown(a.source.path), values.all));
    if (format === 'json') console.log(JSON.stringify(rows, null, 2));
    else for (const row of rows) if (row.kind !== 'expr') console.log(textOf(row));
    return 0;
  },
};

function enter(
  project: ReturnType<typeof openProject>,
  file: string,
  name: string,
  config: string | undefined,
  inputs: readonly string[] | undefined,
  symbols: readonly string[] | undefined,
) {
  const request = {
    file,
    name,
    config: configOf(project, config),
    inputs: inputSpecs(inputsOf(inputs), symbolsOf(symbols)),
    seed: null,
  };
  try {
    const entered = project.analyser.entry(request);
    for (const limit of entered.limits) console.error(`mlx-scope: ${limit}`);
    return entered.reached;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

const textOf = (r: ShapeRow): string => {
  const shape = r.shape ? `[${r.shape.map(axis => axis ?? '?').join(', ')}]` : '[...]';
  return `${r.file}:${r.line}:${r.column}: ${r.function} ${r.name} ${r.value ?? `${r.dtype ?? ''}${shape}`}`;
};
