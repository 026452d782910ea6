/** An edited tree is the tree of the edited text, and what the edit did not touch is the same nodes, moved. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FunctionDef, Module, Node } from '../../../server/src/python/ast';
import { graft } from '../../../server/src/python/graft';
import { parse } from '../../../server/src/python/parse';
import { walk } from '../../../server/src/python/walk';

const folder = path.join(import.meta.dirname, '../../fixtures/python');
const TEXTS = readdirSync(folder).map(name => readFileSync(path.join(folder, name), 'utf8'));

const TEXT = `import mlx.nn as nn

@decorate(1)
def first(x, *rest, y: int = 2):
    return x + y

class Layer(nn.Module):
    width = 3

    def __init__(self):
        super().__init__()

    def __call__(self, x):
        for i in range(3):
            x = x + i
        return x

last = first(1)
`;

const parsed = (text: string) => ({ text, module: parse(text) });

/** A tree without what is kept beside it. */
const plain = (module: Module): unknown =>
  JSON.parse(JSON.stringify(module, (key, value) => (key === 'place' || key === 'version' ? undefined : value)));

function functions(module: Module): Map<string, FunctionDef> {
  const found = new Map<string, FunctionDef>();
  walk(module, node => {
    if (node.kind === 'FunctionDef') found.set(node.name, node);
  });
  return found;
}

function notePlaces(module: Module): { node: Node; place: NonNullable<Node['place']> }[] {
  const noted: ReturnType<typeof notePlaces> = [];
  walk(module, node => {
    node.place = { file: 'f', start: node.start, end: node.end };
    noted.push({ node, place: node.place });
  });
  return noted;
}

function edited(from: string, change: (text: string) => string) {
  const before = parsed(from);
  const noted = notePlaces(before.module);
  const own = functions(before.module);
  const text = change(from);
  return { done: graft(before, parsed(text)), module: before.module, text, noted, own };
}

describe('an edit inside a function', () => {
  const result = edited(TEXT, text => text.replace('x = x + i', 'x = x * i - 1\n            y = x'));
  test('gives the tree of the new text', () => {
    expect(result.done).toBe(true);
    expect(plain(result.module)).toEqual(plain(parse(result.text)));
  });
  test('keeps every function, and makes the changed one another version', () => {
    expect(functions(result.module)).toEqual(result.own);
    for (const [name, f] of functions(result.module)) expect(f).toBe(result.own.get(name));
    expect([...result.own].filter(([, f]) => f.version).map(([name]) => name)).toEqual(['__call__']);
  });
  test('moves the places that were noted', () => {
    const inTree = new Set<Node>();
    walk(result.module, node => void inTree.add(node));
    const kept = result.noted.filter(({ node }) => inTree.has(node) && node.kind !== 'Module');
    expect(kept.length).toBeGreaterThan(30);
    for (const { node, place } of kept) expect(place).toMatchObject({ start: node.start, end: node.end });
  });
});

test.each([
  ['a default', 'y: int = 2', 'y: int = 3'],
  ['a decorator', 'decorate(1)', 'decorate(2)'],
  ['a base', 'nn.Module', 'Module'],
  ['a class attribute', 'width = 3', 'width = 4'],
  ['a statement of the module', 'last = first(1)', 'last = first(2)'],
  ['a new function', 'last = first(1)', 'def more(): pass\nlast = first(1)'],
  ['what makes a generator', 'return x + y', 'yield x + y'],
  ['a name', 'def first', 'def fist'],
  ['which attributes a method sets', 'x = x + i', 'self.width = i'],
])('%s is no change of a body', (_, from, to) => {
  const { done, module, own } = edited(TEXT, text => text.replace(from, to));
  expect(done).toBe(false);
  expect(plain(module)).toEqual(plain(parse(TEXT)));
  for (const f of own.values()) expect(f.version).toBeUndefined();
});

test('a broken body, and one that is mended', () => {
  const broken = TEXT.replace('return x + y', 'return self.norm(x +');
  const { done, module } = edited(TEXT, () => broken);
  if (done) expect(plain(module)).toEqual(plain(parse(broken)));
  const mended = edited(broken, () => TEXT);
  if (mended.done) expect(plain(mended.module)).toEqual(plain(parse(TEXT)));
});

test('any edit of real code gives the tree of the new text, or nothing', () => {
  const edits = fc.record({
    text: fc.constantFrom(...TEXTS),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.integer({ min: 0, max: 3 }),
    insert: fc.constantFrom('', 'x', ' ', '(', ')', '\n', '\n    y = x\n', ':', ' + 1', '"', '[0]', '#'),
  });
  let grafted = 0;
  fc.assert(
    fc.property(edits, ({ text, at, remove, insert }) => {
      const offset = Math.floor(at * text.length);
      const result = edited(text, t => t.slice(0, offset) + insert + t.slice(offset + remove));
      if (result.done) grafted++;
      expect(plain(result.module)).toEqual(plain(parse(result.done ? result.text : text)));
    }),
    { numRuns: 150 },
  );
  expect(grafted).toBeGreaterThan(10);
});
