/** `mlx-scope check`: what MLX would refuse, in files and folders. */
import { parseArgs } from 'node:util';
import type { FileAnalysis } from '../analysis/types';
import type { Diagnostic } from '../rules/diagnostic';
import { findingsToDiagnostics, inOrder } from '../rules/report';
import { entryFor, inputSpecs, parseInput, readConfig } from '../session/inputs';
import {
  type Command,
  ENTRY_DETAILS,
  ENTRY_OPTIONS,
  type EntryValues,
  exactlyOne,
  oneOf,
  UsageError,
  words,
} from './command';
import { FORMATS, type FormatName } from './formats';
import { enter, existing, existingSource, openProject, type Project, reportOptions, shown } from './project';

export const check: Command = {
  usage:
    'check PATH… [--entry NAME --config FILE|JSON --input NAME=dtype[dims] …] [--format text|json|github|sarif] ' +
    '[--select CODES] [--ignore CODES] [--statistics] [--exit-zero]',
  summary: 'Reports what MLX would refuse, in Python files, notebooks and folders of them.',
  details: `${ENTRY_DETAILS}
  --format NAME     text (default), json, github (workflow annotations) or sarif
  --select CODES    only these rules: codes or their beginnings (MLX1), or names, by commas
  --ignore CODES    not these
  --statistics      how often each rule was met
  --exit-zero       exit status 0 even with findings

With --entry, one file is named, and what MLX would refuse on the way through that class or function is reported in
whichever file it happens, with the calls that lead there.

A comment \`# mlx-scope: ignore[MLX101]\` silences a line; [tool.mlx-scope] in pyproject.toml sets select, ignore,
exclude, per-file-ignores, and entries with their configs.`,
  run(argv) {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        ...ENTRY_OPTIONS,
        format: { type: 'string', default: 'text' },
        select: { type: 'string', multiple: true },
        ignore: { type: 'string', multiple: true },
        statistics: { type: 'boolean', default: false },
        'exit-zero': { type: 'boolean', default: false },
      },
    });
    if (positionals.length === 0) throw new UsageError('check needs a file or folder');
    const format = FORMATS[oneOf('--format', values.format, Object.keys(FORMATS) as FormatName[])];
    if (values.entry === undefined && (values.config || values.input || values.symbol))
      throw new UsageError('--config, --input and --symbol need an --entry');
    if (values.entry !== undefined) exactlyOne(positionals, 'check with an --entry needs one file');
    const project = openProject();
    const files = [...new Set(positionals.flatMap(p => sourcesIn(project, p)))];
    const options = reportOptions(project, words(values.select), words(values.ignore));
    const found = new Map<string, Diagnostic>();
    let failed = false;
    for (const file of files) {
      try {
        for (const analysis of analysesOf(project, file, values))
          for (const d of findingsToDiagnostics(analysis, options)) {
            const key = `${d.file}:${d.start}:${d.end}:${d.rule.code}`;
            if (!found.has(key)) found.set(key, d);
          }
      } catch (error) {
        if (error instanceof UsageError) throw error;
        failed = true;
        console.error(`mlx-scope: ${shown(file)} could not be analysed: ${(error as Error).message}`);
      }
    }
    const diagnostics = [...found.values()].sort(inOrder);
    const text = format(project, diagnostics, { files: files.length, statistics: values.statistics });
    if (text) console.log(text);
    if (failed) return 2;
    return diagnostics.length > 0 && !values['exit-zero'] ? 1 : 0;
  },
};

function sourcesIn(project: Project, given: string): string[] {
  const { workspace } = project;
  const path = existing(project, given);
  for (const problem of workspace.settingsFor(`${path}/x.py`).problems) console.error(`mlx-scope: ${problem}`);
  if (workspace.files.kind(path) === 'folder') return workspace.pythonFiles(path);
  return [existingSource(project, given)];
}

/**
 * What an entry reaches, where one is given; else the file's own analysis, those of files its program reached, and of the
 * entry that the project sets for it.
 */
function analysesOf(project: Project, file: string, given: EntryValues): readonly FileAnalysis[] {
  const { workspace, analyser } = project;
  if (given.entry !== undefined) {
    const { reached, limits } = enter(project, file, given.entry, given);
    for (const limit of limits) console.error(`mlx-scope: not followed to the end: ${limit}`);
    return reached;
  }
  const analyses = analyser.analyseReached(file);
  for (const setting of workspace.settingsFor(file).entries) {
    if (setting.file !== file) continue;
    const name = setting.entry ?? entryFor(analyses[0]);
    if (name === null) throw new Error('pyproject.toml sets an entry, and the file has no nn.Module class');
    const config = typeof setting.config === 'string' ? readConfig(workspace.files, setting.config) : setting.config;
    const inputs = inputSpecs(setting.inputs.map(parseInput));
    analyses.push(...analyser.entry({ file, name, config, inputs, seed: null }).reached);
  }
  return analyses;
}
