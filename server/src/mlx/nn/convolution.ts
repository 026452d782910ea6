/**
 * Convolutions and transposed convolutions over one, two and three axes: channels last, weights [out, ...kernel, in].
 */
import { anonymous, type Dim, floorDiv, isKnown, mul, product, showDim } from '../../../../engine/src/dims/dim';
import { type ClassValue, int, tuple, type Value } from '../../interpreter/values';
import { optionalBias, uniformWeight } from './initial';
import { defineLayer, type Layer } from './layer';

/** The axes that convolutions of each number of spatial axes are called over, for messages and symbols. */
const AXES: Readonly<Record<number, readonly string[]>> = {
  1: ['N', 'L', 'C'],
  2: ['N', 'H', 'W', 'C'],
  3: ['N', 'D', 'H', 'W', 'C'],
};

/** An argument that is one int for every spatial axis or a sequence of them. A single axis keeps its plain int. */
function perAxis(l: Layer, name: string, spatial: number): Value {
  const v = l.interpreter.settleAs(l.value(name), 'int');
  const one = v.kind === 'int' || v.kind === 'bool';
  return one && spatial > 1 ? tuple(Array.from({ length: spatial }, () => v)) : v;
}

/** The sizes of the kernel. @throws Refusal for what is no size: text, None, floats, too few */
function kernelSizes(l: Layer, spatial: number): readonly Dim[] {
  const v = perAxis(l, 'kernel_size', spatial);
  const size = (item: Value): Dim => {
    if (item.kind === 'int') return item.value;
    if (item.kind === 'bool' && item.value !== null) return Number(item.value);
    return anonymous();
  };
  const isSequence = v.kind === 'tuple' || v.kind === 'list';
  const wanted = spatial === 1 ? 'an int' : `an int or ${spatial} of them`;
  if (['str', 'none', 'float', 'dict'].includes(v.kind) || (spatial === 1 && isSequence))
    throw l.call.wrong('kernel_size', wanted);
  if (!isSequence) return Array.from({ length: spatial }, () => (spatial === 1 ? size(v) : anonymous()));
  if (!v.items) return Array.from({ length: spatial }, () => anonymous());
  if (v.items.length < spatial) throw l.call.wrong('kernel_size', wanted);
  return v.items.map(size);
}

/** The input must have the weight's rank, and its channels on the last axis. */
function expectChannels(l: Layer, x: Value, channels: Dim, spatial: number): void {
  const name = l.self.cls.name;
  const axes = AXES[spatial];
  const shape = l.ranked(x, axes.length, axes);
  if (shape.length !== axes.length)
    throw l.refusal(
      'conv-rank',
      `${name} expects ${axes.length} axes [${axes.join(', ')}], x has ${shape.length}: ${l.show(x)}`,
      { expected: axes.length, actual: shape.length },
    );
  const { facts } = l.interpreter;
  const last = shape[shape.length - 1];
  facts.require(last, channels, () => {
    const first = facts.equal(shape[1], channels) === 'yes' ? '; they are on axis 1, and MLX wants them last' : '';
    return l.refusal(
      'conv-channels',
      `${name} expects ${showDim(channels)} channels on the last axis, x has ${showDim(last)}: ${l.show(x)}${first}`,
      { axis: -1, expected: channels, actual: last },
    );
  });
}

interface Convolution {
  readonly name: string;
  readonly spatial: number;
  readonly transposed: boolean;
  /** Arguments of the function after the weight, which are the layer's attributes too. */
  readonly settings: readonly string[];
}

const convolution = ({ name, spatial, transposed, settings }: Convolution): ClassValue =>
  defineLayer({
    name,
    init: `(in_channels, out_channels, kernel_size, ${settings.map(s => `${s}=${DEFAULTS[s]}`).join(', ')}, bias=True)`,
    construct(l) {
      const [input, output] = [l.dim('in_channels'), l.dim('out_channels')];
      const kernel = kernelSizes(l, spatial);
      const groups = settings.includes('groups') ? l.dim('groups') : 1;
      requireGroups(l, input, groups);
      const perGroup = floorDiv(input, groups);
      uniformWeight(l, [output, ...kernel, perGroup], product([perGroup, ...kernel.slice(0, spatial)]));
      optionalBias(l, () => l.set('bias', l.mx.zeros([output])));
      for (const setting of settings)
        l.set(setting, EXPANDED.has(setting) ? perAxis(l, setting, spatial) : l.value(setting));
    },
    call: '(x)',
    forward(l) {
      const x = l.input('x');
      const weight = l.get('weight');
      const groups = settings.includes('groups') ? l.size('groups') : 1;
      if (x.kind === 'array' && x.node.shape !== null && l.shape(weight)?.length === spatial + 2)
        expectChannels(l, x, mul(l.axis(weight, -1), groups), spatial);
      const func = transposed ? `conv_transpose${spatial}d` : `conv${spatial}d`;
      const y = l.mx.call(func, [x, weight, ...settings.map(setting => l.get(setting))]);
      const bias = l.member('bias');
      return bias ? l.mx.add(y, bias) : y;
    },
    repr(l) {
      const shape = l.shape(l.get('weight')) ?? [];
      const groups = settings.includes('groups') ? l.size('groups') : 1;
      const kernel = shape.slice(1, -1).map(int);
      const shown = settings.map(setting => `${setting}=${l.text(l.get(setting))}`).join(', ');
      const size = l.text(spatial === 1 ? kernel[0] : tuple(kernel));
      const channels = l.text(mul(shape[shape.length - 1], groups));
      return `${channels}, ${l.text(shape[0])}, kernel_size=${size}, ${shown}, bias=${l.has('bias')}`;
    },
  });

const DEFAULTS: Readonly<Record<string, number>> = { stride: 1, padding: 0, dilation: 1, groups: 1, output_padding: 0 };
/** Settings that the constructor repeats for every spatial axis. */
const EXPANDED = new Set(['stride', 'padding', 'output_padding']);

function requireGroups(l: Layer, channels: Dim, groups: Dim): void {
  if (groups === 1 || (isKnown(groups) && groups === 0)) return;
  l.interpreter.facts.requireDivides(groups, channels, () =>
    l.refusal(
      'conv-channels',
      `${l.self.cls.name} cannot divide ${showDim(channels)} input channels into ${showDim(groups)} groups`,
      { expected: groups, actual: channels },
    ),
  );
}

const SETTINGS = ['stride', 'padding', 'dilation'];

export const convolutionLayers: readonly ClassValue[] = [1, 2, 3].flatMap(spatial => [
  convolution({
    name: `Conv${spatial}d`,
    spatial,
    transposed: false,
    settings: spatial === 3 ? SETTINGS : [...SETTINGS, 'groups'],
  }),
  convolution({
    name: `ConvTranspose${spatial}d`,
    spatial,
    transposed: true,
    settings: [...SETTINGS, 'output_padding'],
  }),
]);
