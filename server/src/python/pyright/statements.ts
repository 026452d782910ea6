/** Lowers statements and the suites they hold. */

import type {
  ClassNode,
  FunctionNode,
  IfNode,
  ImportFromNode,
  MatchNode,
  ParseNode,
  SuiteNode,
  TryNode,
} from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type { Alias, Assign, ExceptHandler, Expr, FunctionDef, If, MatchCase, Span, Stmt } from '../ast';
import { lowerExpr } from './expressions';
import { lowerArguments, lowerParams } from './parameters';
import { lowerPattern } from './patterns';
import { endOf, type Source, spanOf } from './source';
import { AUGMENTED, NodeType } from './tree';

export function lowerStatements(source: Source, nodes: readonly ParseNode[]): Stmt[] {
  return nodes.flatMap(node => {
    if (node.nodeType === NodeType.StatementList) return lowerStatements(source, node.d.statements);
    const statement = lowerStatement(source, node);
    // The comma that ends a tuple `a, b,` is outside pyright's range of the tuple, and so of the statement.
    const value = 'value' in statement ? statement.value : null;
    if (value?.kind === 'Tuple' || value?.kind === 'Yield') statement.end = Math.max(statement.end, value.end);
    return [statement];
  });
}

function suite(source: Source, node: SuiteNode | undefined): Stmt[] {
  return node ? lowerStatements(source, node.d.statements) : [];
}

/** A compound statement ends where its last statement does; pyright may include blank lines or stop at the header. */
function endingWith(span: Span, ...bodies: Span[][]): Span {
  const last = bodies.flat().at(-1);
  return { start: span.start, end: last ? last.end : span.end };
}

function lowerStatement(source: Source, node: ParseNode): Stmt {
  const lower = (child: ParseNode) => lowerExpr(source, child);
  const optional = (child: ParseNode | undefined) => (child ? lowerExpr(source, child) : null);
  const span = spanOf(node);
  switch (node.nodeType) {
    case NodeType.If:
      return lowerIf(source, node);
    case NodeType.While: {
      const test = lower(node.d.testExpr);
      const [body, orelse] = [suite(source, node.d.whileSuite), suite(source, node.d.elseSuite)];
      return { kind: 'While', ...endingWith(span, body, orelse), test, body, orelse };
    }
    case NodeType.For: {
      const { asyncToken, targetExpr, iterableExpr, forSuite, elseSuite } = node.d;
      const [target, iter] = [lower(targetExpr), lower(iterableExpr)];
      const [body, orelse] = [suite(source, forSuite), suite(source, elseSuite)];
      const { end } = endingWith(span, body, orelse);
      const start = asyncToken?.start ?? span.start;
      return { kind: 'For', start, end, target, iter, body, orelse, isAsync: asyncToken !== undefined };
    }
    case NodeType.With: {
      const { asyncToken, withItems } = node.d;
      const items = withItems.map(item => ({ expr: lower(item.d.expr), target: optional(item.d.target) }));
      const body = suite(source, node.d.suite);
      const { end } = endingWith(span, body);
      const start = asyncToken?.start ?? span.start;
      return { kind: 'With', start, end, items, body, isAsync: asyncToken !== undefined };
    }
    case NodeType.Try:
      return lowerTry(source, node);
    case NodeType.Match:
      return lowerMatch(source, node);
    case NodeType.Function:
      return lowerFunction(source, node);
    case NodeType.Class:
      return lowerClass(source, node);
    case NodeType.TypeAlias:
      return { kind: 'TypeAlias', ...span, name: node.d.name.d.value, value: lower(node.d.expr) };
    case NodeType.Assignment: {
      const { leftExpr, rightExpr } = node.d;
      if (leftExpr.nodeType === NodeType.TypeAnnotation) {
        const { valueExpr, annotation } = leftExpr.d;
        const target = lower(valueExpr);
        return { kind: 'AnnAssign', ...span, target, annotation: lower(annotation), value: lower(rightExpr) };
      }
      return lowerAssign(source, node, span);
    }
    case NodeType.TypeAnnotation: {
      const { valueExpr, annotation } = node.d;
      return { kind: 'AnnAssign', ...span, target: lower(valueExpr), annotation: lower(annotation), value: null };
    }
    case NodeType.AugmentedAssignment: {
      const { leftExpr, operator, rightExpr } = node.d;
      const [target, value, op] = [lower(leftExpr), lower(rightExpr), AUGMENTED.get(operator)];
      return op ? { kind: 'AugAssign', ...span, target, op, value } : errorStatement(span, [target, value]);
    }
    case NodeType.Return:
      return { kind: 'Return', ...span, value: optional(node.d.expr) };
    case NodeType.Raise:
      return { kind: 'Raise', ...span, exc: optional(node.d.expr), cause: optional(node.d.fromExpr) };
    case NodeType.Assert:
      return { kind: 'Assert', ...span, test: lower(node.d.testExpr), msg: optional(node.d.exceptionExpr) };
    case NodeType.Del:
      return { kind: 'Delete', ...span, targets: node.d.targets.map(lower) };
    case NodeType.Pass:
      return { kind: 'Pass', ...span };
    case NodeType.Break:
      return { kind: 'Break', ...span };
    case NodeType.Continue:
      return { kind: 'Continue', ...span };
    case NodeType.Global:
      return { kind: 'Global', ...span, names: node.d.targets.map(target => target.d.value) };
    case NodeType.Nonlocal:
      return { kind: 'Nonlocal', ...span, names: node.d.targets.map(target => target.d.value) };
    case NodeType.Import:
      return {
        kind: 'Import',
        ...span,
        names: node.d.list.map(item => ({
          kind: 'Alias',
          ...spanOf(item),
          name: dotted(item.d.module.d.nameParts),
          asname: item.d.alias?.d.value ?? null,
        })),
      };
    case NodeType.ImportFrom:
      return {
        kind: 'ImportFrom',
        ...span,
        level: node.d.module.d.leadingDots,
        module: dotted(node.d.module.d.nameParts),
        names: importedNames(node),
      };
    case NodeType.Error: {
      const { decorators = [], child } = node.d;
      const items = decorators.map(decorator => lower(decorator.d.expr));
      if (child) items.push(lower(child));
      return errorStatement(span, items);
    }
    default:
      return { kind: 'ExprStmt', ...span, value: lower(node) };
  }
}

