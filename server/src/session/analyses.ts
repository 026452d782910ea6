/**
 * Analyses of the documents that an editor shows: made when asked for, kept until something they read changes.
 */
import { Analyser } from '../analysis/analyser';
import type { EntryRequest, FileAnalysis, InputSpec } from '../analysis/types';
import type { Diagnostic } from '../rules/diagnostic';
import { findingsToDiagnostics, inOrder, type ReportOptions } from '../rules/report';
import type { Workspace } from '../workspace/workspace';

/** How a file is entered beside its own two views. */
export interface Entry {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>> | null;
  /** What the user knows the config by. */
  readonly label: string;
  readonly inputs: readonly InputSpec[];
}

export interface DocumentAnalysis {
  readonly file: FileAnalysis;
  /** Of all files that the document's program reached. */
  readonly diagnostics: readonly Diagnostic[];
  readonly dependencies: ReadonlySet<string>;
  readonly milliseconds: number;
  /** Why the entry could not be followed, for the user. */
  readonly problem: string | null;
}

export class Analyses {
  readonly analyser: Analyser;
  private readonly kept = new Map<string, DocumentAnalysis>();
  private readonly entries = new Map<string, Entry>();

  constructor(
    private readonly workspace: Workspace,
    private readonly reportOptions: () => ReportOptions,
  ) {
    this.analyser = new Analyser(workspace, { keeps: true });
  }

  /** The document's analysis, made now if there is none; null where there is no such file. */
  get(path: string): DocumentAnalysis | null {
    const kept = this.kept.get(path);
    if (kept) return kept;
    if (!this.workspace.source(path)) return null;
    const made = this.make(path);
    this.kept.set(path, made);
    return made;
  }

  isFresh(path: string): boolean {
    return this.kept.has(path);
  }

  /** Forgets what rested on a file; answers the documents to be analysed anew. */
  invalidate(path: string): string[] {
    const stale = [...this.kept].filter(([own, a]) => own === path || a.dependencies.has(path)).map(([own]) => own);
    for (const own of stale) this.kept.delete(own);
    // Analyses know by the sources they read whether they hold; what else changes, they cannot see.
    if (!/\.(py|pyi|ipynb)$/.test(path)) this.analyser.forget();
    else if (!this.workspace.isOpen(path)) this.analyser.forget(path);
    return stale;
  }

  /** Forgets everything: settings or imports have changed. */
  clear(): string[] {
    const all = [...this.kept.keys()];
    this.kept.clear();
    this.analyser.forget();
    return all;
  }

  entry(path: string): Entry | null {
    return this.entries.get(path) ?? null;
  }

  setEntry(path: string, entry: Entry | null): void {
    if (entry) this.entries.set(path, entry);
    else this.entries.delete(path);
    this.kept.delete(path);
  }

  private make(path: string): DocumentAnalysis {
    const began = performance.now();
    const analyses = this.analyser.analyseReached(path);
    let [file] = analyses;
    let problem: string | null = null;
    const dependencies = new Set(file.dependencies);
    const entry = this.entry(path);
    if (entry) {
      try {
        const { name, config, inputs } = entry;
        const request: EntryRequest = { file: path, name, config, inputs, seed: null };
        const entered = this.analyser.entry(request);
        file = withEntry(file, entered);
        analyses[0] = file;
        analyses.push(...entered.reached.filter(a => a.source.path !== path));
        for (const used of entered.dependencies) dependencies.add(used);
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
      }
    }
    const options = this.reportOptions();
    const found = new Map<string, Diagnostic>();
    for (const analysis of analyses)
      for (const d of findingsToDiagnostics(analysis, options)) found.set(`${d.file}:${d.start}:${d.rule.code}`, d);
    const diagnostics = [...found.values()].sort(inOrder);
    return { file, diagnostics, dependencies, milliseconds: performance.now() - began, problem };
  }
}

/** The file's own analysis with what the entry saw of it; layers that the entry made take the place of others. */
function withEntry(own: FileAnalysis, entered: FileAnalysis): FileAnalysis {
  const made = new Set(entered.layers.map(l => l.start));
  const instances = new Map(entered.classes.map(c => [c.start, c]));
  return {
    ...own,
    observations: [...own.observations, ...entered.observations].sort((a, b) => a.start - b.start || a.end - b.end),
    findings: [...entered.findings, ...own.findings],
    layers: [...own.layers.filter(l => !made.has(l.start)), ...entered.layers].sort((a, b) => a.start - b.start),
    classes: own.classes.map(c => (instances.get(c.start)?.instance ? instances.get(c.start)! : c)),
    facts: { ...own.facts, entry: entered.facts.entry },
    limits: [...own.limits, ...entered.limits],
  };
}
