/**
 * Error recovery for code that is being typed, added to pyright's tokenizer and parser from outside.
 *
 * Pyright's tokenizer drops line ends inside brackets, so that one unclosed `(` hides every definition after it, and an
 * unclosed `"""` turns the rest of the file inside out. While recovery is on:
 *
 * - When a line that starts inside brackets clearly begins a statement, all brackets and f-strings are taken to be
 *   closed at the end of the line before. "Clearly" means: it is indented no deeper than the block and does not start
 *   with a closing bracket; or its first word is a statement keyword; or we are in a single-line f-string.
 * - When the file has an odd number of `"""` (or `'''`), a triple-quoted string that swallows a `def` or `class` no
 *   deeper than its block, or never ends, is taken to be closed at the end of its first line.
 * - After an error the parser looks for one expected token; it stops at a line end too.
 *
 * The rules also fire on some valid code, so they are used only on text that has errors.
 */

import { Parser } from '@zzzen/pyright-internal/dist/parser/parser.js';
import { Tokenizer } from '@zzzen/pyright-internal/dist/parser/tokenizer.js';
import type {
  FStringMiddleToken,
  FStringStartToken,
  StringTokenFlags,
  Token,
  TokenType,
} from '@zzzen/pyright-internal/dist/parser/tokenizerTypes';
import { FStringEndToken } from '@zzzen/pyright-internal/dist/parser/tokenizerTypes.js';
import { StringFlag, Tok } from './tree';

/** The private parts of pyright's tokenizer that recovery touches. */
interface TokenizerInternals {
  _cs: { position: number; getText(): string; advance(count: number): void };
  _tokens: Token[];
  _parenDepth: number;
  _indentAmounts: { tab8Spaces: number }[];
  _activeFString: { startToken: FStringStartToken } | undefined;
  _fStringStack: { startToken: FStringStartToken }[];
  _handleNewLine(length: number, newLineType: number): void;
  _handleFStringMiddle(): void;
  _skipToEndOfStringLiteral(flags: StringTokenFlags, inFormat?: boolean): { escapedValue: string; flags: number };
}

interface ParserInternals {
  _consumeTokensUntilType(terminators: TokenType[]): boolean;
  _peekToken(): Token;
  _getTypeAnnotationCommentText(): undefined;
}

const tokenizer = Tokenizer.prototype as unknown as TokenizerInternals;
const parser = Parser.prototype as unknown as ParserInternals;
const {
  _handleNewLine: handleNewLine,
  _handleFStringMiddle: handleFStringMiddle,
  _skipToEndOfStringLiteral: skipString,
} = tokenizer;
const { _consumeTokensUntilType: consumeUntil } = parser;

/** The text under recovery, with the parity of its triple quotes; null while recovery is off. */
let active: { odd: Record<'"""' | "'''", boolean> } | null = null;

/** Runs `parse` with the recovery rules switched on. */
export function withRecovery<T>(text: string, parse: () => T): T {
  const odd = (quotes: string) => text.split(quotes).length % 2 === 0;
  active = { odd: { '"""': odd('"""'), "'''": odd("'''") } };
  try {
    return parse();
  } finally {
    active = null;
  }
}

/** Pyright's NewLineType.Implied: the end of the file, not a character of it. */
const IMPLIED_NEW_LINE = 3;

tokenizer._handleNewLine = function (length, newLineType) {
  if (active && newLineType !== IMPLIED_NEW_LINE && (this._parenDepth > 0 || this._activeFString)) {
    if (statementFollows(this, length)) closeEverything(this);
  }
  handleNewLine.call(this, length, newLineType);
};

tokenizer._skipToEndOfStringLiteral = function (flags, inFormat) {
  const isTriple = (flags & StringFlag.Triplicate) !== 0;
  const isFormat = (flags & (StringFlag.Format | StringFlag.Template)) !== 0;
  if (active && isTriple && !isFormat) {
    const quotes = flags & StringFlag.SingleQuote ? "'''" : '"""';
    if (active.odd[quotes] && isUnclosedString(this, quotes)) return cutAtLineEnd(this, flags);
  }
  return skipString.call(this, flags, inFormat);
};

