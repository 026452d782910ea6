/**
 * Quantized codes out of their packed stream, as floats.
 *
 * Codes are a little-endian stream of `bits` bits each, so eight of them fill exactly `bits` bytes and the fifth starts
 * at most 4 bits into byte 4 * bits / 8: two 32-bit loads see all eight, whatever the width (1 to 6 and 8). A load may
 * reach four bytes beyond the last code.
 * `bits` and `i` are constants after inlining.
 */

/** The byte that the fifth code of eight starts in. */
@inline
export function secondHalf(bits: i32): usize {
  return <usize>((4 * bits) >> 3);
}

/** Whether one 32-bit load sees all eight codes. */
@inline
export function fitsOneWord(bits: i32): bool {
  return 8 * bits <= 32;
}

/** Where code i begins in the word that is read for it. */
@inline
function position(i: i32, bits: i32): i32 {
  return fitsOneWord(bits) || i < 4 ? i * bits : (i - 4) * bits + ((4 * bits) & 7);
}

/** Code i of eight in every lane; each lane holds the stream of its own row, from the first and the fifth code. */
@inline
export function code(low: v128, high: v128, i: i32, bits: i32): v128 {
  const at = position(i, bits);
  let word = fitsOneWord(bits) || i < 4 ? low : high;
  if (at != 0) word = i32x4.shr_u(word, at);
  return at + bits == 32 ? word : v128.and(word, i32x4.splat((1 << bits) - 1));
}

/** Four neighbouring codes of one row at `p`, a lane each, beginning `skip` bits into the byte. */
@inline
export function neighbours(p: usize, bits: i32, skip: i32): v128 {
  if (bits == 8) return i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(v128.load32_zero(p)));
  // no shift by lane exists: a product moves each code to the top of its lane
  const top = 32 - bits - skip;
  const factors = i32x4(1 << top, 1 << (top - bits), 1 << (top - 2 * bits), 1 << (top - 3 * bits));
  return i32x4.shr_u(i32x4.mul(v128.load32_splat(p), factors), 32 - bits);
}
