/**
 * The short-time Fourier transform: overlapping frames of a signal, each under a window, as spectra; and the way back.
 */
import { add, type Dim, floorDiv, isKnown, max, mul, showDim, sub } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { transformLine } from '../numeric/fourier';
import { elementCount, type Tensor, tensor } from '../tensor';

type ShortTimeAttrs = {
  readonly n_fft: Dim | null;
  readonly hop: Dim | null;
  readonly window: Dim | null;
  readonly center: boolean;
  readonly onesided: boolean | null;
  readonly norm: string;
};

/** The distance between frames. @throws Refusal for a size that is not positive, or a window longer than a frame */
function hopOf(facts: Facts, name: string, n: Dim, { hop, window }: ShortTimeAttrs): Dim {
  const positive = (d: Dim, what: string) => {
    if (facts.less(d, 1) === 'yes') throw new Refusal('value', `${name}: ${what} must be positive, not ${showDim(d)}`);
    return d;
  };
  positive(n, 'n_fft');
  const distance = positive(hop ?? floorDiv(n, 4), 'hop_length');
  if (window !== null && facts.less(n, window) === 'yes')
    throw new Refusal('value', `${name}: the window is ${showDim(window)} long, more than n_fft, ${showDim(n)}`);
  return distance;
}

/** Inputs: signals [..., L], and the window unless it is of ones. The result is [..., frequencies, frames]. */
defineOp<ShortTimeAttrs & { readonly n_fft: Dim; readonly pad: string }>({
  name: 'stft',
  infer(facts, [x], attrs) {
    if (x.shape.length === 0) throw new Refusal('axis', `stft needs an axis of time, not ${showType(x)}`, { input: 0 });
    const n = attrs.n_fft;
    const hop = hopOf(facts, 'stft', n, attrs);
    const length = x.shape[x.shape.length - 1];
    const padded = attrs.center ? add(length, mul(2, floorDiv(n, 2))) : length;
    const rest = facts.resolve(sub(padded, n));
    if (facts.less(rest, 0) === 'yes')
      throw new Refusal(
        'value',
        `stft: ${showDim(length)} samples are too few for frames of ${showDim(n)}: ${showType(x)}`,
      );
    const frames = add(floorDiv(rest, hop), 1);
    if (x.dtype === null && attrs.onesided === null) return { shape: null, dtype: 'complex64' };
    const half = attrs.onesided ?? x.dtype !== 'complex64';
    return {
      shape: [...x.shape.slice(0, -1), half ? add(floorDiv(n, 2), 1) : n, frames],
      dtype: 'complex64',
    };
  },
  inferOpen: () => ({ shape: null, dtype: 'complex64' }),
  kernel([x, given], attrs, [out]) {
    const [bins, frames] = out.shape.slice(-2);
    const layout = layoutOf(attrs, Number(attrs.n_fft), given);
    const { n, hop, window } = layout;
    const length = x.shape[x.shape.length - 1];
    const margin = attrs.center ? Math.floor(n / 2) : 0;
    const values = cast(x, 'complex64').data as Float32Array;
    const result = tensor('complex64', out.shape);
    for (let signal = 0; signal * length < elementCount(x.shape); signal++)
      for (let frame = 0; frame < frames; frame++) {
        const line = new Float64Array(2 * n);
        for (let i = 0; i < n; i++) {
          const from = padded(frame * hop + i - margin, length, attrs.pad);
          if (from === null) continue;
          line[2 * i] = values[2 * (signal * length + from)] * window[i];
          line[2 * i + 1] = values[2 * (signal * length + from) + 1] * window[i];
        }
        const made = transformLine(line, false);
        for (let bin = 0; bin < bins; bin++) {
          const at = 2 * ((signal * bins + bin) * frames + frame);
          result.data[at] = made[2 * bin] * layout.scale;
          result.data[at + 1] = made[2 * bin + 1] * layout.scale;
        }
      }
    return result;
  },
});

