/** One run of a view, and parts of it that are taken back. */
import { tentatively } from '../interpreter/branches';
import { BudgetSpent, type Evaluator, moduleFrame, PythonRaise } from '../interpreter/evaluator';
import type { ModuleValue, Value } from '../interpreter/values';
import type { WorkspaceHost } from './host';
import type { Notes } from './notes';

/** A run of one view: the evaluator's world after it, and what it saw. */
export interface Run {
  readonly ev: Evaluator;
  readonly notes: Notes;
  readonly host: WorkspaceHost;
  readonly limits: string[];
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
    note(run, e);
  }
}

function note(run: Run, e: unknown): void {
  if (e instanceof BudgetSpent) run.limits.push(e.message);
  else if (e instanceof PythonRaise) {
    if (e.refusal && e.place) run.notes.refuse(e.refusal, e.place, [e.place]);
    else run.limits.push(`raises ${describeRaised(e.value)}`);
  } else if (e instanceof RangeError) run.limits.push('nests too deeply to follow');
  else throw e;
}

/**
 * Runs one reading in a frame of the module and takes back what it did, findings and observations apart. Where it
 * yields, what it did so far stands: whoever goes on with something else has to end it first.
 */
export function* isolated(run: Run, main: ModuleValue, read: () => Iterable<void> | void): Generator<void> {
  const { ev, notes } = run;
  const { length: depth } = ev.frames;
  const { recorder, steps, muted } = ev;
  ev.recorder = notes;
  ev.frames.push(moduleFrame(main, null));
  ev.steps = 0;
  const { takeBack } = tentatively(ev);
  try {
    const parts = read();
    if (parts) yield* parts;
  } catch (e) {
    // A reading that raises says nothing: whoever calls the function may never get there.
    if (!(e instanceof PythonRaise)) note(run, e);
  } finally {
    notes.keep();
    ev.frames.length = depth + 1;
    takeBack();
    ev.frames.length = depth;
    ev.steps = steps;
    ev.muted = muted;
    ev.catching = 0;
    ev.recorder = recorder;
  }
}
