/** `mlx-scope summary`: the parameters of a class, with shapes, counts and memory. */
import { parseArgs } from 'node:util';
import type { FileAnalysis } from '../analysis/types';
import { byteText, shortNumber, summarize } from '../features/parameters';
import type { SummaryResult } from '../protocol';
import { type Command, ENTRY_DETAILS, ENTRY_OPTIONS, type EntryValues, exactlyOne, oneOf, UsageError } from './command';
import { enter, existingSource, openProject, type Project, shown } from './project';

export const summary: Command = {
  usage: 'summary FILE --entry CLASS [--config FILE|JSON] [--format text|json]',
  summary: 'Lists the parameters of a model, with shapes, counts and memory.',
  details: `${ENTRY_DETAILS}
  --format NAME             text (default) or json`,
  run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...ENTRY_OPTIONS, format: { type: 'string', default: 'text' } },
    });
    const project = openProject();
    const file = existingSource(project, exactlyOne(positionals, 'summary needs one file'));
    const format = oneOf('--format', values.format, ['text', 'json']);
    if (!values.entry) throw new UsageError('summary needs --entry CLASS');
    const result = summaryOf(project, file, values.entry, values);
    console.log(format === 'json' ? JSON.stringify(result, null, 2) : table(result));
    return 0;
  },
};

/** @throws UsageError where the class cannot be made */
function summaryOf(project: Project, file: string, name: string, given: EntryValues): SummaryResult {
  // Without a config the reader's view has the model in symbols.
  const isEntered = given.config !== undefined || given.input !== undefined;
  const analysis: FileAnalysis = isEntered ? enter(project, file, name, given) : project.analyser.analyse(file);
  const instance = analysis.classes.find(c => c.name === name)?.instance;
  if (!instance) throw new UsageError(`${name} is no nn.Module class of ${shown(file)} that could be made`);
  return summarize(name, instance, analysis.facts[isEntered ? 'entry' : 'reader']);
}

function table({ name, parameters, total, bytes }: SummaryResult): string {
  const rows = parameters.map(p => [
    p.path,
    `${p.dtype ?? 'array'}[${p.shape ? p.shape.map(axis => axis ?? '?').join(', ') : '...'}]`,
    p.count === null ? 'unknown' : typeof p.count === 'number' ? p.count.toLocaleString('en-US') : p.count,
    p.trainable ? '' : 'frozen',
  ]);
  const widths = [0, 1, 2].map(i => Math.max(0, ...rows.map(r => r[i].length)));
  const lines = rows.map(([path, type, count, note]) =>
    `${path.padEnd(widths[0])}  ${type.padEnd(widths[1])}  ${count.padStart(widths[2])}  ${note}`.trimEnd(),
  );
  const count = typeof total === 'number' ? shortNumber(total) : (total ?? 'an unknown number of');
  const memory = bytes
    ? `: ${byteText(bytes.float32)} in float32, ${byteText(bytes.bfloat16)} in bfloat16, ${byteText(bytes.affine4)} in 4 bits`
    : '';
  return [...lines, '', `${name}: ${count} parameters${memory}`].join('\n');
}
