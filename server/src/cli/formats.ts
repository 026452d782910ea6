/** How `check` prints findings. */
import { version } from '../../../package.json';
import type { Origin } from '../interpreter/values';
import { RULES } from '../rules';
import type { Diagnostic, Severity } from '../rules/diagnostic';
import { type PlaceJson, type Project, placeOf } from './project';
import { asText } from './text-format';

export interface Totals {
  readonly files: number;
  readonly statistics: boolean;
}
export type FormatName = 'text' | 'json' | 'github' | 'sarif';
type Format = (project: Project, diagnostics: readonly Diagnostic[], totals: Totals) => string;

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  text: asText,
  json: (project, diagnostics) =>
    JSON.stringify(
      diagnostics.map(d => asJson(project, d)),
      null,
      2,
    ),
  github: (project, diagnostics) => diagnostics.map(d => asGithub(project, d)).join('\n'),
  sarif: asSarif,
};

/** One finding of the documented contract. */
export function asJson(project: Project, d: Diagnostic) {
  return {
    code: d.rule.code,
    rule: d.rule.name,
    severity: d.rule.severity,
    message: d.message,
    ...placeOf(project, d),
    related: d.related.map(r => ({ ...placeOf(project, r), message: r.message })),
    fixes: d.fixes.map(f => ({
      title: f.title,
      edits: f.edits.map(e => ({ ...placeOf(project, e), newText: e.newText })),
    })),
  };
}

// ---- GitHub -----------------------------------------------------------------------------------------------------------

const GITHUB_LEVEL: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'notice' };

/** A workflow command; what it may not hold is percent-encoded, in properties also `:` and `,`. */
function asGithub(project: Project, d: Diagnostic): string {
  const { file, range } = placeOf(project, d);
  const data = (s: string) => s.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
  const property = (s: string) => data(s).replace(/:/g, '%3A').replace(/,/g, '%2C');
  const properties = {
    file: property(file),
    line: range.start.line,
    col: range.start.column,
    endLine: range.end.line,
    endColumn: range.end.column,
    title: property(`${d.rule.code} ${d.rule.name}`),
  };
  const list = Object.entries(properties).map(([name, value]) => `${name}=${value}`);
  return `::${GITHUB_LEVEL[d.rule.severity]} ${list.join(',')}::${data(d.message)}`;
}

// ---- SARIF ------------------------------------------------------------------------------------------------------------

const SARIF_LEVEL: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

const region = ({ range: { start, end } }: PlaceJson) => ({
  startLine: start.line,
  startColumn: start.column,
  endLine: end.line,
  endColumn: end.column,
});

const artifact = ({ file }: PlaceJson) => ({ uri: encodeURI(file), uriBaseId: 'ROOT' });

function asSarif(project: Project, diagnostics: readonly Diagnostic[]): string {
  const location = (origin: Origin, message?: string) => {
    const place = placeOf(project, origin);
    return {
      physicalLocation: { artifactLocation: artifact(place), region: region(place) },
      ...(message === undefined ? {} : { message: { text: message } }),
    };
  };
  const used = RULES.filter(rule => diagnostics.some(d => d.rule.code === rule.code));
  const results = diagnostics.map(d => ({
    ruleId: d.rule.code,
    ruleIndex: used.findIndex(rule => rule.code === d.rule.code),
    level: SARIF_LEVEL[d.rule.severity],
    message: { text: d.message },
    locations: [location(d)],
    relatedLocations: d.related.map((r, id) => ({ id, ...location(r, r.message) })),
    fixes: d.fixes.map(fix => ({
      description: { text: fix.title },
      artifactChanges: fix.edits.map(edit => {
        const place = placeOf(project, edit);
        const replacement = { deletedRegion: region(place), insertedContent: { text: edit.newText } };
        return { artifactLocation: artifact(place), replacements: [replacement] };
      }),
    })),
  }));
  const rules = used.map(rule => ({
    id: rule.code,
    name: rule.name,
    shortDescription: { text: rule.summary },
    defaultConfiguration: { level: SARIF_LEVEL[rule.severity] },
  }));
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'mlx-scope', version, rules } }, columnKind: 'utf16CodeUnits', results }],
  };
  return JSON.stringify(log, null, 2);
}
