/** Holds the share of recorded cases that are answered as MLX does. `npm run truth` prints the scoreboard. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { readCases } from './records';
import { scoreCase } from './score';

/** The least share right, and the most that may be wrong (another shape, or refused although MLX takes it). */
const FLOORS = [
  { file: 'op_truth.jsonl.gz', right: 0.999, wrong: 0 },
  { file: 'layer_truth.jsonl.gz', right: 0.999, wrong: 0 },
] as const;

test.each(FLOORS)(
  '$file',
  ({ file, right, wrong }) => {
    const scores = readCases(path.join(import.meta.dirname, 'records', file)).map(scoreCase);
    const count = (...verdicts: string[]) => scores.filter(s => verdicts.includes(s.verdict)).length;
    expect(scores.length).toBeGreaterThan(4000);
    expect(count('right') / scores.length).toBeGreaterThanOrEqual(right);
    expect(count('wrong', 'false-refusal')).toBeLessThanOrEqual(wrong);
  },
  120_000,
);
