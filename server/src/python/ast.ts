/**
 * The syntax tree that the rest of the server sees: small, typed, and independent of the parser behind it.
 *
 * Node kinds and ranges follow CPython's `ast` module, so that a reader can look them up; offsets are UTF-16 indices
 * into the source text, half open, as LSP and JavaScript strings use them.
 */

export interface Span {
  /** First UTF-16 offset of the node. */
  start: number;
  /** Offset after the last UTF-16 unit of the node. */
  end: number;
}

/** A span in a file. */
export interface Place extends Readonly<Span> {
  readonly file: string;
}

interface Base<K extends string> extends Span {
  kind: K;
  /** Where it stands, for all who note it: when an edit before it moves the node, what they noted moves along. */
  place?: Place;
}

// ---- expressions ------------------------------------------------------------------------------------------------------

export interface Name extends Base<'Name'> {
  id: string;
}
/** `value` is null for an integer literal beyond 2^53. */
export interface IntLiteral extends Base<'Int'> {
  value: number | null;
}
export interface FloatLiteral extends Base<'Float'> {
  value: number;
}
export interface ImaginaryLiteral extends Base<'Imaginary'> {
  value: number;
}
export interface StrLiteral extends Base<'Str'> {
  value: string;
}
export interface BytesLiteral extends Base<'Bytes'> {
  value: string;
}
/** `True`, `False`, `None`, `...`. */
export interface KeywordLiteral extends Base<'Keyword'> {
  value: 'True' | 'False' | 'None' | '...';
}
/** An f-string: literal text and replacement fields in order. */
export interface FString extends Base<'FString'> {
  parts: (string | FStringField)[];
}
export interface FStringField extends Span {
  value: Expr;
  /** `r`, `s`, `a` after `!`, else null. */
  conversion: string | null;
  /** The format specification; expressions inside it are kept as parts. */
  format: (string | FStringField)[] | null;
}
export interface Attribute extends Base<'Attribute'> {
  value: Expr;
  attr: string;
  /** Offset at which the attribute's own name starts. */
  attrStart: number;
}
export interface Subscript extends Base<'Subscript'> {
  value: Expr;
  /** The index; several comma separated items arrive as one Tuple. */
  slice: Expr;
}
export interface Slice extends Base<'Slice'> {
  lower: Expr | null;
  upper: Expr | null;
  step: Expr | null;
}
export interface Call extends Base<'Call'> {
  func: Expr;
  args: Expr[];
  keywords: Keyword[];
}
export interface Keyword extends Base<'KeywordArg'> {
  /** null for `**mapping`. */
  arg: string | null;
  value: Expr;
}
export type BinaryOperator = '+' | '-' | '*' | '/' | '//' | '%' | '**' | '@' | '&' | '|' | '^' | '<<' | '>>';
export interface BinOp extends Base<'BinOp'> {
  left: Expr;
  op: BinaryOperator;
  right: Expr;
}
export type UnaryOperator = '-' | '+' | '~' | 'not';
export interface UnaryOp extends Base<'UnaryOp'> {
  op: UnaryOperator;
  operand: Expr;
}
export interface BoolOp extends Base<'BoolOp'> {
  op: 'and' | 'or';
  values: Expr[];
}
export type CompareOperator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'is' | 'is not' | 'in' | 'not in';
export interface Compare extends Base<'Compare'> {
  left: Expr;
  ops: CompareOperator[];
  comparators: Expr[];
}
export interface IfExp extends Base<'IfExp'> {
  test: Expr;
  body: Expr;
  orelse: Expr;
}
export interface Tuple extends Base<'Tuple'> {
  elts: Expr[];
}
export interface List extends Base<'List'> {
  elts: Expr[];
}
export interface SetLiteral extends Base<'Set'> {
  elts: Expr[];
}
/** A key of null is `**mapping`. */
export interface Dict extends Base<'Dict'> {
  keys: (Expr | null)[];
  values: Expr[];
}
export interface Comprehension {
  target: Expr;
  iter: Expr;
  ifs: Expr[];
  isAsync: boolean;
}
export interface ListComp extends Base<'ListComp'> {
  elt: Expr;
  generators: Comprehension[];
}
export interface SetComp extends Base<'SetComp'> {
  elt: Expr;
  generators: Comprehension[];
}
export interface GeneratorExp extends Base<'GeneratorExp'> {
  elt: Expr;
  generators: Comprehension[];
}
export interface DictComp extends Base<'DictComp'> {
  key: Expr;
  value: Expr;
  generators: Comprehension[];
}
export interface Lambda extends Base<'Lambda'> {
  params: Param[];
  body: Expr;
}
export interface NamedExpr extends Base<'NamedExpr'> {
  target: Name;
  value: Expr;
}
export interface Starred extends Base<'Starred'> {
  value: Expr;
}
export interface Await extends Base<'Await'> {
  value: Expr;
}
export interface Yield extends Base<'Yield'> {
  value: Expr | null;
}
export interface YieldFrom extends Base<'YieldFrom'> {
  value: Expr;
}
/**
 * Broken code where an expression should be, or a template string (`t''`), whose value the tree has no kind for; the parts
 * that could be read are kept.
 */
export interface ErrorExpr extends Base<'ErrorExpr'> {
  items: Expr[];
}

export type Expr =
  | Name
  | IntLiteral
  | FloatLiteral
  | ImaginaryLiteral
  | StrLiteral
  | BytesLiteral
  | KeywordLiteral
  | FString
  | Attribute
  | Subscript
  | Slice
  | Call
  | BinOp
  | UnaryOp
  | BoolOp
  | Compare
  | IfExp
  | Tuple
  | List
  | SetLiteral
  | Dict
  | ListComp
  | SetComp
  | GeneratorExp
  | DictComp
  | Lambda
  | NamedExpr
  | Starred
  | Await
  | Yield
  | YieldFrom
  | ErrorExpr;

