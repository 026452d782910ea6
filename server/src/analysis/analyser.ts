/**
 * Turns a file into what is known of it: runs it as Python would, then reads what that did not reach.
 */
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Tensor } from '../../../engine/src/tensor';
import { type Budget, Evaluator } from '../interpreter/evaluator';
import { unknown, type Value } from '../interpreter/values';
import type { Module } from '../python/ast';
import { collect } from './collect';
import { runEntry, type WhenMade } from './entry';
import { WorkspaceHost } from './host';
import { importedTwice } from './imported';
import { Notes } from './notes';
import { readDefinitions, TOGETHER } from './reader';
import { type Entered, enteredIn, isUnchanged, KeptReadings } from './readings';
import { type Run, within } from './run';
import type { EntryRequest, FileAnalysis, SourceFile, SourceProvider, View } from './types';

export { collect } from './collect';
export type { Run } from './run';

export interface AnalyserOptions {
  readonly budget?: Budget;
  /** Whether expressions whose values are ints, tuples or lists are observed too; targets and parameters always are. */
  readonly everything?: boolean;
  /** Whether what an edit does not touch is kept for the next analysis of the same file. */
  readonly keeps?: boolean;
}

/** A number for a parameter that nothing configures, by its name and default: for runs that are to have values. */
export type NumberChoice = (name: string, usual: number | null) => number;

export interface EntryOptions {
  /** Keep every call of a layer. */
  readonly trace?: boolean;
  readonly choose?: NumberChoice | null;
  readonly made?: WhenMade | null;
  /** Answers what the program reads of its arrays while it builds the graph; may throw to end the analysis. */
  readonly values?: (run: Run, node: ArrayNode) => Tensor | null;
}

/** An entry's analysis: the file itself and every file that was reached. */
export interface EntryAnalysis extends FileAnalysis {
  readonly reached: readonly FileAnalysis[];
  /** What the entry's call answered. */
  readonly outputs: Value;
  readonly run: Run;
}

const READER_STEPS = 60_000;
/** How many steps a file may take as Python would run it: what real programs need and no more, for an editor waits. */
const PROGRAM_STEPS = 500_000;

/** A run that has ended, with what it rests on. */
interface Standing {
  readonly run: Run;
  /** Files that it read, by path. */
  readonly files: ReadonlyMap<string, Module>;
  readonly entered: Entered;
}

const stand = (run: Run): Standing => ({
  run,
  files: new Map([...run.host.files].map(([path, { module }]) => [path, module])),
  entered: enteredIn(run.notes),
});

/** What is kept of a file from one edit to the next. */
interface Kept {
  readonly program: Standing;
  /** The run that readings start from. */
  readonly reader: Standing;
  readonly readings: KeptReadings;
}

export class Analyser {
  private readonly kept = new Map<string, Kept>();

  constructor(
    private readonly sources: SourceProvider,
    private readonly options: AnalyserOptions = {},
  ) {}

  private begin(view: View, steps: number, choose: NumberChoice | null = null): Run {
    const notes = new Notes(view);
    const host = new WorkspaceHost(this.sources);
    const budget = this.options.budget ?? { steps, depth: 60 };
    const ev = new Evaluator(host, notes, { ...budget });
    notes.facts = ev.facts;
    ev.observesAll = this.options.everything ?? false;
    ev.chooseNumber = choose;
    return { ev, notes, host, limits: [] };
  }

  /** Both views of a file, findings of other files that its program reaches included. */
  analyse(path: string): FileAnalysis {
    return this.analyseReached(path)[0];
  }

