/**
 * Convolution, channels last: input [N, ...spatial, C], weight [out, ...kernel, C / groups].
 *
 * One operation serves them all: a transposed convolution is one whose input is dilated by the stride, padded at both
 * ends by what the kernel reaches, and whose kernel is not turned round twice (`flip`).
 */
import { add, anonymous, type Dim, floorDiv, isKnown, max, min, mul, showDim, sub } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { isFloating, kindOf, promote } from '../dtype';
import { type ArrayType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { rounder } from '../numeric/round';
import { elementCount, type Tensor, tensor } from '../tensor';
import { type Elements, stridesOf } from './positions';

/** Per spatial axis. A negative padding cuts elements off the input. */
export type ConvAttrs = {
  readonly stride: readonly Dim[];
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly kernelDilation: readonly Dim[];
  readonly inputDilation: readonly Dim[];
  readonly groups: Dim;
  readonly flip: boolean;
  /** The function or layer, for messages. */
  readonly name: string;
};

// ---- channels ---------------------------------------------------------------------------------------------------------

/**
 * The refusal of an input whose last axis holds the wrong number of channels: `Conv1d expects 1024 channels on the last
 * axis, the input has 317; axis 1 has 1024: is it channels-first?`
 */
export function wrongChannels(facts: Facts, name: string, type: RankedType, expected: Dim): Refusal {
  const last = type.shape.length - 1;
  const actual = type.shape[last];
  const elsewhere = last > 1 && facts.equal(type.shape[1], expected) === 'yes';
  const hint = elsewhere ? `; axis 1 has ${showDim(expected)}: is it channels-first?` : `: ${showType(type)}`;
  return new Refusal(
    'conv-channels',
    `${name} expects ${showDim(expected)} channels on the last axis, the input has ${showDim(actual)}${hint}`,
    { input: 0, axis: last, expected, actual },
  );
}

/** @throws Refusal where the channels of input, weight and groups do not fit together */
function requireChannels(facts: Facts, input: RankedType, weight: RankedType, { groups, name }: ConvAttrs): void {
  const channels = input.shape[input.shape.length - 1];
  const perGroup = weight.shape[weight.shape.length - 1];
  facts.require(channels, mul(perGroup, groups), () =>
    facts.equal(groups, 1) === 'yes'
      ? wrongChannels(facts, name, input, perGroup)
      : new Refusal(
          'conv-channels',
          `${name} with ${showDim(groups)} groups and weights ${showType(weight)} expects ${showDim(mul(perGroup, groups))} channels on the last axis, the input has ${showDim(channels)}: ${showType(input)}`,
          { input: 0, axis: input.shape.length - 1, expected: mul(perGroup, groups), actual: channels },
        ),
  );
  if (facts.equal(groups, 1) === 'yes') return;
  facts.requireDivides(
    groups,
    weight.shape[0],
    () =>
      new Refusal(
        'conv-channels',
        `${name} cannot divide ${showDim(weight.shape[0])} output channels into ${showDim(groups)} groups: ${showType(weight)}`,
        { input: 1, axis: 0, expected: groups, actual: weight.shape[0] },
      ),
  );
}

// ---- lengths ----------------------------------------------------------------------------------------------------------

/** The setting of spatial axis `i`: one given for all axes holds for each. */
const setting = (values: readonly Dim[], i: number): Dim => (values.length === 1 ? values[0] : values[i]);

/**
 * How far the kernel can move along a spatial axis: null where MLX refuses, because the padded input is shorter.
 * MLX cuts where the padding is negative, before it dilates; and its division rounds towards zero.
 */
function outputLength(facts: Facts, length: Dim, kernel: Dim, attrs: ConvAttrs, i: number): Dim | null {
  const [low, high] = [setting(attrs.low, i), setting(attrs.high, i)];
  const [stride, dilation] = [setting(attrs.stride, i), setting(attrs.inputDilation, i)];
  const lowCut = min(low, 0);
  const highCut = min(high, 0);
  const rest = lowCut === 0 && highCut === 0 ? length : max(0, add(add(length, lowCut), highCut));
  const padded = add(add(add(mul(dilation, sub(rest, 1)), 1), max(low, 0)), max(high, 0));
  const reach = add(mul(setting(attrs.kernelDilation, i), sub(kernel, 1)), 1);
  const room = facts.resolve(sub(padded, reach));
  if (isKnown(room) && isKnown(stride)) {
    const result = Math.trunc(room / stride) + 1;
    return result <= 0 ? null : result;
  }
  if (facts.less(room, 0) === 'yes' && facts.equal(stride, 1) === 'yes') return null;
  return facts.equal(stride, 0) === 'yes' ? anonymous() : add(floorDiv(room, stride), 1);
}

const KINDS = ['stride', 'kernelDilation', 'inputDilation'] as const;
const WORDS = { stride: 'stride', kernelDilation: 'kernel dilation', inputDilation: 'input dilation' } as const;

function requireSettings(facts: Facts, attrs: ConvAttrs, spatial: number): void {
  for (const kind of KINDS) {
    const values = attrs[kind];
    if (values.length !== 1 && values.length !== spatial) throw wrongCount(attrs, WORDS[kind], values, spatial);
    for (const d of values)
      if (facts.less(d, 1) === 'yes')
        throw new Refusal('value', `${attrs.name} needs a positive ${WORDS[kind]}, not ${showDim(d)}`);
  }
  for (const values of [attrs.low, attrs.high])
    if (values.length !== 1 && values.length !== spatial) throw wrongCount(attrs, 'padding', values, spatial);
}

const wrongCount = ({ name }: ConvAttrs, what: string, values: readonly Dim[], spatial: number): Refusal =>
  new Refusal(
    'conv-rank',
    `${name} is given a ${what} for ${values.length} axes, the input has ${spatial} spatial ${spatial === 1 ? 'axis' : 'axes'}`,
  );

/** @throws Refusal of kind 'conv-rank' */
function requireRanks(input: RankedType, weight: RankedType, name: string): number {
  const rank = input.shape.length;
  if (rank < 3 || rank > 5)
    throw new Refusal(
      'conv-rank',
      `${name} takes an input [N, ...spatial, C] of 3 to 5 axes, this has ${rank}: ${showType(input)}`,
      { input: 0, actual: rank },
    );
  if (weight.shape.length !== rank)
    throw new Refusal(
      'conv-rank',
      `${name} needs as many axes in the input as in the weight [out, ...kernel, in], ${weight.shape.length}: ${showType(input)} with ${showType(weight)}`,
      { input: 0, expected: weight.shape.length, actual: rank },
    );
  return rank - 2;
}

const resultType = (input: ArrayType, weight: ArrayType): ArrayType['dtype'] => promote(input.dtype, weight.dtype);

defineOp<ConvAttrs>({
  name: 'conv',
  infer(facts, [input, weight], attrs) {
    const { name, groups } = attrs;
    const spatial = requireRanks(input, weight, name);
    if (input.dtype !== null && !isFloating(input.dtype))
      throw new Refusal('dtype', `${name} takes floating point inputs, not ${showType(input)}`, { input: 0 });
    if (facts.equal(groups, 1) === 'no' && spatial > 2)
      throw new Refusal('conv-channels', `${name} knows groups over one and two spatial axes only: ${showType(input)}`);
    requireSettings(facts, attrs, spatial);
    requireChannels(facts, input, weight, attrs);
    const lengths = input.shape.slice(1, -1).map((length, i) => {
      const kernel = weight.shape[i + 1];
      const result = outputLength(facts, length, kernel, attrs, i);
      if (result === null)
        throw new Refusal(
          'conv-rank',
          `${name} cannot move a kernel of ${showDim(kernel)} along axis ${i + 1}, which is ${showDim(length)} long: ${showType(input)} with ${showType(weight)}`,
          { input: 0, axis: i + 1, expected: kernel, actual: length },
        );
      return result;
    });
    return { shape: [input.shape[0], ...lengths, weight.shape[0]], dtype: resultType(input, weight) };
  },
  inferOpen(facts, [input, weight], attrs) {
    const dtype = resultType(input, weight);
    const rank = [input.shape, weight.shape].find((s): s is readonly Dim[] => Array.isArray(s))?.length;
    if (rank === undefined) return { shape: null, dtype };
    const [x, w] = [input.shape, weight.shape].map(s =>
      s instanceof OpenShape ? facts.refineRank(s, rank, AXES[rank - 2]) : (s as readonly Dim[] | null),
    );
    if (!x || !w) return { shape: null, dtype };
    return this.infer(
      facts,
      [
        { ...input, shape: x },
        { ...weight, shape: w },
      ],
      attrs,
    );
  },
  kernel([input, weight], attrs, [out]) {
    return convolve(cast(input, out.dtype), cast(weight, out.dtype), attrs, out.shape);
  },
});

/** Names of the axes of an input of unknown rank, by number of spatial axes. */
const AXES: Readonly<Record<number, readonly string[]>> = {
  1: ['N', 'L', 'C'],
  2: ['N', 'H', 'W', 'C'],
  3: ['N', 'D', 'H', 'W', 'C'],
};

// ---- kernel -----------------------------------------------------------------------------------------------------------

/** Where in the input each place of the kernel reads from at each step, along one spatial axis; -1 for zeros. */
function reads(length: number, kernel: number, steps: number, attrs: ConvAttrs, i: number): Int32Array {
  const at = (values: readonly Dim[]) => Number(setting(values, i));
  const [low, stride] = [at(attrs.low), at(attrs.stride)];
  const [kernelDilation, inputDilation] = [at(attrs.kernelDilation), at(attrs.inputDilation)];
  const first = Math.max(0, -low);
  const last = length - Math.max(0, -at(attrs.high));
  const result = new Int32Array(steps * kernel).fill(-1);
  for (let step = 0; step < steps; step++)
    for (let k = 0; k < kernel; k++) {
      const place = step * stride + (attrs.flip ? kernel - 1 - k : k) * kernelDilation - Math.max(0, low);
      const source = place / inputDilation + first;
      if (place >= 0 && place % inputDilation === 0 && source < last) result[step * kernel + k] = source;
    }
  return result;
}

/** Sums in float32 (float64 for float64), rounded once at the end. */
function convolve(x: Tensor, w: Tensor, attrs: ConvAttrs, shape: readonly number[]): Tensor {
  if (kindOf(x.dtype) === 'complex') throw new Error('convolution of complex numbers has no reference kernel');
  const result = tensor(x.dtype, shape);
  const [values, weights, out] = [x.data as Float32Array, w.data as Float32Array, result.data as Float32Array];
  const spatial = x.shape.length - 2;
  const [inStrides, kernelStrides] = [stridesOf(x.shape), stridesOf(w.shape)];
  const outChannels = shape[spatial + 1];
  const perGroup = w.shape[spatial + 1];
  const outPerGroup = outChannels / Number(attrs.groups);
  const sources = Array.from({ length: spatial }, (_, i) =>
    reads(x.shape[i + 1], w.shape[i + 1], shape[i + 1], attrs, i),
  );
  const [round, store] = [x.dtype === 'float64' ? (v: number) => v : Math.fround, rounder(x.dtype)];
  const kernelShape = w.shape.slice(1, -1);
  const outShape = shape.slice(1, -1);
  const kernelPlaces = [...places(kernelShape)];
  let at = 0;
  for (let n = 0; n < shape[0]; n++)
    for (const step of places(outShape)) {
      const taps = kernelPlaces.flatMap(k => {
        let input = n * inStrides[0];
        let weight = 0;
        for (let i = 0; i < spatial; i++) {
          const source = sources[i][step[i] * kernelShape[i] + k[i]];
          if (source < 0) return [];
          input += source * inStrides[i + 1];
          weight += k[i] * kernelStrides[i + 1];
        }
        return [{ input, weight }];
      });
      for (let o = 0; o < outChannels; o++) {
        const group = Math.floor(o / outPerGroup) * perGroup;
        let total = 0;
        for (const { input, weight } of taps)
          for (let c = 0; c < perGroup; c++)
            total = round(total + round(values[input + group + c] * weights[o * kernelStrides[0] + weight + c]));
        out[at++] = store(total);
      }
    }
  return result;
}

/** Every place of a box, the last axis fastest. */
function* places(shape: readonly number[]): Generator<readonly number[]> {
  const strides = stridesOf(shape);
  const count = elementCount(shape);
  for (let i = 0; i < count; i++) yield shape.map((n, axis) => Math.floor(i / strides[axis]) % n);
}

// ---- one-dimensional --------------------------------------------------------------------------------------------------

defineOp<{ readonly mode: string }>({
  name: 'convolve',
  infer(facts, [a, v], { mode }) {
    const both = `${showType(a)} and ${showType(v)}`;
    if (a.shape.length !== 1 || v.shape.length !== 1)
      throw new Refusal('conv-rank', `convolve takes two arrays of one axis, not ${both}`);
    const [long, short] = [max(a.shape[0], v.shape[0]), min(a.shape[0], v.shape[0])];
    if (facts.equal(short, 0) === 'yes') throw new Refusal('value', `convolve cannot take empty arrays: ${both}`);
    // the longer one is convolved with the other as its kernel
    const shorter = facts.less(a.shape[0], v.shape[0]);
    const input = shorter === 'unknown' ? null : shorter === 'yes' ? v.dtype : a.dtype;
    if (input !== null && !isFloating(input))
      throw new Refusal('dtype', `convolve takes floating point arrays, not ${both}`);
    const dtype = promote(a.dtype, v.dtype);
    if (mode === 'full') return { shape: [sub(add(long, short), 1)], dtype };
    if (mode === 'same') return { shape: [long], dtype };
    if (mode === 'valid') return { shape: [add(sub(long, short), 1)], dtype };
    throw new Refusal('value', `convolve knows the modes full, same and valid, not '${mode}'`);
  },
  inferOpen: (_, [a, v]) => ({ shape: [anonymous()], dtype: promote(a.dtype, v.dtype) }),
  kernel([a, v], { mode }, [out]) {
    if (out.dtype === 'complex64') throw new Error('convolution of complex numbers has no reference kernel');
    const [long, short] = a.shape[0] < v.shape[0] ? [v, a] : [a, v];
    const [x, y] = [cast(long, out.dtype).data as Elements, cast(short, out.dtype).data as Elements];
    const [n, m] = [long.shape[0], short.shape[0]];
    const first = mode === 'full' ? 0 : mode === 'valid' ? m - 1 : Math.floor((m - 1) / 2);
    const result = tensor(out.dtype, out.shape);
    const store = rounder(out.dtype);
    for (let i = 0; i < out.shape[0]; i++) {
      let total = 0;
      for (let j = 0; j < m; j++) {
        const at = i + first - j;
        if (at >= 0 && at < n) total = Math.fround(total + Math.fround((x[at] as number) * (y[j] as number)));
      }
      (result.data as Elements)[i] = store(total);
    }
    return result;
  },
});
