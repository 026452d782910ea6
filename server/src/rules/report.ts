/**
 * From what an analysis found to what is shown: judged by the rules, placed in the user's own code, each fault once,
 * without what settings and comments silence.
 */
import type { FileAnalysis, Finding } from '../analysis/types';
import type { Origin } from '../interpreter/values';
import type { Diagnostic, RelatedPlace, RuleContext } from './diagnostic';
import { JUDGES, LINTS } from './index';
import { Seen } from './lint';
import { isSelected, type Selection, Suppressions } from './selection';

export interface ReportOptions {
  /** What holds for a file: settings select and ignore by folder. */
  selection(path: string): Selection;
  /** Whether a file belongs to the user, and not to an installed package; findings are placed in such files. */
  isOwn(path: string): boolean;
  source: RuleContext['source'];
}

/** The diagnostics of an analysis, for whichever files they fall in, in order of place. */
export function findingsToDiagnostics(analysis: FileAnalysis, options: ReportOptions): Diagnostic[] {
  const context: RuleContext = { analysis, source: options.source };
  const suppressions = new Map<string, Suppressions | null>();
  const suppressionsOf = (path: string): Suppressions | null => {
    let found = suppressions.get(path);
    if (found === undefined) {
      const source = options.source(path);
      suppressions.set(path, (found = source && new Suppressions(source)));
    }
    return found;
  };
  const shown = new Map<string, Diagnostic>();
  const seen = new Seen(analysis);
  const linted = options.isOwn(analysis.source.path) ? LINTS.flatMap(lint => [...lint(seen)]) : [];
  for (const diagnostic of [...analysis.findings.map(f => judge(f, context, options)), ...linted]) {
    const { rule, file, start, end } = diagnostic;
    if (!isSelected(rule, options.selection(file)) || suppressionsOf(file)?.silences(rule, start, end)) continue;
    // The views, and several calls of one function, may find the same fault: the first says it.
    const key = `${file}:${start}:${end}:${rule.code}`;
    if (!shown.has(key)) shown.set(key, diagnostic);
  }
  return [...shown.values()].sort(inOrder);
}

export const inOrder = (a: Diagnostic, b: Diagnostic): number =>
  (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) || a.start - b.start || a.end - b.end || compare(a, b);

const compare = (a: Diagnostic, b: Diagnostic): number => (a.rule.code < b.rule.code ? -1 : 1);

function judge(finding: Finding, context: RuleContext, options: ReportOptions): Diagnostic {
  const judged = JUDGES[finding.kind](finding, context);
  const origin: Origin = judged.place ?? finding;
  // A fault inside an installed package belongs to the innermost call in the user's code.
  const own = options.isOwn(origin.file) ? null : finding.chain.findLast(call => options.isOwn(call.file));
  const place = own ?? origin;
  return {
    file: place.file,
    start: place.start,
    end: place.end,
    rule: judged.rule,
    message: judged.message ?? finding.message,
    related: relatedPlaces(finding, origin, place, judged.companion ?? null),
    fixes: judged.fixes ?? [],
    companion: judged.companion ?? null,
    detail: finding.detail,
  };
}

function relatedPlaces(
  finding: Finding,
  origin: Origin,
  place: Origin,
  companion: Diagnostic['companion'],
): RelatedPlace[] {
  const places: RelatedPlace[] = [];
  const add = ({ file, start, end }: Origin, message: string): void => {
    const isKnown = places.some(p => p.file === file && p.start === start && p.end === end);
    if (!isKnown && !(file === place.file && start === place.start && end === place.end))
      places.push({ file, start, end, message });
  };
  if (companion) add(companion, companion.message);
  for (const { origin: at, message } of finding.related) add(at, message);
  if (place !== origin) add(origin, finding.message);
  // Innermost first, as one reads back from the fault; the last link is the place itself.
  for (const call of finding.chain.slice(0, -1).reverse()) add(call, 'called from here');
  return places;
}
