/**
 * The value of a string literal, from the text between its quotes.
 *
 * Pyright has this too, but cuts `\U0001F600` to sixteen bits and keeps `\r\n` in raw strings; interpreted code compares
 * and formats strings, so the value has to be Python's.
 */

const SIMPLE: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

const ESCAPE = /\\(?:\r\n|[0-7]{1,3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|N\{[^}]*\}|[\s\S])/g;

/**
 * @param bytes in a bytes literal only `\x` and octal escapes count, and each unit of the result is one byte.
 * Escapes that Python does not know are kept as written, as Python does. A character given by name (`\N{BULLET}`)
 * becomes U+FFFD: one character, but which one needs a table of Unicode names.
 */
export function unescapeLiteral(literal: string, { raw, bytes }: { raw: boolean; bytes: boolean }): string {
  const text = literal.includes('\r') ? literal.replace(/\r\n?/g, '\n') : literal;
  if (raw || !text.includes('\\')) return text;
  return text.replace(ESCAPE, sequence => {
    const kind = sequence[1];
    if (kind === '\n') return '';
    if (kind >= '0' && kind <= '7') {
      const code = Number.parseInt(sequence.slice(1), 8);
      return String.fromCharCode(bytes ? code & 0xff : code);
    }
    if (sequence.length === 2) return SIMPLE[kind] ?? sequence;
    if (kind === 'x') return String.fromCharCode(Number.parseInt(sequence.slice(2), 16));
    if (bytes) return sequence;
    if (kind === 'N') return '\ufffd';
    const code = Number.parseInt(sequence.slice(2), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : sequence;
  });
}
