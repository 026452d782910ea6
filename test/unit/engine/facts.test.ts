/** What programs show of dims, and what is left of it where paths meet. */
import { describe, expect, it } from 'vitest';
import { anonymous, floorDiv, mul, showDim, symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, RowVariable, showShape } from '../../../engine/src/dims/shape';

it('never defines a number by itself', () => {
  const facts = new Facts();
  const [n, d] = [anonymous(1), symbol('d', { least: 1 })];
  facts.assumeEqual(n, mul(d, floorDiv(n, d)));
  expect(showDim(facts.resolve(n))).toBe('?');
});

describe('where paths meet', () => {
  /** What is known of an array of unknown rank after two paths that each learnt something. */
  const joined = (...paths: ((facts: Facts, x: OpenShape) => void)[]): string => {
    const facts = new Facts();
    const x = new OpenShape(new RowVariable('x'), []);
    const learnt = paths.map(path => {
      const mark = facts.mark();
      path(facts, x);
      return facts.undo(mark);
    });
    facts.redoCommon(learnt);
    return showShape(facts.shape(x));
  };
  const B = symbol('B');
  const isNamed =
    (...names: string[]) =>
    (facts: Facts, x: OpenShape) =>
      facts.refineRank(x, names.length, names);
  const is =
    (...axes: (number | typeof B)[]) =>
    (facts: Facts, x: OpenShape) =>
      facts.bindRow(x.lead, axes);

  it('a rank is known that all paths need, under one name', () => {
    expect(joined(isNamed('B', 'L'), isNamed('n', 'm'))).toBe('[B, L]');
    expect(joined(isNamed('B', 'L'), isNamed('n'))).toBe('[...]');
    expect(joined(isNamed('B', 'L'), () => {})).toBe('[...]');
  });

  it('what one path alone made of the axes is not', () => {
    expect(joined(is(2, B), isNamed('n', 'm'))).toBe('[n, m]');
    expect(joined(isNamed('n', 'm'), is(2, B))).toBe('[n, m]');
    expect(joined(is(2, B), is(2, B))).toBe('[2, B]');
    expect(joined(is(2, B), is(3, B))).toBe('[...]');
  });
});