/** Inputs: spectra [..., frequencies, frames], and the window unless it is of ones. */
defineOp<ShortTimeAttrs & { readonly length: Dim | null }>({
  name: 'istft',
  infer(facts, [x], attrs) {
    if (x.shape.length < 2)
      throw new Refusal('axis', `istft takes spectra [..., frequencies, frames], not ${showType(x)}`, { input: 0 });
    const [frequencies, frames] = x.shape.slice(-2);
    const n = attrs.n_fft ?? (attrs.onesided === false ? frequencies : mul(2, sub(frequencies, 1)));
    const hop = hopOf(facts, 'istft', n, attrs);
    if (isKnown(frames) && frames < 1) throw new Refusal('value', `istft needs at least one frame: ${showType(x)}`);
    const whole = add(n, mul(hop, sub(frames, 1)));
    const own = attrs.center ? sub(whole, mul(2, floorDiv(n, 2))) : whole;
    const length = attrs.length === null ? own : max(attrs.length, 0);
    return { shape: [...x.shape.slice(0, -2), length], dtype: 'float32' };
  },
  inferOpen: () => ({ shape: null, dtype: 'float32' }),
  kernel([x, given], attrs, [out]) {
    const [bins, frames] = x.shape.slice(-2);
    const layout = layoutOf(attrs, Number(attrs.n_fft ?? (attrs.onesided === false ? bins : 2 * (bins - 1))), given);
    const { n, hop, window } = layout;
    const whole = n + hop * (frames - 1);
    const margin = attrs.center ? Math.floor(n / 2) : 0;
    const length = out.shape[out.shape.length - 1];
    const values = cast(x, 'complex64').data as Float32Array;
    const result = tensor('float32', out.shape);
    for (let signal = 0; signal * bins * frames < elementCount(x.shape); signal++) {
      const total = new Float64Array(whole);
      const weight = new Float64Array(whole);
      for (let frame = 0; frame < frames; frame++) {
        const made = transformLine(spectrum(values, signal * bins * frames + frame, frames, bins, n), true);
        for (let i = 0; i < n; i++) {
          total[frame * hop + i] += ((made[2 * i] * window[i]) / n) * layout.inverseScale;
          weight[frame * hop + i] += window[i] ** 2;
        }
      }
      // the margin at the end is cut away only where no length is asked for
      const end = Math.min(length, whole - margin);
      for (let i = 0; i < end; i++)
        result.data[signal * length + i] =
          total[margin + i] / (weight[margin + i] > NO_WEIGHT ? weight[margin + i] : 1);
    }
    return result;
  },
});

// ---- kernels ----------------------------------------------------------------------------------------------------------

/** Where the squared windows add up to less nothing is divided. */
const NO_WEIGHT = 1e-10;

/** The sizes, the window over a whole frame, and what the norm scales by. */
function layoutOf({ hop, window, norm }: ShortTimeAttrs, n: number, given: Tensor | undefined) {
  const length = Number(window ?? n);
  const before = Math.floor((n - length) / 2);
  const full = new Float64Array(n);
  for (let i = 0; i < length; i++) full[before + i] = given ? Number(given.data[i]) : 1;
  const scale = norm === 'ortho' ? 1 / Math.sqrt(n) : norm === 'forward' ? 1 / n : 1;
  return { n, hop: Number(hop ?? Math.floor(n / 4)), window: full, scale, inverseScale: 1 / scale };
}

/** The place in a signal that a place beyond its ends stands for; null for a zero. */
function padded(at: number, length: number, mode: string): number | null {
  if (at >= 0 && at < length) return at;
  if (mode === 'reflect') return at < 0 ? -at : 2 * (length - 1) - at;
  if (mode === 'edge') return at < 0 ? 0 : length - 1;
  return null;
}

/** All `n` frequencies of a frame; of half of them the others are the mirror image. */
function spectrum(values: Float32Array, start: number, frames: number, bins: number, n: number): Float64Array {
  const line = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    const mirrored = i >= bins;
    const at = 2 * (start + (mirrored ? n - i : i) * frames);
    line[2 * i] = values[at];
    line[2 * i + 1] = mirrored ? -values[at + 1] : values[at + 1];
  }
  return line;
}
