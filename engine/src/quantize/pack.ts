/**
 * Packing of codes: a little-endian stream of bits, the first code in the lowest ones, in 32-bit words.
 *
 * Codes of 3, 5 and 6 bits cross the borders of bytes and words.
 */

/** `codes`, each below 2^bits, packed. Their bits must fill whole words. */
export function packCodes(codes: Uint8Array, bits: number): Uint32Array<ArrayBuffer> {
  const bytes = new Uint8Array((codes.length * bits) / 8);
  for (let i = 0, bit = 0; i < codes.length; i++, bit += bits) {
    const at = bit >> 3;
    const shifted = codes[i] << (bit & 7);
    bytes[at] |= shifted;
    if ((bit & 7) + bits > 8) bytes[at + 1] |= shifted >> 8;
  }
  return new Uint32Array(bytes.buffer);
}

/** The first `count` codes of `words`. */
export function unpackCodes(words: Uint32Array, bits: number, count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  const codes = new Uint8Array(count);
  const mask = (1 << bits) - 1;
  for (let i = 0, bit = 0; i < count; i++, bit += bits) {
    const at = bit >> 3;
    const shift = bit & 7;
    const pair = shift + bits > 8 ? bytes[at] | (bytes[at + 1] << 8) : bytes[at];
    codes[i] = (pair >> shift) & mask;
  }
  return codes;
}
