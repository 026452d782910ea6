/** `mlx-scope run`: the values of an entry's outputs, with a trace of its layers. */
import { parseArgs } from 'node:util';
import { byteText } from '../features/parameters';
import { shortValue } from '../features/picture';
import type { RunResult } from '../protocol';
import { type Command, exactlyOne, oneOf, RUN_DETAILS, RUN_OPTIONS, UsageError } from './command';
import { executorOf, perform, requestOf } from './execution';
import { openProject } from './project';

export const run: Command = {
  usage: 'run FILE --entry NAME [--config FILE|JSON] [--input …] [--weights PATH] [--seed N] [--backend NAME]',
  summary: 'Runs a class or function and shows its output.',
  details: `${RUN_DETAILS}
  --format NAME             text (default) or json`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { ...RUN_OPTIONS, format: { type: 'string', default: 'text' } },
    });
    const project = openProject();
    if (!values.entry) throw new UsageError('run needs --entry NAME');
    const format = oneOf('--format', values.format, ['text', 'json']);
    const request = requestOf(project, exactlyOne(positionals, 'run needs one file'), values);
    const result = await perform(options => executorOf(project).run(request, options));
    console.log(format === 'json' ? JSON.stringify(result, null, 2) : textOf(result));
    return 0;
  },
};

/** How many values of an output are printed. */
const MOST_VALUES = 8;

function textOf({ outputs, layers, backend, seconds, peakBytes, notes }: RunResult): string {
  const lines = layers.map(l => {
    const type = ({ shape, dtype }: { shape: number[]; dtype: string }) => `${dtype}[${shape.join(', ')}]`;
    return `${l.path || '(model)'}  ${l.type}  ${l.inputs.map(type).join(', ')} → ${l.outputs.map(type).join(', ')}`;
  });
  if (lines.length > 0) lines.push('');
  for (const { name, shape, dtype, stats, values } of outputs) {
    const { min, max, mean, std, nan, inf } = stats;
    lines.push(`${name}: ${dtype}[${shape.join(', ')}]`);
    const first = values.slice(0, MOST_VALUES).map(v => (typeof v === 'number' ? shortValue(v) : `${v}`));
    lines.push(`  ${first.join(' ')}${values.length > MOST_VALUES ? ' …' : ''}`);
    const faults = nan + inf > 0 ? `  NaN ${nan}  inf ${inf}` : '';
    lines.push(
      `  min ${shortValue(min)}  mean ${shortValue(mean)}  max ${shortValue(max)}  std ${shortValue(std)}${faults}`,
    );
  }
  lines.push('', `${backend}, ${(seconds * 1000).toFixed(1)} ms, peak ${byteText(peakBytes)}`, ...notes);
  return lines.join('\n');
}
