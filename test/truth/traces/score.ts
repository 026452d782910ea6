/**
 * Compares what the interpreter saw at the sites of a trace with what they held.
 *
 * A fact is a site in a scenario of a program: all the values that it had there. It is `right` where ours are the same,
 * `wrong` where one of ours is none of them, and `unknown` where we say less.
 */
import { isKnown } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayType } from '../../../engine/src/graph/op';
import { showType } from '../../../engine/src/graph/show';
import { observationsOf } from '../../../server/src/analysis/observations';
import type { Observation, SourceFile } from '../../../server/src/analysis/types';
import { showValue } from '../../../server/src/features/show';
import type { Value } from '../../../server/src/interpreter/values';
import type { Site, Traced, TracedFile, TracedProgram } from './records';
import type { RanScenario } from './run';

export type Verdict = 'right' | 'unknown' | 'wrong';
/** `array`: arrays that a site held; `int`: ints, and tuples and lists of them. */
export type FactKind = 'array' | 'int';

export interface TraceFact {
  readonly program: string;
  readonly scenario: string;
  readonly file: string;
  readonly site: Site;
  readonly kind: FactKind;
  readonly verdict: Verdict;
  readonly expected: readonly Traced[];
  readonly actual: readonly string[];
}

/** Distinct items that the recorder keeps of a long sequence. */
const MOST_DISTINCT = 6;

const isArray = (t: Traced): t is string => typeof t === 'string' && t.endsWith(']') && !t.startsWith('str:');

const itemsOf = (t: Traced): readonly Traced[] | null => {
  if (typeof t !== 'object' || t === null || 'd' in t) return null;
  return t.of ?? (('t' in t ? t.t : t.l) as readonly Traced[]);
};

function isInt(t: Traced): boolean {
  if (typeof t === 'number') return true;
  const items = itemsOf(t);
  return items !== null && items.length > 0 && items.every(isInt);
}

const KINDS: Readonly<Record<FactKind, (t: Traced) => boolean>> = { array: isArray, int: isInt };

const worst = (parts: readonly Verdict[]): Verdict =>
  parts.includes('wrong') ? 'wrong' : parts.includes('unknown') ? 'unknown' : 'right';

function matchArray(expected: string, { shape, dtype }: ArrayType): Verdict {
  const [, name, axes] = /^(\w+)\[(.*)\]$/.exec(expected)!;
  if (dtype !== null && dtype !== name) return 'wrong';
  if (shape === null) return 'unknown';
  const wanted = axes === '' ? [] : axes.split(',').map(Number);
  const dims = shape instanceof OpenShape ? shape.tail : shape;
  if (shape instanceof OpenShape ? dims.length > wanted.length : dims.length !== wanted.length) return 'wrong';
  const matched = dims.map(
    (d, i): Verdict => (isKnown(d) ? (d === wanted.at(i - dims.length) ? 'right' : 'wrong') : 'unknown'),
  );
  return worst([...matched, shape instanceof OpenShape || dtype === null ? 'unknown' : 'right']);
}

function match(expected: Traced, value: Value, facts: Facts): Verdict {
  if (value.kind === 'unknown') return 'unknown';
  if (value.kind === 'parameter') return value.settled ? match(expected, value.settled, facts) : 'unknown';
  if (value.kind === 'union')
    return value.options.some(o => match(expected, o, facts) !== 'wrong') ? 'unknown' : 'wrong';
  if (typeof expected === 'number') {
    if (value.kind !== 'int') return 'wrong';
    const known = facts.resolve(value.value);
    return isKnown(known) ? (known === expected ? 'right' : 'wrong') : 'unknown';
  }
  if (isArray(expected))
    return value.kind === 'array'
      ? matchArray(expected, { shape: facts.shape(value.node.shape), dtype: value.node.dtype })
      : 'wrong';
  if (typeof expected !== 'object' || expected === null || 'd' in expected) return 'wrong';
  const kind = 't' in expected ? 'tuple' : 'list';
  if (value.kind !== kind) return 'wrong';
  if (!value.items) return 'unknown';
  const wanted = 't' in expected ? expected.t : expected.l;
  if (typeof wanted === 'number') {
    // a long one: how many there are, and the distinct values among the first
    if (value.items.length !== wanted) return 'wrong';
    const whole = expected.of!.length < MOST_DISTINCT;
    return worst(
      value.items.map(item => best([whole ? 'wrong' : 'right', ...expected.of!.map(e => match(e, item, facts))])),
    );
  }
  if (value.items.length !== wanted.length) return 'wrong';
  return worst(value.items.map((item, i) => match(wanted[i], item, facts)));
}

