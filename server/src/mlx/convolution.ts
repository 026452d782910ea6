/**
 * `mx.conv1d` and its kin: their arguments as the settings of one `conv` operation.
 */
import { add, type Dim, mul, sub } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { ConvAttrs } from '../../../engine/src/ops/convolution';
import type { BuiltinValue, Value } from '../interpreter/values';
import { type Call, define } from './define';
import { keepingDtype } from './sequences';

const WORDS: Readonly<Record<number, string>> = { 1: 'an int', 2: 'an int or two', 3: 'an int or three' };

/** A setting for `spatial` axes: an int for all, or one for each; a single axis takes the int alone. */
function perAxis(c: Call, name: string, spatial: number): Dim[] {
  const v = c.value(name);
  if (v.kind !== 'tuple' && v.kind !== 'list') return Array<Dim>(spatial).fill(c.dim(name));
  const values = c.dims(name);
  if (spatial === 1 || values.length !== spatial) throw c.wrong(name, WORDS[spatial]);
  return values;
}

function record(c: Call, input: ArrayNode, weight: ArrayNode, attrs: Omit<ConvAttrs, 'name'>): Value {
  return c.interpreter.record('conv', [input, weight], { ...attrs, name: c.signature.name });
}

/** Input and weight, and what `run` makes of them; of unknown shape where a setting is not known. */
function convolving(c: Call, run: (input: ArrayNode, weight: ArrayNode) => Value): Value {
  const [input, weight] = [c.arrayOnly('input'), c.arrayOnly('weight')];
  return keepingDtype(c, input, () => run(input, weight));
}

const forward = (spatial: number): BuiltinValue =>
  define(`mx.conv${spatial}d(input, weight, /, stride=1, padding=0, dilation=1, groups=1, *, stream=None)`, c =>
    convolving(c, (input, weight) => {
      const padding = perAxis(c, 'padding', spatial);
      return record(c, input, weight, {
        stride: perAxis(c, 'stride', spatial),
        low: padding,
        high: padding,
        kernelDilation: perAxis(c, 'dilation', spatial),
        inputDilation: [1],
        groups: c.dim('groups'),
        flip: false,
      });
    }),
  );

const transposed = (spatial: number): BuiltinValue =>
  define(
    `mx.conv_transpose${spatial}d(input, weight, /, stride=1, padding=0, dilation=1, output_padding=0, groups=1, *, stream=None)`,
    c =>
      convolving(c, (input, weight) => {
        const dilation = perAxis(c, 'dilation', spatial);
        const padding = perAxis(c, 'padding', spatial);
        const extra = perAxis(c, 'output_padding', spatial);
        const kernel = kernelLengths(c, weight, spatial);
        if (kernel === null) return c.interpreter.source({ shape: null, dtype: input.dtype });
        // what the kernel reaches beyond its first element, less what the padding takes away
        const low = padding.map((p, i) => sub(mul(dilation[i], sub(kernel[i], 1)), p));
        return record(c, input, weight, {
          stride: [1],
          low,
          high: low.map((d, i) => add(d, extra[i])),
          kernelDilation: dilation,
          inputDilation: perAxis(c, 'stride', spatial),
          groups: c.dim('groups'),
          flip: true,
        });
      }),
  );

/** The weight's spatial axes; ones that it does not have count as 1, and its rank is refused when recorded. */
function kernelLengths(c: Call, weight: ArrayNode, spatial: number): Dim[] | null {
  const { facts } = c.interpreter;
  const known = facts.shape(weight.shape);
  const shape = known instanceof OpenShape ? facts.refineRank(known, spatial + 2) : known;
  if (shape === null) return null;
  const kernel = shape.slice(1, -1);
  return Array.from({ length: spatial }, (_, i) => kernel[i] ?? 1);
}

/** `padding` of conv_general: for both ends alike, or `(low, high)`, a sequence each. */
function bothEnds(c: Call): readonly [Dim[], Dim[]] {
  const v = c.value('padding');
  const parts = v.kind === 'tuple' || v.kind === 'list' ? c.items('padding').map(p => c.interpreter.settled(p)) : [];
  const sequences = parts.filter(p => p.kind === 'tuple' || p.kind === 'list');
  if (sequences.length === 0) return [c.dims('padding'), c.dims('padding')];
  if (sequences.length !== 2 || parts.length !== 2)
    throw c.wrong('padding', 'an int, a sequence of ints or two of them');
  const [low, high] = sequences.map(s =>
    (s.items ?? []).map(item => c.asDim(c.interpreter.settleAs(item, 'int'), 'padding')),
  );
  return [low, high];
}

const general = define(
  'mx.conv_general(input, weight, /, stride=1, padding=0, kernel_dilation=1, input_dilation=1, groups=1, flip=False, *, stream=None)',
  c =>
    convolving(c, (input, weight) => {
      const [low, high] = bothEnds(c);
      return record(c, input, weight, {
        stride: c.dims('stride'),
        low,
        high,
        kernelDilation: c.dims('kernel_dilation'),
        inputDilation: c.dims('input_dilation'),
        groups: c.dim('groups'),
        flip: c.flag('flip'),
      });
    }),
);

export const convolutionFunctions: readonly BuiltinValue[] = [
  ...[1, 2, 3].map(forward),
  ...[1, 2, 3].map(transposed),
  general,
  define("mx.convolve(a, v, /, mode='full', *, stream=None)", c =>
    c.interpreter.record('convolve', [c.arrayOnly('a'), c.arrayOnly('v')], { mode: c.text('mode') }),
  ),
];
