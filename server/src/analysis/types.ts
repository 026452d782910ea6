/**
 * What an analysis of a file answers: the one source that every feature, rule and command reads.
 *
 * A file is read in up to three views. `program`: as Python would run it; numbers. `reader`: every function and class not
 * reached that way, with its parameters as symbols. `entry`: a class with a config and input shapes, on request.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { RefusalDetail, RefusalKind } from '../../../engine/src/graph/refusal';
import type { ArraysInFile } from '../interpreter/interpreter';
import type { InstanceValue, Origin, Value } from '../interpreter/values';
import type { Call, Module } from '../python/ast';
import type { LineIndex } from '../python/positions';

export type View = 'program' | 'reader' | 'entry';

/** A Python file as read. Shared between analyses while its text does not change. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly module: Module;
  readonly lines: LineIndex;
}

export type SiteKind = 'assign' | 'arg' | 'return' | 'expr';

/** A value seen at a place. The same place holds one observation for each different value. */
export interface Observation extends Origin {
  readonly kind: SiteKind;
  readonly view: View;
  /** The target as written (`h`, `self.weight`), the parameter, `<return>`; for `expr` null. */
  readonly name: string | null;
  /** `Attention.__call__`, or `<module>`. */
  readonly function: string;
  /** The value with everything learnt by the end of its view put in. */
  readonly value: Value;
  /** For arrays: what the value's shape and dtype resolve to. */
  readonly type: ArrayType | null;
}

export interface Related {
  readonly origin: Origin;
  readonly message: string;
}

/** Something MLX would refuse, or another finding of a rule. */
export interface Finding extends Origin {
  /** The refusal's kind; the rules give each its code. */
  readonly kind: RefusalKind;
  readonly message: string;
  readonly detail: RefusalDetail;
  readonly view: View;
  /** The calls that led here, outermost first; the last is the place itself. */
  readonly chain: readonly Origin[];
  readonly related: readonly Related[];
}

/** A layer that the source makes: what lenses, hovers and "Run" attach to. */
export interface LayerSite extends Origin {
  /** The constructor's call. */
  readonly node: Call;
  /** The name it is assigned to as written (`self.q_proj`), or null. */
  readonly name: string | null;
  readonly instance: InstanceValue;
  readonly view: View;
  /** Types of the first argument it was called with, distinct ones. */
  readonly inputs: readonly ArrayType[];
  readonly outputs: readonly ArrayType[];
}

export interface ClassSite extends Origin {
  readonly name: string;
  /** Whether it derives from nn.Module, so that it can be an entry. */
  readonly isModule: boolean;
  /** An instance made in the reader's view (its dims may be symbols), or null when making it failed. */
  readonly instance: InstanceValue | null;
}

export interface FileAnalysis {
  readonly source: SourceFile;
  /** Sorted by start, then kind. */
  readonly observations: readonly Observation[];
  readonly findings: readonly Finding[];
  readonly layers: readonly LayerSite[];
  readonly classes: readonly ClassSite[];
  /** What is known of symbols at the end, by view: `facts.reader.resolve(dim)`. */
  readonly facts: Readonly<Record<View, Facts>>;
  /** Files whose text this analysis depends on. */
  readonly dependencies: ReadonlySet<string>;
  /** Why something was cut short (budget), for the log; empty when nothing was. */
  readonly limits: readonly string[];
}

/** An input of an entry: `inputs=int32[2,7]`, or one with values from a file. */
export interface InputSpec {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly Dim[];
}

export interface EntryRequest {
  readonly file: string;
  /** A class, a function, or a module-level name. */
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>> | null;
  readonly inputs: readonly InputSpec[];
  readonly seed: number | null;
}

/** Where the analyser finds sources. Both answers must be cheap; an implementation may cache. */
export interface SourceProvider {
  /** The file, or null where there is none (or it is not loaded yet: the provider then announces it later). */
  source(path: string): SourceFile | null;
  /** The file that `import name` means in `from` (`level` leading dots), or null for what is not in reach. */
  resolve(name: string, level: number, from: string): string | null;
  /** The arrays that a checkpoint holds, by name; null where it cannot be read, or not at once. */
  arraysIn?(path: string): ArraysInFile | null;
}
