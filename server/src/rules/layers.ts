/**
 * Faults that a layer's constructor explains: where the layer was made, and which argument would have to change.
 */
import { isKnown, showDim } from '../../../engine/src/dims/dim';
import type { Finding } from '../analysis/types';
import type { InstanceValue, Value } from '../interpreter/values';
import type { Call, Expr } from '../python/ast';
import { nodeAt } from '../python/walk';
import type { Companion, Fix, RuleContext } from './diagnostic';

/** The constructor argument that says how wide a layer's input is: position and keyword, by class. */
const WIDTH_ARGUMENT: Readonly<Record<string, readonly [position: number, keyword: string]>> = {
  Linear: [0, 'input_dims'],
  QuantizedLinear: [0, 'input_dims'],
  QQLinear: [0, 'input_dims'],
  Conv1d: [0, 'in_channels'],
  Conv2d: [0, 'in_channels'],
  Conv3d: [0, 'in_channels'],
  ConvTranspose1d: [0, 'in_channels'],
  ConvTranspose2d: [0, 'in_channels'],
  ConvTranspose3d: [0, 'in_channels'],
  LayerNorm: [0, 'dims'],
  RMSNorm: [0, 'dims'],
  InstanceNorm: [0, 'dims'],
  GroupNorm: [1, 'dims'],
  BatchNorm: [0, 'num_features'],
  RNN: [0, 'input_size'],
  GRU: [0, 'input_size'],
  LSTM: [0, 'input_size'],
  MultiHeadAttention: [0, 'dims'],
};

/** The instance in a refusal's `layer`, which the engine does not know the type of. */
export function layerOf(finding: Finding): InstanceValue | null {
  const layer = finding.detail.layer as Value | null | undefined;
  return layer?.kind === 'instance' ? layer : null;
}

/** The call that made an instance, or null where its source is not at hand. */
export function constructorCall(layer: InstanceValue, context: RuleContext): Call | null {
  const { origin } = layer;
  if (!origin) return null;
  const site = context.analysis.layers.find(l => l.instance.id === layer.id);
  if (site) return site.node;
  const source = context.source(origin.file);
  if (!source) return null;
  const node = nodeAt(source.module, origin.start).findLast(
    n => n.kind === 'Call' && n.start === origin.start && n.end === origin.end,
  );
  return node?.kind === 'Call' ? node : null;
}

/** The argument that decides the layer's input width, as written; null where the call is not plainly of that class. */
export function widthArgument(className: string, call: Call): Expr | null {
  const parameter = WIDTH_ARGUMENT[className];
  // A layer inside a built-in layer (MultiHeadAttention's Linear) has the outer constructor's place.
  if (!parameter || calledName(call) !== className) return null;
  const [position, keyword] = parameter;
  const named = call.keywords.find(k => k.arg === keyword);
  if (named) return named.value;
  const before = call.args.slice(0, position + 1);
  return before.some(a => a.kind === 'Starred') ? null : (call.args[position] ?? null);
}

const calledName = ({ func }: Call): string | null =>
  func.kind === 'Attribute' ? func.attr : func.kind === 'Name' ? func.id : null;

/** The companion at the layer's constructor, with the fix where the wrong number is a literal there. */
export function layerFault(finding: Finding, context: RuleContext): { companion: Companion | null; fixes: Fix[] } {
  const layer = layerOf(finding);
  const { actual, expected } = finding.detail;
  if (!layer?.origin || actual === undefined) return { companion: null, fixes: [] };
  const { name } = layer.cls;
  const call = constructorCall(layer, context);
  const argument = call && widthArgument(name, call);
  const wanted = expected === undefined ? '' : `${showDim(expected)} wide`;
  const companion = {
    ...layer.origin,
    message: `This ${name} is ${wanted || 'made for another width'}; it gets ${showDim(actual)}`,
  };
  const fixes: Fix[] = [];
  if (argument?.kind === 'Int' && isKnown(actual) && argument.value !== actual && !fitsElsewhere(layer, context)) {
    const place = { file: layer.origin.file, start: argument.start, end: argument.end };
    fixes.push({ title: `Make the ${name} ${actual} wide`, edits: [{ ...place, newText: `${actual}` }] });
  }
  return { companion, fixes };
}

/** Whether another call of the layer succeeds, which a change of its width would break. */
const fitsElsewhere = (layer: InstanceValue, context: RuleContext): boolean =>
  context.analysis.layers.some(site => site.instance.id === layer.id && site.outputs.length > 0);
