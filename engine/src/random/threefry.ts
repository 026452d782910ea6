/**
 * The counter-based generator of mx.random: threefry2x32 with 20 rounds (Salmon et al., 2011).
 */

/** A generator key: two 32-bit words. */
export type Key = readonly [number, number];

const ROTATIONS = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const PARITY = 0x1bd11bda;

/** The hash of the counter pair (c0, c1) under `key`, written to out[at0] and out[at1]. */
function hash(key: Key, c0: number, c1: number, out: Uint32Array, at0: number, at1: number): void {
  const [k0, k1] = key;
  const k2 = k0 ^ k1 ^ PARITY;
  let x = (c0 + k0) | 0;
  let y = (c1 + k1) | 0;
  for (let round = 0; round < 5; round++) {
    const rotations = ROTATIONS[round & 1];
    for (let i = 0; i < 4; i++) {
      const by = rotations[i];
      x = (x + y) | 0;
      y = ((y << by) | (y >>> (32 - by))) ^ x;
    }
    const phase = round % 3;
    x = (x + (phase === 0 ? k1 : phase === 1 ? k2 : k0)) | 0;
    y = (y + (phase === 0 ? k2 : phase === 1 ? k0 : k1) + round + 1) | 0;
  }
  out[at0] = x;
  if (at1 < out.length) out[at1] = y;
}

/**
 * `count` random words. A hash gives two of them, one for each half of the result; of the hash for the middle word of
 * an odd count the second is dropped.
 */
export function randomWords(key: Key, count: number): Uint32Array<ArrayBuffer> {
  const out = new Uint32Array(count);
  const half = count >>> 1;
  const second = count - half;
  for (let i = 0; i < half; i++) hash(key, i, second + i, out, i, second + i);
  if (second > half) hash(key, half, 0, out, half, count);
  return out;
}
