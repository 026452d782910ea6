import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloatBits } from '../../../engine/src/numeric/float';
import { roundTo } from '../../../engine/src/numeric/round';
import { affineDequantize, affineQuantize } from '../../../engine/src/quantize/affine';
import { errorMetrics, percentiles } from '../../../engine/src/quantize/metrics';
import { QUANTIZATION_MODES, type QuantizationMode } from '../../../engine/src/quantize/modes';
import { packCodes, unpackCodes } from '../../../engine/src/quantize/pack';
import { bitsPerWeight, dequantize, quantize, quantizedBytes } from '../../../engine/src/quantize/quantize';
import { uniform } from '../../../engine/src/random/distributions';
import { implicitKey } from '../../../engine/src/random/key';
import type { Tensor } from '../../../engine/src/tensor';
import { cases, decode, expectSame, type Recorded } from './golden';

interface Case {
  readonly name: string;
  readonly seed?: number;
  readonly w: Recorded;
  readonly results: readonly {
    readonly mode: QuantizationMode;
    readonly bits: number;
    readonly group_size: number;
    readonly globalScale: number | null;
    readonly arrays: readonly Recorded[];
    readonly values: Recorded;
  }[];
}

/** The weight that nn.Linear(n, n) starts with after mx.random.seed(seed). */
function linearWeight(seed: number, n: number): Tensor {
  const bound = (value: number): Tensor => ({ shape: [], dtype: 'float32', data: Float32Array.of(value) });
  return uniform(implicitKey({ seed, draw: 0 }), [n, n], bound(-((1 / n) ** 0.5)), bound((1 / n) ** 0.5));
}

describe('quantization', () => {
  it.each(cases<Case>('quantize').map(c => [`${c.name}, ${c.w.dtype}`, c] as const))(
    'gives the codes, scales, biases and values of MLX: %s',
    (_, { seed, w: recorded, results }) => {
      const w = recorded.data === undefined ? linearWeight(seed!, recorded.shape[0]) : decode(recorded);
      expectSame(w, recorded, 'weights');
      for (const { mode, bits, group_size: groupSize, globalScale, arrays, values } of results) {
        const what = `${mode}, ${bits} bits, groups of ${groupSize}, global scale ${globalScale}`;
        const settings = { mode, bits, groupSize };
        const q = quantize(w, settings, globalScale ?? undefined);
        expectSame(q.packed, arrays[0], `${what}: codes`);
        expectSame(q.scales, arrays[1], `${what}: scales`);
        if (arrays.length > 2) expectSame(q.biases!, arrays[2], `${what}: biases`);
        else expect(q.biases).toBeUndefined();
        expectSame(dequantize(q, settings, w.dtype, globalScale ?? undefined), values, `${what}: values`);
      }
    },
  );

  it('has no affine mode for float64', () => {
    const w: Tensor = { shape: [1, 64], dtype: 'float64', data: new Float64Array(64) };
    expect(() => quantize(w, { mode: 'affine', bits: 4, groupSize: 64 })).toThrow('float64');
  });
});

const widths = fc.constantFrom(1, 2, 3, 4, 5, 6, 8);

describe('packing', () => {
  it('gives back the codes', () => {
    fc.assert(
      fc.property(widths, fc.uint8Array({ minLength: 96, maxLength: 96 }), (bits, bytes) => {
        const codes = bytes.map(b => b & (2 ** bits - 1));
        const packed = packCodes(codes, bits);
        expect(packed).toHaveLength(3 * bits);
        expect(unpackCodes(packed, bits, 96)).toEqual(codes);
      }),
    );
  });

  it('puts the first code in the lowest bits, and lets codes cross words', () => {
    expect([...packCodes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), 4)]).toEqual([0x87654321]);
    const codes = new Uint8Array(32);
    codes[10] = 7; // bits 30 to 32
    expect([...packCodes(codes, 3)]).toEqual([0xc0000000, 1, 0]);
  });
});

