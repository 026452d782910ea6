/** Answers to `mlx-scope/shapes` and `mlx-scope/summary`: an analysis of their own, with the config that they name. */
import type { Analyser } from '../analysis/analyser';
import type { InstanceValue } from '../interpreter/values';
import type { ShapeRow, ShapesParams, SummaryParams, SummaryResult } from '../protocol';
import { inputSpecs } from '../session/inputs';
import { uriOfPath } from '../workspace/paths';
import type { DocumentView } from './document';
import { summarize } from './parameters';
import type { Places } from './places';
import { shapeRows } from './shape-rows';

type Config = Readonly<Record<string, unknown>> | null;

export function shapesOf(analyser: Analyser, places: Places, params: ShapesParams, config: Config): ShapeRow[] {
  const file = places.path(params.uri);
  const analyses = params.entry
    ? analyser.entry({ file, name: params.entry, config, inputs: inputSpecs(params.inputs), seed: null }).reached
    : [analyser.analyse(file)];
  return analyses.flatMap(a => shapeRows(a, uriOfPath(a.source.path), params.all ?? false));
}

/** @throws Error where the target makes no module */
export function summaryOf(
  analyser: Analyser,
  view: DocumentView,
  { target, config: given }: SummaryParams,
  config: Config,
): SummaryResult {
  const { name, kind, range } = target;
  if (kind === 'layer') {
    const start = range && view.offset(range.start);
    const layer = view.analysis.layers.find(l => (start === null ? l.name === name : l.start === start));
    if (!layer) throw new Error(`there is no layer ${name} any more`);
    return summarize(name, layer.instance, view.analysis.facts[layer.view]);
  }
  const analysis =
    given === null
      ? view.analysis
      : analyser.entry({ file: view.analysis.source.path, name, config, inputs: [], seed: null });
  const instance: InstanceValue | null | undefined = analysis.classes.find(c => c.name === name)?.instance;
  if (!instance) throw new Error(`${name} could not be made, so its parameters are not known`);
  return summarize(name, instance, analysis.facts[given === null ? 'reader' : 'entry']);
}
