/**
 * Diagnostics as LSP has them: the fault, and an information at the constructor of the layer that explains it.
 */
import {
  type Connection,
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  type Diagnostic as LspDiagnostic,
} from 'vscode-languageserver';
import type { Diagnostic, RelatedPlace } from '../rules/diagnostic';
import { uriOfPath } from '../workspace/paths';
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

/**
 * Keeps what each document's analysis said of which file, since several may speak of the same one, and tells the client
 * the union.
 */
export class DiagnosticsPublisher {
  /** Analysed path → what it says, by URI. */
  private readonly said = new Map<string, Map<string, LspDiagnostic[]>>();

  constructor(
    private readonly connection: Connection,
    private readonly places: Places,
    private readonly documentation: string | null,
  ) {}

  publish(path: string, diagnostics: readonly Diagnostic[]): void {
    const before = this.said.get(path);
    const now = toLsp(diagnostics, this.places, this.documentation);
    // An open document is told when it is clean, too.
    const uris = new Set([...(before?.keys() ?? []), ...now.keys(), uriOfPath(path)]);
    this.said.set(path, now);
    for (const uri of uris) this.send(uri);
  }

  forget(path: string): void {
    const before = this.said.get(path);
    this.said.delete(path);
    for (const uri of before?.keys() ?? []) this.send(uri);
  }

  private send(uri: string): void {
    const all = [...this.said.values()].flatMap(byUri => byUri.get(uri) ?? []);
    const key = ({ range, code, severity }: LspDiagnostic) =>
      `${range.start.line}:${range.start.character}:${code}:${severity}`;
    const distinct = new Map(all.map(d => [key(d), d]));
    void this.connection.sendDiagnostics({ uri, diagnostics: [...distinct.values()] });
  }
}
