/** Laws of Python's ints and lists that hold for any numbers. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Value } from '../../../server/src/interpreter/values';
import { run } from '../../support/python';

const small = fc.integer({ min: -1000, max: 1000 });
const bound = fc.option(fc.integer({ min: -9, max: 9 }), { nil: '' });
const step = fc.constantFrom('', 1, 2, 3, -1, -2);
const items = fc.array(small, { maxLength: 8 });

const isTrue = (v: Value | undefined): boolean => v?.kind === 'bool' && v.value === true;

test('quotient and remainder make the number again, and the remainder has the sign of the divisor', () => {
  fc.assert(
    fc.property(
      small,
      small.filter(b => b !== 0),
      (a, b) => {
        const { names } = run(`a, b = ${a}, ${b}
whole = a // b * b + a % b == a and divmod(a, b) == (a // b, a % b)
signed = a % b == 0 or (a % b < 0) == (b < 0)
shifted = (a << 3) >> 3 == a and ~a == -a - 1 and a ^ b == (a | b) - (a & b)
`);
        expect(['whole', 'signed', 'shifted'].map(name => isTrue(names.get(name)))).toEqual([true, true, true]);
      },
    ),
    { numRuns: 60 },
  );
});

test('a slice is what its indices pick, and what is deleted and put back is what was there', () => {
  fc.assert(
    fc.property(items, bound, bound, step, (xs, from, to, by) => {
      const { names } = run(`xs = [${xs}]
cut = xs[${from}:${to}:${by}]
back = cut[::-1][::-1] == cut and xs[:] == xs and tuple(xs)[${from}:${to}:${by}] == tuple(cut)
same = xs[:]
same[${from}:${to}:${by}] = cut
kept = same == xs
del same[${from}:${to}:${by}]
counted = len(same) + len(cut) == len(xs) and sorted(same + cut) == sorted(xs)
`);
      expect(['back', 'kept', 'counted'].map(name => isTrue(names.get(name)))).toEqual([true, true, true]);
    }),
    { numRuns: 120 },
  );
});
