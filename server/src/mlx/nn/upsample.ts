/**
 * `nn.Upsample`: resizes the spatial axes by repeating, linear or cubic interpolation. Channels last.
 *
 * With numbers for axes it records what MLX computes; where an axis or a factor is a symbol only the result's type is
 * known.
 */
import { anonymous, type Dim, isKnown, mul } from '../../../../engine/src/dims/dim';
import { promote } from '../../../../engine/src/dtype';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  type ClassValue,
  float,
  int,
  NONE,
  type SliceValue,
  tuple,
  type Value,
} from '../../interpreter/values';
import { type Call, define, isOpaque } from '../define';
import { defineLayer, type Layer } from './layer';
import { Mx } from './mx';

const MODES = ['nearest', 'linear', 'cubic'];
const EVERYTHING: SliceValue = { kind: 'slice', lower: NONE, upper: NONE, step: NONE };

/** How the spatial axes are resized. A factor that is not known is null. */
interface Resize {
  readonly factors: readonly (number | null)[];
  readonly alignCorners: boolean;
  readonly antialias: boolean;
}

/** Positions in the input that an output axis reads, each with the weight it has. */
type Taps = readonly { readonly index: Value; readonly weight: Value }[];
type TapsOf = (mx: Mx, size: number, factor: number, alignCorners: boolean) => Taps;

/** int(factor * size), as Python rounds it. */
const resized = (size: number, factor: number): number => Math.trunc(factor * size);

/** Where each output position falls in the input, float32 [resized]. */
function positions(mx: Mx, size: number, factor: number, alignCorners: boolean): Value {
  const count = resized(size, factor);
  const range = mx.call('arange', [count], { dtype: mx.dtype('float32') });
  if (alignCorners) return mx.multiply(range, float((size - 1) / Math.max(count - 1, 1)));
  const step = 1 / factor;
  return mx.subtract(mx.multiply(range, float(step)), float(((count - 1) * step - size + 1) / 2));
}

const clip = (mx: Mx, x: Value, size: number): Value => mx.call('clip', [x], { a_min: 0, a_max: size - 1 });
const asIndex = (mx: Mx, x: Value): Value => mx.cast(x, mx.dtype('uint32'));

const linearTaps: TapsOf = (mx, size, factor, alignCorners) => {
  const at = clip(mx, positions(mx, size, factor, alignCorners), size);
  const left = mx.call('floor', [at]);
  const weight = mx.subtract(at, left);
  return [
    { index: asIndex(mx, left), weight: mx.subtract(1, weight) },
    { index: asIndex(mx, mx.call('ceil', [at])), weight },
  ];
};

/** Keys' cubic kernel: inside distance 1, and from 1 to 2. */
const cubicInner = (mx: Mx, a: number, x: Value): Value => {
  const slope = mx.subtract(mx.multiply(float(a + 2), x), float(a + 3));
  return mx.add(mx.multiply(mx.multiply(slope, x), x), 1);
};
const cubicOuter = (mx: Mx, a: number, x: Value): Value => {
  const inner = mx.add(mx.multiply(mx.subtract(x, 5), x), 8);
  return mx.multiply(mx.subtract(mx.multiply(inner, x), 4), float(a));
};

const cubicTaps: TapsOf = (mx, size, factor, alignCorners) => {
  const at = positions(mx, size, factor, alignCorners);
  const left = mx.call('floor', [at]);
  const right = mx.call('floor', [mx.add(at, 1)]);
  const tap = (index: Value, weigh: typeof cubicInner) => ({
    index: asIndex(mx, clip(mx, index, size)),
    weight: weigh(mx, -0.75, mx.call('abs', [mx.subtract(at, index)])),
  });
  return [
    tap(left, cubicInner),
    tap(right, cubicInner),
    tap(mx.subtract(left, 1), cubicOuter),
    tap(mx.add(right, 1), cubicOuter),
  ];
};

/** Taps of a kernel widened by the shrinking, so that nothing aliases. */
const antialiased =
  (kernel: (mx: Mx, distance: Value) => Value, radius: number): TapsOf =>
  (mx, size, factor, alignCorners) => {
    const at = positions(mx, size, factor, alignCorners);
    const widening = factor < 1 ? 1 / factor : 1;
    const reach = Math.ceil(radius * widening) + 1;
    const taps = Array.from({ length: 2 * reach - 1 }, (_, i) => {
      const index = mx.add(mx.call('floor', [at]), i - reach + 1);
      const distance = mx.divide(mx.call('abs', [mx.subtract(at, index)]), float(widening));
      const inside = mx.and(mx.compare('>=', index, 0), mx.compare('<', index, size));
      return { index, weight: mx.call('where', [inside, kernel(mx, distance), float(0)]) };
    });
    const sum = taps.reduce<Value>((total, tap) => mx.add(total, tap.weight), int(0));
    const total = mx.call('where', [mx.compare('>', sum, 0), sum, float(1)]);
    return taps.map(({ index, weight }) => ({
      index: asIndex(mx, clip(mx, index, size)),
      weight: mx.divide(weight, total),
    }));
  };

