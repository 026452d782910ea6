/**
 * float16 and bfloat16: to and from their 16 stored bits, and rounding to them.
 *
 * All rounding is to nearest, ties to even. Values are held as float32 (see ../tensor); the bits appear only in files
 * and in what quantization packs.
 */
import { floatBits, fromFloatBits, rint } from './float';

const FLOAT16_OVERFLOW = 65520; // half way between the largest float16 and the next power of two
const FLOAT16_LEAST_NORMAL = 2 ** -14;

/** `x` as a float16 value. */
export function roundToFloat16(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (Math.abs(x) < FLOAT16_LEAST_NORMAL) return rint(Math.fround(x) * 2 ** 24) * 2 ** -24;
  const bits = floatBits(x);
  const rounded = fromFloatBits((bits + 0xfff + ((bits >>> 13) & 1)) & ~0x1fff);
  return Math.abs(rounded) < 65536 ? rounded : Math.sign(x) * Infinity;
}

/** `x` as a bfloat16 value. */
export function roundToBfloat16(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const bits = floatBits(x);
  return fromFloatBits((bits + 0x7fff + ((bits >>> 16) & 1)) & ~0xffff);
}

/** The 16 bits of `x` rounded to float16. NaN keeps its sign. */
export function float16Bits(x: number): number {
  const bits = floatBits(x);
  const sign = (bits >>> 16) & 0x8000;
  if (Number.isNaN(x)) return sign | 0x7e00;
  const size = Math.abs(fromFloatBits(bits));
  if (size >= FLOAT16_OVERFLOW) return sign | 0x7c00;
  // a subnormal that rounds up to 1024 units is the first normal number, whose bits these are
  if (size < FLOAT16_LEAST_NORMAL) return sign | rint(size * 2 ** 24);
  const magnitude = bits & 0x7fffffff;
  return sign | (((magnitude + 0xfff + ((magnitude >>> 13) & 1)) >>> 13) - ((127 - 15) << 10));
}

/** The float16 value with these bits. */
export function fromFloat16Bits(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const mantissa = bits & 1023;
  const size =
    exponent === 31
      ? mantissa
        ? NaN
        : Infinity
      : exponent === 0
        ? mantissa * 2 ** -24
        : (1 + mantissa / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

/** The 16 bits of `x` rounded to bfloat16. NaN loses its sign, as in MLX. */
export function bfloat16Bits(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0;
  const bits = floatBits(x);
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

/** The bfloat16 value with these bits. */
export const fromBfloat16Bits = (bits: number): number => fromFloatBits(bits << 16);

let float16Table: Float32Array | null = null;

/** The values of many float16s. A table of all 65,536 makes this some 200 times as fast as one by one. */
export function decodeFloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const table = (float16Table ??= Float32Array.from({ length: 65536 }, (_, i) => fromFloat16Bits(i)));
  const out = new Float32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]];
  return out;
}

/** The values of many bfloat16s. */
export function decodeBfloat16(bits: Uint16Array): Float32Array<ArrayBuffer> {
  const words = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i] << 16;
  return new Float32Array(words.buffer);
}

/** The stored bits of float16 values. */
export function encodeFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = float16Bits(values[i]);
  return out;
}

/** The stored bits of bfloat16 values. */
export function encodeBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = bfloat16Bits(values[i]);
  return out;
}
