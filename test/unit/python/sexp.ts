/** Prints syntax trees as short S-expressions, so that a test can show what a line of Python becomes. */

import type { Comprehension, Expr, FStringField, Node, Param, Stmt } from '../../../server/src/python/ast';
import { children } from '../../../server/src/python/walk';

const MARK: Record<Param['form'], string> = { positional: '/', standard: '', vararg: '*', keyword: ':', kwarg: '**' };

const list = (nodes: readonly (Node | null)[]): string => nodes.map(sexp).join(' ');
const block = (body: readonly Stmt[]): string => `{${list(body)}}`;
const maybe = (label: string, node: Node | null): string => (node ? ` ${label} ${sexp(node)}` : '');
const clauses = (generators: readonly Comprehension[]): string =>
  generators
    .map(({ target, iter, ifs, isAsync }) =>
      [`${isAsync ? 'async-' : ''}for ${sexp(target)} ${sexp(iter)}`, ...ifs.map(test => `if ${sexp(test)}`)].join(' '),
    )
    .join(' ');
const parts = (items: readonly (string | FStringField)[]): string =>
  items
    .map(item => {
      if (typeof item === 'string') return JSON.stringify(item);
      const conversion = item.conversion ? `!${item.conversion}` : '';
      return `{${sexp(item.value)}${conversion}${item.format ? `:${parts(item.format)}` : ''}}`;
    })
    .join(' ');

export function sexp(node: Node | null): string {
  if (node === null) return '~';
  switch (node.kind) {
    case 'Name':
      return node.id;
    case 'Int':
    case 'Float':
    case 'Keyword':
      return node.kind === 'Float' ? `${node.value}f` : String(node.value);
    case 'Imaginary':
      return `${node.value}j`;
    case 'Str':
      return JSON.stringify(node.value);
    case 'Bytes':
      return `b${JSON.stringify(node.value)}`;
    case 'FString':
      return `(f ${parts(node.parts)})`;
    case 'Attribute':
      return `(. ${sexp(node.value)} ${node.attr})`;
    case 'Subscript':
      return `([] ${sexp(node.value)} ${sexp(node.slice)})`;
    case 'Slice':
      return `(: ${list([node.lower, node.upper, node.step])})`;
    case 'Call':
      return `(${list([node.func, ...node.args, ...node.keywords])})`;
    case 'KeywordArg':
      return `${node.arg ?? '**'}=${sexp(node.value)}`;
    case 'BinOp':
      return `(${node.op} ${sexp(node.left)} ${sexp(node.right)})`;
    case 'UnaryOp':
      return `(${node.op} ${sexp(node.operand)})`;
    case 'BoolOp':
      return `(${node.op} ${list(node.values)})`;
    case 'Compare':
      return `(cmp ${[sexp(node.left), ...node.ops.map((op, i) => `${op} ${sexp(node.comparators[i])}`)].join(' ')})`;
    case 'IfExp':
      return `(if-exp ${list([node.test, node.body, node.orelse])})`;
    case 'Dict':
      return `(Dict${node.values.map((value, i) => ` ${node.keys[i] ? sexp(node.keys[i]) : '**'}:${sexp(value)}`).join('')})`;
    case 'ListComp':
    case 'SetComp':
    case 'GeneratorExp':
      return `(${node.kind} ${sexp(node.elt)} ${clauses(node.generators)})`;
    case 'DictComp':
      return `(DictComp ${sexp(node.key)}:${sexp(node.value)} ${clauses(node.generators)})`;
    case 'Lambda':
      return `(lambda [${list(node.params)}] ${sexp(node.body)})`;
    case 'Param':
      return `${MARK[node.form]}${node.name}${maybe(':', node.annotation)}${maybe('=', node.default)}`;
    case 'NamedExpr':
      return `(:= ${sexp(node.target)} ${sexp(node.value)})`;
    case 'Starred':
      return `*${sexp(node.value)}`;
    case 'FunctionDef': {
      const flags = `${node.isAsync ? ' async' : ''}${node.isGenerator ? ' generator' : ''}`;
      const decorators = node.decorators.map(decorator => ` @${sexp(decorator)}`).join('');
      return `(def ${node.name}${flags}${decorators} [${list(node.params)}]${maybe('->', node.returns)} ${block(node.body)})`;
    }
    case 'ClassDef': {
      const decorators = node.decorators.map(decorator => ` @${sexp(decorator)}`).join('');
      return `(class ${node.name}${decorators} [${list([...node.bases, ...node.keywords])}] ${block(node.body)})`;
    }
    case 'Assign':
      return `(= ${list([...node.targets, node.value])})`;
    case 'AnnAssign':
      return `(ann ${sexp(node.target)} ${sexp(node.annotation)}${maybe('=', node.value)})`;
    case 'AugAssign':
      return `(${node.op}= ${sexp(node.target)} ${sexp(node.value)})`;
    case 'ExprStmt':
      return sexp(node.value);
    case 'If':
    case 'While':
      return `(${node.kind.toLowerCase()} ${sexp(node.test)} ${block(node.body)} ${block(node.orelse)})`;
    case 'For':
      return `(${node.isAsync ? 'async-' : ''}for ${sexp(node.target)} ${sexp(node.iter)} ${block(node.body)} ${block(node.orelse)})`;
    case 'With': {
      const items = node.items.map(({ expr, target }) => `${sexp(expr)}${maybe('as', target)}`).join(', ');
      return `(${node.isAsync ? 'async-' : ''}with ${items} ${block(node.body)})`;
    }
    case 'Try':
      return `(try ${block(node.body)} ${list(node.handlers)} ${block(node.orelse)} ${block(node.finalbody)})`;
    case 'ExceptHandler':
      return `(except ${sexp(node.type)} ${node.name ?? '~'} ${block(node.body)})`;
    case 'Match':
      return `(match ${list([node.subject, ...node.cases])})`;
    case 'MatchCase':
      return `(case ${sexp(node.pattern)}${maybe('if', node.guard)} ${block(node.body)})`;
    case 'MatchValue':
      return sexp(node.value);
    case 'MatchAs':
      return node.pattern ? `(as ${sexp(node.pattern)} ${node.name})` : (node.name ?? '_');
    case 'MatchStar':
      return `*${node.name ?? '_'}`;
    case 'MatchSequence':
      return `[${list(node.patterns)}]`;
    case 'MatchMapping': {
      const entries = node.keys.map((key, i) => `${sexp(key)}:${sexp(node.patterns[i])}`);
      return `{${[...entries, ...(node.rest ? [`**${node.rest}`] : [])].join(' ')}}`;
    }
    case 'MatchClass': {
      const keywords = node.keywords.map(({ name, pattern }) => `${name}=${sexp(pattern)}`);
      return `(${[sexp(node.cls), ...node.patterns.map(sexp), ...keywords].join(' ')})`;
    }
    case 'MatchOr':
      return `(| ${list(node.patterns)})`;
    case 'Alias':
      return node.asname ? `${node.name}/${node.asname}` : node.name;
    case 'ImportFrom':
      return `(from ${'.'.repeat(node.level)}${node.module} ${list(node.names)})`;
    case 'Global':
    case 'Nonlocal':
      return `(${node.kind.toLowerCase()} ${node.names.join(' ')})`;
    case 'TypeAlias':
      return `(type ${node.name} ${sexp(node.value)})`;
    case 'Module':
      return list(node.body);
    default: {
      const inside: (Node | Expr)[] = children(node);
      return inside.length > 0 ? `(${node.kind} ${list(inside)})` : `(${node.kind})`;
    }
  }
}
