/**
 * "Write shapes as comments": the hints of a file's assignments at the ends of their lines, where there is no comment.
 */
import type { Range, ShapeCommentsResult } from '../protocol';
import type { DocumentView } from './document';
import { hintText } from './inlay-hints';

export function shapeComments(view: DocumentView, within: Range | null): ShapeCommentsResult {
  const { lines, module } = view.analysis.source;
  const commented = new Set(module.comments.map(c => lines.lineAt(c.start)));
  const byLine = new Map<number, string[]>();
  for (const [, site] of view.sites()) {
    const [first] = site;
    if (first.kind !== 'assign') continue;
    const range = view.range(first);
    if (!range || (within && (range.start.line < within.start.line || range.start.line > within.end.line))) continue;
    const line = lines.lineAt(first.start);
    const text = hintText(site, 'non-default');
    // A statement over several lines has no one line whose end speaks of it.
    if (text === null || commented.has(line) || !endsOnLine(view, first.start, line)) continue;
    const names = byLine.get(line);
    const named = `${first.name ?? ''}: ${text}`;
    if (names) names.push(named);
    else byLine.set(line, [named]);
  }
  const edits = [...byLine].flatMap(([line, names]) => {
    const end = lines.lineEnd(line);
    const range = view.range({ start: end, end });
    const text = names.length === 1 ? names[0].replace(/^[^:]*: /, '') : names.join(', ');
    return range ? [{ range, newText: `  # ${text}` }] : [];
  });
  return edits.length > 0 ? { [view.uri]: edits } : {};
}

function endsOnLine(view: DocumentView, offset: number, line: number): boolean {
  const statement = view.nodesAt(offset).findLast(n => /^(Assign|AnnAssign|AugAssign|For|With)$/.test(n.kind));
  if (!statement) return false;
  const { lines } = view.analysis.source;
  return statement.kind === 'For' || statement.kind === 'With' || lines.lineAt(statement.end) === line;
}
