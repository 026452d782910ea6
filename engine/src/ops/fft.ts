/**
 * Fourier transforms: fftn and its inverse, of real arrays too.
 */
import { add, type Dim, floorDiv, mul, showDim, sub } from '../dims/dim';
import { Facts } from '../dims/facts';
import { showShape } from '../dims/shape';
import type { DType } from '../dtype';
import { type ArrayType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { transformLine } from '../numeric/fourier';
import { elementCount, type Tensor, tensor } from '../tensor';
import { stridesOf } from './positions';

export type FourierAttrs = {
  readonly axes: readonly number[];
  /** The length of each axis that is transformed; null for what the array has. */
  readonly sizes: readonly Dim[] | null;
  readonly inverse: boolean;
  /** Whether the array (forward) or the result (inverse) is real, so that half of the last axis is enough. */
  readonly real: boolean;
  readonly norm: string;
  readonly name: string;
};

interface Transform {
  readonly axes: readonly number[];
  readonly sizes: readonly Dim[];
  readonly shape: readonly Dim[];
}

/** Kernels ask the shape rules too; of numbers there is nothing to learn. */
const NO_FACTS = new Facts();

const NORMS = ['backward', 'ortho', 'forward'];

/** Axes counted from the front, lengths, and the shape of the result. */
function plan(facts: Facts, type: RankedType, attrs: FourierAttrs): Transform {
  const { name, real, inverse } = attrs;
  const rank = type.shape.length;
  if (!NORMS.includes(attrs.norm))
    throw new Refusal('value', `${name} knows the norms ${NORMS.join(', ')}, not '${attrs.norm}'`);
  if (attrs.sizes && attrs.sizes.length !== attrs.axes.length)
    throw new Refusal('value', `${name} is given ${attrs.sizes.length} lengths for ${attrs.axes.length} axes`);
  if (rank === 0) throw new Refusal('axis', `${name} needs an axis, not ${showType(type)}`, { input: 0 });
  const axes = attrs.axes.map(axis => {
    if (axis < -rank || axis >= rank)
      throw new Refusal('axis', `${name} has no axis ${axis} in ${showType(type)}`, { axis }, 'IndexError');
    return axis < 0 ? axis + rank : axis;
  });
  if (new Set(axes).size < axes.length)
    throw new Refusal('axis', `${name} is given the same axis twice: ${showShape(attrs.axes)}`);
  const last = axes.length - 1;
  const sizes = axes.map((axis, i) => {
    if (attrs.sizes) return attrs.sizes[i];
    const length = type.shape[axis];
    return real && inverse && i === last ? mul(2, sub(length, 1)) : length;
  });
  for (const [i, size] of sizes.entries())
    if (facts.less(size, 1) === 'yes')
      throw new Refusal(
        'value',
        `${name} cannot make an axis of ${showDim(size)}: axis ${attrs.axes[i]} of ${showType(type)}`,
      );
  let shape = [...type.shape];
  for (const [i, axis] of axes.entries()) shape = shape.with(axis, sizes[i]);
  if (real && !inverse && last >= 0) shape = shape.with(axes[last], add(floorDiv(sizes[last], 2), 1));
  return { axes, sizes, shape };
}

const resultDtype = (type: ArrayType, { axes, real, inverse }: FourierAttrs): DType | null =>
  axes.length === 0 ? type.dtype : real && inverse ? 'float32' : 'complex64';

defineOp<FourierAttrs>({
  name: 'fft',
  infer: (facts, [type], attrs) => ({ shape: plan(facts, type, attrs).shape, dtype: resultDtype(type, attrs) }),
  inferOpen: (_, [type], attrs) => ({ shape: null, dtype: resultDtype(type, attrs) }),
  kernel([x], attrs, [out]) {
    if (attrs.axes.length === 0) return x;
    const { axes, sizes } = plan(NO_FACTS, x, attrs);
    return transform(x, axes, sizes as readonly number[], attrs, out.shape);
  },
});

// ---- kernel -----------------------------------------------------------------------------------------------------------

/** One axis after the other; of a real result the last axis is filled up by symmetry first. */
function transform(
  x: Tensor,
  axes: readonly number[],
  sizes: readonly number[],
  { inverse, real, norm }: FourierAttrs,
  shape: readonly number[],
): Tensor {
  let values = Float64Array.from(cast(x, 'complex64').data as Float32Array);
  let current = [...x.shape];
  const last = axes.length - 1;
  for (const [i, axis] of axes.entries()) {
    const mirrored = real && inverse && i === last;
    values = alongAxis(values, current, axis, sizes[i], mirrored, inverse);
    current = current.with(axis, sizes[i]);
  }
  const count = sizes.reduce((a, b) => a * b, 1);
  const scale = norm === 'ortho' ? 1 / Math.sqrt(count) : (norm === 'backward') === inverse ? 1 / count : 1;
  if (real && inverse) {
    const result = tensor('float32', shape);
    for (let j = 0; j < result.data.length; j++) result.data[j] = values[2 * j] * scale;
    return result;
  }
  const result = tensor('complex64', shape);
  const kept = real ? cutAxis(values, current, axes[last], shape[axes[last]]) : values;
  for (let j = 0; j < kept.length; j++) result.data[j] = kept[j] * scale;
  return result;
}

/** Transforms every line along an axis, cut or filled with zeros to `size`. */
function alongAxis(
  values: Float64Array,
  shape: readonly number[],
  axis: number,
  size: number,
  mirrored: boolean,
  inverse: boolean,
): Float64Array<ArrayBuffer> {
  const length = shape[axis];
  const inner = elementCount(shape.slice(axis + 1));
  const outer = elementCount(shape.slice(0, axis));
  const result = new Float64Array(2 * outer * size * inner);
  const line = new Float64Array(2 * size);
  for (let o = 0; o < outer; o++)
    for (let n = 0; n < inner; n++) {
      line.fill(0);
      for (let i = 0; i < size; i++) {
        const source = mirrored && 2 * i > size ? size - i : i;
        if (source >= length) continue;
        const at = 2 * ((o * length + source) * inner + n);
        line[2 * i] = values[at];
        line[2 * i + 1] = source === i ? values[at + 1] : -values[at + 1];
      }
      const made = transformLine(line, inverse);
      for (let i = 0; i < size; i++) {
        const at = 2 * ((o * size + i) * inner + n);
        result[at] = made[2 * i];
        result[at + 1] = made[2 * i + 1];
      }
    }
  return result;
}

/** The first `count` places of an axis. */
function cutAxis(values: Float64Array, shape: readonly number[], axis: number, count: number): Float64Array {
  const inner = 2 * stridesOf(shape)[axis];
  const outer = elementCount(shape.slice(0, axis));
  const result = new Float64Array(outer * count * inner);
  for (let o = 0; o < outer; o++)
    result.set(values.subarray(o * shape[axis] * inner, (o * shape[axis] + count) * inner), o * count * inner);
  return result;
}

// ---- frequencies ------------------------------------------------------------------------------------------------------

/** `fftfreq` and, with `half`, `rfftfreq`: the frequencies of a transform of `n` samples `d` apart. */
defineOp<{ readonly n: Dim; readonly d: number | null; readonly half: boolean }>({
  name: 'fftfreq',
  infer(facts, _, { n, half }) {
    if (facts.less(n, 1) === 'yes') throw new Refusal('value', `fftfreq needs at least one sample, not ${showDim(n)}`);
    return { shape: [half ? add(floorDiv(n, 2), 1) : n], dtype: 'float32' };
  },
  kernel(_, { n, d, half }, [out]) {
    const [count, distance] = [Number(n), d ?? 1];
    const result = tensor('float32', out.shape);
    for (let i = 0; i < result.data.length; i++)
      result.data[i] = (half || 2 * i < count ? i : i - count) / (count * distance);
    return result;
  },
});
