/**
 * Names for the numbers in pyright's parse tree.
 *
 * Pyright declares its node, operator and token kinds as const enums, which its build inlines and does not export at
 * run time. The tables below spell the numbers out; their type annotations make the compiler check every one of them
 * against the declarations of the installed version.
 */

import type { ParseNodeType } from '@zzzen/pyright-internal/dist/parser/parseNodes';
import type {
  KeywordType,
  OperatorType,
  StringTokenFlags,
  TokenType,
} from '@zzzen/pyright-internal/dist/parser/tokenizerTypes';
import type { BinaryOperator, CompareOperator, UnaryOperator } from '../ast';

/** Picks the named members of an enum, each with its exact value. */
type Members<E, K extends keyof E> = { readonly [P in K]: E[P] };

export const NodeType: Members<typeof ParseNodeType, keyof typeof ParseNodeType> = {
  Error: 0,
  Argument: 1,
  Assert: 2,
  Assignment: 3,
  AssignmentExpression: 4,
  AugmentedAssignment: 5,
  Await: 6,
  BinaryOperation: 7,
  Break: 8,
  Call: 9,
  Class: 10,
  Comprehension: 11,
  ComprehensionFor: 12,
  ComprehensionIf: 13,
  Constant: 14,
  Continue: 15,
  Decorator: 16,
  Del: 17,
  Dictionary: 18,
  DictionaryExpandEntry: 19,
  DictionaryKeyEntry: 20,
  Ellipsis: 21,
  If: 22,
  Import: 23,
  ImportAs: 24,
  ImportFrom: 25,
  ImportFromAs: 26,
  Index: 27,
  Except: 28,
  For: 29,
  FormatString: 30,
  Function: 31,
  Global: 32,
  Lambda: 33,
  List: 34,
  MemberAccess: 35,
  Module: 36,
  ModuleName: 37,
  Name: 38,
  Nonlocal: 39,
  Number: 40,
  Parameter: 41,
  Pass: 42,
  Raise: 43,
  Return: 44,
  Set: 45,
  Slice: 46,
  StatementList: 47,
  StringList: 48,
  String: 49,
  Suite: 50,
  Ternary: 51,
  Tuple: 52,
  Try: 53,
  TypeAnnotation: 54,
  UnaryOperation: 55,
  Unpack: 56,
  While: 57,
  With: 58,
  WithItem: 59,
  Yield: 60,
  YieldFrom: 61,
  FunctionAnnotation: 62,
  Match: 63,
  Case: 64,
  PatternSequence: 65,
  PatternAs: 66,
  PatternLiteral: 67,
  PatternClass: 68,
  PatternCapture: 69,
  PatternMapping: 70,
  PatternMappingKeyEntry: 71,
  PatternMappingExpandEntry: 72,
  PatternValue: 73,
  PatternClassArgument: 74,
  TypeParameter: 75,
  TypeParameterList: 76,
  TypeAlias: 77,
};

type TokenNames =
  | 'NewLine'
  | 'Indent'
  | 'Dedent'
  | 'Colon'
  | 'Comma'
  | 'OpenParenthesis'
  | 'CloseParenthesis'
  | 'OpenCurlyBrace'
  | 'CloseCurlyBrace'
  | 'ExclamationMark'
  | 'Operator'
  | 'FStringMiddle'
  | 'FStringEnd';

export const Tok: Members<typeof TokenType, TokenNames> = {
  NewLine: 2,
  Indent: 3,
  Dedent: 4,
  Colon: 10,
  Comma: 12,
  Operator: 9,
  OpenParenthesis: 13,
  CloseParenthesis: 14,
  OpenCurlyBrace: 17,
  CloseCurlyBrace: 18,
  ExclamationMark: 23,
  FStringMiddle: 25,
  FStringEnd: 26,
};

export const StringFlag: Members<
  typeof StringTokenFlags,
  'Triplicate' | 'Raw' | 'Bytes' | 'Format' | 'Template' | 'SingleQuote' | 'Unterminated'
