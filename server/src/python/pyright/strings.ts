/** Lowers string literals: plain, bytes, implicit concatenation, and f-strings with their text and fields in order. */

import type {
  ExpressionNode,
  FormatStringNode,
  StringListNode,
  StringNode,
} from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type {
  FStringMiddleToken,
  IdentifierToken,
  OperatorToken,
  Token,
} from '@zzzen/pyright-internal/dist/parser/tokenizerTypes';
import type { Expr, FStringField } from '../ast';
import { lowerExpr } from './expressions';
import { endOf, errorExpr, type Source, tokenAt, tokenIndexFrom } from './source';
import { ASSIGN, NodeType, StringFlag, Tok } from './tree';
import { unescapeLiteral } from './unescape';

export function lowerStrings(source: Source, node: StringListNode): Expr {
  const { strings } = node.d;
  // The node's own range includes parentheses around it; the literals' ranges do not.
  const span = { start: strings[0].start, end: endOf(strings[strings.length - 1]) };
  if (strings.some(isFormat)) {
    const parts: (string | FStringField)[] = [];
    for (const piece of strings) {
      for (const part of isFormat(piece) ? formatParts(source, piece) : [literalValue(piece)]) append(parts, part);
    }
    // A template string (PEP 750) is an object of its own, not a str: its fields are kept, its value is not claimed.
    if (strings.some(piece => piece.d.token.flags & StringFlag.Template)) {
      return errorExpr(
        span,
        parts.flatMap(part => (typeof part === 'string' ? [] : [part.value])),
      );
    }
    return { kind: 'FString', ...span, parts };
  }
  const kind = strings[0].d.token.flags & StringFlag.Bytes ? 'Bytes' : 'Str';
  return { kind, ...span, value: strings.map(piece => (isFormat(piece) ? '' : literalValue(piece))).join('') };
}

function isFormat(piece: StringNode | FormatStringNode): piece is FormatStringNode {
  return piece.nodeType === NodeType.FormatString;
}

function literalValue(piece: StringNode): string {
  const { escapedValue, flags } = piece.d.token;
  return unescapeLiteral(escapedValue, { raw: !!(flags & StringFlag.Raw), bytes: !!(flags & StringFlag.Bytes) });
}

function append(parts: (string | FStringField)[], part: string | FStringField): void {
  const last = parts.length - 1;
  if (part === '') return;
  if (typeof part === 'string' && typeof parts[last] === 'string') parts[last] += part;
  else parts.push(part);
}

/**
 * Pyright keeps an f-string's expressions in one list, in the order in which their `{` appear, and drops the rest:
 * conversions, format text, `=`. They are read again from the tokens.
 */
class FormatReader {
  private index: number;
  private readonly end: number;
  private readonly expressions: Iterator<ExpressionNode>;

  constructor(
    private readonly source: Source,
    node: FormatStringNode,
  ) {
    this.index = tokenIndexFrom(source, endOf(node.d.token));
    this.end = endOf(node);
    this.expressions = node.d.fieldExprs[Symbol.iterator]();
  }

  private peek(): Token | undefined {
    const token = tokenAt(this.source, this.index);
    return token && token.start < this.end ? token : undefined;
  }

  /** Literal text and fields up to the closing quote, or in a format specification up to its `}`. */
  parts(): (string | FStringField)[] {
    const parts: (string | FStringField)[] = [];
    for (;;) {
      const token = this.peek();
      if (token?.type === Tok.FStringMiddle) {
        const { escapedValue, flags } = token as FStringMiddleToken;
        append(
          parts,
          unescapeLiteral(
            escapedValue.replace(/\{\{|\}\}/g, brace => brace[0]),
            { raw: !!(flags & StringFlag.Raw), bytes: false },
          ),
        );
        this.index++;
      } else if (token?.type === Tok.OpenCurlyBrace) {
        const field = this.field(token, parts);
        if (!field) return parts;
        append(parts, field);
      } else {
        return parts;
      }
    }
  }

  /** One `{expression=!conversion:format}`; the text that `=` asks for goes to `parts`. Null when it could not be read. */
  private field(open: Token, parts: (string | FStringField)[]): FStringField | null {
    const next = this.expressions.next();
    if (next.done) return null;
    const value = lowerExpr(this.source, next.value);
    this.index = tokenIndexFrom(this.source, Math.max(endOf(next.value), endOf(open)));
    const field: FStringField = { start: open.start, end: endOf(next.value), value, conversion: null, format: null };
    let token = this.peek();
    const isDebug = token?.type === Tok.Operator && (token as OperatorToken).operatorType === ASSIGN;
    if (isDebug) {
      this.index++;
      token = this.peek();
      append(parts, this.source.text.slice(endOf(open), token?.start));
    }
    if (token?.type === Tok.ExclamationMark) {
      const name = tokenAt(this.source, this.index + 1) as IdentifierToken | undefined;
      field.conversion = typeof name?.value === 'string' ? name.value : null;
      this.index += 2;
      token = this.peek();
    }
    if (token?.type === Tok.Colon) {
      this.index++;
      field.format = this.parts();
      token = this.peek();
    }
    if (isDebug && field.conversion === null && field.format === null) field.conversion = 'r';
    if (token?.type === Tok.CloseCurlyBrace) {
      field.end = endOf(token);
      this.index++;
    }
    return field;
  }
}

function formatParts(source: Source, node: FormatStringNode): (string | FStringField)[] {
  return new FormatReader(source, node).parts();
}
