/**
 * Lenses: run, quantize and count the parameters of module classes, and of their layers where these are few.
 */
import type { CodeLens, Command, Range } from 'vscode-languageserver';
import type { InstanceValue } from '../interpreter/values';
import { COMMANDS, type CommandArgument, type Target } from '../protocol';
import type { ClassDef } from '../python/ast';
import { walk } from '../python/walk';
import { classNameSpan, classTarget, type DocumentView, layerTarget } from './document';
import { countText, parameterCount, parameterTree } from './parameters';

/** With more layers than this in a file, lenses above each would drown the code. */
const MOST_LAYERS = 12;

/** Layers with nothing to run or quantize worth a line of its own. */
const WITHOUT_LENS = /^(Dropout|Identity|ReLU|GELU|SiLU|Tanh|Sigmoid|Softmax)/;

export function codeLenses(view: DocumentView): CodeLens[] {
  if (!view.settings.codeLens.enabled) return [];
  const { analysis } = view;
  const lenses: CodeLens[] = [];
  for (const node of classesOf(view)) {
    const site = analysis.classes.find(c => c.start === node.start && c.isModule);
    const range = view.range(classNameSpan(node));
    if (site && range) lenses.push(...above(view, range, classTarget(view, node), site.instance, true));
  }
  const layers = analysis.layers.filter(l => l.instance.cls.node === null && !WITHOUT_LENS.test(l.instance.cls.name));
  if (layers.length > MOST_LAYERS) return lenses;
  for (const layer of layers) {
    const range = view.range(layer);
    if (range)
      lenses.push(...above(view, range, layerTarget(view, layer), layer.instance, canQuantize(layer.instance)));
  }
  return lenses;
}

function classesOf(view: DocumentView): ClassDef[] {
  const found: ClassDef[] = [];
  walk(view.analysis.source.module, node => {
    if (node.kind === 'ClassDef') found.push(node);
  });
  return found;
}

export const canQuantize = (instance: InstanceValue): boolean =>
  instance.cls.mro.some(c => c.attributes.has('to_quantized'));

function above(
  view: DocumentView,
  range: Range,
  target: Target,
  instance: InstanceValue | null,
  quantizable: boolean,
): CodeLens[] {
  const argument: CommandArgument = { uri: view.uri, target };
  const lens = (title: string, command: string): CodeLens => ({
    range,
    command: { title, command, arguments: [argument] } satisfies Command,
  });
  const lenses = [lens('▷ Run', COMMANDS.run)];
  if (quantizable) lenses.push(lens('Quantize & compare', COMMANDS.quantize));
  const count = instance && countText(parameterCount(parameterTree(instance, view.analysis.facts.reader)));
  if (count) lenses.push(lens(count, COMMANDS.summary));
  return lenses;
}
