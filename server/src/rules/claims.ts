/**
 * MLX7xx: comments and docstrings that say another shape than the code has.
 *
 * A claim is contradicted where every shape seen differs from it in rank, or in an axis that both give as a number. Names
 * of axes are the author's own and contradict nothing. Beside an array of one axis, a list may as well be its elements.
 */
import { type Dim, isKnown, symbolsOf } from '../../../engine/src/dims/dim';
import { showShape } from '../../../engine/src/dims/shape';
import type { Observation } from '../analysis/types';
import type { FunctionDef } from '../python/ast';
import { type Axis, parseShapeComment, type ShapeNote } from '../python/comments';
import { walk } from '../python/walk';
import type { Diagnostic, Rule } from './diagnostic';
import type { Lint, Seen } from './lint';

const rule = (code: string, name: string, summary: string): Rule => ({ code, name, severity: 'info', summary });

export const CLAIM_RULES = {
  'shape-comment': rule('MLX701', 'shape-comment', 'A comment says another shape than the array has.'),
  'shape-docstring': rule('MLX702', 'shape-docstring', 'A docstring says another shape than the argument has.'),
} as const;

export const lintClaims: Lint = function* (seen: Seen): Iterable<Diagnostic> {
  yield* comments(seen);
  const found: Diagnostic[] = [];
  walk(seen.source.module, node => {
    if (node.kind === 'FunctionDef') found.push(...docstring(seen, node));
  });
  yield* found;
};

/** The shapes of observations, where all are known to the last axis and read alike; null otherwise. */
function provenShape(observations: readonly Observation[]): readonly Dim[] | null {
  const shapes = observations.map(o => o.type?.shape);
  if (shapes.length === 0 || !shapes.every(s => Array.isArray(s))) return null;
  const texts = new Set(shapes.map(s => showShape(s as readonly Dim[])));
  const [shape] = shapes as (readonly Dim[])[];
  return texts.size === 1 && shape.every(d => [...symbolsOf(d)].every(s => !s.anonymous)) ? shape : null;
}

function contradicts(axes: readonly Axis[], shape: readonly Dim[]): boolean {
  if (shape.length < 2) return false;
  const rest = axes.indexOf('...');
  if (rest < 0 ? axes.length !== shape.length : axes.length - 1 > shape.length) return true;
  return axes.some((axis, i) => {
    const d = rest >= 0 && i > rest ? shape[shape.length - (axes.length - i)] : shape[i];
    return i !== rest && typeof axis === 'number' && isKnown(d) && axis !== d;
  });
}

function* comments(seen: Seen): Iterable<Diagnostic> {
  const { lines, module } = seen.source;
  const byLine = new Map<number, Observation[]>();
  for (const o of seen.analysis.observations) {
    if (o.kind !== 'assign') continue;
    const line = lines.lineAt(o.end);
    byLine.set(line, [...(byLine.get(line) ?? []), o]);
  }
  for (const comment of module.comments) {
    const line = lines.lineAt(comment.start);
    const note = parseShapeComment(comment.text);
    const assigned = note && byLine.get(line)?.filter(o => note.name === null || o.name === note.name);
    if (!note || !assigned || new Set(assigned.map(o => o.name)).size !== 1) continue;
    const shape = provenShape(assigned);
    if (!shape || !contradicts(note.axes, shape)) continue;
    const text = showShape(shape);
    const newText = ` ${note.name === null ? '' : `${note.name}: `}${text}`;
    const end = comment.start + 1 + comment.text.length;
    const place = { start: comment.start, end };
    yield seen.found(CLAIM_RULES['shape-comment'], place, `${assigned[0].name} is ${text} here`, {
      fixes: [seen.fix(`Write ${text}`, { start: comment.start + 1, end }, newText)],
    });
  }
}

/** `x: (B, L, D)`, `x (mx.array): input of shape (B, L, D)` in a docstring's lines. */
const PARAMETER = /^\s*(\w+)\s*(?:\([^)]*\))?\s*:\s*(?:.*?\bshape:?\s*)?([[(][^\])]*[\])])\.?\s*$/;

function* docstring(seen: Seen, f: FunctionDef): Iterable<Diagnostic> {
  const [first] = f.body;
  if (first?.kind !== 'ExprStmt' || first.value.kind !== 'Str') return;
  const { start, end } = first.value;
  let at = start;
  for (const line of seen.source.text.slice(start, end).split('\n')) {
    const from = at;
    at += line.length + 1;
    const match = PARAMETER.exec(line.replace(/["']{3}\s*$/, ''));
    const parameter = match && f.params.find(p => p.name === match[1]);
    const note: ShapeNote | null = parameter ? parseShapeComment(`${match[1]}: ${match[2]}`) : null;
    const shape = parameter && note ? provenShape(seen.at('arg', parameter)) : null;
    if (!match || !note || !shape || !contradicts(note.axes, shape)) continue;
    const offset = from + line.lastIndexOf(match[2]);
    const place = { start: offset, end: offset + match[2].length };
    const text = showShape(shape);
    yield seen.found(CLAIM_RULES['shape-docstring'], place, `${match[1]} is ${text} here`, {
      fixes: [seen.fix(`Write ${text}`, place, match[2].startsWith('(') ? `(${text.slice(1, -1)})` : text)],
    });
  }
}