> = { SingleQuote: 1, Triplicate: 4, Raw: 8, Bytes: 32, Format: 64, Template: 128, Unterminated: 65536 };

export const KeywordKind: Members<typeof KeywordType, 'Debug' | 'False' | 'None' | 'True'> = {
  Debug: 9,
  False: 15,
  None: 27,
  True: 34,
};

const Op: Members<typeof OperatorType, keyof typeof OperatorType> = {
  Add: 0,
  AddEqual: 1,
  Assign: 2,
  BitwiseAnd: 3,
  BitwiseAndEqual: 4,
  BitwiseInvert: 5,
  BitwiseOr: 6,
  BitwiseOrEqual: 7,
  BitwiseXor: 8,
  BitwiseXorEqual: 9,
  Divide: 10,
  DivideEqual: 11,
  Equals: 12,
  FloorDivide: 13,
  FloorDivideEqual: 14,
  GreaterThan: 15,
  GreaterThanOrEqual: 16,
  LeftShift: 17,
  LeftShiftEqual: 18,
  LessOrGreaterThan: 19,
  LessThan: 20,
  LessThanOrEqual: 21,
  MatrixMultiply: 22,
  MatrixMultiplyEqual: 23,
  Mod: 24,
  ModEqual: 25,
  Multiply: 26,
  MultiplyEqual: 27,
  NotEquals: 28,
  Power: 29,
  PowerEqual: 30,
  RightShift: 31,
  RightShiftEqual: 32,
  Subtract: 33,
  SubtractEqual: 34,
  Walrus: 35,
  And: 36,
  Or: 37,
  Not: 38,
  Is: 39,
  IsNot: 40,
  In: 41,
  NotIn: 42,
};

export const AND = Op.And;
export const OR = Op.Or;
export const ASSIGN = Op.Assign;

export const BINARY: ReadonlyMap<OperatorType, BinaryOperator> = new Map([
  [Op.Add, '+'],
  [Op.Subtract, '-'],
  [Op.Multiply, '*'],
  [Op.Divide, '/'],
  [Op.FloorDivide, '//'],
  [Op.Mod, '%'],
  [Op.Power, '**'],
  [Op.MatrixMultiply, '@'],
  [Op.BitwiseAnd, '&'],
  [Op.BitwiseOr, '|'],
  [Op.BitwiseXor, '^'],
  [Op.LeftShift, '<<'],
  [Op.RightShift, '>>'],
]);

export const AUGMENTED: ReadonlyMap<OperatorType, BinaryOperator> = new Map([
  [Op.AddEqual, '+'],
  [Op.SubtractEqual, '-'],
  [Op.MultiplyEqual, '*'],
  [Op.DivideEqual, '/'],
  [Op.FloorDivideEqual, '//'],
  [Op.ModEqual, '%'],
  [Op.PowerEqual, '**'],
  [Op.MatrixMultiplyEqual, '@'],
  [Op.BitwiseAndEqual, '&'],
  [Op.BitwiseOrEqual, '|'],
  [Op.BitwiseXorEqual, '^'],
  [Op.LeftShiftEqual, '<<'],
  [Op.RightShiftEqual, '>>'],
]);

/** `<>`, Python 2's spelling of `!=`, is an error to Python 3 but still reads as one. */
export const COMPARE: ReadonlyMap<OperatorType, CompareOperator> = new Map([
  [Op.Equals, '=='],
  [Op.NotEquals, '!='],
  [Op.LessOrGreaterThan, '!='],
  [Op.LessThan, '<'],
  [Op.LessThanOrEqual, '<='],
  [Op.GreaterThan, '>'],
  [Op.GreaterThanOrEqual, '>='],
  [Op.Is, 'is'],
  [Op.IsNot, 'is not'],
  [Op.In, 'in'],
  [Op.NotIn, 'not in'],
]);

export const UNARY: ReadonlyMap<OperatorType, UnaryOperator> = new Map([
  [Op.Subtract, '-'],
  [Op.Add, '+'],
  [Op.BitwiseInvert, '~'],
  [Op.Not, 'not'],
]);