// Pyright ends an unterminated f-string without a token for its end, and its parser then skips ahead in search of one.
tokenizer._handleFStringMiddle = function () {
  handleFStringMiddle.call(this);
  const last = this._tokens.at(-1);
  if (!active || last?.type !== Tok.FStringMiddle) return;
  const { flags } = last as FStringMiddleToken;
  if (flags & StringFlag.Unterminated) this._tokens.push(FStringEndToken.create(this._cs.position, 0, flags));
};

parser._consumeTokensUntilType = function (terminators) {
  const isSingle = terminators.length === 1 && terminators[0] !== Tok.NewLine;
  if (!active || !isSingle) return consumeUntil.call(this, terminators);
  // A caller that is told of success steps over the token; a line end is not that token.
  return consumeUntil.call(this, [Tok.NewLine, ...terminators]) && this._peekToken().type === terminators[0];
};

// `# type:` comments are comments to Python: one that happens to read `# type: (B, L)` must not be an error.
parser._getTypeAnnotationCommentText = () => undefined;

/** Statement keywords that cannot continue an expression, unless they name an argument as in `f(\n  with=1)`. */
const STATEMENT =
  /(?:def|class|return|import|raise|while|with|try|pass|break|continue|assert|del|global|nonlocal|except|finally|elif)\b(?!\s*=[^=])/y;

function statementFollows(self: TokenizerInternals, newLineLength: number): boolean {
  const text = self._cs.getText();
  const { start, indent } = nextCodeLine(text, self._cs.position + newLineLength);
  if (start >= text.length) return false;
  const format = self._activeFString?.startToken;
  const isTriple = format !== undefined && (format.flags & StringFlag.Triplicate) !== 0;
  if (format && !isTriple) return true;
  if (!isTriple && indent <= blockIndent(self) && !')]}'.includes(text[start])) return true;
  STATEMENT.lastIndex = start;
  return STATEMENT.test(text);
}

/** Ends the open f-strings and brackets; the original method then emits a line end and reads the indentation. */
function closeEverything(self: TokenizerInternals): void {
  while (self._activeFString) {
    const flags = self._activeFString.startToken.flags | StringFlag.Unterminated;
    self._tokens.push(FStringEndToken.create(self._cs.position, 0, flags));
    self._activeFString = self._fStringStack.pop();
  }
  self._parenDepth = 0;
}

const DEFINITION = /^([ \t]*)(?:async[ \t]+def|def|class)[ \t]+\w+[ \t]*[(:[]/gm;

function isUnclosedString(self: TokenizerInternals, quotes: string): boolean {
  const text = self._cs.getText();
  const start = self._cs.position;
  const end = text.indexOf(quotes, start);
  if (end < 0) return true;
  const limit = blockIndent(self);
  for (const [, blanks] of text.slice(start, end).matchAll(DEFINITION)) {
    if (nextCodeLine(`${blanks}x`, 0).indent <= limit) return true;
  }
  return false;
}

function cutAtLineEnd(self: TokenizerInternals, flags: number): { escapedValue: string; flags: number } {
  const start = self._cs.position;
  const rest = self._cs.getText().slice(start);
  const length = rest.search(/[\r\n]|$/);
  self._cs.advance(length);
  return { escapedValue: rest.slice(0, length), flags: flags | StringFlag.Unterminated };
}

function blockIndent(self: TokenizerInternals): number {
  return self._indentAmounts.at(-1)?.tab8Spaces ?? 0;
}

/** Start and indentation of the next line that is neither blank nor a comment. */
function nextCodeLine(text: string, from: number): { start: number; indent: number } {
  let at = from;
  for (;;) {
    let indent = 0;
    for (; text[at] === ' ' || text[at] === '\t'; at++) indent += text[at] === ' ' ? 1 : 8 - (indent % 8);
    if (text[at] === '#') while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
    if (text[at] !== '\n' && text[at] !== '\r') return { start: at, indent };
    at++;
  }
}
