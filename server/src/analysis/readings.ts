/**
 * Readings of a file that are kept from one edit to the next: each holds until a function that it entered gets another
 * body, or the world that it was read in is another.
 */
import type { FunctionDef, Lambda, Node } from '../python/ast';
import { Notes } from './notes';
import type { Readings } from './reader';
import type { Run } from './run';

/** Functions that were entered, by the version that their bodies had. */
export type Entered = ReadonlyMap<FunctionDef | Lambda, number>;

const versionOf = (node: FunctionDef | Lambda): number => (node.kind === 'FunctionDef' ? (node.version ?? 0) : 0);

export const enteredIn = (notes: Notes): Entered => new Map([...notes.reached].map(node => [node, versionOf(node)]));

export const isUnchanged = (entered: Entered): boolean =>
  [...entered].every(([node, version]) => versionOf(node) === version);

interface Reading {
  readonly run: Run;
  /** The reading that made the object of this one. */
  readonly base: Reading | null;
  entered: Entered | null;
}

const isCurrent = ({ entered, base }: Reading): boolean =>
  entered !== null && isUnchanged(entered) && (base === null || isCurrent(base));

export class KeptReadings implements Readings {
  private readonly kept = new Map<Node, Reading>();
  private readonly byRun = new Map<Run, Reading>();
  /** What this analysis asked for. */
  private readonly wanted = new Set<Node>();

  constructor(before: KeptReadings | null) {
    for (const [node, reading] of before?.kept ?? []) if (isCurrent(reading)) this.kept.set(node, reading);
  }

  holds(node: Node): boolean {
    this.wanted.add(node);
    return this.kept.has(node);
  }

  open(run: Run, node: Node, base: Run | null): Run {
    const notes = new Notes('reader', base?.notes ?? null);
    notes.facts = run.ev.facts;
    notes.subject = base?.notes.subject ?? node;
    const own: Run = { ...run, notes, limits: [] };
    const reading: Reading = { run: own, base: (base && this.byRun.get(base)) ?? null, entered: null };
    this.byRun.set(own, reading);
    // An object is made again so that one method can be read: what was noted when it was made first holds.
    if (!this.kept.has(node)) this.kept.set(node, reading);
    return own;
  }

  /** Ends the readings so far: what they entered is what it is now. */
  seal(): void {
    for (const reading of this.byRun.values()) reading.entered ??= enteredIn(reading.run.notes);
  }

  /** The runs of the readings that were asked for, in the order in which what was read stands in the file. */
  runs(): Run[] {
    return [...this.kept]
      .filter(([node]) => this.wanted.has(node))
      .sort(([a], [b]) => a.start - b.start)
      .map(([, { run }]) => run);
  }
}
