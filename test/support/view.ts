/** A document as features are given it, from the analyser, in memory. */
import type { Position } from 'vscode-languageserver';
import { DocumentView } from '../../server/src/features/document';
import { Places } from '../../server/src/features/places';
import { DEFAULT_SETTINGS, type Settings } from '../../server/src/protocol';
import { LineIndex } from '../../server/src/python/positions';
import { Analyses, type Entry } from '../../server/src/session/analyses';
import { MemoryFileSystem } from '../../server/src/workspace/file-system';
import { Workspace } from '../../server/src/workspace/workspace';

export interface Opened {
  readonly view: DocumentView;
  readonly places: Places;
  readonly workspace: Workspace;
  readonly analyses: Analyses;
  /** The position `into` units after the start of the first occurrence of `code`. */
  at(code: string, into?: number): Position;
}

const PATH = '/w/net.py';

export function open(
  text: string,
  { settings = {}, entry = null }: { settings?: Partial<Settings>; entry?: Entry | null } = {},
): Opened {
  const workspace = new Workspace(new MemoryFileSystem([[PATH, text]]), { folders: ['/w'] });
  const places = new Places(workspace);
  const analyses = new Analyses(workspace, () => ({
    selection: () => ({ select: [], ignore: [] }),
    isOwn: () => true,
    source: file => workspace.source(file),
  }));
  analyses.setEntry(PATH, entry);
  const view = new DocumentView(`file://${PATH}`, analyses.get(PATH)!.file, places, {
    ...DEFAULT_SETTINGS,
    ...settings,
  });
  const lines = new LineIndex(text);
  return {
    view,
    places,
    workspace,
    analyses,
    at(code, into = 0) {
      const start = text.indexOf(code);
      if (start < 0) throw new Error(`the source does not hold ${code}`);
      return lines.position(start + into);
    },
  };
}
