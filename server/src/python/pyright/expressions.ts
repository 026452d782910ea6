/** Lowers expressions, with the kinds and ranges that CPython's `ast` gives. */

import type {
  BinaryOperationNode,
  CallNode,
  ComprehensionForIfNode,
  ComprehensionNode,
  ConstantNode,
  DictionaryNode,
  ExpressionNode,
  IndexNode,
  NumberNode,
  ParseNode,
} from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type { CompareOperator, Comprehension, Expr, Name, Span } from '../ast';
import { lowerArguments, lowerParams } from './parameters';
import {
  endOf,
  errorExpr,
  extendOver,
  type Source,
  spanOf,
  tokenAt,
  tokenIndexBefore,
  withoutParentheses,
} from './source';
import { lowerStrings } from './strings';
import { AND, BINARY, COMPARE, KeywordKind, NodeType, OR, Tok, UNARY } from './tree';

export function lowerExpr(source: Source, node: ParseNode): Expr {
  const lower = (child: ParseNode) => lowerExpr(source, child);
  const span = cpythonSpan(source, node);
  switch (node.nodeType) {
    case NodeType.Name:
      return { kind: 'Name', ...span, id: node.d.value };
    case NodeType.Number:
      return lowerNumber(node, span);
    case NodeType.Constant:
      return lowerConstant(node, span);
    case NodeType.Ellipsis:
      return { kind: 'Keyword', ...span, value: '...' };
    case NodeType.StringList:
      return lowerStrings(source, node);
    case NodeType.MemberAccess: {
      const { leftExpr, member } = node.d;
      return { kind: 'Attribute', ...span, value: lower(leftExpr), attr: member.d.value, attrStart: member.start };
    }
    case NodeType.Call:
      return lowerCall(source, node, span);
    case NodeType.Index:
      return { kind: 'Subscript', ...span, value: lower(node.d.leftExpr), slice: lowerIndex(source, node) };
    case NodeType.Slice: {
      const { startValue, endValue, stepValue } = node.d;
      return {
        kind: 'Slice',
        ...span,
        lower: startValue ? lower(startValue) : null,
        upper: endValue ? lower(endValue) : null,
        step: stepValue ? lower(stepValue) : null,
      };
    }
    case NodeType.BinaryOperation:
      return lowerBinary(source, node, span);
    case NodeType.UnaryOperation: {
      const op = UNARY.get(node.d.operator);
      const operand = lower(node.d.expr);
      return op ? { kind: 'UnaryOp', ...span, op, operand } : errorExpr(span, [operand]);
    }
    case NodeType.Ternary: {
      const { ifExpr, testExpr, elseExpr } = node.d;
      return { kind: 'IfExp', ...span, test: lower(testExpr), body: lower(ifExpr), orelse: lower(elseExpr) };
    }
    case NodeType.AssignmentExpression: {
      const { name, rightExpr } = node.d;
      const target: Name = { kind: 'Name', ...spanOf(name), id: name.d.value };
      return { kind: 'NamedExpr', ...span, target, value: lower(rightExpr) };
    }
    case NodeType.Lambda: {
      const params = lowerParams(source, node.d.params);
      const outer = source.sawYield;
      const body = lower(node.d.expr);
      source.sawYield = outer;
      return { kind: 'Lambda', ...span, params, body };
    }
    case NodeType.Tuple:
      return { kind: 'Tuple', ...span, elts: node.d.items.map(lower) };
    case NodeType.List: {
      const comprehension = loneComprehension(node.d.items);
      if (!comprehension) return { kind: 'List', ...span, elts: node.d.items.map(lower) };
      return { kind: 'ListComp', ...span, ...lowerComprehension(source, comprehension) };
    }
    case NodeType.Set: {
      const comprehension = loneComprehension(node.d.items);
      if (!comprehension) return { kind: 'Set', ...span, elts: node.d.items.map(lower) };
      return { kind: 'SetComp', ...span, ...lowerComprehension(source, comprehension) };
    }
    case NodeType.Dictionary:
      return lowerDict(source, node, span);
    case NodeType.Comprehension:
      return { kind: 'GeneratorExp', ...span, ...lowerComprehension(source, node) };
    case NodeType.Unpack:
      return { kind: 'Starred', ...span, value: lower(node.d.expr) };
    case NodeType.Await:
      return { kind: 'Await', ...span, value: lower(node.d.expr) };
    case NodeType.Yield:
      source.sawYield = true;
      return { kind: 'Yield', ...span, value: node.d.expr ? lower(node.d.expr) : null };
    case NodeType.YieldFrom:
      source.sawYield = true;
      return { kind: 'YieldFrom', ...span, value: lower(node.d.expr) };
    case NodeType.Error:
      return errorExpr(span, node.d.child ? [lower(node.d.child)] : []);
    // Statements where an expression should be: broken code.
    case NodeType.TypeAnnotation:
      return errorExpr(span, [lower(node.d.valueExpr), lower(node.d.annotation)]);
    case NodeType.Assignment:
    case NodeType.AugmentedAssignment:
      return errorExpr(span, [lower(node.d.leftExpr), lower(node.d.rightExpr)]);
    default:
      return errorExpr(span, []);
  }
}

