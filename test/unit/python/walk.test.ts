import { describe, expect, test } from 'vitest';
import type { Node } from '../../../server/src/python/ast';
import { parse } from '../../../server/src/python/parse';
import { children, enclosingClass, enclosingFunction, nodeAt, walk } from '../../../server/src/python/walk';
import { sexp } from './sexp';

/** Parses a source with a `‸` that marks an offset. */
function at(marked: string): Node[] {
  const offset = marked.indexOf('‸');
  return nodeAt(parse(marked.replace('‸', '')), offset);
}
const kinds = (path: readonly Node[]): string => path.map(node => node.kind).join(' ');

test.each([
  ['f(b=1, *a)', 'f KeywordArg Starred'],
  ['a if b else c', 'a b c'],
  ['{1: 2, **c}', '1 2 c'],
  ['[a for b in c if d]', 'a b c d'],
  ["f'{a:{b}}{c}'", 'a b c'],
  ['a < b < c', 'a b c'],
  ['x[1:2]', 'x Slice'],
])('children of %s, as written', (source, expected) => {
  const [statement] = parse(source).body;
  const expression = statement.kind === 'ExprStmt' ? statement.value : statement;
  const shown = (node: Node) => (/^[\w.]+$/.test(sexp(node)) ? sexp(node) : node.kind);
  expect(children(expression).map(shown).join(' ')).toBe(expected);
});

test('a visitor can stay out of a node', () => {
  const names: string[] = [];
  walk(parse('a\ndef f(): b\nc'), node => {
    if (node.kind === 'Name') names.push(node.id);
    return node.kind !== 'FunctionDef';
  });
  expect(names).toEqual(['a', 'c']);
});

describe('the node at an offset', () => {
  test.each([
    ['x = f(a.‸b)', 'Module Assign Call Attribute'],
    ['x = f(a‸.b)', 'Module Assign Call Attribute Name'],
    ['x = f(a.b‸)', 'Module Assign Call Attribute'],
    ['f‸oo', 'Module ExprStmt Name'],
    ['foo‸', 'Module ExprStmt Name'],
    ['a;‸b', 'Module ExprStmt Name'],
    ['x = [\n  1,‸\n]', 'Module Assign List'],
    ['@de‸c\ndef f(): pass', 'Module FunctionDef Name'],
    ['def f(a: in‸t = 1): pass', 'Module FunctionDef Param Name'],
    ['def f():\n  pass\n\n‸\nx', 'Module'],
    ["f'a{x‸}'", 'Module ExprStmt FString Name'],
    ['match x:\n  case C(a=[b‸]): pass', 'Module Match MatchCase MatchClass MatchSequence MatchAs'],
    ['f(‸', 'Module ExprStmt Call'],
  ])('%s', (marked, expected) => expect(kinds(at(marked))).toBe(expected));
});

describe('what encloses an offset', () => {
  const source = '@dec(1)\nclass A:\n  @wrap\n  def f(self, n=2): return lambda z: z + 3\nx = 4';
  const around = (text: string) => {
    const path = nodeAt(parse(source), source.indexOf(text));
    const inside = enclosingFunction(path);
    return [inside?.kind === 'FunctionDef' ? inside.name : inside?.kind, enclosingClass(path)?.name];
  };

  test.each([
    ['1)', undefined, undefined],
    ['wrap', undefined, 'A'],
    ['2)', 'f', 'A'],
    ['return', 'f', 'A'],
    ['3', 'Lambda', 'A'],
    ['4', undefined, undefined],
  ])('at %s', (text, inFunction, inClass) => expect(around(text)).toEqual([inFunction, inClass]));
});
