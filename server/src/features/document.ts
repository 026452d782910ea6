/**
 * What a feature is given: one document, its analysis, and the ways from one to the other.
 */
import type { Position, Range } from 'vscode-languageserver';
import type { FileAnalysis, LayerSite, Observation } from '../analysis/types';
import type { Origin } from '../interpreter/values';
import type { Settings, Target } from '../protocol';
import type { ClassDef, Node } from '../python/ast';
import { enclosingClass, nodeAt } from '../python/walk';
import type { Places } from './places';

export class DocumentView {
  constructor(
    readonly uri: string,
    readonly analysis: FileAnalysis,
    readonly places: Places,
    readonly settings: Settings,
  ) {}

  get text(): string {
    return this.analysis.source.text;
  }

  /** The range in this document, or null where the place is in another (another cell of the notebook). */
  range(place: { start: number; end: number }): Range | null {
    return this.places.rangeIn(this.uri, { file: this.analysis.source.path, start: place.start, end: place.end });
  }

  offset(position: Position): number {
    return this.places.offset(this.uri, position);
  }

  nodesAt(offset: number): Node[] {
    return nodeAt(this.analysis.source.module, offset);
  }

  /**
   * What was seen, by place: of the entry where one was chosen, else of both other views. Observations of one place
   * differ by value.
   */
  sites(): Map<string, Observation[]> {
    const { observations } = this.analysis;
    const entered = new Set(observations.filter(o => o.view === 'entry').map(siteKey));
    const sites = new Map<string, Observation[]>();
    for (const o of observations) {
      const key = siteKey(o);
      if (o.view !== 'entry' && entered.has(key)) continue;
      const site = sites.get(key);
      if (site) site.push(o);
      else sites.set(key, [o]);
    }
    return sites;
  }

  /** The layer that is made at, or called by the name that stands at, a path of nodes. */
  layerAt(path: readonly Node[]): LayerSite | null {
    const { layers } = this.analysis;
    for (const node of [...path].reverse()) {
      if (node.kind === 'Call') {
        const made = layers.find(l => l.start === node.start && l.end === node.end);
        if (made) return made;
      } else if (node.kind === 'Attribute' || node.kind === 'Name') {
        const named = this.layerNamed(this.text.slice(node.start, node.end), enclosingClass(path));
        if (named) return named;
      } else if (node.kind !== 'KeywordArg') return null;
    }
    return null;
  }

  private layerNamed(name: string, cls: ClassDef | null): LayerSite | null {
    const inside = (l: LayerSite) => !cls || !name.startsWith('self.') || (cls.start <= l.start && l.end <= cls.end);
    return this.analysis.layers.find(l => l.name === name && inside(l)) ?? null;
  }
}

const siteKey = (o: Observation): string => `${o.kind}:${o.start}:${o.end}`;

/** Where the name of a class stands in its `class` statement. */
export const classNameSpan = (node: ClassDef): { start: number; end: number } => ({
  start: node.nameStart,
  end: node.nameStart + node.name.length,
});

export function layerTarget(view: DocumentView, layer: LayerSite): Target {
  return { kind: 'layer', name: layer.name ?? layer.instance.cls.name, range: view.range(layer) };
}

export function classTarget(view: DocumentView, node: ClassDef): Target {
  return { kind: 'class', name: node.name, range: view.range(classNameSpan(node)) };
}

/** Whether two places are the same. */
export const samePlace = (a: Origin, b: Origin): boolean => a.file === b.file && a.start === b.start && a.end === b.end;
