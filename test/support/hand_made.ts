/**
 * Analyses made by hand, for tests of what reads them: rules and editor features.
 *
 * Places are given by the code that stands there: `place('self.fc2(x)')` is the range of its first occurrence.
 */
import { Facts } from '../../engine/src/dims/facts';
import { source as arrayNode } from '../../engine/src/graph/graph';
import type { ArrayType } from '../../engine/src/graph/op';
import type { RefusalDetail, RefusalKind } from '../../engine/src/graph/refusal';
import type {
  ClassSite,
  FileAnalysis,
  Finding,
  LayerSite,
  Observation,
  SourceFile,
} from '../../server/src/analysis/types';
import { array, instance, nativeClass, type Origin, type Value } from '../../server/src/interpreter/values';
import type { Call } from '../../server/src/python/ast';
import { parse } from '../../server/src/python/parse';
import { LineIndex } from '../../server/src/python/positions';
import { nodeAt } from '../../server/src/python/walk';

export const sourceFile = (text: string, path = '/w/net.py'): SourceFile => ({
  path,
  text,
  module: parse(text),
  lines: new LineIndex(text),
});

export interface HandMade extends FileAnalysis {
  readonly source: SourceFile;
  place(code: string, occurrence?: number): Origin;
}

export interface Parts {
  findings?: (at: HandMade['place']) => readonly Finding[];
  observations?: (at: HandMade['place']) => readonly Observation[];
  layers?: (at: HandMade['place']) => readonly LayerSite[];
  classes?: (at: HandMade['place']) => readonly ClassSite[];
}

export function analysisOf(text: string, parts: Parts = {}, path?: string): HandMade {
  const source = sourceFile(text, path);
  const place = (code: string, occurrence = 0): Origin => {
    let start = text.indexOf(code);
    for (let i = 0; i < occurrence; i++) start = text.indexOf(code, start + 1);
    if (start < 0) throw new Error(`the source does not hold ${code}`);
    return { file: source.path, start, end: start + code.length };
  };
  // Layers first: findings may name them.
  const layers = (parts.layers?.(place) ?? []).map(layer => ({ ...layer, node: callAt(source, layer) }));
  return {
    source,
    place,
    layers,
    findings: parts.findings?.(place) ?? [],
    observations: parts.observations?.(place) ?? [],
    classes: parts.classes?.(place) ?? [],
    facts: { program: new Facts(), reader: new Facts(), entry: new Facts() },
    dependencies: new Set(),
    limits: [],
  };
}

function callAt(source: SourceFile, { start, end }: Origin): Call {
  const found = nodeAt(source.module, start).findLast(n => n.kind === 'Call' && n.start === start && n.end === end);
  if (found?.kind !== 'Call') throw new Error(`there is no call at ${start}`);
  return found;
}

export const finding = (
  kind: RefusalKind,
  at: Origin,
  message: string,
  detail: RefusalDetail = {},
  more: Partial<Finding> = {},
): Finding => ({ kind, ...at, message, detail, view: 'reader', chain: [at], related: [], ...more });

export const observation = (
  name: string | null,
  at: Origin,
  type: ArrayType | null,
  more: Partial<Observation> & { value?: Value } = {},
): Observation => ({
  kind: 'assign',
  ...at,
  name,
  view: 'reader',
  function: '<module>',
  value: array(arrayNode(type ?? { shape: null, dtype: null })),
  type,
  ...more,
});

/** A layer of a class of that name, with arrays as parameters. */
export function layerSite(
  className: string,
  at: Origin,
  parameters: Readonly<Record<string, ArrayType>> = {},
  more: Partial<LayerSite> = {},
): LayerSite {
  const made = instance(nativeClass(className, [nativeClass('Module', [])]), at);
  for (const [name, type] of Object.entries(parameters))
    made.attributes.set(name, array(arrayNode(type, { label: name })));
  const node = undefined as unknown as Call; // `analysisOf` finds it
  return { ...at, node, name: null, instance: made, view: 'reader', inputs: [], outputs: [], ...more };
}
