/**
 * Turns a file into what is known of it: runs it as Python would, then reads what that did not reach.
 */
import { Facts } from '../../../engine/src/dims/facts';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Tensor } from '../../../engine/src/tensor';
import { lookupClass } from '../interpreter/attributes';
import { glance } from '../interpreter/branches';
import { type Budget, BudgetSpent, Evaluator, type Frame, PythonRaise } from '../interpreter/evaluator';
import { args } from '../interpreter/interpreter';
import type { ClassValue, FunctionValue, InstanceValue, ModuleValue, Value } from '../interpreter/values';
import { isModule, isModuleClass } from '../mlx/nn/membership';
import type { Call, Node, Stmt } from '../python/ast';
import { walk } from '../python/walk';
import { runEntry, type WhenMade } from './entry';
import { WorkspaceHost } from './host';
import { Notes } from './notes';
import { symbolicArguments } from './parameters';
import { age } from './state';
import type {
  ClassSite,
  EntryRequest,
  FileAnalysis,
  Finding,
  LayerSite,
  Observation,
  SourceFile,
  SourceProvider,
  View,
} from './types';

export interface AnalyserOptions {
  readonly budget?: Budget;
  /** Whether expressions whose values are ints, tuples or lists are observed too; targets and parameters always are. */
  readonly everything?: boolean;
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

/** A run of one view: the evaluator's world after it, and what it saw. */
export interface Run {
  readonly ev: Evaluator;
  readonly notes: Notes;
  readonly host: WorkspaceHost;
  readonly limits: string[];
}

/** An entry's analysis: the file itself and every file that was reached. */
export interface EntryAnalysis extends FileAnalysis {
  readonly reached: readonly FileAnalysis[];
  /** What the entry's call answered. */
  readonly outputs: Value;
  readonly run: Run;
}

const READER_STEPS = 60_000;

export class Analyser {
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
    const { program, reader } = this.runs(path);
    const source = this.sources.source(path)!;
    const own = collect(source, [program, reader]);
    const others = [...program.host.files.values()].filter(f => f !== source).map(f => collect(f, [program]));
    return [own, ...others];
  }

  /** The two runs behind an analysis, for who goes on from where they ended. */
  runs(path: string, choose: NumberChoice | null = null): { program: Run; reader: Run } {
    const source = this.sources.source(path);
    if (!source) throw new Error(`${path} cannot be read`);
    const program = this.program(source);
    return { program, reader: this.reader(source, program.notes.reached, choose) };
  }

  /** The file as Python would run it. */
  program(source: SourceFile): Run {
    const run = this.begin('program', 1_500_000);
    run.ev.followsAll = true;
    within(run, () => run.host.run(run.ev, source, '__main__'));
    return run;
  }

  /** Every function and class that `reached` lacks, with symbols for parameters. */
  private reader(source: SourceFile, reached: ReadonlySet<unknown>, choose: NumberChoice | null): Run {
    const run = this.begin('reader', READER_STEPS, choose);
    let main: ModuleValue | null = null;
    // Loading reports nothing: the program view said what there is to say about the top level.
    run.ev.muted++;
    run.notes.paused = true;
    within(run, () => {
      main = run.host.run(run.ev, source, 'reader');
    });
    run.ev.muted--;
    run.notes.paused = false;
    if (main) readDefinitions(run, main, source.module.body, reached);
    return run;
  }