/** Where the leftmost operand of a node starts (in its parentheses, if they are the node's own). */
function firstOperand(node: ParseNode): number | undefined {
  switch (node.nodeType) {
    case NodeType.MemberAccess:
    case NodeType.Call:
    case NodeType.Index:
    case NodeType.BinaryOperation:
      return node.d.leftExpr.start;
    case NodeType.Ternary:
      return node.d.ifExpr.start;
    case NodeType.Tuple:
      return node.d.items[0]?.start;
    case NodeType.Comprehension:
      return node.d.expr.start;
    default:
      return undefined;
  }
}

/** Kinds of node whose range never includes parentheses around them. */
const UNPARENTHESISED: ReadonlySet<number> = new Set<number>([
  NodeType.StringList,
  NodeType.Slice,
  NodeType.TypeAnnotation,
  NodeType.Assignment,
  NodeType.AugmentedAssignment,
  NodeType.Error,
]);

function cpythonSpan(source: Source, node: ParseNode): Span {
  let span = spanOf(node);
  if (source.text[span.start] === '(' && !UNPARENTHESISED.has(node.nodeType)) {
    const operand = firstOperand(node) ?? span.end;
    const own = node.nodeType === NodeType.Tuple || node.nodeType === NodeType.Comprehension ? 1 : 0;
    if (span.start < operand) span = withoutParentheses(source, span, operand, own);
  }
  const end = tokenEnd(source, node);
  return end === undefined ? span : { start: span.start, end };
}

/** The end of the nodes whose range pyright ends a token early or late. */
function tokenEnd(source: Source, node: ParseNode): number | undefined {
  switch (node.nodeType) {
    case NodeType.Slice:
      return extendOver(source, endOf(node), Tok.Colon);
    case NodeType.Tuple:
      return node.d.hasParens ? undefined : extendOver(source, endOf(node), Tok.Comma);
    case NodeType.Yield:
      return node.d.expr ? cpythonEnd(source, node.d.expr) : node.start + 'yield'.length;
    case NodeType.YieldFrom:
      return cpythonEnd(source, node.d.expr);
    default:
      return undefined;
  }
}

/** The end of an operand with its parentheses. */
function cpythonEnd(source: Source, operand: ParseNode): number {
  return tokenEnd(source, operand) ?? endOf(operand);
}

function lowerNumber(node: NumberNode, span: Span): Expr {
  const { value, isInteger, isImaginary } = node.d;
  if (isImaginary) return { kind: 'Imaginary', ...span, value: Number(value) };
  if (!isInteger) return { kind: 'Float', ...span, value: Number(value) };
  return { kind: 'Int', ...span, value: Number.isSafeInteger(value) ? Number(value) : null };
}

function lowerConstant(node: ConstantNode, span: Span): Expr {
  switch (node.d.constType) {
    case KeywordKind.True:
      return { kind: 'Keyword', ...span, value: 'True' };
    case KeywordKind.False:
      return { kind: 'Keyword', ...span, value: 'False' };
    case KeywordKind.None:
      return { kind: 'Keyword', ...span, value: 'None' };
    case KeywordKind.Debug:
      return { kind: 'Name', ...span, id: '__debug__' };
    default:
      return errorExpr(span, []);
  }
}

function lowerCall(source: Source, node: CallNode, span: Span): Expr {
  const func = lowerExpr(source, node.d.leftExpr);
  const { args, keywords } = lowerArguments(source, node.d.args);
  const only = node.d.args.length === 1 ? node.d.args[0].d.valueExpr : undefined;
  if (only?.nodeType === NodeType.Comprehension && !only.d.hasParens && args.length === 1) {
    // `f(x for x in y)`: CPython gives the generator the parentheses of the call.
    const open = tokenAt(source, tokenIndexBefore(source, only.start));
    if (open?.type === Tok.OpenParenthesis) args[0].start = open.start;
    args[0].end = Math.max(args[0].end, span.end);
  }
  return { kind: 'Call', ...span, func, args, keywords };
}

