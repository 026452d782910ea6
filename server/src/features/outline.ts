/**
 * The model outline: classes, the layers they make, and the parameters of these; and document symbols from the same
 * walk.
 */
import { type DocumentSymbol, SymbolKind } from 'vscode-languageserver';
import type { Facts } from '../../../engine/src/dims/facts';
import { showType } from '../../../engine/src/graph/show';
import type { LayerSite } from '../analysis/types';
import type { InstanceValue } from '../interpreter/values';
import type { OutlineNode } from '../protocol';
import type { ClassDef, FunctionDef, Stmt } from '../python/ast';
import { classNameSpan, classTarget, type DocumentView, layerTarget } from './document';
import { flowText } from './layer-card';
import { countJson, parameterCount, parameterTree } from './parameters';

export function outline(view: DocumentView): OutlineNode[] {
  const nodes: OutlineNode[] = [];
  const { analysis } = view;
  const inClasses = new Set<LayerSite>();
  for (const stmt of analysis.source.module.body) {
    if (stmt.kind !== 'ClassDef') continue;
    const site = analysis.classes.find(c => c.start === stmt.start && c.isModule);
    if (!site) continue;
    const layers = analysis.layers.filter(l => stmt.start <= l.start && l.end <= stmt.end);
    for (const layer of layers) inClasses.add(layer);
    nodes.push(classNode(view, stmt, site.instance, layers));
  }
  for (const layer of analysis.layers) if (!inClasses.has(layer)) nodes.push(layerNode(view, layer));
  return nodes;
}

function classNode(
  view: DocumentView,
  node: ClassDef,
  instance: InstanceValue | null,
  layers: readonly LayerSite[],
): OutlineNode {
  const tree = instance && parameterTree(instance, view.analysis.facts.reader);
  return {
    kind: 'class',
    name: node.name,
    detail: '',
    flow: null,
    parameters: tree && countJson(parameterCount(tree)),
    ...view.places.location({ file: view.analysis.source.path, ...classNameSpan(node) }),
    target: classTarget(view, node),
    children: layers.map(layer => layerNode(view, layer)),
  };
}

function layerNode(view: DocumentView, layer: LayerSite): OutlineNode {
  const facts: Facts = view.analysis.facts[layer.view];
  const tree = parameterTree(layer.instance, facts);
  const place = view.places.location(layer);
  return {
    kind: 'layer',
    name: layer.name?.replace(/^self\./, '') ?? layer.instance.cls.name,
    detail: layer.instance.cls.name,
    flow: flowText(layer.inputs, layer.outputs),
    parameters: countJson(parameterCount(tree)),
    ...place,
    target: layerTarget(view, layer),
    children: tree.entries.map(entry => ({
      kind: 'parameter' as const,
      name: entry.path,
      detail: showType(entry.type),
      flow: null,
      parameters: countJson(parameterCount({ entries: [entry], complete: true })),
      ...place,
      target: null,
      children: [],
    })),
  };
}

/** Classes with their layers and methods, and functions with what they return. */
export function documentSymbols(view: DocumentView): DocumentSymbol[] {
  return view.analysis.source.module.body.flatMap(stmt => symbolOf(view, stmt) ?? []);
}

function symbolOf(view: DocumentView, stmt: Stmt): DocumentSymbol | null {
  if (stmt.kind !== 'ClassDef' && stmt.kind !== 'FunctionDef') return null;
  const range = view.range(stmt);
  const selectionRange = view.range(classNameSpan(stmt as ClassDef));
  if (!range || !selectionRange) return null;
  if (stmt.kind === 'FunctionDef')
    return { name: stmt.name, kind: SymbolKind.Function, range, selectionRange, detail: returned(view, stmt) };
  const layers = view.analysis.layers.filter(l => l.name && stmt.start <= l.start && l.end <= stmt.end);
  const fields = layers.flatMap(layer => {
    const place = view.range(layer);
    const name = layer.name!.replace(/^self\./, '');
    const detail = layer.instance.cls.name;
    return place ? [{ name, detail, kind: SymbolKind.Field, range: place, selectionRange: place }] : [];
  });
  const methods = stmt.body.flatMap(s => {
    const symbol = symbolOf(view, s);
    return symbol ? [{ ...symbol, kind: s.kind === 'FunctionDef' ? SymbolKind.Method : symbol.kind }] : [];
  });
  return { name: stmt.name, kind: SymbolKind.Class, range, selectionRange, children: [...fields, ...methods] };
}

function returned(view: DocumentView, node: FunctionDef): string | undefined {
  const types = view.analysis.observations.filter(
    o => o.kind === 'return' && o.type && node.start <= o.start && o.end <= node.end,
  );
  const texts = [...new Set(types.map(o => showType(o.type!)))];
  return texts.length === 1 ? `→ ${texts[0]}` : undefined;
}
