/** What each construct of Python becomes. */

import { describe, expect, test } from 'vitest';
import type { Node } from '../../../server/src/python/ast';
import { parse } from '../../../server/src/python/parse';
import { walk } from '../../../server/src/python/walk';
import { sexp } from './sexp';

/** Checks `source -> tree` lines; the source must be free of problems. */
function table(rows: Record<string, string>): void {
  test.each(Object.entries(rows))('%s', (source, expected) => {
    const module = parse(source);
    expect(module.problems).toEqual([]);
    expect(sexp(module)).toBe(expected);
  });
}

describe('literals', () => {
  table({
    '0x_ff; 1_000; 0b11; 9007199254740993': '255 1000 3 null',
    '1.5; 1e3; 1.; 2.5j': '1.5f 1000f 1f 2.5j',
    'True; None; ...; __debug__': 'True None ... __debug__',
    '"a" "\\x41\\U0001F600\\N{BULLET}\\q"': '"aA😀�\\\\q"',
    "r'\\n' u'x'": '"\\\\nx"',
    "b'\\xff\\101\\u12'": 'b"ÿA\\\\u12"',
    "'''a\r\nb\\\nc'''": '"a\\nbc"',
    "('a'\n 'b')": '"ab"',
  });
});

describe('f-strings', () => {
  table({
    "f'{x}'": '(f {x})',
    "f'a{x!r:>{w}.2f}b'": '(f "a" {x!r:">" {w} ".2f"} "b")',
    "f'{x=} {x = :3} {x=!s}'": '(f "x=" {x!r} " x = " {x:"3"} " x=" {x!s})',
    "'a' f'{x}' 'b' f'c{y}'": '(f "a" {x} "bc" {y})',
    "f'{{{x}}}'": '(f "{" {x} "}")',
    "f'{ {1: 2}[1] }' f'{(lambda a: a)}'": '(f {([] (Dict 1:2) 1)} {(lambda [a] a)})',
    "f'{f'{x!r}':5}{y!a}'": '(f {(f {x!r}):"5"} {y!a})',
    "rf'\\d{x}'": '(f "\\\\d" {x})',
    "f'''\n{\nx\n}'''": '(f "\\n" {x})',
    "f'{x, *y}{a if b else c}'": '(f {(Tuple x *y)} {(if-exp b a c)})',
    // A template string is no str, so its value is not claimed.
    "t'a{x}'": '(ErrorExpr x)',
  });
});

describe('operators', () => {
  table({
    'a + b * c ** -d @ e': '(+ a (@ (* b (** c (- d))) e))',
    'a // b % c << d >> e & f ^ g | h': '(| (^ (& (>> (<< (% (// a b) c) d) e) f) g) h)',
    'not a; ~a; +a': '(not a) (~ a) (+ a)',
    'a and b and (c and d) or e': '(or (and a b (and c d)) e)',
    'a < b <= c != d is not e not in f': '(cmp a < b <= c != d is not e not in f)',
    '(a < b) < c < (d < e)': '(cmp (cmp a < b) < c < (cmp d < e))',
    'a if b else c if d else e': '(if-exp b a (if-exp d c e))',
    'f(y := 1, (z := 2))': '(f (:= y 1) (:= z 2))',
  });
});

describe('access and calls', () => {
  table({
    'a.b.c(d)(e)[f]': '([] (((. (. a b) c) d) e) f)',
    'f(a, *b, c=1, **d)': '(f a *b c=1 **=d)',
    'f(x for x in y)': '(f (GeneratorExp x for x y))',
    'x[1]; x[a:b:c]; x[:]; x[::2]': '([] x 1) ([] x (: a b c)) ([] x (: ~ ~ ~)) ([] x (: ~ ~ 2))',
    'x[..., None]; x[a,]; x[*a]; x[()]': '([] x (Tuple ... None)) ([] x (Tuple a)) ([] x (Tuple *a)) ([] x (Tuple))',
  });
});

