/**
 * Arrays and results recorded from real MLX (test/truth/engine), and comparison with them to the last bit.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { Facts } from '../../../engine/src/dims/facts';
import type { DType } from '../../../engine/src/dtype';
import { sizeOf } from '../../../engine/src/dtype';
import { type ArrayNode, record, source } from '../../../engine/src/graph/graph';
import { type Attrs, type ConcreteType, opNamed } from '../../../engine/src/graph/op';
import { decodeBfloat16, decodeFloat16, encodeBfloat16, encodeFloat16 } from '../../../engine/src/numeric/half';
import type { Storage, Tensor } from '../../../engine/src/tensor';
import { tensor } from '../../../engine/src/tensor';

export interface Recorded {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data?: string;
  readonly sha256?: string;
}

/** The cases of a section of test/truth/engine. */
export function cases<C>(section: string): C[] {
  const file = new URL(`../../truth/engine/${section}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString()).cases;
}

/** Bytes of base64, at the start of a buffer of their own. */
export const bytesOf = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(text, 'base64'));

/** A recorded array that was stored whole. */
export function decode({ dtype, shape, data }: Recorded): Tensor {
  const { buffer } = bytesOf(data!);
  const bare = tensor(dtype, shape);
  if (dtype === 'float16') return { ...bare, data: decodeFloat16(new Uint16Array(buffer)) } as Tensor;
  if (dtype === 'bfloat16') return { ...bare, data: decodeBfloat16(new Uint16Array(buffer)) } as Tensor;
  const View = bare.data.constructor as new (buffer: ArrayBuffer) => Storage[DType];
  return { ...bare, data: new View(buffer) } as Tensor;
}

/** The bytes that MLX would keep of an array, every NaN made one. */
function bytes(x: Tensor): Uint8Array {
  if (x.dtype !== 'float32' && x.dtype !== 'float16' && x.dtype !== 'bfloat16')
    return new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength);
  const values = (x.data as Float32Array).slice();
  const nan = values.map(v => Number(Number.isNaN(v)));
  const bits =
    x.dtype === 'float32'
      ? new Uint32Array(values.buffer)
      : x.dtype === 'float16'
        ? encodeFloat16(values)
        : encodeBfloat16(values);
  const one = { float32: 0x7fc00000, float16: 0x7e00, bfloat16: 0x7fc0 }[x.dtype];
  for (let i = 0; i < bits.length; i++) if (nan[i]) bits[i] = one;
  return new Uint8Array(bits.buffer);
}

/** Fails unless the array has the recorded dtype, shape and bits. */
export function expectSame(x: Tensor, recorded: Recorded, what: string): void {
  expect({ dtype: x.dtype, shape: [...x.shape] }, what).toEqual({ dtype: recorded.dtype, shape: recorded.shape });
  const own = bytes(x);
  expect(own.length, what).toBe(recorded.shape.reduce((n, d) => n * d, sizeOf(x.dtype)));
  if (recorded.sha256 !== undefined) expect(createHash('sha256').update(own).digest('hex'), what).toBe(recorded.sha256);
  else expect(Buffer.from(own).toString('base64'), what).toBe(recorded.data);
}

/** Fails unless all values are within `tolerance` of the recorded ones, relative to the largest. */
export function expectNear(x: Tensor, recorded: Recorded, tolerance: number, what: string): void {
  const wanted = decode(recorded).data as Float32Array;
  expect({ dtype: x.dtype, shape: [...x.shape] }, what).toEqual({ dtype: recorded.dtype, shape: recorded.shape });
  const largest = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
  for (const [i, v] of wanted.entries())
    expect(Math.abs((x.data as Float32Array)[i] - v), `${what}, element ${i}`).toBeLessThanOrEqual(tolerance * largest);
}

/** Records an operation on constants and runs its kernel at once. */
export function run(op: string, inputs: readonly Tensor[], attrs: Attrs = {}): readonly Tensor[] {
  const nodes = inputs.map(value => source({ shape: value.shape, dtype: value.dtype }, { value }));
  const out = record(new Facts(), op, nodes, attrs).map(concrete);
  const result = opNamed(op).kernel!(inputs, attrs, out);
  return Array.isArray(result) ? result : [result as Tensor];
}

const concrete = ({ shape, dtype }: ArrayNode): ConcreteType => ({ shape: shape as readonly number[], dtype: dtype! });