describe('affine error', () => {
  it('is at most half a step of the group, and some rounding', () => {
    const group = fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 32, maxLength: 32 });
    fc.assert(
      fc.property(fc.constantFrom(2, 3, 4, 5, 6, 8), group, (bits, values) => {
        const w = Float32Array.from(values);
        const q = affineQuantize(w, 32, bits, 'float32');
        const back = affineDequantize(q, 32, 'float32');
        const step = Math.abs(q.scales[0]);
        // Zero is made a level of its own, for which the scale may shrink by up to half a step over all levels and
        // leave the far edge outside; the nearest level is then the last.
        const last = Math.max(...[0, 2 ** bits - 1].map(code => code * q.scales[0] + q.biases[0]));
        const first = Math.min(...[0, 2 ** bits - 1].map(code => code * q.scales[0] + q.biases[0]));
        for (const [i, value] of w.entries()) {
          const outside = Math.max(0, value - last, first - value);
          expect(Math.abs(back[i] - value)).toBeLessThanOrEqual(step / 2 + outside + 1e-4);
        }
      }),
    );
  });

  it('shrinks as bits grow', () => {
    const w = linearWeight(3, 128);
    const errors = QUANTIZATION_MODES.affine.bits.map(bits => {
      const settings = { mode: 'affine', bits, groupSize: 64 } as const;
      const back = dequantize(quantize(w, settings), settings, 'float32');
      return errorMetrics(w.data as Float32Array, back.data as Float32Array).relativeError;
    });
    expect(errors).toEqual([...errors].sort((a, b) => b - a));
    expect(errors[errors.length - 1]).toBeLessThan(0.005);
  });
});

describe('metrics', () => {
  it('are what their names say', () => {
    const original = Float32Array.of(3, 4, 0, 0);
    const m = errorMetrics(original, Float32Array.of(3, 4, 0.5, 0));
    expect(m.relativeError).toBeCloseTo(0.1, 12);
    expect(m.sqnrDb).toBeCloseTo(20, 10);
    expect(m.cosine).toBeCloseTo(5 / Math.hypot(5, 0.5), 12);
    expect(m.rmse).toBeCloseTo(0.25, 12);
    expect([m.p50, m.p95, m.max]).toEqual([0, 0.5, 0.5]);
  });

  it('are defined where nothing changes, and for zeros', () => {
    const zeros = new Float32Array(3);
    expect(errorMetrics(zeros, zeros)).toMatchObject({
      relativeError: 0,
      sqnrDb: Infinity,
      cosine: 1,
      rmse: 0,
      max: 0,
    });
    expect(errorMetrics(zeros, Float32Array.of(1, 0, 0))).toMatchObject({ relativeError: Infinity, sqnrDb: -Infinity });
  });

  it('find percentiles as sorting does', () => {
    const positive = fc.nat({ max: 0x7f7fffff }).map(fromFloatBits);
    fc.assert(
      fc.property(
        fc.array(positive, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, p) => {
          const floats = Float32Array.from(values);
          const sorted = floats.toSorted();
          expect(percentiles(floats, [p])).toEqual([sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)]]);
        },
      ),
    );
    expect(percentiles(new Float32Array(0), [0.5])).toEqual([NaN]);
  });

  it('count bytes as MLX keeps them', () => {
    const settings = { mode: 'affine', bits: 4, groupSize: 64 } as const;
    const w = linearWeight(0, 128);
    const { packed, scales, biases } = quantize(w, settings);
    const bytes = packed.data.byteLength + scales.data.byteLength + biases!.data.byteLength;
    expect(quantizedBytes(w.shape, settings, 4)).toBe(bytes);
    expect(bitsPerWeight(settings, 4)).toBe((8 * bytes) / (128 * 128));
    expect(bitsPerWeight(settings, 2)).toBe(4.5);
    expect(bitsPerWeight({ mode: 'mxfp4', bits: 4, groupSize: 32 }, 2)).toBe(4.25);
    expect(bitsPerWeight({ mode: 'nvfp4', bits: 4, groupSize: 16 }, 2)).toBe(4.5);
  });
});

it('stores half-precision scales as values of that dtype', () => {
  const w = linearWeight(1, 64);
  const half = { ...w, dtype: 'bfloat16', data: (w.data as Float32Array).map(v => roundTo('bfloat16', v)) } as Tensor;
  const { scales } = quantize(half, { mode: 'affine', bits: 4, groupSize: 64 });
  for (const s of scales.data) expect(roundTo('bfloat16', s as number)).toBe(s);
});