function errorStatement(span: Span, items: Expr[]): Stmt {
  return { kind: 'ErrorStmt', start: span.start, end: span.end, items };
}

/** `elif` is an If alone in the `orelse` of the one before; long chains are walked, not recursed into. */
function lowerIf(source: Source, node: IfNode): If {
  const chain: If[] = [];
  for (let link: IfNode | SuiteNode | undefined = node; link; ) {
    if (link.nodeType === NodeType.Suite) {
      chain[chain.length - 1].orelse = suite(source, link);
      break;
    }
    const test = lowerExpr(source, link.d.testExpr);
    chain.push({ kind: 'If', ...spanOf(link), test, body: suite(source, link.d.ifSuite), orelse: [] });
    link = link.d.elseSuite;
  }
  for (let i = chain.length - 1; i >= 0; i--) {
    if (i + 1 < chain.length) chain[i].orelse = [chain[i + 1]];
    chain[i].end = endingWith(chain[i], chain[i].body, chain[i].orelse).end;
  }
  return chain[0];
}

function lowerTry(source: Source, node: TryNode): Stmt {
  const body = suite(source, node.d.trySuite);
  const handlers = node.d.exceptClauses.map((clause): ExceptHandler => {
    const type = clause.d.typeExpr ? lowerExpr(source, clause.d.typeExpr) : null;
    const inner = suite(source, clause.d.exceptSuite);
    const span = endingWith(spanOf(clause), inner);
    return { kind: 'ExceptHandler', ...span, type, name: clause.d.name?.d.value ?? null, body: inner };
  });
  const [orelse, finalbody] = [suite(source, node.d.elseSuite), suite(source, node.d.finallySuite)];
  return {
    kind: 'Try',
    ...endingWith(spanOf(node), body, handlers, orelse, finalbody),
    body,
    handlers,
    orelse,
    finalbody,
  };
}

function lowerMatch(source: Source, node: MatchNode): Stmt {
  const subject = lowerExpr(source, node.d.expr);
  const cases = node.d.cases.map((item): MatchCase => {
    const pattern = lowerPattern(source, item.d.pattern);
    const guard = item.d.guardExpr ? lowerExpr(source, item.d.guardExpr) : null;
    const body = suite(source, item.d.suite);
    return { kind: 'MatchCase', ...endingWith(spanOf(item), body), pattern, guard, body };
  });
  return { kind: 'Match', ...endingWith(spanOf(node), cases), subject, cases };
}

function lowerFunction(source: Source, node: FunctionNode): FunctionDef {
  const { name, isAsync, firstToken, returnAnnotation } = node.d;
  const decorators = node.d.decorators.map(decorator => lowerExpr(source, decorator.d.expr));
  const params = lowerParams(source, node.d.params);
  const returns = returnAnnotation ? lowerExpr(source, returnAnnotation) : null;
  const outer = source.sawYield;
  source.sawYield = false;
  const body = suite(source, node.d.suite);
  const isGenerator = source.sawYield;
  source.sawYield = outer;
  const { end } = endingWith(spanOf(node), body);
  return {
    kind: 'FunctionDef',
    // As in CPython, a definition starts at `def` or `async`, after its decorators.
    start: isAsync ? source.text.lastIndexOf('async', firstToken.start) : firstToken.start,
    end,
    name: name.d.value,
    nameStart: name.start,
    params,
    returns,
    decorators,
    body,
    isAsync,
    isGenerator,
  };
}

function lowerClass(source: Source, node: ClassNode): Stmt {
  const { name, firstToken } = node.d;
  const decorators = node.d.decorators.map(decorator => lowerExpr(source, decorator.d.expr));
  const { args: bases, keywords } = lowerArguments(source, node.d.arguments);
  const body = suite(source, node.d.suite);
  return {
    kind: 'ClassDef',
    start: firstToken.start,
    end: endingWith(spanOf(node), body).end,
    name: name.d.value,
    nameStart: name.start,
    bases,
    keywords,
    decorators,
    body,
  };
}

/** `a = b = value` arrives as assignments nested on the right, the first target innermost. */
function lowerAssign(source: Source, node: ParseNode, span: Span): Assign {
  const targets: Expr[] = [];
  let rest = node;
  while (rest.nodeType === NodeType.Assignment) {
    targets.push(lowerExpr(source, rest.d.leftExpr));
    rest = rest.d.rightExpr;
  }
  return { kind: 'Assign', ...span, targets: targets.reverse(), value: lowerExpr(source, rest) };
}

function dotted(parts: readonly { d: { value: string } }[]): string {
  return parts.map(part => part.d.value).join('.');
}

function importedNames(node: ImportFromNode): Alias[] {
  const { wildcardToken, imports } = node.d;
  if (wildcardToken)
    return [{ kind: 'Alias', start: wildcardToken.start, end: endOf(wildcardToken), name: '*', asname: null }];
  return imports.map(item => ({
    kind: 'Alias',
    ...spanOf(item),
    name: item.d.name.d.value,
    asname: item.d.alias?.d.value ?? null,
  }));
}
