/**
 * Prints the scoreboard of recorded cases.
 *
 *     node scripts/truth.mjs [--truth DIR] [--family NAME]… [--show VERDICT]… [--limit N] [--all]
 *
 * `--family` keeps families whose name is NAME or starts with `NAME*`; `--show` lists cases of a verdict (right, unknown,
 * missed, wrong, false-refusal; `bad` for all but right); `--all` prints families without faults too.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Case, readCases } from './records';
import { type Score, scoreCase, type Tally, tally, total, type Verdict } from './score';

const { values } = parseArgs({
  options: {
    truth: { type: 'string', default: 'test/truth/records' },
    family: { type: 'string', multiple: true },
    show: { type: 'string', multiple: true },
    limit: { type: 'string', default: '40' },
    all: { type: 'boolean', default: false },
  },
});

const matches = (op: string): boolean =>
  !values.family || values.family.some(name => (name.endsWith('*') ? op.startsWith(name.slice(0, -1)) : op === name));

const COLUMNS: readonly Verdict[] = ['right', 'unknown', 'missed', 'wrong', 'false-refusal'];

function printRow(name: string, row: Tally): void {
  const count = total(row);
  const share = ((100 * row.right) / count).toFixed(2);
  console.log(
    [
      name.padEnd(40),
      `${count}`.padStart(6),
      `${share} %`.padStart(9),
      ...COLUMNS.map(v => `${row[v]}`.padStart(8)),
    ].join(' '),
  );
}

function printCase({ case: c, verdict, answer }: Score): void {
  const env = Object.entries(c.env).map(([name, a]) => `${name}: ${a.dtype}[${a.shape.join(', ')}]`);
  const expected = c.error ?? c.crash ?? JSON.stringify(c.out);
  console.log(`\n#${c.id} ${verdict}: ${c.expr}   ${env.join('; ')}\n   MLX: ${expected}\n   here: ${answer}`);
}

for (const file of ['op_truth.jsonl.gz', 'layer_truth.jsonl.gz']) {
  const full = path.join(values.truth, file);
  if (!existsSync(full)) continue;
  const started = performance.now();
  const cases: Case[] = readCases(full).filter(c => matches(c.op));
  if (cases.length === 0) continue;
  const scores = cases.map(scoreCase);
  const board = tally(scores);
  console.log(`\n${file}: ${cases.length} cases in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  console.log(`${'family'.padEnd(40)}  cases     right    right  unknown   missed    wrong  refused`);
  for (const [name, row] of [...board]
    .sort(([a, x], [b, y]) => y.right / total(y) - x.right / total(x) || (a < b ? 1 : -1))
    .reverse())
    if (name && (values.all || row.right < total(row))) printRow(name, row);
  printRow('all', board.get('')!);
  const wanted = new Set(values.show ?? []);
  const shown = scores.filter(s => wanted.has(s.verdict) || (wanted.has('bad') && s.verdict !== 'right'));
  shown.slice(0, Number(values.limit)).forEach(printCase);
}
