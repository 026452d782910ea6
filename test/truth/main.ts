/**
 * Prints the scoreboard of recorded cases and traces.
 *
 *     npm run truth -- [--truth DIR] [--format text|json] [--family NAME]… [--program ID]… [--sources DIR]
 *                      [--show VERDICT]… [--limit N] [--all]
 *
 * Scores every `*.jsonl` and `*.jsonl.gz` of DIR that holds cases (`expr` over `env`) or traces of programs. `--family` keeps
 * families of cases, `--program` programs whose name is NAME or starts with `NAME*`; `--show` lists cases or sites of a
 * verdict (right, right-refusal, unknown, missed, wrong, false-refusal; `bad` for all but the first two); `--all` prints
 * families and programs without faults too. JSON has them all. `--sources` is a folder that holds what was traced: the
 * package `mlx_lm`, which is downloaded otherwise, or the folders of a trace's programs.
 */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { readCases } from './records';
import { isRight, type Score, scoreCase, type Tally, tally, tallyFamilies, VERDICTS } from './score';
import { boardJson, printBoard, scoreTraces, type TraceBoard } from './traces/board';
import { holdsTraces } from './traces/records';
import { modelSources } from './traces/sources';

const { values } = parseArgs({
  options: {
    truth: { type: 'string', default: 'test/truth/records' },
    format: { type: 'string', default: 'text' },
    family: { type: 'string', multiple: true },
    program: { type: 'string', multiple: true },
    sources: { type: 'string' },
    show: { type: 'string', multiple: true },
    limit: { type: 'string', default: '40' },
    all: { type: 'boolean', default: false },
  },
});

/** One file's scoreboard. */
interface Board {
  readonly file: string;
  readonly seconds: number;
  readonly all: Tally;
  readonly families: readonly Tally[];
}

/** Whether one of `names`, where any are given, is the name or begins it. */
const isNamed = (found: string, names: readonly string[] | undefined): boolean =>
  !names || names.some(name => (name.endsWith('*') ? found.startsWith(name.slice(0, -1)) : found === name));

function scoreFile(directory: string, file: string): { board: Board; scores: readonly Score[] } | null {
  const started = performance.now();
  const scores = readCases(path.join(directory, file))
    .filter(c => isNamed(c.op, values.family))
    .map(scoreCase);
  if (scores.length === 0) return null;
  const seconds = (performance.now() - started) / 1000;
  return { board: { file, seconds, all: tally('all', scores), families: tallyFamilies(scores) }, scores };
}

/** The board of a file of traces, or null, with the reason told, where what was traced is not at hand. */
function scoreTraceFile(file: string): TraceBoard | null {
  const found = values.sources ? { root: path.resolve(values.sources) } : modelSources();
  try {
    if ('missing' in found) throw new Error(found.missing);
    return scoreTraces(file, found.root, id => isNamed(id, values.program));
  } catch (error) {
    console.error(`${path.basename(file)} is skipped: ${(error as Error).message}`);
    return null;
  }
}

// ---- text -------------------------------------------------------------------------------------------------------------

const HEADINGS = ['right', 'refused', 'unknown', 'missed', 'wrong', 'falsely'];

function printRow({ family, cases, right, counts }: Tally): void {
  const columns = VERDICTS.map(v => `${counts[v]}`.padStart(8)).join('');
  console.log(`${family.padEnd(40)}${`${cases}`.padStart(7)}${`${(100 * right).toFixed(2)} %`.padStart(10)}${columns}`);
}

function printCase({ case: c, verdict, answer }: Score): void {
  const env = Object.entries(c.env).map(([name, a]) => `${name}: ${a.dtype}[${a.shape.join(', ')}]`);
  const expected = c.error ?? c.crash ?? JSON.stringify(c.out);
  console.log(`\n#${c.id} ${verdict}: ${c.expr}   ${env.join('; ')}\n   MLX: ${expected}\n   here: ${answer}`);
}

function print({ file, seconds, all, families }: Board, scores: readonly Score[]): void {
  console.log(`\n${file}: ${all.cases} cases in ${seconds.toFixed(1)} s`);
  const headings = HEADINGS.map(h => h.padStart(8)).join('');
  console.log(`${'family'.padEnd(40)}${'cases'.padStart(7)}${'as MLX'.padStart(10)}${headings}`);
  for (const row of families) if (values.all || row.right < 1) printRow(row);
  printRow(all);
  const wanted = new Set(values.show ?? []);
  const shown = scores.filter(s => wanted.has(s.verdict) || (wanted.has('bad') && !isRight(s.verdict)));
  shown.slice(0, Number(values.limit)).forEach(printCase);
}

// ---- the program ------------------------------------------------------------------------------------------------------

function main(): number {
  if (!existsSync(values.truth)) {
    console.error(`${values.truth}: there is no such folder`);
    return 2;
  }
  const files = readdirSync(values.truth).filter(name => /\.jsonl(\.gz)?$/.test(name));
  const boards: (Board | Omit<TraceBoard, 'facts'>)[] = [];
  const show = (values.show ?? []).flatMap(verdict => (verdict === 'bad' ? ['unknown', 'wrong'] : [verdict]));
  for (const file of files.sort((a, b) => (a < b ? 1 : -1))) {
    const full = path.join(values.truth, file);
    if (holdsTraces(full)) {
      const board = values.family && !values.program ? null : scoreTraceFile(full);
      if (!board || board.programs === 0) continue;
      boards.push(boardJson(board));
      if (values.format === 'text') printBoard(board, { all: values.all, show, limit: Number(values.limit) });
      continue;
    }
    if (values.program && !values.family) continue;
    const scored = scoreFile(values.truth, file);
    if (!scored) continue;
    boards.push(scored.board);
    if (values.format === 'text') print(scored.board, scored.scores);
  }
  if (values.format === 'json') console.log(JSON.stringify(boards, null, 1));
  if (boards.length === 0) console.error(`${values.truth}: no cases`);
  return boards.length === 0 ? 2 : 0;
}

process.exitCode = main();
