/** Holds the share of traced facts that are known and right. `npm run truth` prints the scoreboard. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { scoreTraces, share } from './board';
import { modelSources } from './sources';

const found = modelSources();
if ('missing' in found) console.warn(`traces of models are not scored: ${found.missing}`);

/** The least share right of what is no further expression, and the most that may be wrong. */
const FLOORS = { array: { right: 0.995, wrong: 0 }, int: { right: 0.998, wrong: 0.0005 } };

/** Each module in its first configuration of our own, and the models that mlx-lm's tests lack. */
const FILES = [
  { file: 'own_truth.jsonl.gz', wanted: (id: string) => id.endsWith('+own'), programs: 98 },
  { file: 'plus_truth.jsonl.gz', wanted: () => true, programs: 30 },
];

test.skipIf('missing' in found).each(FILES)(
  '$file',
  ({ file, wanted, programs }) => {
    const { root } = found as { root: string };
    const board = scoreTraces(path.join(import.meta.dirname, '../records', file), root, wanted);
    expect(board.programs).toBe(programs);
    for (const [kind, floor] of Object.entries(FLOORS)) {
      const tally = board.kinds.find(t => t.name === kind)!;
      expect(share(tally), kind).toBeGreaterThanOrEqual(floor.right);
      expect(tally.wrong / tally.facts, kind).toBeLessThanOrEqual(floor.wrong);
    }
  },
  400_000,
);