describe('collections', () => {
  table({
    '(); (a,); a, b; [a, *b]; {a, *b}': '(Tuple) (Tuple a) (Tuple a b) (List a *b) (Set a *b)',
    "{}; {'a': 1, **b}": '(Dict) (Dict "a":1 **:b)',
    '[a for a, b in c if d if e for f in g]': '(ListComp a for (Tuple a b) c if d if e for f g)',
    '{a for a in b}; {a: b for a in c}': '(SetComp a for a b) (DictComp a:b for a c)',
    '[(a for a in b)]; (a for a in b)': '(List (GeneratorExp a for a b)) (GeneratorExp a for a b)',
  });
});

describe('functions and classes', () => {
  table({
    'def f(a, /, b: int = 1, *c: T, d, e=2, **k) -> R: pass':
      '(def f [/a b : int = 1 *c : T :d :e = 2 **k] -> R {(Pass)})',
    'def f(*, a): ...': '(def f [:a] {...})',
    'lambda x, *y, z=1: x': '(lambda [x *y :z = 1] x)',
    'lambda: 0': '(lambda [] 0)',
    '@a.b\n@c(1)\ndef f(): return': '(def f @(. a b) @(c 1) [] {(Return)})',
    'async def f():\n  await x': '(def f async [] {(Await x)})',
    'def f():\n  x = yield\n  yield from y': '(def f generator [] {(= x (Yield)) (YieldFrom y)})',
    'def f():\n  def g(): yield 1\n  return lambda: (yield)':
      '(def f [] {(def g generator [] {(Yield 1)}) (Return (lambda [] (Yield)))})',
    'class A: "doc"': '(class A [] {"doc"})',
    '@d\nclass A(B, *C, metaclass=M, **k): x: int = 1': '(class A @d [B *C metaclass=M **=k] {(ann x int = 1)})',
    'def f[T](x: T): pass\ntype X[T] = list[T]': '(def f [x : T] {(Pass)}) (type X ([] list T))',
  });
});

describe('statements', () => {
  table({
    'a = b = c = d; x, *y = z': '(= a b c d) (= (Tuple x *y) z)',
    'x: int; self.x: int = 1': '(ann x int) (ann (. self x) int = 1)',
    'x += 1; x @= y; x //= 2; x **= 3; x >>= 4': '(+= x 1) (@= x y) (//= x 2) (**= x 3) (>>= x 4)',
    'if a: b\nelif c: d\nelse: e': '(if a {b} {(if c {d} {e})})',
    'while a: break\nelse: b': '(while a {(Break)} {b})',
    'for i, x in y: continue\nelse: z': '(for (Tuple i x) y {(Continue)} {z})',
    'with a as b, c: d': '(with a as b, c {d})',
    'with (a as b, c): d': '(with a as b, c {d})',
    'async def f():\n  async for a in b: c\n  async with d: e\n  return [x async for x in y]':
      '(def f async [] {(async-for a b {c} {}) (async-with d {e}) (Return (ListComp x async-for x y))})',
    'try: a\nexcept (B, C) as e: b\nexcept: c\nelse: d\nfinally: f':
      '(try {a} (except (Tuple B C) e {b}) (except ~ ~ {c}) {d} {f})',
    'raise; raise A from b': '(Raise) (Raise A b)',
    'assert a, "m"; del a, b[0]': '(Assert a "m") (Delete a ([] b 0))',
    'import a.b as c, d': '(Import a.b/c d)',
    'from . import a\nfrom ..b.c import d as e, f\nfrom g import *': '(from . a) (from ..b.c d/e f) (from g *)',
    'def f():\n  global a, b\n  def g(): nonlocal_ = 1': '(def f [] {(global a b) (def g [] {(= nonlocal_ 1)})})',
    'def f():\n  a = 1\n  def g():\n    nonlocal a': '(def f [] {(= a 1) (def g [] {(nonlocal a)})})',
    // Python only warns about leaving a finally block.
    'def f():\n  try: a\n  finally: return': '(def f [] {(try {a}  {} {(Return)})})',
    // Type comments are comments.
    'x = f()  # type: (B, L\n': '(= x (f))',
  });
});