const best = (verdicts: readonly Verdict[]): Verdict =>
  verdicts.includes('right') ? 'right' : verdicts.includes('unknown') ? 'unknown' : 'wrong';

/** Whether an observation can be of this kind at all. */
function isOf(kind: FactKind, value: Value): boolean {
  if (value.kind === 'unknown' || value.kind === 'union') return true;
  if (value.kind === 'parameter') return !value.settled || isOf(kind, value.settled);
  if (kind === 'array') return value.kind === 'array';
  if (value.kind === 'int') return true;
  if (value.kind !== 'tuple' && value.kind !== 'list') return false;
  return !value.items || (value.items.length > 0 && value.items.every(item => isOf('int', item)));
}

/** An expression is told from others that begin there by where it ends, anything else by its name. */
const where = (kind: string, [line, column]: Place, end: Place, name: string | null): string =>
  `${kind} ${line}:${column} ${kind === 'expr' ? end.join(':') : kind === 'return' ? '' : name}`;

/** Line from 1, column from 0 in UTF-8 bytes. */
type Place = readonly [line: number, column: number];

/** Observations by place, in the recorder's columns. */
function placed(observations: readonly Observation[], { text, lines }: SourceFile): Map<string, Observation[]> {
  const place = (offset: number): Place => {
    const { line, column } = lines.lineColumn(offset);
    const before = text.slice(offset - (column - 1), offset);
    return [line, /^[\x20-\x7e\t]*$/.test(before) ? before.length : Buffer.byteLength(before)];
  };
  const table = new Map<string, Observation[]>();
  for (const o of observations) {
    const key = where(o.kind, place(o.start), place(o.end), o.name);
    const known = table.get(key);
    if (known) known.push(o);
    else table.set(key, [o]);
  }
  return table;
}

export interface ScoredFiles {
  /** The source as we read it, by the recorder's name for it; null for one that is not there. */
  source(file: string): SourceFile | null;
  readonly files: { readonly [file: string]: TracedFile };
}

/** Every fact of a program. */
export function scoreProgram(program: TracedProgram, ran: readonly RanScenario[], sources: ScoredFiles): TraceFact[] {
  const scored: TraceFact[] = [];
  for (const [recordedName, { facts: recorded }] of Object.entries(program.scenarios)) {
    const scenario = recordedName.replace('!partial', '');
    const run = ran.find(r => r.name === scenario);
    for (const [file, sites] of Object.entries(recorded)) {
      const source = sources.source(file);
      const seen = run && source ? placed(observationsOf(source.path, [run.notes]), source) : null;
      for (const [index, values] of Object.entries(sites)) {
        const site = sources.files[file].sites[Number(index)];
        const [kind, line, column, endLine, endColumn, , name] = site;
        const observed = seen?.get(where(kind, [line, column], [endLine, endColumn], name)) ?? [];
        for (const factKind of ['array', 'int'] as const) {
          const expected = values.filter(KINDS[factKind]);
          if (expected.length === 0) continue;
          const ours = observed.filter(o => isOf(factKind, o.value));
          scored.push({
            program: program.id,
            scenario: recordedName,
            file,
            site,
            kind: factKind,
            verdict: verdictOf(expected, ours, run?.facts),
            expected,
            actual: ours.map(o => describe(o, run!.facts)),
          });
        }
      }
    }
  }
  return scored;
}

function verdictOf(expected: readonly Traced[], ours: readonly Observation[], facts: Facts | undefined): Verdict {
  if (ours.length === 0 || !facts) return 'unknown';
  const missing = new Set(expected);
  let all: Verdict = 'right';
  for (const o of ours) {
    const verdicts = expected.map(
      (e): Verdict => (o.type ? (isArray(e) ? matchArray(e, o.type) : 'wrong') : match(e, o.value, facts)),
    );
    all = worst([all, best(verdicts)]);
    for (const [i, v] of verdicts.entries()) if (v === 'right') missing.delete(expected[i]);
  }
  return all === 'right' && missing.size > 0 ? 'unknown' : all;
}

function describe(o: Observation, facts: Facts): string {
  return o.type ? showType(o.type) : showValue(o.value, facts);
}
