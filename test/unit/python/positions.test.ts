import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineIndex } from '../../../server/src/python/positions';

describe('lines', () => {
  test('end with \\n, \\r\\n or a lone \\r', () => {
    const lines = new LineIndex('a\nbc\r\nd\re');
    expect(lines.lineCount).toBe(4);
    expect([0, 1, 2, 3].map(line => lines.lineText(line))).toEqual(['a', 'bc', 'd', 'e']);
    expect([0, 1, 2, 3].map(line => lines.lineStart(line))).toEqual([0, 2, 6, 8]);
    // The `\n` of `\r\n` belongs to the line that it ends.
    expect([0, 1, 2, 4, 5, 6, 8, 9].map(offset => lines.lineAt(offset))).toEqual([0, 0, 1, 1, 1, 2, 3, 3]);
  });

  test('an empty text has one', () => {
    expect(new LineIndex('').position(0)).toEqual({ line: 0, character: 0 });
    expect(new LineIndex('a\n').lineCount).toBe(2);
  });
});

describe('positions', () => {
  // é is 2 bytes in UTF-8, 字 3, 😀 4 bytes and two UTF-16 units.
  const lines = new LineIndex('x = 1\né字😀y\n');

  test.each([
    [0, [0, 0], [1, 1], [1, 0]],
    [4, [0, 4], [1, 5], [1, 4]],
    [6, [1, 0], [2, 1], [2, 0]],
    [7, [1, 1], [2, 2], [2, 2]],
    [8, [1, 2], [2, 3], [2, 5]],
    [10, [1, 4], [2, 5], [2, 9]],
    [11, [1, 5], [2, 6], [2, 10]],
    [12, [2, 0], [3, 1], [3, 0]],
  ])('offset %i', (offset, [line, character], [line1, column1], [pythonLine, bytes]) => {
    expect(lines.position(offset)).toEqual({ line, character });
    expect(lines.lineColumn(offset)).toEqual({ line: line1, column: column1 });
    expect(lines.python(offset)).toEqual({ line: pythonLine, column: bytes });
    expect(lines.offset({ line, character })).toBe(offset);
    expect(lines.offsetOfLineColumn({ line: line1, column: column1 })).toBe(offset);
    expect(lines.offsetOfPython({ line: pythonLine, column: bytes })).toBe(offset);
  });

  test('outside the text are taken to its nearest place', () => {
    expect(lines.offset({ line: 0, character: 99 })).toBe(5);
    expect(lines.offset({ line: 99, character: 0 })).toBe(12);
    expect(lines.offset({ line: -1, character: 3 })).toBe(0);
    expect(lines.position(99)).toEqual({ line: 2, character: 0 });
    expect(lines.position(-1)).toEqual({ line: 0, character: 0 });
    expect(lines.offsetOfPython({ line: 2, column: 3 })).toBe(7);
    expect(lines.offsetOfPython({ line: 1, column: 99 })).toBe(5);
  });

  test('go there and back, except inside a line ending or a character', () => {
    const text = fc.array(fc.constantFrom('a', 'é', '字', '😀', '\n', '\r\n', '\r', ' ')).map(parts => parts.join(''));
    fc.assert(
      fc.property(text, fc.nat(200), (source, offset) => {
        fc.pre(offset <= source.length);
        const insideEnding = source[offset - 1] === '\r' && source[offset] === '\n';
        const insideCharacter = /[\udc00-\udfff]/.test(source[offset] ?? '');
        fc.pre(!insideEnding && !insideCharacter);
        const index = new LineIndex(source);
        expect(index.offset(index.position(offset))).toBe(offset);
        expect(index.offsetOfLineColumn(index.lineColumn(offset))).toBe(offset);
        expect(index.offsetOfPython(index.python(offset))).toBe(offset);
      }),
    );
  });
});
