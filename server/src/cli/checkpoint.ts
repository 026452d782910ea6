/** `mlx-scope checkpoint`: a model against the files of its weights, by their headers. */
import { parseArgs } from 'node:util';
import { type CheckpointCheck, checkCheckpoint } from '../analysis/checkpoint';
import { checkpointDiagnostics, parameterDiagnostic } from '../rules/checkpoint';
import { inOrder } from '../rules/report';
import { isSelected, type Selection } from '../rules/selection';
import { entryFor, inputSpecs, readConfig } from '../session/inputs';
import { type Checkpoint, readCheckpoint } from '../workspace/checkpoint';
import { join } from '../workspace/paths';
import { type Command, ENTRY_DETAILS, ENTRY_OPTIONS, exactlyOne, oneOf, UsageError, words } from './command';
import { asJson, FORMATS } from './formats';
import { configOf, existing, existingSource, openProject, type Project, reportOptions, shown } from './project';

export const checkpoint: Command = {
  usage: 'checkpoint FILE --weights PATH [--entry CLASS] [--config FILE|JSON] [--format text|json|github|sarif]',
  summary: 'Compares the parameters of a model with a checkpoint: names, shapes, packing. Reads headers only.',
  details: `${ENTRY_DETAILS.split('\n').slice(0, 2).join('\n')}
  --weights PATH            a .safetensors or .npz file, an index, or a folder (also of the Hugging Face cache)
  --select, --ignore CODES  only, or not, these rules
  --format NAME             text (default), json, github or sarif

Without --config the config.json beside the weights is used. The model's sanitize and the quantization of the config are
followed as mlx-lm's loader does. JSON has one row for each parameter that does not fit: the row of \`check\` with
"parameter", "model" and "checkpoint" (shape and dtype, or null) and "explanation".`,
  async run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...ENTRY_OPTIONS,
        weights: { type: 'string' },
        format: { type: 'string', default: 'text' },
        select: { type: 'string', multiple: true },
        ignore: { type: 'string', multiple: true },
      },
    });
    const project = openProject();
    const file = existingSource(project, exactlyOne(positionals, 'checkpoint needs one file'));
    if (!values.weights) throw new UsageError('checkpoint needs --weights PATH');
    const format = oneOf('--format', values.format, ['text', 'json', 'github', 'sarif']);
    const name = values.entry ?? entryFor(project.analyser.analyse(file));
    if (!name) throw new UsageError(`${shown(file)} has no nn.Module class: name one with --entry`);
    const files = await headers(project, existing(project, values.weights));
    const config = configOf(project, values.config) ?? configBeside(project, files) ?? {}; // defaults, not symbols
    const check = checked(project, file, name, config, files);
    for (const note of check.notes) console.error(`mlx-scope: ${note}`);
    const { selection } = reportOptions(project, words(values.select), words(values.ignore));
    return format === 'json'
      ? printRows(project, check, files, selection(file))
      : printFindings(project, check, files, selection(file), format);
  },
};

async function headers(project: Project, path: string): Promise<Checkpoint> {
  try {
    return await readCheckpoint(path, project.workspace.files);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** The config.json in the folder of the weights; null where there is none. */
function configBeside({ workspace }: Project, { folder }: Checkpoint) {
  const path = join(folder, 'config.json');
  return workspace.files.kind(path) === 'file' ? readConfig(workspace.files, path) : null;
}

/** @throws UsageError where the model cannot be made */
function checked(
  project: Project,
  file: string,
  name: string,
  config: Readonly<Record<string, unknown>> | null,
  files: Checkpoint,
): CheckpointCheck {
  try {
    return checkCheckpoint(project.analyser, { file, name, config, inputs: inputSpecs([]), seed: null }, files);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function printRows(project: Project, check: CheckpointCheck, { problems }: Checkpoint, selection: Selection): number {
  const named = new Set(check.parameters.map(p => p.name));
  const whole = { ...check, parameters: [] };
  const others = checkpointDiagnostics(
    whole,
    problems.filter(p => !p.arrays.some(name => named.has(name))),
  );
  const rows = [
    ...others.map(d => ({ diagnostic: d, parameter: null })),
    ...check.parameters.map(p => ({ diagnostic: parameterDiagnostic(check, p), parameter: p })),
  ].flatMap(({ diagnostic, parameter }) => {
    if (!diagnostic || !isSelected(diagnostic.rule, selection)) return [];
    return {
      ...asJson(project, diagnostic),
      parameter: parameter?.name ?? null,
      model: parameter?.model ?? null,
      checkpoint: parameter?.given ?? null,
      explanation: parameter?.explanation ?? null,
    };
  });
  console.log(JSON.stringify(rows, null, 2));
  return rows.length > 0 ? 1 : 0;
}

function printFindings(
  project: Project,
  check: CheckpointCheck,
  files: Checkpoint,
  selection: Selection,
  format: 'text' | 'github' | 'sarif',
): number {
  const diagnostics = checkpointDiagnostics(check, files.problems)
    .filter(d => isSelected(d.rule, selection))
    .sort(inOrder);
  if (format !== 'text') {
    const text = FORMATS[format](project, diagnostics, { files: 1, statistics: false });
    if (text) console.log(text);
  } else {
    if (diagnostics.length > 0) console.log(FORMATS.text(project, diagnostics, { files: 1, statistics: false }));
    console.log(summary(check, files));
  }
  return diagnostics.length > 0 ? 1 : 0;
}

/** `291 of 291 parameters fit the 291 arrays of model.safetensors.` */
function summary({ parameters, open }: CheckpointCheck, { arrays, files }: Checkpoint): string {
  const own = parameters.filter(p => p.model !== null || p.kind !== 'weights-unexpected');
  const fitting = own.filter(p => p.kind === null).length;
  const where = files.length === 1 ? shown(files[0]) : `${files.length} files`;
  const rest = open ? ' Not everything could be compared.' : '';
  return `${fitting} of ${own.length} parameters fit; ${arrays.size} arrays in ${where}.${rest}`;
}