// ---- statements -------------------------------------------------------------------------------------------------------

/** One parameter as written, from its stars to the end of its default. `positional` are those before a bare `/`. */
export interface Param extends Base<'Param'> {
  name: string;
  nameStart: number;
  form: 'positional' | 'standard' | 'vararg' | 'keyword' | 'kwarg';
  annotation: Expr | null;
  default: Expr | null;
  /** It from its name on, where stars stand before that. */
  named?: Name;
}
export interface FunctionDef extends Base<'FunctionDef'> {
  name: string;
  nameStart: number;
  params: Param[];
  returns: Expr | null;
  decorators: Expr[];
  body: Stmt[];
  isAsync: boolean;
  /** Whether the body contains a `yield` of its own. */
  isGenerator: boolean;
  /** How often its body has become another since the file was read. */
  version?: number;
}
export interface ClassDef extends Base<'ClassDef'> {
  name: string;
  nameStart: number;
  bases: Expr[];
  keywords: Keyword[];
  decorators: Expr[];
  body: Stmt[];
}
export interface Assign extends Base<'Assign'> {
  targets: Expr[];
  value: Expr;
}
export interface AnnAssign extends Base<'AnnAssign'> {
  target: Expr;
  annotation: Expr;
  value: Expr | null;
}
export interface AugAssign extends Base<'AugAssign'> {
  target: Expr;
  op: BinaryOperator;
  value: Expr;
}
export interface ExprStmt extends Base<'ExprStmt'> {
  value: Expr;
}
export interface Return extends Base<'Return'> {
  value: Expr | null;
}
export interface If extends Base<'If'> {
  test: Expr;
  body: Stmt[];
  orelse: Stmt[];
}
export interface While extends Base<'While'> {
  test: Expr;
  body: Stmt[];
  orelse: Stmt[];
}
export interface For extends Base<'For'> {
  target: Expr;
  iter: Expr;
  body: Stmt[];
  orelse: Stmt[];
  isAsync: boolean;
}
export interface With extends Base<'With'> {
  items: { expr: Expr; target: Expr | null }[];
  body: Stmt[];
  isAsync: boolean;
}
export interface ExceptHandler extends Base<'ExceptHandler'> {
  type: Expr | null;
  name: string | null;
  body: Stmt[];
}
export interface Try extends Base<'Try'> {
  body: Stmt[];
  handlers: ExceptHandler[];
  orelse: Stmt[];
  finalbody: Stmt[];
}
export interface MatchCase extends Base<'MatchCase'> {
  pattern: Pattern;
  guard: Expr | null;
  body: Stmt[];
}
export interface Match extends Base<'Match'> {
  subject: Expr;
  cases: MatchCase[];
}
export interface Raise extends Base<'Raise'> {
  exc: Expr | null;
  cause: Expr | null;
}
export interface Assert extends Base<'Assert'> {
  test: Expr;
  msg: Expr | null;
}
export interface Delete extends Base<'Delete'> {
  targets: Expr[];
}
export interface Alias extends Base<'Alias'> {
  /** Dotted for `import a.b`; `*` for a star import. */
  name: string;
  asname: string | null;
}
export interface Import extends Base<'Import'> {
  names: Alias[];
}
export interface ImportFrom extends Base<'ImportFrom'> {
  /** Number of leading dots. */
  level: number;
  /** Dotted; empty for `from . import x`. */
  module: string;
  names: Alias[];
}
export interface Global extends Base<'Global'> {
  names: string[];
}
export interface Nonlocal extends Base<'Nonlocal'> {
  names: string[];
}
export interface Simple extends Base<'Pass' | 'Break' | 'Continue'> {}
/** `type X = …`. */
export interface TypeAlias extends Base<'TypeAlias'> {
  name: string;
  value: Expr;
}
/** Broken code where a statement should be; the parts that could be read are kept. */
export interface ErrorStmt extends Base<'ErrorStmt'> {
  items: Expr[];
}

export type Stmt =
  | FunctionDef
  | ClassDef
  | Assign
  | AnnAssign
  | AugAssign
  | ExprStmt
  | Return
  | If
  | While
  | For
  | With
  | Try
  | Match
  | Raise
  | Assert
  | Delete
  | Import
  | ImportFrom
  | Global
  | Nonlocal
  | Simple
  | TypeAlias
  | ErrorStmt;

// ---- match patterns ---------------------------------------------------------------------------------------------------

export type Pattern =
  | (Base<'MatchValue'> & { value: Expr })
  /** A capture (`name`), or `_` when name is null; `pattern` for `p as name`. */
  | (Base<'MatchAs'> & { pattern: Pattern | null; name: string | null })
  | (Base<'MatchStar'> & { name: string | null })
  | (Base<'MatchSequence'> & { patterns: Pattern[] })
  | (Base<'MatchMapping'> & { keys: Expr[]; patterns: Pattern[]; rest: string | null })
  | (Base<'MatchClass'> & { cls: Expr; patterns: Pattern[]; keywords: { name: string; pattern: Pattern }[] })
  | (Base<'MatchOr'> & { patterns: Pattern[] })
  | Base<'MatchError'>;

// ---- the file ---------------------------------------------------------------------------------------------------------

/** A comment; `start` is the offset of its `#`, `text` excludes it. */
export interface Comment extends Span {
  text: string;
}
export interface SyntaxProblem extends Span {
  message: string;
}
export interface Module extends Base<'Module'> {
  body: Stmt[];
  comments: Comment[];
  problems: SyntaxProblem[];
}

export type Node = Expr | Stmt | Keyword | Param | ExceptHandler | MatchCase | Pattern | Alias | Module;