  /** The file's analysis first, then those of the files its program ran through. */
  analyseReached(path: string): FileAnalysis[] {
    const steps = this.steps(path);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /**
   * `analyseReached` in steps that each end soon, between which a caller may do something else: but no other analysis
   * before this one has ended, or has been ended with `return`.
   */
  *steps(path: string): Generator<void, FileAnalysis[]> {
    const source = this.source(path);
    const before = this.options.keeps ? (this.kept.get(path) ?? null) : null;
    this.kept.delete(path);
    const held = before && this.holds(before.reader) ? before : null;
    const program = before && this.holds(before.program) ? before.program : stand(this.program(source));
    yield;
    const reader = held?.reader ?? stand(this.load(source, null));
    yield;
    const readings = new KeptReadings(held?.readings ?? null);
    if (this.options.keeps) this.kept.set(path, { program, reader, readings });
    const { run } = reader;
    const main = run.ev.modules.get(path);
    try {
      if (main) yield* readDefinitions(run, main, source.module.body, program.run.notes.reached, readings);
    } finally {
      readings.seal();
    }
    const own = collect(source, [program.run, run, ...readings.runs()]);
    const others = [...program.files.keys()].filter(file => file !== path).map(file => this.source(file));
    return [own, ...others.map(file => collect(file, [program.run]))];
  }

  /** Forgets what is kept of a file, or of all. */
  forget(path: string | null = null): void {
    if (path === null) this.kept.clear();
    else this.kept.delete(path);
  }

  /** Whether a run would go as it went: nothing that it read is another, nor is any function that it entered. */
  private holds({ run, files, entered }: Standing): boolean {
    return (
      run.host.checkpoints.size === 0 &&
      [...files].every(([path, module]) => this.sources.source(path)?.module === module) &&
      isUnchanged(entered)
    );
  }

  private source(path: string): SourceFile {
    const source = this.sources.source(path);
    if (!source) throw new Error(`${path} cannot be read`);
    return source;
  }

  /** The two runs behind an analysis, for who goes on from where they ended. */
  runs(path: string, choose: NumberChoice | null = null): { program: Run; reader: Run } {
    const source = this.source(path);
    const program = this.program(source);
    const reader = this.load(source, choose);
    const main = reader.ev.modules.get(path);
    if (main) for (const _ of readDefinitions(reader, main, source.module.body, program.notes.reached, TOGETHER));
    return { program, reader };
  }

  /** The file as Python would run it. */
  program(source: SourceFile): Run {
    const run = this.begin('program', PROGRAM_STEPS);
    run.ev.followsAll = true;
    within(run, () => run.host.run(run.ev, source, '__main__'));
    return run;
  }

  /** The file with its definitions, for readings. */
  private load(source: SourceFile, choose: NumberChoice | null): Run {
    const run = this.begin('reader', READER_STEPS, choose);
    // Loading reports nothing: the program view said what there is to say about the top level.
    run.ev.muted++;
    run.notes.paused = true;
    within(run, () => {
      const { attributes } = run.host.run(run.ev, source, 'reader');
      // Which of them a function meets depends on when it is called.
      for (const name of importedTwice(source))
        attributes.set(name, unknown(`${name} is imported from several places`));
    });
    run.ev.muted--;
    run.notes.paused = false;
    return run;
  }

  /** A class or function with a config and input shapes. */
  entry(
    request: EntryRequest,
    { trace = false, choose = null, made = null, values }: EntryOptions = {},
  ): EntryAnalysis {
    const source = this.source(request.file);
    const run = this.begin('entry', 4_000_000, choose);
    run.ev.followsAll = true;
    run.ev.stopsAtRefusal = true;
    if (trace) run.notes.trace = [];
    if (values) run.ev.values = node => values(run, node);
    let outputs: Value | null = null;
    within(run, () => {
      outputs = runEntry(run, source, request, made);
    });
    const reached = [...run.host.files.values()].map(f => collect(f, [run]));
    const own = reached.find(a => a.source === source) ?? collect(source, [run]);
    return {
      ...own,
      reached,
      outputs: outputs ?? { kind: 'unknown', reason: run.limits[0] ?? 'the entry stopped' },
      run,
    };
  }
}
