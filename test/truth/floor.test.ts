/** Holds the share of recorded cases that are answered as MLX does. `npm run truth` prints the scoreboard. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { readCases } from './records';
import { scoreCase, tally } from './score';

/** The least share right, and the most that may be wrong (another shape, or refused although MLX takes it). */
const FLOORS = [
  { file: 'op_truth.jsonl.gz', right: 0.999, wrong: 0 },
  { file: 'layer_truth.jsonl.gz', right: 0.999, wrong: 0 },
  // optimizers, trees and what else these two leave out, and neighbours of their cases
  { file: 'surface_truth.jsonl.gz', right: 0.993, wrong: 0 },
] as const;

test.each(FLOORS)(
  '$file',
  ({ file, right, wrong }) => {
    const scores = readCases(path.join(import.meta.dirname, 'records', file)).map(scoreCase);
    const { counts, cases, right: share } = tally(file, scores);
    expect(cases).toBeGreaterThan(4000);
    expect(share).toBeGreaterThanOrEqual(right);
    expect(counts.wrong + counts['false-refusal']).toBeLessThanOrEqual(wrong);
  },
  120_000,
);