  /** A class or function with a config and input shapes. */
  entry(
    request: EntryRequest,
    { trace = false, choose = null, made = null, values }: EntryOptions = {},
  ): EntryAnalysis {
    const source = this.sources.source(request.file);
    if (!source) throw new Error(`${request.file} cannot be read`);
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

/** The name of what was raised. */
function describeRaised(value: Value): string {
  if (value.kind === 'instance') return value.cls.name;
  return value.kind === 'class' ? value.name : value.kind === 'str' && value.value ? value.value : 'an exception';
}

/** Runs a part of a view; what stops it is noted. */
export function within(run: Run, part: () => void): void {
  try {
    part();
  } catch (e) {
    if (e instanceof BudgetSpent) run.limits.push(e.message);
    else if (e instanceof PythonRaise) {
      if (e.refusal && e.place) run.notes.refuse(e.refusal, e.place, [e.place]);
      else run.limits.push(`raises ${describeRaised(e.value)}`);
    } else if (e instanceof RangeError) run.limits.push('nests too deeply to follow');
    else throw e;
  }
}

// ---- the reader's view ------------------------------------------------------------------------------------------------

function readDefinitions(run: Run, main: ModuleValue, body: readonly Stmt[], reached: ReadonlySet<unknown>): void {
  for (const stmt of body) {
    if (stmt.kind === 'FunctionDef' && !reached.has(stmt)) {
      const f = main.attributes.get(stmt.name);
      if (f?.kind === 'function' && f.node === stmt)
        isolated(run, main, () => void run.ev.call(f, symbolicArguments(run.ev, f, [])));
    } else if (stmt.kind === 'ClassDef') {
      const cls = main.attributes.get(stmt.name);
      if (cls?.kind === 'class' && cls.node === stmt) readClass(run, main, cls, reached);
    } else if (stmt.kind === 'If' || stmt.kind === 'Try') {
      readDefinitions(run, main, [...stmt.body, ...stmt.orelse], reached);
    }
  }
}

/** Makes an instance from symbols once, then reads each method with it. */
function readClass(run: Run, main: ModuleValue, cls: ClassValue, reached: ReadonlySet<unknown>): void {
  const methods = [...cls.attributes.values()].flatMap(unwrap);
  if (methods.every(m => reached.has(m.node))) return;
  isolated(run, main, () => {
    const self = symbolicSelf(run.ev, cls);
    if (!self) return;
    if (self.kind === 'instance' && cls.node) {
      run.notes.self(cls.node, self);
      age(run.ev, self);
    }
    for (const method of methods) {
      if (method.name === '__init__' || method.name === '__post_init__' || reached.has(method.node)) continue;
      if (method.owner !== cls) continue;
      const first = cls.attributes.get(method.name);
      const bound: Value[] = first?.kind === 'staticmethod' ? [] : first?.kind === 'classmethod' ? [cls] : [self];
      isolated(run, main, () => void run.ev.call(method, symbolicArguments(run.ev, method, bound)));
    }
  });
}

function unwrap(v: Value): FunctionValue[] {
  if (v.kind === 'function') return [v];
  if (v.kind === 'staticmethod' || v.kind === 'classmethod') return unwrap(v.func);
  if (v.kind === 'property') return [...unwrap(v.get), ...(v.set ? unwrap(v.set) : [])];
  return [];
}

function symbolicSelf(ev: Evaluator, cls: ClassValue): Value | null {
  const init = lookupClass(cls, '__init__');
  if (init?.kind === 'function') {
    const passed = symbolicArguments(ev, init, [cls]);
    return ev.instantiate(cls, { ...passed, positional: passed.positional.slice(1) });
  }
  return ev.instantiate(cls, { ...args([]), open: true });
}

/** Runs one reading in a frame of the module and takes back what it did, findings and observations apart. */
function isolated(run: Run, main: ModuleValue, read: () => void): void {
  const { ev } = run;
  const depth = ev.frames.length;
  const frame: Frame = {
    scope: { names: main.attributes, parent: null, kind: 'module' },
    module: main,
    func: null,
    cls: null,
    name: '<module>',
    globals: new Set(),
    nonlocals: new Set(),
    pending: [],
    yields: null,
    caller: null,
  };
  ev.frames.push(frame);
  const spent = ev.steps;
  ev.steps = 0;
  const { muted } = ev;
  try {
    within(run, () => {
      glance(ev, () => {
        ev.muted = muted;
        try {
          read();
        } finally {
          run.notes.keep();
          ev.muted = muted + 1;
        }
      });
    });
  } finally {
    ev.frames.length = depth;
    ev.steps = spent;
    ev.muted = muted;
    ev.catching = 0;
  }
}

// ---- putting it together ----------------------------------------------------------------------------------------------

/** What runs say of one file. */
export function collect(source: SourceFile, runs: readonly Run[]): FileAnalysis {
  const { path } = source;
  let observations: Observation[] | null = null;
  const findings: Finding[] = [];
  const layers: LayerSite[] = [];
  const classes: ClassSite[] = [];
  const facts: Record<View, Facts> = { program: new Facts(), reader: new Facts(), entry: new Facts() };
  const said = new Set<string>();
  for (const run of runs) {
    facts[run.notes.view] = run.ev.facts;
    for (const f of run.notes.findings) {
      const key = `${f.start}:${f.kind}`;
      if (f.file !== path || said.has(key)) continue;
      said.add(key);
      findings.push(f);
    }
    layers.push(...layerSites(source, run, layers));
  }
  for (const stmt of source.module.body) if (stmt.kind === 'ClassDef') classes.push(classSite(source, stmt, runs));
  return {
    source,
    // Whoever reports findings alone, of many files that import the same ones, never asks.
    get observations() {
      observations ??= runs.flatMap(run => run.notes.observations(path));
      return observations;
    },
    findings: findings.sort((a, b) => a.start - b.start),
    layers,
    classes,
    facts,
    dependencies: new Set(runs.flatMap(r => [...r.host.files.keys(), ...r.host.checkpoints])),
    limits: runs.flatMap(r => r.limits),
  };
}

function layerSites(source: SourceFile, run: Run, before: readonly LayerSite[]): LayerSite[] {
  const sites = new Map<string, LayerSite>();
  const calls = callsOf(source);
  for (const use of run.notes.layers.values()) {
    if (use.place.file !== source.path || !isModule(use.instance)) continue;
    const found = calls.get(`${use.place.start}:${use.place.end}`);
    const key = `${use.place.start}`;
    if (!found || sites.has(key) || before.some(l => l.start === use.place.start)) continue;
    sites.set(key, {
      ...use.place,
      node: found.call,
      name: found.name,
      instance: run.notes.lasting(use.instance),
      view: run.notes.view,
      inputs: use.inputs,
      outputs: use.outputs,
    });
  }
  return [...sites.values()];
}

const callTables = new WeakMap<SourceFile, Map<string, { call: Call; name: string | null }>>();

/** Every call of a file by its place, with the name it is assigned to. */
function callsOf(source: SourceFile): Map<string, { call: Call; name: string | null }> {
  const known = callTables.get(source);
  if (known) return known;
  const table = new Map<string, { call: Call; name: string | null }>();
  walk(source.module, (node: Node) => {
    if (node.kind === 'Call') {
      const key = `${node.start}:${node.end}`;
      if (!table.has(key)) table.set(key, { call: node, name: null });
    } else if (node.kind === 'Assign' && node.value.kind === 'Call') {
      const target = node.targets[0];
      const { start, end } = target;
      table.set(`${node.value.start}:${node.value.end}`, { call: node.value, name: source.text.slice(start, end) });
    }
  });
  callTables.set(source, table);
  return table;
}

function classSite(source: SourceFile, stmt: Stmt & { kind: 'ClassDef' }, runs: readonly Run[]): ClassSite {
  let instance: InstanceValue | null = null;
  let known: ClassValue | null = null;
  for (const run of runs) {
    const module = run.ev.modules.get(source.path);
    const cls = module?.attributes.get(stmt.name);
    if (cls?.kind === 'class') known = cls;
    for (const use of run.notes.layers.values())
      if (!instance && use.instance.cls.node === stmt) instance = run.notes.lasting(use.instance);
    instance ??= run.notes.selfOf(stmt);
  }
  return {
    file: source.path,
    start: stmt.start,
    end: stmt.end,
    name: stmt.name,
    isModule: known !== null && isModuleClass(known),
    instance,
  };
}
