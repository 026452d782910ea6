import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cast } from '../../../engine/src/numeric/cast';
import { floatBits, fmaf, fromFloatBits, rint, toInt32 } from '../../../engine/src/numeric/float';
import {
  bfloat16Bits,
  decodeFloat16,
  float16Bits,
  fromBfloat16Bits,
  fromFloat16Bits,
} from '../../../engine/src/numeric/half';
import { FP4_VALUES, FP8_VALUES, fp8Code } from '../../../engine/src/numeric/minifloat';
import { roundTo } from '../../../engine/src/numeric/round';
import { erf, erfinv, expf, log1pf, logf } from '../../../engine/src/numeric/transcendental';
import type { Tensor } from '../../../engine/src/tensor';
import { bytesOf, cases, decode, expectSame, type Recorded } from './golden';

const anyFloat32 = fc.nat({ max: 0xffffffff }).map(fromFloatBits);

describe('half precision', () => {
  it('keeps every float16 and bfloat16 through its bits', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65536; bits++)
      for (const [decodeOne, encodeOne] of [
        [fromFloat16Bits, float16Bits],
        [fromBfloat16Bits, bfloat16Bits],
      ] as const) {
        const value = decodeOne(bits);
        if (!Number.isNaN(value) && encodeOne(value) !== bits) wrong.push(bits);
      }
    expect(wrong).toEqual([]);
  });

  it('decodes in bulk as one by one', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = decodeFloat16(bits);
    expect(bits.every(b => Object.is(values[b], fromFloat16Bits(b)))).toBe(true);
  });

  it('rounds to what the bits of the rounded value stand for', () => {
    fc.assert(
      fc.property(anyFloat32, x => {
        expect(roundTo('float16', x)).toBe(fromFloat16Bits(float16Bits(x)));
        expect(roundTo('bfloat16', x)).toBe(fromBfloat16Bits(bfloat16Bits(x)));
      }),
      { numRuns: 5000 },
    );
  });

  it('rounds ties to even, and overflows half way past the largest value', () => {
    expect(roundTo('float16', 2049)).toBe(2048);
    expect(roundTo('float16', 2051)).toBe(2052);
    expect(roundTo('float16', 65519.99)).toBe(65504);
    expect(roundTo('float16', 65520)).toBe(Infinity);
    expect(roundTo('bfloat16', 257)).toBe(256);
    expect(Object.is(roundTo('float16', -1e-9), -0)).toBe(true);
  });

  it('refuses to round to an integer dtype', () => {
    expect(() => roundTo('int32', 1)).toThrow('no rounding to int32');
  });
});

describe('small floats', () => {
  it('keeps every fp8 value through its code, and saturates', () => {
    for (let code = 0; code < 256; code++)
      if (!Number.isNaN(FP8_VALUES[code])) expect(fp8Code(FP8_VALUES[code])).toBe(code);
    expect([fp8Code(1e9), fp8Code(-Infinity), fp8Code(NaN)]).toEqual([0x7e, 0xfe, 0x7e]);
    expect(FP8_VALUES[0x7e]).toBe(448);
  });

  it('finds the nearest fp8 value', () => {
    fc.assert(
      fc.property(fc.float({ min: -448, max: 448, noNaN: true }), x => {
        const found = Math.abs(FP8_VALUES[fp8Code(x)] - x);
        for (const value of FP8_VALUES)
          if (!Number.isNaN(value)) expect(found).toBeLessThanOrEqual(Math.abs(value - x));
      }),
      { numRuns: 200 },
    );
  });

  it('has sixteen fp4 values, the upper half negative', () => {
    expect(FP4_VALUES.slice(8)).toEqual(FP4_VALUES.slice(0, 8).map(v => -v));
  });
});

describe('float32 arithmetic', () => {
  it('rounds halves to even and keeps the sign of zero', () => {
    expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4, NaN].map(rint)).toEqual([0, 2, 2, -0, -2, 2, NaN]);
  });

  it('truncates to int as x86 does', () => {
    expect([1.9, -1.9, 3e9, -3e9, NaN].map(toInt32)).toEqual([1, -1, -2147483648, -2147483648, -2147483648]);
  });

  it('fuses multiplication and addition with one rounding', () => {
    // (1 + 2^-23)² = 1 + 2^-22 + 2^-46, of which a rounded product would lose the last part
    const x = 1 + 2 ** -23;
    expect(fmaf(x, x, -(1 + 2 ** -22))).toBe(2 ** -46);
    // half way between two floats but for a part far below a double's last bit
    expect(fmaf(1 + 2 ** -12, 1 + 2 ** -12, 2 ** -80)).toBe(Math.fround(1 + 2 ** -11 + 2 ** -23));
  });

  it('agrees with exact rational arithmetic', () => {
    const exact = fc.integer({ min: -(2 ** 24), max: 2 ** 24 });
    fc.assert(
      fc.property(exact, exact, exact, fc.integer({ min: -30, max: 30 }), (a, b, c, e) => {
        // whole numbers times powers of two: the sum as a bigint, rounded to float32 by hand
        const scale = 2 ** e;
        const sum =
          e >= 0
            ? BigInt(a) * BigInt(b) + BigInt(c) * BigInt(scale)
            : BigInt(a) * BigInt(b) * BigInt(2 ** -e) + BigInt(c);
        const unit = e >= 0 ? 1 : scale;
        expect(fmaf(a, b, c * scale)).toBe(roundToFloat32(sum) * unit);
      }),
      { numRuns: 2000 },
    );
  });

  const table = { log: logf, log1p: log1pf, exp: expf, erf, erfinv };
  it('computes logarithms, exponentials and error functions as MLX, bit for bit', () => {
    for (const { f, x, out } of cases<{ f: keyof typeof table; x: string; out: Recorded }>('functions')) {
      const arguments_ = new Float32Array(bytesOf(x).buffer);
      const data = arguments_.map(table[f]);
      expectSame({ shape: out.shape, dtype: 'float32', data } as Tensor, out, f);
    }
  });
});

/** A whole number as the nearest float32, ties to even. */
function roundToFloat32(value: bigint): number {
  const size = value < 0n ? -value : value;
  const shift = BigInt(Math.max(0, size.toString(2).length - 24));
  const low = (size >> shift) << shift;
  const rest = size - low;
  const half = shift > 0n ? 1n << (shift - 1n) : 1n;
  const up = shift > 0n && (rest > half || (rest === half && (size >> shift) % 2n === 1n));
  const rounded = Number(up ? low + (1n << shift) : low);
  return value < 0n ? -rounded : rounded;
}

describe('casts', () => {
  it('converts between all real dtypes as astype does', () => {
    for (const { x, out } of cases<{ x: Recorded; out: Recorded }>('casts'))
      expectSame(cast(decode(x), out.dtype), out, `${x.dtype} to ${out.dtype}`);
  });

  it('drops the imaginary part, and adds one of zero', () => {
    const z: Tensor = { shape: [2], dtype: 'complex64', data: Float32Array.of(1.5, 9, -2, 8) };
    expect([...cast(z, 'float32').data]).toEqual([1.5, -2]);
    expect([...cast(cast(z, 'int32'), 'complex64').data]).toEqual([1, 0, -2, 0]);
  });

  it('gives back an array that has the dtype already', () => {
    const x: Tensor = { shape: [1], dtype: 'int8', data: Int8Array.of(3) };
    expect(cast(x, 'int8')).toBe(x);
  });
});

it('reads the bits of floats', () => {
  expect(floatBits(1)).toBe(0x3f800000);
  expect(fromFloatBits(0xbf7fffff)).toBeLessThan(0);
});
