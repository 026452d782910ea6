/**
 * Hover: an array's type in every context and where its axes come from; a layer's card with its live output; an MLX
 * name's signature with a link to its documentation.
 */
import { type Hover, MarkupKind, type Position } from 'vscode-languageserver';
import { type Dim, type DimSymbol, symbolsOf } from '../../../engine/src/dims/dim';
import { showType } from '../../../engine/src/graph/show';
import type { LayerSite, Observation } from '../analysis/types';
import type { QuantizeRow, RunResult } from '../protocol';
import type { Node } from '../python/ast';
import { classNameSpan, type DocumentView } from './document';
import type { LayerPreview } from './executor';
import { flowText, moduleCard } from './layer-card';
import { arrayMethod, type MlxName, mlxImports, mlxName, mlxPath } from './mlx-names';
import { histogramUri, shortValue } from './picture';
import { hasShape, showValue } from './show';

/** Makes a layer's output for a hover; null where it cannot or takes too long. */
export type PreviewLayer = (layer: LayerSite) => Promise<LayerPreview | null>;

const MOST_CONTEXTS = 8;

export async function hover(
  view: DocumentView,
  position: Position,
  preview: PreviewLayer | null,
): Promise<Hover | null> {
  if (!view.settings.hover.enabled) return null;
  const offset = view.offset(position);
  const path = view.nodesAt(offset);
  const parts: string[] = [];
  const named = nameAt(view, path, offset);
  const site = named && !named.isMethod ? [] : observationsAt(view, path, offset);
  if (site.length > 0) parts.push(arraySection(view, site));
  const layer = view.layerAt(path);
  if (layer) parts.push(...(await layerSections(view, layer, preview)));
  const cls = path.findLast(n => n.kind === 'ClassDef');
  if (cls?.kind === 'ClassDef' && isOn(classNameSpan(cls), offset)) {
    const found = view.analysis.classes.find(c => c.start === cls.start);
    if (found?.instance && found.isModule)
      parts.push(moduleCard(cls.name, found.instance, view.analysis.facts[factsView(view)]));
  }
  if (named) parts.push(nameSection(named.name));
  if (parts.length === 0) return null;
  const last = path.at(-1)!;
  const range = last.kind === 'Module' ? undefined : (view.range(last) ?? undefined);
  return { contents: { kind: MarkupKind.Markdown, value: parts.join('\n\n---\n\n') }, range };
}

const isOn = (span: { start: number; end: number }, offset: number): boolean =>
  span.start <= offset && offset <= span.end;

/** Classes are seen by readers, unless an entry was chosen. */
const factsView = (view: DocumentView) =>
  view.analysis.observations.some(o => o.view === 'entry') ? 'entry' : 'reader';

// ---- arrays -----------------------------------------------------------------------------------------------------------

/** What was seen at the innermost node that holds the offset: a name, a parameter, or an expression. */
function observationsAt(view: DocumentView, path: readonly Node[], offset: number): readonly Observation[] {
  const sites = [...view.sites().values()];
  for (const node of [...path].reverse()) {
    if (node.kind === 'FunctionDef' || node.kind === 'ClassDef' || node.kind === 'Module') return [];
    // On `x.shape`, the cursor on `x` asks for x and on `shape` for the whole.
    if (node.kind === 'Call' && !isOn(calleeSpan(node), offset)) return [];
    const found = sites.filter(([o]) => o.start === node.start && o.end === node.end && !isStatement(node));
    if (found.length > 0) return found.flat();
    if (node.kind === 'Param' || node.kind === 'KeywordArg' || isStatement(node)) return [];
  }
  return [];
}

const calleeSpan = (node: Node & { kind: 'Call' }) => ({ start: node.start, end: node.func.end });
const isStatement = (node: Node): boolean => node.kind === 'Return' || node.kind === 'ExprStmt';

function arraySection(view: DocumentView, site: readonly Observation[]): string {
  const facts = view.analysis.facts[site[0].view];
  // A context that knows nothing of the shape says nothing beside one that does.
  const told = site.filter(o => !o.type || hasShape(o.type));
  const texts = [
    ...new Set((told.length > 0 ? told : site).map(o => (o.type ? showType(o.type) : showValue(o.value, facts)))),
  ];
  const name = site.find(o => o.name !== null)?.name;
  const shown = texts.slice(0, MOST_CONTEXTS).map(text => (name ? `${name}: ${text}` : text));
  if (texts.length > MOST_CONTEXTS) shown.push(`# and ${texts.length - MOST_CONTEXTS} more`);
  const parts = [`\`\`\`python\n${shown.join('\n')}\n\`\`\``];
  const legend = symbolLegend(site);
  if (legend) parts.push(legend);
  return parts.join('\n\n');
}

