/**
 * Scores the reader's view against traces: what is known, without a config, of the arrays that `__call__` methods assign,
 * and whether it holds for each model once its config's numbers are put in.
 *
 * A local is a place in a `__call__` where some traced model assigned an array. Its rank is known when everything seen
 * there has one; it is complete when every axis is a number or made of named symbols. A contradiction is a traced shape
 * that none of the shapes seen there can be: symbols named after fields of the config have the config's numbers, others
 * one number each in a call.
 */
import { type Dim, type DimSymbol, isKnown, type Poly, symbolsOf } from '../../../engine/src/dims/dim';
import type { ArrayType } from '../../../engine/src/graph/op';
import { showType } from '../../../engine/src/graph/show';
import type { FileAnalysis, Observation } from '../../../server/src/analysis/types';
import type { Site, Traced, TracedProgram, Traces } from '../traces/records';

export interface Contradiction {
  readonly program: string;
  readonly scenario: string;
  readonly traced: string;
}

/** A local of a `__call__`, with what is known of it. */
export interface LocalScore {
  readonly file: string;
  readonly line: number;
  readonly function: string;
  readonly name: string;
  readonly hasRank: boolean;
  readonly isComplete: boolean;
  /** What was seen, as hovers write it. */
  readonly seen: readonly string[];
  readonly contradictions: readonly Contradiction[];
}

type Numbers = ReadonlyMap<string, number>;

const isShape = (t: Traced): t is string => typeof t === 'string' && t.endsWith(']') && !t.startsWith('str:');
const axesOf = (text: string): number[] => {
  const inner = text.slice(text.indexOf('[') + 1, -1);
  return inner === '' ? [] : inner.split(',').map(Number);
};

/** The config's whole numbers by field; a name that means two of them means none. */
export function configNumbers(config: unknown): Map<string, number> {
  const numbers = new Map<string, number>();
  const doubtful = new Set<string>();
  const read = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, v] of Object.entries(value)) {
      if (typeof v !== 'number') read(v);
      else if (numbers.has(name) && numbers.get(name) !== v) doubtful.add(name);
      else numbers.set(name, v);
    }
  };
  read(config);
  for (const name of doubtful) numbers.delete(name);
  return numbers;
}

/** What symbols stand for in one call; those of the config by name, others as they are met. */
class Binding {
  private readonly met = new Map<DimSymbol, number>();

  constructor(private readonly config: Numbers) {}

  private valueOf(s: DimSymbol): number | null {
    return this.met.get(s) ?? (s.flexible ? null : (this.config.get(s.name) ?? null));
  }

  private evaluate(d: Dim): number | null {
    if (isKnown(d)) return d;
    let total = 0;
    for (const { coefficient, factors } of d.terms) {
      let product = coefficient;
      for (const { atom, power } of factors) {
        const value = atom.form === 'symbol' ? this.valueOf(atom) : this.both(atom);
        if (value === null) return null;
        product *= value ** power;
      }
      total += product;
    }
    return total;
  }

  private both(atom: { form: 'quotient' | 'min' | 'max'; left: Dim; right: Dim }): number | null {
    const [left, right] = [this.evaluate(atom.left), this.evaluate(atom.right)];
    if (left === null || right === null) return null;
    return atom.form === 'quotient' ? Math.floor(left / right) : Math[atom.form](left, right);
  }

  /** Whether the shape can be these numbers; if so, its symbols are those numbers from now on. */
  admits(shape: readonly Dim[], axes: readonly number[]): boolean {
    if (shape.length !== axes.length) return false;
    const before = new Map(this.met);
    // Symbols that stand alone first: they say what the others are.
    const order = shape.map((_, i) => i).sort((a, b) => termCount(shape[a]) - termCount(shape[b]));
    for (const i of order) {
      const value = this.evaluate(shape[i]);
      const alone = value === null ? loneSymbol(shape[i]) : null;
      if (alone) this.met.set(alone, axes[i]);
      else if (value !== null && value !== axes[i]) {
        this.met.clear();
        for (const [s, n] of before) this.met.set(s, n);
        return false;
      }
    }
    return true;
  }
}

