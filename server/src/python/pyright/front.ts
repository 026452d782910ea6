/**
 * The one place that runs pyright's tokenizer and parser.
 *
 * A file is parsed as pyright does it; only if that reports errors it is parsed again with the recovery rules of
 * `recovery.ts`, because those rules may fire on valid code.
 */

import { DiagnosticSink } from '@zzzen/pyright-internal/dist/common/diagnosticSink.js';
import type { TextRange } from '@zzzen/pyright-internal/dist/common/textRange';
import type { TextRangeCollection } from '@zzzen/pyright-internal/dist/common/textRangeCollection';
import { LocMessage } from '@zzzen/pyright-internal/dist/localization/localize.js';
import type { StatementNode } from '@zzzen/pyright-internal/dist/parser/parseNodes';
import { ParseOptions, Parser } from '@zzzen/pyright-internal/dist/parser/parser.js';
import type { Token } from '@zzzen/pyright-internal/dist/parser/tokenizerTypes';
import type { SyntaxProblem } from '../ast';
import { withRecovery } from './recovery';

/** Pyright's reading of one file. */
export interface Tree {
  text: string;
  statements: StatementNode[];
  tokens: TextRangeCollection<Token>;
  problems: SyntaxProblem[];
}

/** @param notebook accept IPython's `%magic` and `!shell` lines. */
export function readTree(text: string, notebook: boolean): Tree {
  const plain = parseOnce(text, notebook);
  if (plain.problems.length === 0) return plain;
  const recovered = withRecovery(text, () => parseOnce(text, notebook));
  if (recovered.problems.length === 0) recovered.problems = plain.problems;
  return recovered;
}

function parseOnce(text: string, notebook: boolean): Tree {
  const options = new ParseOptions();
  options.useNotebookMode = notebook;
  const sink = new DiagnosticSink();
  const { parserOutput, tokenizerOutput } = new Parser().parseSourceFile(text, options, sink);
  const offset = (position: { line: number; character: number }) =>
    lineStart(parserOutput.lines, position.line, text.length) + position.character;
  const problems = sink
    .getErrors()
    .filter(({ message }) => !isWarning(message))
    .map(({ message, range }) => ({ start: offset(range.start), end: offset(range.end), message }));
  problems.sort((a, b) => a.start - b.start || a.end - b.end);
  return { text, statements: parserOutput.parseTree.d.statements, tokens: tokenizerOutput.tokens, problems };
}

/** What pyright calls an error and Python a warning: leaving a `finally` block (PEP 765). */
function isWarning(message: string): boolean {
  const { finallyReturn, finallyBreak, finallyContinue } = LocMessage;
  return [finallyReturn, finallyBreak, finallyContinue].some(text => text() === message);
}

function lineStart(lines: TextRangeCollection<TextRange>, line: number, length: number): number {
  return line < lines.count ? lines.getItemAt(line).start : length;
}