const triangle = (mx: Mx, x: Value): Value => mx.call('maximum', [mx.subtract(float(1), x), float(0)]);
const cubicKernel = (mx: Mx, x: Value): Value => {
  const outer = mx.call('where', [mx.compare('<=', x, float(2)), cubicOuter(mx, -0.5, x), float(0)]);
  return mx.call('where', [mx.compare('<=', x, float(1)), cubicInner(mx, -0.5, x), outer]);
};

const TAPS: Readonly<Record<string, { plain: TapsOf; smooth: TapsOf }>> = {
  linear: { plain: linearTaps, smooth: antialiased(triangle, 1) },
  cubic: { plain: cubicTaps, smooth: antialiased(cubicKernel, 2) },
};

/** Interpolates one axis after the other. */
function separable(mx: Mx, x: Value, sizes: readonly number[], how: Resize, tapsOf: TapsOf): Value {
  return sizes.reduce((out, size, i) => {
    const taps = tapsOf(mx, size, how.factors[i]!, how.alignCorners);
    const parts = taps.map(({ index, weight }) => {
      // [resized, 1, …, 1], beside the axes that follow
      const shape = [-1, ...sizes.slice(i + 1).map(() => 1), 1];
      return mx.multiply(mx.call('take', [out, index], { axis: i + 1 }), mx.reshape(weight, shape));
    });
    return parts.reduce((total, part) => mx.add(total, part));
  }, x);
}

/** Interpolates all axes at once: every combination of their taps. */
function combined(mx: Mx, x: Value, sizes: readonly number[], how: Resize, tapsOf: TapsOf): Value {
  const along = (v: Value, axis: number, extra: readonly number[]): Value =>
    mx.reshape(v, [...sizes.map((_, i) => (i === axis ? -1 : 1)), ...extra]);
  const taps = sizes.map((size, i) =>
    tapsOf(mx, size, how.factors[i]!, how.alignCorners).map(({ index, weight }) => ({
      index: along(index, i, []),
      weight: along(weight, i, [1]),
    })),
  );
  const combinations = taps.reduce<Taps[]>((all, axis) => all.flatMap(c => axis.map(tap => [...c, tap])), [[]]);
  const parts = combinations.map(combination => {
    const sample = mx.interpreter.getItem(x, tuple([EVERYTHING, ...combination.map(tap => tap.index)]));
    const weight = combination.map(tap => tap.weight).reduce((a, b) => mx.multiply(a, b));
    return mx.multiply(weight, sample);
  });
  return parts.reduce((total, part) => mx.add(total, part));
}

function nearest(mx: Mx, x: Value, shape: readonly Dim[], sizes: readonly number[], how: Resize): Value {
  const factors = how.factors as readonly number[];
  if (factors.every(Number.isInteger)) {
    const [batch, channels] = [shape[0], shape[shape.length - 1]];
    const spread = mx.reshape(x, [batch, ...sizes.flatMap(size => [size, 1]), channels]);
    const repeated = mx.call('broadcast_to', [
      spread,
      [batch, ...sizes.flatMap((size, i) => [size, factors[i]]), channels],
    ]);
    return mx.reshape(repeated, [batch, ...sizes.map((size, i) => size * factors[i]), channels]);
  }
  const indices = sizes.map((size, i) => {
    const count = resized(size, factors[i]);
    const range = mx.call('arange', [count], { dtype: mx.dtype('float32') });
    const ratio = float(size / count);
    const at =
      count > size
        ? mx.call('round', [mx.subtract(mx.multiply(mx.add(range, float(0.5)), ratio), float(0.5))])
        : mx.multiply(range, ratio);
    return mx.reshape(
      asIndex(mx, at),
      sizes.map((_, j) => (j === i ? -1 : 1)),
    );
  });
  return mx.interpreter.getItem(x, tuple([EVERYTHING, ...indices]));
}

/** The result's type where an axis or a factor is a symbol. */
function typeOnly(mx: Mx, x: Value, shape: readonly Dim[], mode: string, how: Resize): Value {
  const spatial = shape.slice(1, -1).map((size, i) => {
    const factor = how.factors[i];
    if (factor === null) return anonymous();
    if (isKnown(size)) return resized(size, factor);
    return Number.isInteger(factor) ? mul(size, factor) : anonymous();
  });
  const dtype = x.kind === 'array' ? x.node.dtype : null;
  return mx.interpreter.source({
    shape: [shape[0], ...spatial, shape[shape.length - 1]],
    dtype: mode === 'nearest' ? dtype : promote(dtype, 'float32'),
  });
}

function upsample(mx: Mx, x: Value, shape: readonly Dim[], mode: string, how: Resize): Value {
  const sizes = shape.slice(1, -1);
  if (!sizes.every(isKnown) || how.factors.includes(null)) return typeOnly(mx, x, shape, mode, how);
  if (mode === 'nearest') return nearest(mx, x, shape, sizes, how);
  const { plain, smooth } = TAPS[mode];
  if (how.antialias) return separable(mx, x, sizes, how, smooth);
  return mode === 'linear' && !how.alignCorners
    ? separable(mx, x, sizes, how, plain)
    : combined(mx, x, sizes, how, plain);
}

