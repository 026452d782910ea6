/** What lowering needs besides the node at hand: the text, its tokens, and the ranges CPython would give. */

import type { TextRange } from '@zzzen/pyright-internal/dist/common/textRange';
import type { TextRangeCollection } from '@zzzen/pyright-internal/dist/common/textRangeCollection';
import type { Token, TokenType } from '@zzzen/pyright-internal/dist/parser/tokenizerTypes';
import type { Expr, Span } from '../ast';
import { Tok } from './tree';

export interface Source {
  text: string;
  tokens: TextRangeCollection<Token>;
  /** Set by a `yield`; a function saves and restores it around its body. */
  sawYield: boolean;
}

export function spanOf(range: TextRange): Span {
  return { start: range.start, end: range.start + range.length };
}

export function endOf(range: TextRange): number {
  return range.start + range.length;
}

/** Index of the first token that starts at or after the offset. */
function lowerBound(source: Source, offset: number): number {
  let low = 0;
  let high = source.tokens.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (source.tokens.getItemAt(middle).start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first token that starts at or after the offset, passing over those without width (dedents, the end). */
export function tokenIndexFrom(source: Source, offset: number): number {
  let index = lowerBound(source, offset);
  while (index < source.tokens.count && source.tokens.getItemAt(index).length === 0) index++;
  return index;
}

/** Index of the last token that starts before the offset. */
export function tokenIndexBefore(source: Source, offset: number): number {
  return lowerBound(source, offset) - 1;
}

export function tokenAt(source: Source, index: number): Token | undefined {
  return index >= 0 && index < source.tokens.count ? source.tokens.getItemAt(index) : undefined;
}

/**
 * Pyright's range of a parenthesised expression includes the parentheses, CPython's does not: this gives CPython's.
 *
 * @param firstChild where the leftmost operand starts (its own parentheses included), which ends the search; the
 * expression's end when it starts with a token of its own.
 * @param own how many of the parentheses belong to the expression itself: 1 for tuples and generators.
 */
export function withoutParentheses(source: Source, span: Span, firstChild: number, own: 0 | 1): Span {
  let first = tokenIndexFrom(source, span.start);
  let depth = 0;
  for (;;) {
    const token = tokenAt(source, first);
    if (token?.type !== Tok.OpenParenthesis || token.start >= firstChild) break;
    depth++;
    first++;
  }
  if (depth <= own) return span;
  const opened = tokenAt(source, first - own);
  if (!opened || opened.start >= span.end) return span;
  let last = tokenIndexBefore(source, span.end);
  for (; depth > own; last--) {
    const type = tokenAt(source, last)?.type;
    if (type === Tok.CloseParenthesis) depth--;
    else if (last <= first || !isLayout(type)) break;
  }
  while (last > first && isLayout(tokenAt(source, last)?.type)) last--;
  return { start: opened.start, end: Math.max(endOf(source.tokens.getItemAt(last)), endOf(opened)) };
}

/** Line ends inside parentheses exist only in broken code. */
function isLayout(type: TokenType | undefined): boolean {
  return type === Tok.NewLine || type === Tok.Indent || type === Tok.Dedent;
}

/** The end after any tokens of this type that follow directly. */
export function extendOver(source: Source, end: number, type: TokenType): number {
  for (let i = tokenIndexFrom(source, end); ; i++) {
    const token = tokenAt(source, i);
    if (token?.type !== type) return end;
    end = endOf(token);
  }
}

/** Broken code, or syntax that the tree has no kind for, with the parts that could be read. */
export function errorExpr(span: Span, items: Expr[]): Expr {
  return { kind: 'ErrorExpr', start: span.start, end: span.end, items };
}
