/**
 * Offsets to positions and back, in the three ways in which the project's clients count.
 *
 * - LSP: line and character from 0, in UTF-16 units, as JavaScript strings count.
 * - People and the command line: line and column from 1, in UTF-16 units.
 * - CPython: line from 1, column from 0 in UTF-8 bytes (`lineno`, `col_offset` of `ast` and of tracebacks).
 *
 * A line ends with `\n`, `\r\n` or a lone `\r`; offsets inside the line ending belong to the line that it ends.
 */

/** LSP's position. */
export interface Position {
  line: number;
  character: number;
}

/** A position as editors and compilers show it, both from 1. */
export interface LineColumn {
  line: number;
  column: number;
}

export class LineIndex {
  /** Offset at which each line starts. */
  private readonly starts: number[] = [0];

  constructor(private readonly text: string) {
    for (const { index, 0: ending } of text.matchAll(/\r\n|\r|\n/g)) this.starts.push(index + ending.length);
  }

  get lineCount(): number {
    return this.starts.length;
  }

  /** The line, from 0, that holds an offset; offsets outside the text are taken to its nearest end. */
  lineAt(offset: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Offset at which a line (from 0) starts; the text's end for lines after the last. */
  lineStart(line: number): number {
    if (line < 0) return 0;
    return this.starts[line] ?? this.text.length;
  }

  /** Offset of a line's ending (from 0), or of the text's end. */
  lineEnd(line: number): number {
    if (line < 0) return 0;
    const next = this.starts[line + 1];
    if (next === undefined) return this.text.length;
    return this.text[next - 1] === '\n' && this.text[next - 2] === '\r' ? next - 2 : next - 1;
  }

  lineText(line: number): string {
    return this.text.slice(this.lineStart(line), this.lineEnd(line));
  }

  position(offset: number): Position {
    const at = this.clamp(offset);
    const line = this.lineAt(at);
    return { line, character: at - this.starts[line] };
  }

  /** The offset of an LSP position; a character beyond the line is taken to the line's end, as LSP asks. */
  offset({ line, character }: Position): number {
    const start = this.lineStart(line);
    return Math.min(start + Math.max(character, 0), Math.max(this.lineEnd(line), start));
  }

  lineColumn(offset: number): LineColumn {
    const { line, character } = this.position(offset);
    return { line: line + 1, column: character + 1 };
  }

  /** The offset of a line and column, both from 1. */
  offsetOfLineColumn({ line, column }: LineColumn): number {
    return this.offset({ line: line - 1, character: column - 1 });
  }

  /** CPython's `lineno` (from 1) and `col_offset` (UTF-8 bytes from 0). */
  python(offset: number): LineColumn {
    const { line, character } = this.position(offset);
    const start = this.starts[line];
    return { line: line + 1, column: utf8Length(this.text, start, start + character) };
  }

  /** The offset of CPython's `lineno` and `col_offset`; a column inside a character is taken to that character. */
  offsetOfPython({ line, column }: LineColumn): number {
    const end = this.lineEnd(line - 1);
    let offset = this.lineStart(line - 1);
    for (let bytes = 0; offset < end; ) {
      const code = this.text.codePointAt(offset)!;
      bytes += utf8Bytes(code);
      if (bytes > column) break;
      offset += code > 0xffff ? 2 : 1;
    }
    return offset;
  }

  private clamp(offset: number): number {
    return Math.min(Math.max(offset, 0), this.text.length);
  }
}

function utf8Bytes(code: number): number {
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

function utf8Length(text: string, start: number, end: number): number {
  let bytes = 0;
  for (let at = start; at < end; ) {
    const code = text.codePointAt(at)!;
    bytes += utf8Bytes(code);
    at += code > 0xffff ? 2 : 1;
  }
  return bytes;
}
