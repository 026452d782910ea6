/**
 * What is computed row by row along the last axis: softmax, norms and rotary positions.
 */
import type { ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { normalizeAxes } from '../../src/ops/axes';
import { type Given, optionalInput } from '../../src/ops/optional';
import { elementCount, type Tensor } from '../../src/tensor';
import { isHeldAsFloat32 } from '../held';
import { attention } from './attention';
import type { WasmOp } from './op';

const lastLength = ({ shape }: ConcreteType): number => shape[shape.length - 1];
const hasRows = ({ shape, dtype }: ConcreteType): boolean =>
  isHeldAsFloat32(dtype) && shape.length > 0 && elementCount(shape) > 0;

const softmax: WasmOp = {
  supports({ axes }, [x]) {
    if (!hasRows(x)) return false;
    const over = normalizeAxes('softmax', x, axes as readonly number[] | null);
    // axes that end with the last lie one behind the other
    const first = Math.min(...over);
    return over.length > 0 && over.length === x.shape.length - first;
  },
  run({ arena }, [x], { axes }, [out]) {
    const over = normalizeAxes('softmax', x, axes as readonly number[] | null);
    const n = elementCount(x.shape.slice(Math.min(...over)));
    return arena.use(() => {
      const at = arena.put(x.data);
      arena.kernels.softmaxRows(at, x.data.length / n, n);
      return [arena.take(at, out)];
    });
  },
};

type NormAttrs = Given<'weight' | 'bias'> & { readonly eps: number | null };

const norm = (centred: boolean): WasmOp => ({
  supports: (_, inputs) => hasRows(inputs[0]) && inputs.every(({ dtype }) => isHeldAsFloat32(dtype)),
  run({ arena }, inputs, attrs, [out]) {
    const { eps, ...given } = attrs as unknown as NormAttrs;
    const x = cast(inputs[0], out.dtype);
    const n = lastLength(x);
    return arena.use(() => {
      const [weight, bias] = (['weight', 'bias'] as const).map(name => {
        const row = optionalInput(inputs, given, 1, name);
        return row ? arena.put(row.data) : 0;
      });
      const from = arena.put(x.data);
      const to = arena.allocate(x.data.byteLength);
      arena.kernels.normRows(from, to, x.data.length / n, n, eps ?? 0, Number(centred), weight, bias);
      return [arena.take(to, out)];
    });
  },
});

type RopeAttrs = Given<'freqs'> & {
  readonly dims: number;
  readonly traditional: boolean;
  readonly base: number | null;
  readonly scale: number | null;
};

/** The angles of `length` positions from `start`, [length, half]: their cosines and sines. */
function angles(attrs: RopeAttrs, freqs: Tensor | undefined, start: number, length: number) {
  const half = attrs.dims / 2;
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let i = 0; i < half; i++) {
    const speed = freqs ? 1 / Number(freqs.data[i]) : (attrs.base ?? 0) ** (-i / half);
    for (let row = 0; row < length; row++) {
      const angle = (start + row) * (attrs.scale ?? 1) * speed;
      cos[row * half + i] = Math.cos(angle);
      sin[row * half + i] = Math.sin(angle);
    }
  }
  return { cos, sin };
}

const rope: WasmOp = {
  supports: (_, [x]) => hasRows(x),
  run({ arena }, inputs, attrs, [out]) {
    const [x, offset] = inputs;
    const given = attrs as unknown as RopeAttrs;
    const freqs = optionalInput(inputs, given, 2, 'freqs');
    const [length, width] = x.shape.slice(-2);
    const starts = Array.from(offset.data as ArrayLike<number | bigint>, Number);
    const perStart = x.data.length / starts.length;
    return arena.use(() => {
      const from = arena.put(x.data);
      const to = arena.allocate(x.data.byteLength);
      for (const [i, start] of starts.entries()) {
        const { cos, sin } = angles(given, freqs, start, length);
        const [cosAt, sinAt] = [arena.put(cos), arena.put(sin)];
        for (let at = i * perStart; at < (i + 1) * perStart; at += length * width)
          arena.kernels.rotateRows(
            from + at * 4,
            to + at * 4,
            length,
            width,
            given.dims / 2,
            Number(given.traditional),
            cosAt,
            sinAt,
          );
      }
      return [arena.take(to, out)];
    });
  },
};

export const ROW_OPS: Readonly<Record<string, WasmOp>> = {
  softmax,
  rms_norm: norm(false),
  layer_norm: norm(true),
  rope,
  attention,
};
