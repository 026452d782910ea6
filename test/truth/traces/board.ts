/** Scores a file of traces: how many facts are known and right, unknown or wrong, by kind, by scenario and by program. */
import { createHash } from 'node:crypto';
import path from 'node:path';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { Workspace } from '../../../server/src/workspace/workspace';
import { readTraces, type TracedProgram } from './records';
import { runProgram } from './run';
import { scoreProgram, type TraceFact, type Verdict } from './score';

export interface Tally {
  readonly name: string;
  readonly facts: number;
  readonly right: number;
  readonly unknown: number;
  readonly wrong: number;
}

export interface TraceBoard {
  readonly file: string;
  readonly seconds: number;
  readonly programs: number;
  /** `array` and `int` at assignments, arguments and returns; `array expr` and `int expr` at every other expression. */
  readonly kinds: readonly Tally[];
  /** By kind and scenario, expressions apart: `array decode`. */
  readonly scenarios: readonly Tally[];
  /** By program, arrays and ints at assignments, arguments and returns; the worst first. */
  readonly byProgram: readonly Tally[];
  readonly facts: readonly TraceFact[];
}

/** Counts facts by a name; those without one are left out. */
function tallyBy(facts: readonly TraceFact[], nameOf: (fact: TraceFact) => string | null): Tally[] {
  const counts = new Map<string, Record<Verdict, number>>();
  for (const fact of facts) {
    const name = nameOf(fact);
    if (name === null) continue;
    let row = counts.get(name);
    if (!row) counts.set(name, (row = { right: 0, unknown: 0, wrong: 0 }));
    row[fact.verdict]++;
  }
  return [...counts].map(([name, row]) => ({ name, facts: row.right + row.unknown + row.wrong, ...row }));
}

export const share = ({ facts, right }: Tally): number => right / Math.max(facts, 1);

const isExpression = ({ site }: TraceFact): boolean => site[0] === 'expr';

/** A language model is found in its package, another program in the folders that it names. */
const isModel = (program: TracedProgram): boolean => program.calls === undefined;

/**
 * @param root holds the sources as the trace names them: the package `mlx_lm`, or the programs' folders
 * @throws Error where a source is not the one that was traced
 */
export function scoreTraces(file: string, root: string, wanted: (id: string) => boolean = () => true): TraceBoard {
  const started = performance.now();
  const { meta, programs } = readTraces(file, wanted);
  const models = new Workspace(new NodeFileSystem(), { folders: [root] });
  const checked = new Set<string>();
  const facts = programs.flatMap(program => {
    const searchPaths = (program.path ?? []).map(folder => `${root}/${folder}`);
    const workspace = isModel(program) ? models : new Workspace(new NodeFileSystem(), { folders: [root], searchPaths });
    const source = (name: string) => {
      const found = workspace.source(isModel(program) ? `${root}/mlx_lm/${name}` : `${root}/${name}`);
      if (found && !checked.has(name)) {
        checked.add(name);
        if (createHash('sha256').update(found.text).digest('hex') !== meta.files[name].sha256)
          throw new Error(`${found.path} is not the file that was traced`);
      }
      return found;
    };
    return scoreProgram(program, runProgram(program, workspace, root), { files: meta.files, source });
  });
  const kindOf = (fact: TraceFact) => (isExpression(fact) ? `${fact.kind} expr` : fact.kind);
  return {
    file: path.basename(file),
    seconds: (performance.now() - started) / 1000,
    programs: programs.length,
    kinds: tallyBy(facts, kindOf).sort((a, b) => (a.name < b.name ? -1 : 1)),
    scenarios: tallyBy(facts, f => (isExpression(f) ? null : `${f.kind} ${f.scenario}`)).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    ),
    byProgram: tallyBy(facts, f => (isExpression(f) ? null : f.program)).sort((a, b) => share(a) - share(b)),
    facts,
  };
}

/** Everything of a board but the facts themselves, which are many. */
export const boardJson = ({ facts: _, ...board }: TraceBoard): Omit<TraceBoard, 'facts'> => board;

function row({ name, facts, right, unknown, wrong }: Tally): string {
  const percent = `${((100 * right) / facts).toFixed(2)} %`;
  return `${name.padEnd(40)}${`${facts}`.padStart(8)}${percent.padStart(10)}${`${right}`.padStart(8)}${`${unknown}`.padStart(9)}${`${wrong}`.padStart(7)}`;
}

export interface PrintOptions {
  /** Programs without faults too. */
  readonly all: boolean;
  /** Verdicts whose sites are listed. */
  readonly show: readonly string[];
  readonly limit: number;
}

export function printBoard(board: TraceBoard, { all, show, limit }: PrintOptions): void {
  console.log(`\n${board.file}: ${board.programs} programs in ${board.seconds.toFixed(1)} s`);
  const heading = (title: string) =>
    console.log(
      `${title.padEnd(40)}${'facts'.padStart(8)}${'right'.padStart(10)}${'right'.padStart(8)}${'unknown'.padStart(9)}${'wrong'.padStart(7)}`,
    );
  heading('program');
  for (const t of board.byProgram) if (all || t.right < t.facts) console.log(row(t));
  heading('kind and scenario');
  for (const t of board.scenarios) console.log(row(t));
  heading('kind');
  for (const t of board.kinds) console.log(row(t));
  for (const line of sites(board.facts, show).slice(0, limit)) console.log(line);
}

/** Sites whose facts got one of these verdicts, the most frequent first, each with an example. */
function sites(facts: readonly TraceFact[], verdicts: readonly string[]): string[] {
  const found = new Map<string, { times: number; fact: TraceFact }>();
  for (const fact of facts) {
    if (!verdicts.includes(fact.verdict)) continue;
    const [kind, line, column, , , , name] = fact.site;
    const key = `${fact.verdict} ${fact.file}:${line}:${column} ${kind} ${name}`;
    const known = found.get(key);
    if (known) known.times++;
    else found.set(key, { times: 1, fact });
  }
  return [...found]
    .sort(([, a], [, b]) => b.times - a.times)
    .map(([key, { times, fact }]) => {
      const actual = fact.actual.join(' ; ') || 'nothing';
      return `\n${key}, ${times} times, such as ${fact.program} ${fact.scenario}\n   MLX: ${JSON.stringify(fact.expected)}\n   here: ${actual}`;
    });
}
