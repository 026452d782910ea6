/**
 * Notebooks as one Python text: code cells joined in order, with a map from its lines to the cells'.
 *
 * Offsets inside a line stay as they are, so IPython's own syntax (`%magic`, `!shell`, `name?`) is overwritten with
 * blanks and not removed.
 */

export interface Cell {
  /** Position among all cells of the notebook, from 0; those of other kinds count. */
  readonly index: number;
  readonly source: string;
  /** The cell's document, where an editor has it open as one. */
  readonly uri?: string;
}

export interface CellSpan extends Cell {
  /** First line (from 0) of the joined text that belongs to the cell, and how many do. */
  readonly firstLine: number;
  readonly lineCount: number;
}

export interface Notebook {
  readonly text: string;
  readonly cells: readonly CellSpan[];
}

/**
 * The Python cells of an `.ipynb` file's JSON.
 * @throws Error with a readable message when it is no notebook.
 */
export function readNotebook(json: string): Notebook {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw new Error(`the notebook is not valid JSON: ${(error as Error).message}`);
  }
  const { cells, metadata } = (parsed ?? {}) as { cells?: unknown; metadata?: { kernelspec?: { language?: unknown } } };
  if (!Array.isArray(cells)) throw new Error('the notebook has no list of cells');
  const language = metadata?.kernelspec?.language;
  if (typeof language === 'string' && language.toLowerCase() !== 'python') return joinCells([]);
  const code: Cell[] = [];
  for (const [index, cell] of cells.entries()) {
    if (cell?.cell_type !== 'code') continue;
    const { source } = cell;
    code.push({ index, source: Array.isArray(source) ? source.join('') : String(source ?? '') });
  }
  return joinCells(code);
}

export function joinCells(cells: readonly Cell[]): Notebook {
  const spans: CellSpan[] = [];
  const lines: string[] = [];
  for (const cell of cells) {
    const own = plainPython(cell.source).split(/\r\n|\r|\n/);
    spans.push({ ...cell, firstLine: lines.length, lineCount: own.length });
    lines.push(...own);
  }
  return { text: lines.join('\n'), cells: spans };
}

/** The cell that a line (from 0) of the joined text belongs to, or null in an empty notebook. */
export function cellAt(notebook: Notebook, line: number): CellSpan | null {
  return notebook.cells.findLast(cell => cell.firstLine <= line) ?? notebook.cells[0] ?? null;
}

/** Magics that run the Python that follows them; of other `%%` cells nothing is Python. */
const PYTHON_MAGICS = new Set(['time', 'timeit', 'capture', 'prun', 'memit', 'mprun']);

function plainPython(source: string): string {
  const cellMagic = /^\s*%%(\w+)/.exec(source);
  if (cellMagic && !PYTHON_MAGICS.has(cellMagic[1])) return source.replace(/[^\r\n]/g, ' ');
  return source.replace(/[^\r\n]+/g, plainLine);
}

const blank = (text: string): string => ' '.repeat(text.length);

/** An expression of the same length, because a block must not become empty. */
const nothing = (text: string): string => `0${blank(text.slice(1))}`;

function plainLine(line: string): string {
  const indent = /^\s*/.exec(line)![0];
  const rest = line.slice(indent.length);
  const magic = /^%(\w+)(\s+-\S+)*\s+/.exec(rest);
  // `%time y = f(x)` becomes `0;    y = f(x)`, which keeps both the columns and the indentation.
  if (magic && PYTHON_MAGICS.has(magic[1]))
    return `${indent}0;${blank(magic[0].slice(2))}${rest.slice(magic[0].length)}`;
  if (/^[%!?]/.test(rest) || /^[^#]*[\w\])]\?{1,2}\s*$/.test(rest)) return indent + nothing(rest);
  // `files = !ls`, `out = %time f(x)`: the name gets some value.
  const assigned = /^([\w.,\s]+=\s*)([%!].*)$/.exec(rest);
  return assigned ? indent + assigned[1] + nothing(assigned[2]) : line;
}
