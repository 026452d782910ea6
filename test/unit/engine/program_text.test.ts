import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Program } from '../../../engine/src/evaluate/program';
import { programText, readProgramText } from '../../../engine/src/evaluate/program_text';
import { fromBase64, toBase64 } from '../../../engine/src/formats/base64';
import type { Attr } from '../../../engine/src/graph/op';
import { tensor } from '../../../engine/src/tensor';

const program = (parts: Partial<Program> = {}): Program => ({ sources: [], calls: [], outputs: [], ...parts });
const attribute = (value: Attr): Attr => {
  const call = { op: 'add', attrs: { value }, inputs: [0, 1], out: [{ shape: [], dtype: 'float32' }] } as const;
  return readProgramText(programText(program({ calls: [call] }))).calls[0].attrs.value;
};

describe('a program as text', () => {
  it('holds arrays to the bit, also parts of larger buffers', () => {
    const sources = [
      tensor('float32', [2, 2], Float32Array.of(NaN, -0, Infinity, 1e-45)),
      tensor('float32', [2], new Float32Array(8).fill(0.1).subarray(3, 5)),
      tensor('bfloat16', [1], Float32Array.of(1.5)),
      tensor('complex64', [1], Float32Array.of(1, -2)),
      tensor('bool', [3], Uint8Array.of(1, 0, 1)),
      tensor('int64', [1], BigInt64Array.of(-(2n ** 60n))),
      tensor('float64', [0], new Float64Array(0)),
    ];
    expect(readProgramText(programText(program({ sources }))).sources).toEqual(sources);
  });

  it('keeps calls and outputs', () => {
    const written = program({
      sources: [tensor('int32', [1], Int32Array.of(7))],
      calls: [{ op: 'negative', attrs: { axes: [0, -1], key: { seed: 1, draw: 2 } }, inputs: [0], out: [] }],
      outputs: [1, 0],
    });
    expect(readProgramText(programText(written))).toEqual(written);
  });

  it('keeps attributes that JSON lacks', () => {
    for (const value of [NaN, Infinity, -Infinity, -0, undefined, null, 0, '', false, 'NaN'])
      expect(Object.is(attribute(value), value)).toBe(true);
    const nested = [[undefined, null, -0], { low: -Infinity, text: 'x' }];
    expect(attribute(nested)).toStrictEqual(nested);
  });

  it('refuses arrays whose bytes are not all there', () => {
    const text = programText(program({ sources: [tensor('int32', [2], Int32Array.of(1, 2))] }));
    expect(() => readProgramText(text.replace('[2]', '[3]'))).toThrow('8 bytes for int32[3], which takes 12');
  });
});

describe('base64', () => {
  it('keeps any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), bytes => {
        expect(fromBase64(toBase64(bytes))).toEqual(new Uint8Array(bytes));
        expect(toBase64(bytes)).toBe(Buffer.from(bytes).toString('base64'));
      }),
    );
    const long = Uint8Array.from({ length: 20_000 }, (_, i) => i);
    expect(fromBase64(toBase64(long))).toEqual(long);
  });
});
