/**
 * The 8- and 4-bit floats of microscaling formats: fp8 e4m3 (no infinities) and fp4 e2m1.
 */
import { floatBits, rint } from './float';

/** The largest fp8 e4m3 and fp4 e2m1 values. */
export const FP8_MAX = 448;
export const FP4_MAX = 6;

/** The values of the 16 fp4 codes; the sign is bit 3. */
export const FP4_VALUES: readonly number[] = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

/**
 * The fp8 e4m3 code nearest to a float32: ties to even, everything from 448 on is 448. NaN is 448 too, as in MLX's CPU
 * encoder. The sign is bit 7.
 */
export function fp8Code(x: number): number {
  const sign = floatBits(x) >>> 31 ? 0x80 : 0;
  const size = Math.abs(x);
  if (!(size < FP8_MAX)) return sign | 0x7e;
  if (size < 2 ** -6) return sign | rint(size * 512); // subnormals: multiples of 2^-9
  const exponent = (floatBits(size) >>> 23) - 127;
  // 8 to 16 eighths of the power of two; 16 carries into the exponent
  return sign | (((exponent + 7) << 3) + rint(size * 2 ** (3 - exponent)) - 8);
}

/** The value of each of the 256 fp8 e4m3 codes; NaN for 0x7f and 0xff. */
export const FP8_VALUES: Float32Array = Float32Array.from({ length: 256 }, (_, code) => {
  const exponent = (code >> 3) & 15;
  const eighths = code & 7;
  const size =
    (code & 127) === 127 ? NaN : exponent === 0 ? eighths * 2 ** -9 : (1 + eighths / 8) * 2 ** (exponent - 7);
  return code & 128 ? -size : size;
});
