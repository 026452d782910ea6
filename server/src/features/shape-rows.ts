/**
 * The rows of `mlx-scope shapes`: every value seen at a place, from one analysis.
 */
import type { FileAnalysis } from '../analysis/types';
import type { ShapeRow } from '../protocol';
import { shapeJson } from './parameters';
import { showValue } from './show';

/** Items of a tuple or list that a row writes out. */
const MOST_ITEMS = 64;

/**
 * @param file the file's name in the rows
 * @param all also values that are no arrays, under `value`
 */
export function shapeRows(analysis: FileAnalysis, file: string, all: boolean): ShapeRow[] {
  const rows: ShapeRow[] = [];
  for (const o of analysis.observations) {
    if (!o.type && !all) continue;
    const { line, column } = analysis.source.lines.lineColumn(o.start);
    const facts = analysis.facts[o.view];
    rows.push({
      file,
      line,
      column,
      ...(o.kind === 'expr' ? { end: analysis.source.lines.lineColumn(o.end) } : {}),
      kind: o.kind,
      name: o.name,
      function: o.function,
      shape: o.type && shapeJson(o.type),
      dtype: o.type?.dtype ?? null,
      view: o.view,
      ...(o.type ? {} : { value: showValue(o.value, facts, 0, MOST_ITEMS) }),
    });
  }
  return rows;
}