function requireCompatible(alignCorners: boolean | null, antialias: boolean | null): void {
  if (alignCorners && antialias) throw new Refusal('value', 'Upsample cannot antialias with align_corners=True');
}

/** The factors in a number or a sequence; null where there is one for all axes. */
function factorsOf(v: Value): { each: (number | null)[] | null; all: number | null } {
  const number = (item: Value): number | null =>
    item.kind === 'float' ? item.value : item.kind === 'int' && isKnown(item.value) ? item.value : null;
  if ((v.kind === 'tuple' || v.kind === 'list') && v.items) return { each: v.items.map(number), all: null };
  return { each: null, all: number(v) };
}

/** `float(scale)` of each, as the layer keeps it. */
function asFloats(v: Value): Value {
  if (v.kind === 'int') return float(isKnown(v.value) ? v.value : null);
  if (v.kind === 'str') return float(v.value === null ? null : Number(v.value));
  if ((v.kind === 'tuple' || v.kind === 'list') && v.items) return tuple(v.items.map(asFloats));
  return v;
}

export const Upsample = defineLayer({
  name: 'Upsample',
  init: "(scale_factor, mode='nearest', align_corners=False, antialias=False)",
  construct(l) {
    const mode = l.value('mode');
    if (mode.kind === 'str' && mode.value !== null && !MODES.includes(mode.value))
      throw l.refusal('value', `Upsample has no mode '${mode.value}': there are ${MODES.join(', ')}`);
    if (mode.kind === 'str' && mode.value === 'nearest' && l.flag('antialias'))
      throw l.refusal('value', "Upsample cannot antialias in mode 'nearest'");
    const factor = l.value('scale_factor');
    const isText = factor.kind === 'str' && (factor.value === null || Number.isFinite(Number(factor.value)));
    if (!isText && (factor.kind === 'str' || factor.kind === 'none' || factor.kind === 'dict'))
      throw l.call.wrong('scale_factor', 'a number or a tuple of numbers');
    requireCompatible(l.flag('align_corners'), l.flag('antialias'));
    l.set('scale_factor', asFloats(factor));
    for (const name of ['mode', 'align_corners', 'antialias']) l.set(name, l.value(name));
  },
  call: '(x)',
  forward(l) {
    const x = l.input('x');
    const factor = factorsOf(l.get('scale_factor'));
    const shape = l.shape(x);
    if (shape === null) throw new Unknowable('the rank of the input is not known');
    const spatial = shape.length - 2;
    if (spatial <= 0) throw l.refusal('pool', `Upsample expects a batch, spatial axes and channels, x is ${l.show(x)}`);
    if (factor.each && factor.each.length !== spatial)
      throw l.refusal(
        'pool',
        `Upsample has ${factor.each.length} factors for the ${spatial} spatial ${spatial === 1 ? 'axis' : 'axes'} of ${l.show(x)}`,
        { expected: factor.each.length, actual: spatial },
      );
    const mode = l.get('mode');
    if (mode.kind !== 'str' || mode.value === null) throw new Unknowable('the mode is not known');
    return upsample(l.mx, x, shape, mode.value, {
      factors: factor.each ?? Array.from({ length: spatial }, () => factor.all),
      alignCorners: l.isSet('align_corners'),
      antialias: l.isSet('antialias'),
    });
  },
  repr: (l: Layer) => {
    const antialias = l.isSet('antialias') ? ', antialias=True' : '';
    return `scale_factor=${l.text(l.get('scale_factor'))}, mode='${l.text(l.get('mode'))}', align_corners=${l.text(l.get('align_corners'))}${antialias}`;
  },
});

/** `upsample_nearest(x, scale_factor)` and the like, which model code calls too. */
const upsampleFunction = (mode: string, options: string): BuiltinValue =>
  define(`upsample_${mode}(x, scale_factor${options})`, (c: Call) => {
    const mx = new Mx(c.interpreter);
    const x = c.interpreter.settleAs(c.value('x'), 'array');
    const shape = x.kind === 'array' ? c.interpreter.facts.shape(x.node.shape) : null;
    if (!Array.isArray(shape) || isOpaque(x)) throw new Unknowable('the rank of the input is not known');
    const { each } = factorsOf(c.value('scale_factor'));
    if (each === null) throw new Unknowable('the factors are not known');
    if (each.length !== shape.length - 2)
      throw new Refusal('pool', `upsample_${mode} wants one factor for each of ${shape.length - 2} spatial axes`);
    const [alignCorners, antialias] = options ? [c.flag('align_corners'), c.flag('antialias')] : [false, false];
    requireCompatible(alignCorners, antialias);
    return upsample(mx, x, shape, mode, { factors: each, alignCorners, antialias });
  });

const OPTIONS = ', align_corners=False, antialias=False';
export const upsampleFunctions: readonly BuiltinValue[] = [
  upsampleFunction('nearest', ''),
  upsampleFunction('linear', OPTIONS),
  upsampleFunction('cubic', OPTIONS),
];

export const upsampleLayers: readonly ClassValue[] = [Upsample];
