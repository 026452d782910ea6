/** What loops, recursion and generators of unknown extent come to, and that following them ends soon. */
import { describe, expect, test } from 'vitest';
import { showType } from '../../../engine/src/graph/show';
import { limits } from '../../support/analysis';
import { run } from '../../support/python';

/** An array's type, an iterable's length, or the kind of anything else. */
function shown(text: string, name: string): string {
  const { names, evaluator } = run(text);
  const value = names.get(name);
  if (value?.kind === 'array')
    return showType({ shape: evaluator.facts.shape(value.node.shape), dtype: value.node.dtype });
  if (value?.kind === 'list') return `list of ${value.items ? value.items.length : '?'}`;
  return value?.kind ?? 'nothing';
}

describe('ends within a budget', () => {
  test.each([
    [
      'a function that calls itself on parts of what is not known',
      `
def types_of(schema):
    if not isinstance(schema, dict):
        return ["string"]
    found = set()
    for field in ("anyOf", "oneOf", "allOf"):
        for choice in schema[field]:
            found.update(types_of(choice))
    return list(found)
`,
    ],
    [
      'asking until the answer will do',
      `
def ask(message):
    while True:
        answer = input(message).lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("n", "no"):
            return False
        print("again")
`,
    ],
    [
      'a generator without an end',
      `
def batches(data, loop):
    while True:
        for i in range(4):
            yield mx.array(data[i])
        if not loop:
            break

for batch in batches([[1, 2], [3, 4], [5, 6], [7, 8]], True):
    pass
`,
    ],
    [
      'loops within loops that count',
      `
def count(rows):
    total = 0
    for row in rows:
        for item in row:
            for part in item:
                for piece in part:
                    total += 1
                    longest = max(total, len(piece))
    return total
`,
    ],
  ])('%s', (_, text) => {
    expect(limits(text, 4000)).toEqual([]);
  });
});

test('a loop that some path leaves goes round any number of times', () => {
  const text = `
import random
x = mx.zeros((1, 8))
while True:
    x = mx.concatenate([x, mx.zeros((1, 8))])
    if random.random() < 0.5:
        break
`;
  expect(shown(text, 'x')).toBe('float32[?, 8]');
});

test('a generator yields as often as its loop goes round', () => {
  const text = `
import random
def certain(n):
    for i in range(n):
        yield i
def some(rows):
    for row in rows:
        yield row
def perhaps():
    yield 1
    if random.random() < 0.5:
        yield 2
def endless():
    while True:
        yield 1
a = list(certain(3))
b = list(some(open("data")))
c = list(perhaps())
d = list(endless())
`;
  expect(['a', 'b', 'c', 'd'].map(name => shown(text, name))).toEqual([
    'list of 3',
    'list of ?',
    'list of ?',
    'list of ?',
  ]);
});

test('what one path left behind is not what another made of it later', () => {
  const text = `
import random
def rows(early):
    if random.random() < 2:
        kept = []
        if early:
            return kept
    kept.append(mx.zeros((2, 3)))
    return kept
x = mx.stack(rows(random.random() < 0.5) + [mx.zeros((2, 3))])
y = mx.stack(rows(False))
`;
  expect(shown(text, 'x')).toBe('float32[?, 2, 3]');
  expect(shown(text, 'y')).toBe('float32[1, 2, 3]');
});