/** What the symbols of the shapes stand for, where that is more than their name. */
function symbolLegend(site: readonly Observation[]): string | null {
  const symbols = new Set<DimSymbol>();
  for (const { type } of site)
    if (Array.isArray(type?.shape)) for (const axis of type.shape as readonly Dim[]) symbolsOf(axis, symbols);
  const lines = [...symbols].flatMap(s => {
    if (s.anonymous) return [];
    if (s.usual !== null) return [`\`${s.name}\` is ${s.usual} by default`];
    return s.flexible ? [`\`${s.name}\` is an axis of an input`] : [];
  });
  return lines.length > 0 ? lines.join('  \n') : null;
}

// ---- layers -----------------------------------------------------------------------------------------------------------

async function layerSections(view: DocumentView, layer: LayerSite, preview: PreviewLayer | null): Promise<string[]> {
  const { instance, name, inputs, outputs } = layer;
  const title = name ? `${name}: ${instance.cls.name}` : instance.cls.name;
  const parts = [moduleCard(title, instance, view.analysis.facts[layer.view], flowText(inputs, outputs))];
  const live = preview && view.settings.hover.liveOutput ? await preview(layer) : null;
  if (live?.result) parts.push(outputSection(live.result));
  if (live && live.rows.length > 0) parts.push(errorTable(live.rows));
  if (live?.unquantized) parts.push(`Cannot be quantized in the usual groups: ${live.unquantized}.`);
  return parts;
}

function outputSection({ outputs, symbols, notes }: RunResult): string {
  const parts: string[] = [];
  for (const { name, shape, dtype, stats } of outputs.slice(0, 2)) {
    const { min, max, mean, std, nan, inf, histogram } = stats;
    const faults = [nan > 0 ? `${nan} NaN` : '', inf > 0 ? `${inf} infinite` : ''].filter(Boolean).join(', ');
    const head = `**${name}** \`${dtype}[${shape.join(', ')}]\`${faults ? ` — ${faults}` : ''}`;
    parts.push(
      `${head}  \nmin ${shortValue(min)} · mean ${shortValue(mean)} · max ${shortValue(max)} · std ${shortValue(std)}`,
    );
    if (histogram) parts.push(`![histogram](${histogramUri(histogram)})`);
  }
  const given = Object.entries(symbols).map(([name, value]) => `${name} = ${value}`);
  const small = [...(given.length > 0 ? [`with ${given.join(', ')}`] : []), ...notes];
  if (small.length > 0) parts.push(`*${small.join('; ')}*`);
  return parts.join('\n\n');
}

function errorTable(rows: readonly QuantizeRow[]): string {
  const lines = rows.map(r => {
    const error = `${(100 * (r.output ?? r.weight).relativeError).toFixed(2)} %`;
    const sqnr = (r.output ?? r.weight).sqnrDb;
    const kind = r.mode === 'affine' ? `${r.bits}-bit g${r.groupSize}` : r.mode;
    return `| ${kind} | ${r.bitsPerWeight.toFixed(2)} | ${error} | ${sqnr === null ? 'exact' : `${sqnr.toFixed(1)} dB`} |`;
  });
  const what = rows.some(r => r.output) ? 'output error' : 'weight error';
  return [`| quantized | bits a weight | ${what} | SQNR |`, '| --- | --- | --- | --- |', ...lines].join('\n');
}

// ---- names ------------------------------------------------------------------------------------------------------------

/** The MLX name that the cursor is on: of a module, or a method of an array. */
function nameAt(
  view: DocumentView,
  path: readonly Node[],
  offset: number,
): { name: MlxName; isMethod: boolean } | null {
  const node = path.at(-1);
  if (node?.kind === 'Attribute' && offset >= node.attrStart) {
    const dotted = mlxPath(node, mlxImports(view.analysis.source.module));
    if (dotted) {
      const name = mlxName(dotted);
      return name && { name, isMethod: false };
    }
    const owner = view.analysis.observations.find(
      o => o.start === node.value.start && o.end === node.value.end && o.type,
    );
    const name = owner ? arrayMethod(node.attr) : null;
    return name && { name, isMethod: true };
  }
  if (node?.kind === 'Name') {
    const dotted = mlxPath(node, mlxImports(view.analysis.source.module));
    const name = dotted ? mlxName(dotted) : null;
    return name && { name, isMethod: false };
  }
  return null;
}

function nameSection({ path, signature, url }: MlxName): string {
  const code = signature ? `\`\`\`python\n${signature}\n\`\`\`\n\n` : '';
  return `${code}[${path} in MLX’s documentation](${url})`;
}
