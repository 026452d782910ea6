/**
 * Generic access to the syntax tree: children, traversal, and what lies at an offset.
 *
 * One table says what each kind of node holds; it is typed so that a new kind, or a child left out of a union, does not
 * compile.
 */

import type { ClassDef, Comprehension, Expr, FStringField, FunctionDef, Lambda, Module, Node, Span } from './ast';

type Kind = Node['kind'];
type Child = Node | null | undefined | readonly Child[];

const none = (): Child => null;
const value = (node: { value: Child }): Child => node.value;
const elements = (node: { elts: Expr[] }): Child => node.elts;
const generators = (list: Comprehension[]): Child => list.map(({ target, iter, ifs }) => [target, iter, ifs]);
const comprehension = (node: { elt: Expr; generators: Comprehension[] }): Child => [
  node.elt,
  generators(node.generators),
];
const fields = (parts: (string | FStringField)[] | null): Child =>
  parts?.map(part => (typeof part === 'string' ? null : [part.value, fields(part.format)]));

/** What a node holds, in the order in which it is written. */
const CHILDREN: { readonly [K in Kind]: (node: Node & { kind: K }) => Child } = {
  Name: none,
  Int: none,
  Float: none,
  Imaginary: none,
  Str: none,
  Bytes: none,
  Keyword: none,
  FString: node => fields(node.parts),
  Attribute: value,
  Subscript: node => [node.value, node.slice],
  Slice: node => [node.lower, node.upper, node.step],
  Call: node => [node.func, inOrder([...node.args, ...node.keywords])],
  KeywordArg: value,
  BinOp: node => [node.left, node.right],
  UnaryOp: node => node.operand,
  BoolOp: node => node.values,
  Compare: node => [node.left, node.comparators],
  IfExp: node => [node.body, node.test, node.orelse],
  Tuple: elements,
  List: elements,
  Set: elements,
  Dict: node => node.values.map((item, i) => [node.keys[i], item]),
  ListComp: comprehension,
  SetComp: comprehension,
  GeneratorExp: comprehension,
  DictComp: node => [node.key, node.value, generators(node.generators)],
  Lambda: node => [node.params, node.body],
  NamedExpr: node => [node.target, node.value],
  Starred: value,
  Await: value,
  Yield: value,
  YieldFrom: value,
  ErrorExpr: node => node.items,
  Param: node => [node.annotation, node.default],
  FunctionDef: node => [node.decorators, node.params, node.returns, node.body],
  ClassDef: node => [node.decorators, inOrder([...node.bases, ...node.keywords]), node.body],
  Assign: node => [node.targets, node.value],
  AnnAssign: node => [node.target, node.annotation, node.value],
  AugAssign: node => [node.target, node.value],
  ExprStmt: value,
  Return: value,
  If: node => [node.test, node.body, node.orelse],
  While: node => [node.test, node.body, node.orelse],
  For: node => [node.target, node.iter, node.body, node.orelse],
  With: node => [node.items.map(({ expr, target }) => [expr, target]), node.body],
  ExceptHandler: node => [node.type, node.body],
  Try: node => [node.body, node.handlers, node.orelse, node.finalbody],
  MatchCase: node => [node.pattern, node.guard, node.body],
  Match: node => [node.subject, node.cases],
  Raise: node => [node.exc, node.cause],
  Assert: node => [node.test, node.msg],
  Delete: node => node.targets,
  Alias: none,
  Import: node => node.names,
  ImportFrom: node => node.names,
  Global: none,
  Nonlocal: none,
  Pass: none,
  Break: none,
  Continue: none,
  TypeAlias: value,
  ErrorStmt: node => node.items,
  MatchValue: value,
  MatchAs: node => node.pattern,
  MatchStar: none,
  MatchSequence: node => node.patterns,
  MatchMapping: node => node.keys.map((key, i) => [key, node.patterns[i]]),
  MatchClass: node => [node.cls, node.patterns, node.keywords.map(keyword => keyword.pattern)],
  MatchOr: node => node.patterns,
  MatchError: none,
  Module: node => node.body,
};

function inOrder<T extends Span>(nodes: T[]): T[] {
  return nodes.sort((a, b) => a.start - b.start);
}

/** The nodes directly inside a node, in the order in which they are written. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  collect((CHILDREN[node.kind] as (node: Node) => Child)(node), found);
  return found;
}

function collect(child: Child, found: Node[]): void {
  if (isList(child)) for (const item of child) collect(item, found);
  else if (child) found.push(child);
}

function isList(child: Child): child is readonly Child[] {
  return Array.isArray(child);
}

/** Visits a node and everything inside it, outermost first. A visitor that answers false keeps the walk out of a node. */
export function walk(node: Node, visit: (node: Node) => unknown): void {
  if (visit(node) === false) return;
  for (const child of children(node)) walk(child, visit);
}

/** The range of a node with its decorators, which CPython's range of a definition leaves out. */
export function extent(node: Node): Span {
  const first = node.kind === 'FunctionDef' || node.kind === 'ClassDef' ? node.decorators[0] : undefined;
  return { start: Math.min(node.start, first?.start ?? node.start), end: node.end };
}

/**
 * The nodes that contain an offset, from the module to the innermost. A node contains the offset just after its last
 * character, as a cursor there belongs to the word before it; where two nodes touch, the later one is taken.
 */
export function nodeAt(module: Module, offset: number): Node[] {
  const path: Node[] = [];
  let node: Node | undefined = module;
  while (node) {
    path.push(node);
    node = children(node).findLast(child => {
      const { start, end } = extent(child);
      return start <= offset && offset <= end;
    });
  }
  return path;
}

/** The innermost function (or lambda) whose parameters or body hold the last node of the path; its decorators do not. */
export function enclosingFunction(path: readonly Node[]): FunctionDef | Lambda | null {
  return enclosing(path, node => node.kind === 'FunctionDef' || node.kind === 'Lambda');
}

/** The innermost class whose body holds the last node of the path. */
export function enclosingClass(path: readonly Node[]): ClassDef | null {
  return enclosing(path, node => node.kind === 'ClassDef');
}

function enclosing<T extends FunctionDef | ClassDef | Lambda>(
  path: readonly Node[],
  wanted: (node: Node) => boolean,
): T | null {
  for (let i = path.length - 1; i >= 0; i--) {
    const node = path[i];
    const inner = path[i + 1];
    if (!wanted(node)) continue;
    const definition = node as T;
    const isDecorator = definition.kind !== 'Lambda' && definition.decorators.some(decorator => decorator === inner);
    if (!isDecorator) return definition;
  }
  return null;
}
