/**
 * What a rule says of a place in the source: the one shape that the editor and the command line show.
 */
import type { RefusalDetail } from '../../../engine/src/graph/refusal';
import type { FileAnalysis, Finding, SourceFile } from '../analysis/types';
import type { Origin } from '../interpreter/values';

export type Severity = 'error' | 'warning' | 'info';

/** A rule as documentation and reports name it. Its page is `docs/rules/<code>.md`. */
export interface Rule {
  /** `MLX101`. */
  readonly code: string;
  /** `linear-input`. */
  readonly name: string;
  readonly severity: Severity;
  /** One sentence: what MLX refuses, or what is wrong. */
  readonly summary: string;
}

export interface Edit extends Origin {
  readonly newText: string;
}
export interface Fix {
  /** `Make the layer 256 wide`, as a menu shows it. */
  readonly title: string;
  readonly edits: readonly Edit[];
}

export interface RelatedPlace extends Origin {
  readonly message: string;
}

/** A second place that the same fault shows at: the layer's constructor. For the editor only. */
export interface Companion extends Origin {
  readonly message: string;
}

export interface Diagnostic extends Origin {
  readonly rule: Rule;
  readonly message: string;
  readonly related: readonly RelatedPlace[];
  readonly fixes: readonly Fix[];
  readonly companion: Companion | null;
  readonly detail: RefusalDetail;
}

/** What a rule may look at beside the finding. */
export interface RuleContext {
  readonly analysis: FileAnalysis;
  /** Any file's source, for findings and layers in other files. */
  source(path: string): SourceFile | null;
}

/** What a rule family makes of a refusal: its rule, and what it adds. Parts left out are taken from the finding. */
export interface Judgement {
  readonly rule: Rule;
  readonly message?: string;
  readonly fixes?: readonly Fix[];
  readonly companion?: Companion | null;
  /** A narrower place than the finding's, to underline. */
  readonly place?: Origin;
}

export type Judge = (finding: Finding, context: RuleContext) => Judgement;
