/**
 * The workspace's places as LSP has them: URIs, lines and characters, and for notebooks the document of each cell.
 */
import type { Location, Position, Range } from 'vscode-languageserver';
import type { Origin } from '../interpreter/values';
import { cellAt, type Notebook } from '../workspace/notebook';
import { pathOfUri, uriOfPath } from '../workspace/paths';
import type { Workspace } from '../workspace/workspace';

const START: Range = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

export class Places {
  /** Cell URI → path of its notebook, for notebooks that an editor has open. */
  private readonly cells = new Map<string, string>();

  constructor(private readonly workspace: Workspace) {}

  /** An editor opened these cells of the notebook, or (with none) closed it. */
  setCells(path: string, uris: readonly string[]): void {
    for (const [uri, owner] of this.cells) if (owner === path) this.cells.delete(uri);
    for (const uri of uris) this.cells.set(uri, path);
  }

  /** The path that a document's analysis goes by: its own, or its notebook's. */
  path(uri: string): string {
    return this.cells.get(uri) ?? pathOfUri(uri);
  }

  location(origin: Origin): Location {
    const source = this.workspace.source(origin.file);
    if (!source) return { uri: uriOfPath(origin.file), range: START };
    const range = { start: source.lines.position(origin.start), end: source.lines.position(origin.end) };
    const notebook = this.workspace.notebook(origin.file);
    const cell = notebook && cellAt(notebook, range.start.line);
    if (!cell?.uri) return { uri: uriOfPath(origin.file), range };
    const shift = ({ line, character }: Position) => ({ line: line - cell.firstLine, character });
    return { uri: cell.uri, range: { start: shift(range.start), end: shift(range.end) } };
  }

  /** The origin's range in a document, or null where it lies in another one. */
  rangeIn(uri: string, origin: Origin): Range | null {
    const location = this.location(origin);
    return location.uri === uri ? location.range : null;
  }

  /** The offset in the analysed text of a position in a document. */
  offset(uri: string, position: Position): number {
    const path = this.path(uri);
    const source = this.workspace.source(path);
    if (!source) return 0;
    const first = this.firstLine(this.workspace.notebook(path), uri);
    return source.lines.offset({ line: position.line + first, character: position.character });
  }

  private firstLine(notebook: Notebook | null, uri: string): number {
    return notebook?.cells.find(cell => cell.uri === uri)?.firstLine ?? 0;
  }
}
