/**
 * Inlay hints: the shape of every array at its assignment, parameter and return, quiet where the line says it itself.
 */
import { type InlayHint, type Range, uinteger } from 'vscode-languageserver';
import type { ArrayType } from '../../../engine/src/graph/op';
import { showType } from '../../../engine/src/graph/show';
import type { Observation } from '../analysis/types';
import { parseShapeComment } from '../python/comments';
import type { DocumentView } from './document';
import { mergedDType, mergedShape } from './show';

export function inlayHints(view: DocumentView, within: Range): InlayHint[] {
  const { inlayHints: settings } = view.settings;
  if (!settings.enabled) return [];
  const hints: InlayHint[] = [];
  for (const [, site] of view.sites()) {
    const [first] = site;
    if (first.kind === 'expr') continue;
    if ((first.kind === 'arg' && !settings.parameters) || (first.kind === 'return' && !settings.returns)) continue;
    const place = { start: first.start, end: hintOffset(view, first) };
    const range = view.range(place);
    if (!range || range.end.line < within.start.line || range.end.line > within.end.line) continue;
    const text = hintText(site, settings.dtype);
    if (text === null || saysItself(view, place.end, text, first.name)) continue;
    const types = site.flatMap(o => o.type ?? []);
    hints.push({ position: range.end, label: ` ${text}`, tooltip: tooltip(types), paddingLeft: false });
  }
  return hints.sort((a, b) => a.position.line - b.position.line || a.position.character - b.position.character);
}

/** The whole document, for callers that name no range. */
export const EVERYWHERE: Range = {
  start: { line: 0, character: 0 },
  end: { line: uinteger.MAX_VALUE, character: 0 },
};

/** What the hint of a place says, or null when there is nothing to say. */
export function hintText(site: readonly Observation[], dtype: 'non-default' | 'always' | 'never'): string | null {
  // A place that holds an array in one call and None in another is an array that may be absent.
  const types = site.flatMap(o => (o.type ? [o.type] : []));
  if (types.length === 0 || site.some(o => !o.type && o.value.kind !== 'none')) return null;
  const shape = mergedShape(types);
  if (shape === null) return null;
  const name = mergedDType(types);
  return name !== null && (dtype === 'always' || (dtype === 'non-default' && name !== 'float32'))
    ? `${name}${shape}`
    : shape;
}

/** After the name, the annotated parameter, or the returned expression. */
function hintOffset(view: DocumentView, o: Observation): number {
  if (o.kind === 'assign') return o.end;
  const node = view.nodesAt(o.start).findLast(n => n.start === o.start && n.end === o.end);
  if (o.kind === 'arg' && node?.kind === 'Param') return node.annotation?.end ?? node.nameStart + node.name.length;
  return node?.kind === 'Return' ? (node.value?.end ?? o.end) : o.end;
}

/** Whether the line already tells the shape: in a comment, or as the literal it is made from. */
function saysItself(view: DocumentView, offset: number, text: string, name: string | null): boolean {
  const { lines, module } = view.analysis.source;
  const number = lines.lineAt(offset);
  const [start, end] = [lines.lineStart(number), lines.lineEnd(number)];
  const plain = (s: string) => s.replace(/\s/g, '');
  const shape = plain(text.slice(text.indexOf('[') + 1, -1));
  const comment = module.comments.find(c => c.start >= start && c.start < end);
  const note = comment && parseShapeComment(comment.text);
  if (note && (note.name === null || note.name === name) && plain(note.axes.join(',')) === shape) return true;
  const line = plain(lines.lineText(number));
  const dtype = text.slice(0, text.indexOf('['));
  if (shape === '' || !line.includes(dtype)) return false;
  // A lone number in brackets may be anything: `f(5)`, `x[5]`.
  const literals = shape.includes(',') ? [`(${shape})`, `[${shape}]`, `(${shape},`] : [`(${shape},)`, `([${shape}]`];
  return literals.some(literal => line.includes(literal));
}

function tooltip(types: readonly ArrayType[]): string | undefined {
  const texts = [...new Set(types.map(showType))];
  return texts.length > 1 ? `Seen as\n${texts.map(t => `- ${t}`).join('\n')}` : texts[0];
}
