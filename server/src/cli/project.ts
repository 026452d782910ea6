/** What every command starts from: the workspace over this machine's files, an analyser, and paths as users write them. */
import path from 'node:path';
import { Analyser, type AnalyserOptions, type EntryAnalysis } from '../analysis/analyser';
import type { Origin } from '../interpreter/values';
import type { ReportOptions } from '../rules/report';
import { inputSpecs, parseConfig, readConfig } from '../session/inputs';
import { NodeFileSystem } from '../workspace/file-system.node';
import { cellAt } from '../workspace/notebook';
import { relative, slashed } from '../workspace/paths';
import { ignoredIn } from '../workspace/settings';
import { Workspace } from '../workspace/workspace';
import { type EntryValues, inputsOf, symbolsOf, UsageError } from './command';

export interface Project {
  readonly workspace: Workspace;
  readonly analyser: Analyser;
}

const workingFolder = (): string => slashed(process.cwd());

export function openProject(options: AnalyserOptions = {}): Project {
  const { VIRTUAL_ENV } = process.env;
  const workspace = new Workspace(new NodeFileSystem(), {
    folders: [workingFolder()],
    environment: VIRTUAL_ENV ? slashed(VIRTUAL_ENV) : null,
  });
  return { workspace, analyser: new Analyser(workspace, options) };
}

/** An absolute path as the workspace spells it. @throws UsageError when nothing is there */
export function existing(project: Project, given: string): string {
  const absolute = slashed(path.resolve(given));
  if (project.workspace.files.kind(absolute) === null) throw new UsageError(`${given}: no such file or folder`);
  return absolute;
}

/** A Python file or notebook. @throws UsageError */
export function existingSource(project: Project, given: string): string {
  const found = existing(project, given);
  if (!/\.(py|pyi|ipynb)$/.test(found) || !project.workspace.source(found))
    throw new UsageError(`${given} is no Python file that can be read`);
  return found;
}

/** A path relative to the working directory, for output. */
export const shown = (absolute: string): string => relative(workingFolder(), absolute);

export interface PlaceJson {
  file: string;
  /** In notebooks: the cell, from 1; lines are its own. */
  cell?: number;
  range: { start: { line: number; column: number }; end: { line: number; column: number } };
}

/** Lines and columns from 1, columns in UTF-16 units. */
export function placeOf({ workspace }: Project, origin: Origin): PlaceJson {
  const lines = workspace.source(origin.file)?.lines;
  const file = shown(origin.file);
  if (!lines) return { file, range: { start: { line: 1, column: 1 }, end: { line: 1, column: 1 } } };
  const range = { start: lines.lineColumn(origin.start), end: lines.lineColumn(origin.end) };
  const notebook = workspace.notebook(origin.file);
  const cell = notebook && cellAt(notebook, range.start.line - 1);
  if (!cell) return { file, range };
  range.start.line -= cell.firstLine;
  range.end.line -= cell.firstLine;
  return { file, cell: cell.index + 1, range };
}

/** The config that `--config` names or holds; null without. */
export function configOf(project: Project, given: string | undefined): Readonly<Record<string, unknown>> | null {
  if (given === undefined) return null;
  if (given.trimStart().startsWith('{')) return parseConfig(given, '--config');
  return readConfig(project.workspace.files, existing(project, given));
}

/** The analysis of a class or function entered as the command line says. @throws UsageError where it cannot be entered */
export function enter(project: Project, file: string, name: string, given: EntryValues): EntryAnalysis {
  const config = configOf(project, given.config);
  const inputs = inputSpecs(inputsOf(given.input), symbolsOf(given.symbol));
  try {
    return project.analyser.entry({ file, name, config, inputs, seed: null });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

/** How findings are chosen: the project's settings, narrowed by the command line. */
export function reportOptions(
  { workspace }: Project,
  select: readonly string[],
  ignore: readonly string[],
): ReportOptions {
  return {
    selection: file => {
      const settings = workspace.settingsFor(file);
      return {
        select: select.length > 0 ? select : settings.select,
        ignore: [...ignore, ...settings.ignore, ...ignoredIn(settings, file)],
      };
    },
    // Files outside the working directory that were named are the user's too.
    isOwn: file => !/(^|\/)(site-packages|dist-packages)\//.test(file),
    source: file => workspace.source(file),
  };
}
