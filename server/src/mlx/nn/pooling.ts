/**
 * Pooling layers: the largest or the mean of windows over the spatial axes, channels last.
 */
import { add, anonymous, type Dim, floorDiv, isKnown, mod, mul, product, sub } from '../../../../engine/src/dims/dim';
import { Unknowable } from '../../interpreter/interpreter';
import { type ClassValue, float, int, list, tuple, type Value } from '../../interpreter/values';
import { isOpaque } from '../define';
import { defineLayer, type Layer } from './layer';

const AXIS_NAMES: Readonly<Record<number, readonly string[]>> = {
  1: ['N', 'L', 'C'],
  2: ['N', 'H', 'W', 'C'],
  3: ['N', 'D', 'H', 'W', 'C'],
};

/** An argument that is an int or one int for every spatial axis. @throws Refusal of kind 'pool' for another number */
function perAxis(l: Layer, name: string, spatial: number): Dim[] {
  const v = l.interpreter.settleAs(l.value(name), 'int');
  if (v.kind === 'int') return Array.from({ length: spatial }, () => v.value);
  if ((v.kind === 'tuple' || v.kind === 'list') && v.items?.length === spatial)
    return v.items.map(item => (item.kind === 'int' ? item.value : anonymous()));
  if (isOpaque(v) || ((v.kind === 'tuple' || v.kind === 'list') && !v.items))
    return Array.from({ length: spatial }, () => anonymous());
  const plural = spatial === 1 ? 'integer' : 'integers';
  throw l.refusal('pool', `${l.self.cls.name} takes an integer or ${spatial} ${plural} as its ${name}`);
}

function requireAtLeast(l: Layer, name: string, sizes: readonly Dim[], least: number): void {
  const wrong = sizes.find(size => isKnown(size) && size < least);
  if (wrong !== undefined)
    throw l.refusal('pool', `${l.self.cls.name} needs a ${name} of at least ${least}, not ${wrong}`);
}

const asInts = (dims: readonly Dim[]): Value[] => dims.map(int);

/** The ints that a private attribute keeps. */
function kept(l: Layer, name: string): Dim[] {
  const v = l.get(name);
  if ((v.kind !== 'list' && v.kind !== 'tuple') || !v.items) throw new Unknowable(`${name} is not known`);
  return v.items.map(item => (item.kind === 'int' ? item.value : anonymous()));
}

/** Pads, cuts windows out and reduces them with `mx.<reduce>`. */
const pooling = (name: string, spatial: number, reduce: 'max' | 'mean'): ClassValue =>
  defineLayer({
    name,
    init: '(kernel_size, stride=None, padding=0)',
    construct(l) {
      const kernel = perAxis(l, 'kernel_size', spatial);
      const stride = l.call.has('stride') ? perAxis(l, 'stride', spatial) : kernel;
      const padding = perAxis(l, 'padding', spatial);
      requireAtLeast(l, 'kernel_size', kernel, 1);
      requireAtLeast(l, 'stride', stride, 1);
      requireAtLeast(l, 'padding', padding, 0);
      l.set('_kernel_size', list(asInts(kernel)));
      l.set('_stride', list(asInts(stride)));
      l.set('_padding', list(padding.map(p => tuple(asInts([p, p])))));
      l.set('_axes', tuple(Array.from({ length: spatial }, (_, i) => int(i - spatial - 1))));
      l.set('_padding_value', reduce === 'max' ? float(-Infinity) : int(0));
    },
    call: '(x)',
    forward(l) {
      const x = padded(l, l.input('x'), spatial);
      const [kernel, stride] = [kept(l, '_kernel_size'), kept(l, '_stride')];
      const axes = Array.from({ length: spatial }, (_, i) => i - spatial - 1);
      return l.mx.call(reduce, [windows(l, x, kernel, stride, spatial), axes]);
    },
    repr(l) {
      const shown = (values: Value[]): string => l.text(tuple(values));
      const kernel = shown(asInts(kept(l, '_kernel_size')));
      const stride = shown(asInts(kept(l, '_stride')));
      return `kernel_size=${kernel}, stride=${stride}, padding=${shown(asInts(paddingOf(l)))}`;
    },
  });

function paddingOf(l: Layer): Dim[] {
  const pairs = l.get('_padding');
  if (pairs.kind !== 'list' || !pairs.items) throw new Unknowable('the padding is not known');
  return pairs.items.map(pair => (pair.kind === 'tuple' && pair.items?.[0].kind === 'int' ? pair.items[0].value : 0));
}

function padded(l: Layer, x: Value, spatial: number): Value {
  const padding = paddingOf(l);
  requireRank(l, x, spatial);
  if (padding.every(p => p === 0)) return x;
  const widths = [0, ...padding, 0].map(p => tuple(asInts([p, p])));
  return l.mx.call('pad', [x, list(widths)], { constant_values: l.get('_padding_value') });
}

/** One axis for the batch, the spatial ones and one for channels. */
function requireRank(l: Layer, x: Value, spatial: number): readonly Dim[] {
  const axes = AXIS_NAMES[spatial];
  const shape = l.ranked(x, axes.length, axes);
  if (shape.length === axes.length) return shape;
  throw l.refusal(
    'pool',
    `${l.self.cls.name} expects ${axes.length} axes [${axes.join(', ')}], x has ${shape.length}: ${l.show(x)}`,
    { expected: axes.length, actual: shape.length },
  );
}

/** [N, ...places, ...window, C] */
function windows(l: Layer, x: Value, kernel: readonly Dim[], stride: readonly Dim[], spatial: number): Value {
  const { mx } = l;
  const shape = requireRank(l, x, spatial);
  const [batch, channels] = [shape[0], shape[shape.length - 1]];
  const sizes = shape.slice(1, -1);
  const whole = sizes.every((size, i) => kernel[i] === stride[i] && mod(size, kernel[i]) === 0);
  if (whole) {
    const split = sizes.flatMap((size, i) => [floorDiv(size, kernel[i]), kernel[i]]);
    const places = sizes.map((_, i) => 1 + 2 * i);
    const inside = sizes.map((_, i) => 2 + 2 * i);
    return mx.transpose(mx.reshape(x, [batch, ...split, channels]), [0, ...places, ...inside, 1 + 2 * spatial]);
  }
  // Windows overlap or leave a rest: the same memory read again with other strides.
  const strides = shape.map((_, i) => product(shape.slice(i + 1)));
  const places = sizes.map((size, i) => add(floorDiv(sub(size, kernel[i]), stride[i]), 1));
  const along = strides.slice(1, -1);
  return mx.call('as_strided', [
    x,
    [batch, ...places, ...kernel, channels],
    [strides[0], ...along.map((step, i) => mul(step, stride[i])), ...along, strides[strides.length - 1]],
  ]);
}

export const poolingLayers: readonly ClassValue[] = [1, 2, 3].flatMap(spatial => [
  pooling(`MaxPool${spatial}d`, spatial, 'max'),
  pooling(`AvgPool${spatial}d`, spatial, 'mean'),
]);
