/** What every command starts from: the workspace over this machine's files, an analyser, and paths as users write them. */
import path from 'node:path';
import { Analyser } from '../analysis/analyser';
import type { Origin } from '../interpreter/values';
import type { ReportOptions } from '../rules/report';
import { NodeFileSystem } from '../workspace/file-system.node';
import { ignoredIn } from '../workspace/settings';
import { Workspace } from '../workspace/workspace';

/** A wrong use of the command line: told without a stack, exit status 2. */
export class UsageError extends Error {}

export interface Project {
  readonly workspace: Workspace;
  readonly analyser: Analyser;
}

export function openProject(): Project {
  const workspace = new Workspace(new NodeFileSystem(), {
    folders: [slashed(process.cwd())],
    environment: process.env.VIRTUAL_ENV ?? null,
  });
  return { workspace, analyser: new Analyser(workspace) };
}

const slashed = (p: string): string => p.split(path.sep).join('/');

/** An absolute path as the workspace spells it. @throws UsageError when nothing is there */
export function existing(project: Project, given: string): string {
  const absolute = slashed(path.resolve(given));
  if (project.workspace.files.kind(absolute) === null) throw new UsageError(`${given}: no such file or folder`);
  return absolute;
}

/** A path relative to the working directory, for output. */
export const shown = (absolute: string): string => slashed(path.relative(process.cwd(), absolute)) || '.';

export interface PlaceJson {
  file: string;
  range: { start: { line: number; column: number }; end: { line: number; column: number } };
}

/** Lines and columns from 1, columns in UTF-16 units. */
export function placeOf(project: Project, origin: Origin): PlaceJson {
  const lines = project.workspace.source(origin.file)?.lines;
  const nowhere = { line: 1, column: 1 };
  return {
    file: shown(origin.file),
    range: { start: lines?.lineColumn(origin.start) ?? nowhere, end: lines?.lineColumn(origin.end) ?? nowhere },
  };
}

/** How findings are chosen: the project's settings, narrowed by the command line. */
export function reportOptions(project: Project, select: readonly string[], ignore: readonly string[]): ReportOptions {
  return {
    selection: file => {
      const settings = project.workspace.settingsFor(file);
      return {
        select: select.length ? select : settings.select,
        ignore: [...ignore, ...settings.ignore, ...ignoredIn(settings, file)],
      };
    },
    isOwn: file => project.workspace.isOwn(file) || !/(^|\/)(site-packages|dist-packages)\//.test(file),
    source: file => project.workspace.source(file),
  };
}
