/**
 * Code actions: the fixes that rules are certain of, and a comment that silences the rule on its line.
 */
import { type CodeAction, CodeActionKind, type Diagnostic as LspDiagnostic, type Range } from 'vscode-languageserver';
import type { Diagnostic, Fix } from '../rules/diagnostic';
import { SOURCE } from './diagnostics';
import type { DocumentView } from './document';
import type { Places } from './places';

/** Actions for a range: fixes of the diagnostics that touch it, at their place or at the layer's constructor. */
export function codeActions(
  view: DocumentView,
  range: Range,
  diagnostics: readonly Diagnostic[],
  shown: readonly LspDiagnostic[],
): CodeAction[] {
  const actions: CodeAction[] = [];
  for (const d of diagnostics) {
    const places = d.companion ? [d, d.companion] : [d];
    if (!places.some(p => touches(view.places.rangeIn(view.uri, p), range))) continue;
    const own = shown.filter(s => s.source === SOURCE && s.code === d.rule.code);
    for (const [i, fix] of d.fixes.entries())
      actions.push({
        title: fix.title,
        kind: CodeActionKind.QuickFix,
        diagnostics: own,
        isPreferred: i === 0,
        edit: { changes: changesOf(fix, view.places) },
      });
    const silence = silencing(view, d);
    if (silence) actions.push({ ...silence, diagnostics: own });
  }
  return actions;
}

const touches = (a: Range | null, b: Range): boolean =>
  a !== null && a.start.line <= b.end.line && b.start.line <= a.end.line;

function changesOf(fix: Fix, places: Places): NonNullable<NonNullable<CodeAction['edit']>['changes']> {
  const changes: Record<string, { range: Range; newText: string }[]> = {};
  for (const { newText, ...origin } of fix.edits) {
    const { uri, range } = places.location(origin);
    (changes[uri] ??= []).push({ range, newText });
  }
  return changes;
}

/** Adds the comment, or the code to the comment that is there. */
function silencing(view: DocumentView, { rule, ...place }: Diagnostic): CodeAction | null {
  const { source } = view.analysis;
  if (place.file !== source.path) return null;
  const line = source.lines.lineAt(place.start);
  const end = source.lines.lineEnd(line);
  const text = source.lines.lineText(line);
  if (/\\\s*$/.test(text)) return null; // nothing can follow a continued line's backslash
  const present = /# mlx-scope: ignore\[([^\]]*)\]/.exec(text);
  const at = present ? source.lines.lineStart(line) + present.index + present[0].length - 1 : end;
  const range = view.range({ start: at, end: at });
  if (!range) return null;
  return {
    title: `Ignore ${rule.code} on this line`,
    kind: CodeActionKind.QuickFix,
    edit: {
      changes: {
        [view.uri]: [{ range, newText: present ? `, ${rule.code}` : `  # mlx-scope: ignore[${rule.code}]` }],
      },
    },
  };
}