const termCount = (d: Dim): number => (isKnown(d) ? 0 : d.terms.reduce((n, t) => n + 1 + t.factors.length, 0));

function loneSymbol(d: Dim): DimSymbol | null {
  const [term, ...more] = (d as Poly).terms;
  const [factor] = term.factors;
  const isAlone = more.length === 0 && term.coefficient === 1 && term.factors.length === 1 && factor.power === 1;
  return isAlone && factor.atom.form === 'symbol' && !factor.atom.anonymous ? factor.atom : null;
}

const ranked = ({ shape }: ArrayType): readonly Dim[] | null =>
  Array.isArray(shape) ? (shape as readonly Dim[]) : null;
const isNamed = (d: Dim): boolean => [...symbolsOf(d)].every(s => !s.anonymous);

export const siteKey = (line: number, name: string | null): string => `${line}:${name}`;

/** Scores the locals of one file. `traces` are those whose programs may have run it, by the recorder's `file` name. */
export function scoreReader(file: string, analysis: FileAnalysis, traces: readonly Traces[]): LocalScore[] {
  const seen = new Map<string, Observation[]>();
  for (const o of analysis.observations) {
    if (o.kind !== 'assign') continue;
    const key = siteKey(analysis.source.lines.lineColumn(o.start).line, o.name);
    seen.set(key, [...(seen.get(key) ?? []), o]);
  }
  const locals = new Map<string, LocalScore & { contradictions: Contradiction[] }>();
  for (const { meta, programs } of traces) {
    const table = meta.files[file];
    if (!table) continue;
    for (const program of programs)
      for (const { scenario, func, site, shapes } of arraysOf(program, table.sites, table.funcs, file)) {
        const key = siteKey(site[1], site[6]);
        const observed = seen.get(key) ?? [];
        let local = locals.get(key);
        if (!local)
          locals.set(
            key,
            (local = { file, line: site[1], function: func, name: site[6]!, ...known(observed), contradictions: [] }),
          );
        const types = observed.flatMap(o => (o.type ? [o.type] : []));
        if (types.length === 0 || types.some(t => !ranked(t)) || observed.some(o => o.value.kind === 'unknown'))
          continue;
        for (const traced of shapes) {
          const fits = types.some(t => new Binding(configNumbers(program.config)).admits(ranked(t)!, axesOf(traced)));
          if (!fits) local.contradictions.push({ program: program.id, scenario, traced });
        }
      }
  }
  return [...locals.values()].sort((a, b) => a.line - b.line);
}

function known(observed: readonly Observation[]): Pick<LocalScore, 'hasRank' | 'isComplete' | 'seen'> {
  // Where a place may hold something that is certainly no array, the arrays among what it holds are asked about.
  const held = observed.filter(o => o.type || o.value.kind === 'unknown' || o.value.kind === 'parameter');
  const shapes = held.map(o => o.type && ranked(o.type));
  const hasRank = shapes.length > 0 && shapes.every(s => s !== null);
  return {
    hasRank,
    isComplete: hasRank && shapes.every(s => s!.every(isNamed)),
    seen: [
      ...new Set(
        observed.map(o =>
          o.type ? showType(o.type) : o.value.kind === 'unknown' ? `? (${o.value.reason})` : o.value.kind,
        ),
      ),
    ],
  };
}

interface TracedArrays {
  readonly scenario: string;
  readonly func: string;
  readonly site: Site;
  readonly shapes: readonly string[];
}

/** The arrays that a program assigned in `__call__` methods of a file. */
function* arraysOf(
  program: TracedProgram,
  sites: readonly Site[],
  funcs: readonly string[],
  file: string,
): Generator<TracedArrays> {
  for (const [scenario, { facts }] of Object.entries(program.scenarios))
    for (const [index, values] of Object.entries(facts[file] ?? {})) {
      const site = sites[Number(index)];
      const func = funcs[site[5]] ?? '';
      if (site[0] !== 'assign' || !/(^|\.)__call__$/.test(func)) continue;
      const shapes = values.filter(isShape);
      if (shapes.length > 0) yield { scenario, func, site, shapes };
    }
}
