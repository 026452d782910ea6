/**
 * `mlx.core.fft`: Fourier transforms over one axis, two or all.
 */
import { type Dim, floorDiv, negate } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { Refusal } from '../../../engine/src/graph/refusal';
import { normalizeAxes } from '../../../engine/src/ops/axes';
import type { BuiltinValue, Value } from '../interpreter/values';
import { type Call, define } from './define';
import { intSequence, keepingDtype, sequence } from './sequences';

/** What the names share: inverse or not, of real arrays or not. */
const KINDS: readonly (readonly [name: string, inverse: boolean, real: boolean])[] = [
  ['fft', false, false],
  ['ifft', true, false],
  ['rfft', false, true],
  ['irfft', true, true],
];

interface Transform {
  readonly name: string;
  readonly inverse: boolean;
  readonly real: boolean;
}

function record(c: Call, a: ArrayNode, t: Transform, axes: readonly number[], sizes: readonly Dim[] | null): Value {
  return c.interpreter.record('fft', [a], { ...t, axes, sizes, norm: c.text('norm') });
}

/** Every axis of an array; null where their number is not known. */
function allAxes(c: Call, a: ArrayNode): number[] | null {
  const shape = c.interpreter.facts.shape(a.shape);
  return shape === null || shape instanceof OpenShape ? null : shape.map((_, i) => i);
}

const oneAxis = (t: Transform): BuiltinValue =>
  define(`mx.fft.${t.name}(a, n=None, axis=-1, norm='backward', stream=None)`, c =>
    record(c, c.arrayOnly('a'), t, [c.int('axis')], c.has('n') ? [c.dim('n')] : null),
  );

const several = (t: Transform, axes: string): BuiltinValue =>
  define(`mx.fft.${t.name}(a, s=None, axes=${axes}, norm='backward', stream=None)`, c => {
    const a = c.arrayOnly('a');
    const sizes = c.has('s') ? sequence(c, 's') : null;
    if (c.has('axes')) return record(c, a, t, intSequence(c, 'axes'), sizes);
    if (sizes) throw new Refusal('value', `mx.fft.${t.name} needs axes where it is given lengths`);
    const all = allAxes(c, a);
    if (all === null)
      return c.interpreter.source({ shape: null, dtype: t.real && t.inverse ? 'float32' : 'complex64' });
    if (all.length === 0) throw new Refusal('axis', `mx.fft.${t.name} needs an array of at least one axis`);
    return record(c, a, t, all, null);
  });

/** Rolls axes by half their length, to bring frequency 0 to the middle or back. */
const shift = (name: string, half: (length: Dim) => Dim): BuiltinValue =>
  define(`mx.fft.${name}(a, axes=None, stream=None)`, c => {
    const a = c.arrayOnly('a');
    return keepingDtype(c, a, () => {
      const shape = c.interpreter.facts.shape(a.shape);
      if (shape === null || shape instanceof OpenShape) return c.interpreter.source(a);
      const axes = normalizeAxis(c, name, { shape, dtype: a.dtype });
      return c.interpreter.record('roll', [a], { shifts: axes.map(axis => half(shape[axis])), axes });
    });
  });

/** The axes given, each as often as it was. */
const normalizeAxis = (c: Call, name: string, type: Parameters<typeof normalizeAxes>[1]): number[] =>
  (c.axes('axes') ?? type.shape.map((_, i) => i)).flatMap(axis => normalizeAxes(name, type, [axis]));

const frequencies = (name: string, half: boolean): BuiltinValue =>
  define(`mx.fft.${name}(n, d=1.0, stream=None)`, c =>
    c.interpreter.record('fftfreq', [], { n: c.dim('n'), d: c.float('d'), half }),
  );

// ---- short-time transforms --------------------------------------------------------------------------------------------

/** The window's length: that of the array, or `win_length`. @throws Refusal for a window that is not one row */
function windowLength(c: Call): Dim | null {
  const given = c.has('win_length') ? c.dim('win_length') : null;
  if (!c.has('window')) return given;
  const shape = c.interpreter.facts.shape(c.arrayOnly('window').shape);
  if (shape === null || shape instanceof OpenShape) return given;
  if (shape.length !== 1) throw new Refusal('value', `${c.signature.name}: the window must be one row`);
  return shape[0];
}

const shortTime = (c: Call) => ({
  hop: c.has('hop_length') ? c.dim('hop_length') : null,
  window: windowLength(c),
  center: c.flag('center'),
  onesided: c.has('onesided') ? c.flag('onesided') : null,
  norm: c.text('norm'),
});

/** The signal or its spectra, and the window where one is given. */
const withWindow = (c: Call, name: string): ArrayNode[] =>
  c.has('window') ? [c.arrayOnly(name), c.arrayOnly('window')] : [c.arrayOnly(name)];

export const fftFunctions: readonly BuiltinValue[] = [
  ...KINDS.flatMap(([name, inverse, real]) => [
    oneAxis({ name, inverse, real }),
    several({ name: `${name}2`, inverse, real }, '(-2, -1)'),
    several({ name: `${name}n`, inverse, real }, 'None'),
  ]),
  shift('fftshift', length => floorDiv(length, 2)),
  shift('ifftshift', length => negate(floorDiv(length, 2))),
  frequencies('fftfreq', false),
  frequencies('rfftfreq', true),
  define(
    "mx.fft.stft(x, n_fft=2048, hop_length=None, win_length=None, window=None, center=True, pad_mode='reflect', norm='backward', onesided=None, stream=None)",
    c =>
      c.interpreter.record('stft', withWindow(c, 'x'), {
        ...shortTime(c),
        n_fft: c.dim('n_fft'),
        pad: c.text('pad_mode'),
      }),
  ),
  define(
    "mx.fft.istft(stft_matrix, n_fft=None, hop_length=None, win_length=None, window=None, center=True, norm='backward', onesided=None, length=None, stream=None)",
    c =>
      c.interpreter.record('istft', withWindow(c, 'stft_matrix'), {
        ...shortTime(c),
        n_fft: c.has('n_fft') ? c.dim('n_fft') : null,
        length: c.has('length') ? c.dim('length') : null,
      }),
  ),
];
