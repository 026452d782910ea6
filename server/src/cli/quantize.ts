/** `mlx-scope quantize`: what each way to quantize costs in error, and saves in size. */
import { parseArgs } from 'node:util';
import { byteText } from '../features/parameters';
import { shortValue } from '../features/picture';
import type { ActivationSource, QuantizationMode, QuantizeResult } from '../protocol';
import { type Command, exactlyOne, integers, oneOf, RUN_DETAILS, RUN_OPTIONS, UsageError, words } from './command';
import { executorOf, perform, requestOf } from './execution';
import { existing, openProject, type Project } from './project';

const MODES: readonly QuantizationMode[] = ['affine', 'mxfp4', 'mxfp8', 'nvfp4'];

export const quantize: Command = {
  usage: 'quantize WEIGHTS|FILE [--entry CLASS …] [--bits 4,8] [--group-size 64] [--mode affine] [--format text|json]',
  summary: 'Compares bit widths, group sizes and modes by error and size, for a model or a checkpoint.',
  details: `${RUN_DETAILS}
  --bits N,…                bit widths to try (default: all that MLX offers)
  --group-size N,…          group sizes to try
  --mode NAME,…             ${MODES.join(', ')}
  --activations FROM        what layers get, for output errors: model (recorded while it runs on --input), normal (drawn
                            from the seed), or a file (.npy, archive.npz:key) of rows
  --format NAME             text (default) or json`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...RUN_OPTIONS,
        bits: { type: 'string', multiple: true },
        'group-size': { type: 'string', multiple: true },
        mode: { type: 'string', multiple: true },
        activations: { type: 'string' },
        format: { type: 'string', default: 'text' },
      },
    });
    const project = openProject();
    const format = oneOf('--format', values.format, ['text', 'json']);
    const given = exactlyOne(positionals, 'quantize needs one file');
    const choice = {
      bits: integers('--bits', values.bits),
      groupSizes: integers('--group-size', values['group-size']),
      modes: words(values.mode).map(m => oneOf('--mode', m, MODES)),
    };
    const isModel = /\.(py|ipynb)$/.test(given);
    if (isModel && !values.entry) throw new UsageError('quantize needs --entry CLASS for a Python file');
    const executor = executorOf(project);
    let result: QuantizeResult;
    if (isModel) {
      const activations = activationsOf(project, values.activations);
      const request = { ...requestOf(project, given, values), ...choice, activations };
      result = await perform(options => executor.quantize(request, options));
    } else {
      const weights = existing(project, given);
      result = await perform(options => executor.quantizeWeights(weights, choice, options));
    }
    console.log(format === 'json' ? JSON.stringify(result.rows, null, 2) : table(result));
    return 0;
  },
};

const activationsOf = (project: Project, given: string | undefined): ActivationSource | undefined => {
  if (given === undefined) return undefined;
  if (given === 'model' || given === 'normal') return { kind: given };
  const key = /^(.+\.(?:npz|safetensors)):(.+)$/.exec(given);
  return { kind: 'file', file: key ? `${existing(project, key[1])}:${key[2]}` : existing(project, given) };
};

function table({ rows, parameters, sampled, source, notes }: QuantizeResult): string {
  const cells = rows.map(r => [
    r.parameter,
    r.mode === 'affine' ? `${r.bits}-bit` : r.mode,
    `g${r.groupSize}`,
    r.bitsPerWeight.toFixed(2),
    byteText(r.bytes),
    `${(100 * r.weight.relativeError).toFixed(3)} %`,
    r.weight.sqnrDb === null ? 'exact' : `${r.weight.sqnrDb.toFixed(1)} dB`,
    r.weight.cosine === null ? '–' : r.weight.cosine.toFixed(5),
    shortValue(r.weight.max),
    r.output ? `${(100 * r.output.relativeError).toFixed(3)} %` : '–',
  ]);
  const head = ['parameter', 'kind', 'group', 'bits/weight', 'size', 'error', 'SQNR', 'cosine', 'max', 'output error'];
  const widths = head.map((h, i) => Math.max(h.length, ...cells.map(c => c[i].length)));
  const line = (row: readonly string[]) =>
    row
      .map((c, i) => (i < 2 ? c.padEnd(widths[i]) : c.padStart(widths[i])))
      .join('  ')
      .trimEnd();
  const skipped = parameters.filter(p => p.skipped).map(p => `${p.parameter}: ${p.skipped}`);
  const remarks = [`Weights: ${source}${sampled ? ', sampled rows' : ''}`, ...skipped, ...notes];
  return [line(head), ...cells.map(line), '', ...remarks].join('\n');
}
