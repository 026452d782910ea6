/**
 * Diagnostics as LSP has them: the fault, and an information at the constructor of the layer that explains it.
 */
import {
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  type Diagnostic as LspDiagnostic,
} from 'vscode-languageserver';
import type { Diagnostic, RelatedPlace } from '../rules/diagnostic';
import type { Places } from './places';

const SEVERITY = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
} as const;

export const SOURCE = 'mlx-scope';

/** Diagnostics by the URI of the document that they belong to. `documentation` is the folder of the rules' pages. */
export function toLsp(
  diagnostics: readonly Diagnostic[],
  places: Places,
  documentation: string | null,
): Map<string, LspDiagnostic[]> {
  const byUri = new Map<string, LspDiagnostic[]>();
  const add = (uri: string, diagnostic: LspDiagnostic): void => {
    const list = byUri.get(uri);
    if (list) list.push(diagnostic);
    else byUri.set(uri, [diagnostic]);
  };
  const relate = ({ message, ...origin }: RelatedPlace): DiagnosticRelatedInformation => ({
    location: places.location(origin),
    message,
  });
  for (const d of diagnostics) {
    const { uri, range } = places.location(d);
    const codeDescription = documentation
      ? { href: `${documentation.replace(/\/$/, '')}/${d.rule.code}.md` }
      : undefined;
    const common = { code: d.rule.code, codeDescription, source: SOURCE };
    add(uri, {
      ...common,
      range,
      severity: SEVERITY[d.rule.severity],
      message: d.message,
      relatedInformation: d.related.map(relate),
    });
    if (!d.companion) continue;
    const at = places.location(d.companion);
    if (at.uri === uri && at.range.start.line === range.start.line) continue;
    add(at.uri, {
      ...common,
      range: at.range,
      severity: DiagnosticSeverity.Information,
      message: d.companion.message,
      relatedInformation: [{ location: { uri, range }, message: d.message }],
    });
  }
  return byUri;
}