function lowerIndex(source: Source, node: IndexNode): Expr {
  const { items, trailingComma } = node.d;
  const { args, keywords } = lowerArguments(source, items);
  // `x[a=1]` is an error to Python.
  for (const keyword of keywords) args.push(keyword.value);
  if (args.length === 0) return errorExpr({ start: endOf(node.d.leftExpr), end: endOf(node) }, []);
  if (args.length === 1 && !trailingComma && args[0].kind !== 'Starred') return args[0];
  const end = args[args.length - 1].kind === 'Slice' ? args[args.length - 1].end : endOf(items[items.length - 1]);
  return {
    kind: 'Tuple',
    start: items[0].start,
    end: trailingComma ? extendOver(source, end, Tok.Comma) : end,
    elts: args,
  };
}

function lowerBinary(source: Source, node: BinaryOperationNode, span: Span): Expr {
  const { operator, leftExpr, rightExpr } = node.d;
  if (operator === AND || operator === OR) {
    const values: Expr[] = [];
    const collect = (child: ExpressionNode) => {
      if (child.nodeType === NodeType.BinaryOperation && child.d.operator === operator && !child.d.hasParens) {
        collect(child.d.leftExpr);
        collect(child.d.rightExpr);
      } else values.push(lowerExpr(source, child));
    };
    collect(leftExpr);
    collect(rightExpr);
    return { kind: 'BoolOp', ...span, op: operator === AND ? 'and' : 'or', values };
  }
  const left = lowerExpr(source, leftExpr);
  const op = BINARY.get(operator);
  if (op) return { kind: 'BinOp', ...span, left, op, right: lowerExpr(source, rightExpr) };
  let compare = COMPARE.get(operator);
  if (!compare) return errorExpr(span, [left, lowerExpr(source, rightExpr)]);
  // A chain `a < b < c` arrives nested on the right.
  const ops: CompareOperator[] = [];
  const comparators: Expr[] = [];
  let rest: ExpressionNode = rightExpr;
  while (compare) {
    ops.push(compare);
    compare =
      rest.nodeType === NodeType.BinaryOperation && !rest.d.hasParens ? COMPARE.get(rest.d.operator) : undefined;
    if (!compare || rest.nodeType !== NodeType.BinaryOperation) comparators.push(lowerExpr(source, rest));
    else {
      comparators.push(lowerExpr(source, rest.d.leftExpr));
      rest = rest.d.rightExpr;
    }
  }
  return { kind: 'Compare', ...span, left, ops, comparators };
}

/** The comprehension of `[x for x in y]` or `{x for x in y}`. */
function loneComprehension(items: readonly ParseNode[]): ComprehensionNode | undefined {
  const [item] = items;
  return items.length === 1 && item.nodeType === NodeType.Comprehension && !item.d.hasParens ? item : undefined;
}

function lowerComprehension(source: Source, node: ComprehensionNode): { elt: Expr; generators: Comprehension[] } {
  return { elt: lowerExpr(source, node.d.expr), generators: lowerGenerators(source, node.d.forIfNodes) };
}

function lowerGenerators(source: Source, nodes: readonly ComprehensionForIfNode[]): Comprehension[] {
  const generators: Comprehension[] = [];
  for (const node of nodes) {
    if (node.nodeType === NodeType.ComprehensionFor) {
      generators.push({
        target: lowerExpr(source, node.d.targetExpr),
        iter: lowerExpr(source, node.d.iterableExpr),
        ifs: [],
        isAsync: node.d.isAsync === true,
      });
    } else generators[generators.length - 1]?.ifs.push(lowerExpr(source, node.d.testExpr));
  }
  return generators;
}

function lowerDict(source: Source, node: DictionaryNode, span: Span): Expr {
  const keys: (Expr | null)[] = [];
  const values: Expr[] = [];
  for (const item of node.d.items) {
    if (item.nodeType === NodeType.DictionaryKeyEntry) {
      keys.push(lowerExpr(source, item.d.keyExpr));
      values.push(lowerExpr(source, item.d.valueExpr));
    } else if (item.nodeType === NodeType.DictionaryExpandEntry) {
      keys.push(null);
      values.push(lowerExpr(source, item.d.expr));
    } else if (node.d.items.length === 1 && item.d.expr.nodeType === NodeType.DictionaryKeyEntry) {
      const { keyExpr, valueExpr } = item.d.expr.d;
      const [key, value] = [lowerExpr(source, keyExpr), lowerExpr(source, valueExpr)];
      return { kind: 'DictComp', ...span, key, value, generators: lowerGenerators(source, item.d.forIfNodes) };
    } else {
      // A comprehension among other entries, or of `**mapping`: not Python.
      keys.push(errorExpr(spanOf(item), []));
      values.push(lowerExpr(source, item));
    }
  }
  return { kind: 'Dict', ...span, keys, values };
}
