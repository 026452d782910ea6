/** What `mlx-scope check` says of a program in memory. */
import { Analyser } from '../../server/src/analysis/analyser';
import { findingsToDiagnostics } from '../../server/src/rules/report';
import { MemoryFileSystem } from '../../server/src/workspace/file-system';
import { Workspace } from '../../server/src/workspace/workspace';

const PATH = '/w/net.py';

const workspaceOf = (text: string): Workspace =>
  new Workspace(new MemoryFileSystem([[PATH, `import mlx.core as mx\nimport mlx.nn as nn\n${text}`]]), {
    folders: ['/w'],
  });

/** Codes and messages for `text` after `import mlx.core as mx` and `import mlx.nn as nn`, in order. */
export function findings(text: string): string[] {
  const workspace = workspaceOf(text);
  const own = new Analyser(workspace).analyse(PATH);
  return findingsToDiagnostics(own, {
    selection: () => ({ select: [], ignore: [] }),
    isOwn: () => true,
    source: file => workspace.source(file),
  }).map(d => `${d.rule.code} ${d.message}`);
}

/** The same text through a budget: why following it was cut short, or nothing. */
export function limits(text: string, steps: number): readonly string[] {
  return new Analyser(workspaceOf(text), { budget: { steps, depth: 60 } }).analyse(PATH).limits;
}