describe('match', () => {
  const cases = (rows: Record<string, string>) =>
    table(
      Object.fromEntries(
        Object.entries(rows).map(([pattern, tree]) => [
          `match x:\n  case ${pattern}: y`,
          `(match x (case ${tree} {y}))`,
        ]),
      ),
    );
  cases({
    '-1 | 2+3j | "a" "b" | None': '(| (- 1) (+ 2 3j) "ab" None)',
    _: '_',
    'name if a > 1': 'name if (cmp a > 1)',
    'mod.X': '(. mod X)',
    '(1 | 2) as z': '(as (| 1 2) z)',
    '[a, *rest, (b)]': '[a *rest b]',
    'a, *_,': '[a *_]',
    '()': '[]',
    '(a,)': '[a]',
    '(a)': 'a',
    '{"k": v, C.x: 1, **rest}': '{"k":v (. C x):1 **rest}',
    '{}': '{}',
    'C()': '(C)',
    'm.C(1, [a], x=2, y=b)': '((. m C) 1 [a] x=2 y=b)',
  });
  table({
    'match = 1; case = 2; type = 3; match[type]; print(match)':
      '(= match 1) (= case 2) (= type 3) ([] match type) (print match)',
  });
});

describe('ranges follow CPython', () => {
  /** The text of the first node of a kind. */
  const textOf = (source: string, kind: Node['kind']): string | undefined => {
    let found: Node | undefined;
    walk(parse(source), node => {
      if (node.kind === kind) found ??= node;
    });
    return found && source.slice(found.start, found.end);
  };

  test.each<[string, Node['kind'], string]>([
    ['((a + b))', 'BinOp', 'a + b'],
    ['((a) + (b)).c', 'BinOp', '(a) + (b)'],
    ['(a  # )\n + b  # )\n)', 'BinOp', 'a  # )\n + b'],
    ['(a.b)(c)', 'Attribute', 'a.b'],
    ['((a, b))', 'Tuple', '(a, b)'],
    ['x = a, b,', 'Tuple', 'a, b,'],
    ['x = a, b,', 'Assign', 'x = a, b,'],
    ['x[a, b,]', 'Tuple', 'a, b,'],
    ['x[(a):]', 'Slice', '(a):'],
    ['f(a for a in b)', 'GeneratorExp', '(a for a in b)'],
    ['f(((a for a in b)))', 'GeneratorExp', '(a for a in b)'],
    ['def f(): x = (yield)', 'Yield', 'yield'],
    ['@d\nasync def f():\n  pass\n\nx', 'FunctionDef', 'async def f():\n  pass'],
    ['@d\nclass A:\n  x = 1\n\n', 'ClassDef', 'class A:\n  x = 1'],
    ['if a:\n  b\nelse:\n  c\n\n\nd', 'If', 'if a:\n  b\nelse:\n  c'],
    ['match x:\n  case C(1, y=2,): z', 'MatchClass', 'C(1, y=2,)'],
    ['def f(a, *b: T, c=1): pass', 'Param', 'a'],
    ['("a"\n "b")', 'Str', '"a"\n "b"'],
    ["f'{x!r:3}'", 'Name', 'x'],
  ])('%s: %s', (source, kind, expected) => expect(textOf(source, kind)).toBe(expected));

  test('an f-string field spans its braces', () => {
    const source = "f'a{x!r:>3}b'";
    const [statement] = parse(source).body;
    const value = statement.kind === 'ExprStmt' && statement.value.kind === 'FString' ? statement.value : undefined;
    const field = value?.parts.find(part => typeof part !== 'string');
    expect(field && source.slice(field.start, field.end)).toBe('{x!r:>3}');
  });
});

test('comments are kept, without their #', () => {
  const source = '# a\nx = [  # b: [B, L]\n  1,\n]\n#c';
  expect(parse(source).comments).toEqual([
    { start: 0, end: 3, text: ' a' },
    { start: 11, end: 22, text: ' b: [B, L]' },
    { start: 30, end: 32, text: 'c' },
  ]);
});

test('a notebook cell may hold magics', () => {
  const source = '%timeit x\n!pip install mlx\ny = 1';
  expect(parse(source, { notebook: true }).problems).toEqual([]);
  expect(sexp(parse(source, { notebook: true }))).toBe('(= y 1)');
  expect(parse(source).problems.length).toBeGreaterThan(0);
});
