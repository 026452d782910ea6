/**
 * Affine quantization of float32 values, as MLX's CPU build computes it to the last bit: every step in float32, a
 * division and not a product with 1 / scale, ties to even, NaN ignored by the extremes and coded 0.
 */

/** Four vectors of codes to their place in the stream; `bits` is a constant after inlining. */
@inline
function pack(q0: v128, q1: v128, q2: v128, q3: v128, out: usize, bits: i32): void {
  let codes = u8x16_narrow(q0, q1, q2, q3);
  if (bits == 8) {
    v128.store(out, codes);
    return;
  }
  if (bits == 4) {
    // bytes 0x0a 0x0b to 0xba: the upper byte of every 16-bit lane, shifted, into the lower one
    codes = v128.and(v128.or(codes, i16x8.shr_u(codes, 4)), i16x8.splat(0xff));
    v128.store64_lane(out, i8x16.narrow_i16x8_u(codes, codes), 0);
    return;
  }
  pack8(i64x2.extract_lane(codes, 0), out, bits);
  pack8(i64x2.extract_lane(codes, 1), out + bits, bits);
}

@inline
function u8x16_narrow(q0: v128, q1: v128, q2: v128, q3: v128): v128 {
  return i8x16.narrow_i16x8_u(i16x8.narrow_i32x4_u(q0, q1), i16x8.narrow_i32x4_u(q2, q3));
}

/** Eight codes, a byte each, fill exactly `bits` bytes. */
@inline
function pack8(codes: u64, out: usize, bits: i32): void {
  let stream: u64 = 0;
  for (let i = 0; i < 8; i++) stream |= ((codes >> (8 * i)) & 0xff) << (i * bits);
  for (let i = 0; i < bits; i++) store<u8>(out + i, <u8>(stream >> (8 * i)));
}

/** Nearest code of four values: half to even, clamped, NaN to 0. */
@inline
function encode(values: v128, scale: v128, bias: v128, top: v128): v128 {
  const nearest = f32x4.nearest(f32x4.div(f32x4.sub(values, bias), scale));
  return i32x4.trunc_sat_f32x4_s(f32x4.pmin(f32x4.pmax(nearest, f32x4.splat(0)), top));
}

@inline
function quantize(w: usize, out: usize, scales: usize, biases: usize, groups: usize, groupSize: usize, bits: i32): void {
  const least: f32 = 1e-7;
  const levels = <f32>((1 << bits) - 1);
  const top = f32x4.splat(levels);
  for (let g: usize = 0; g < groups; g++) {
    // pmax(a, b) is b where a < b: a NaN in b never wins, as in MLX's comparison
    let high = f32x4.splat(-f32(Infinity));
    let low = f32x4.splat(f32(Infinity));
    for (let j: usize = 0; j < groupSize; j += 4) {
      const v = v128.load(w + j * 4);
      high = f32x4.pmax(high, v);
      low = f32x4.pmin(low, v);
    }
    high = f32x4.pmax(high, v128.shuffle<i64>(high, high, 1, 0));
    high = f32x4.pmax(high, v128.shuffle<i32>(high, high, 1, 0, 3, 2));
    low = f32x4.pmin(low, v128.shuffle<i64>(low, low, 1, 0));
    low = f32x4.pmin(low, v128.shuffle<i32>(low, low, 1, 0, 3, 2));
    const largest = f32x4.extract_lane(high, 0);
    const smallest = f32x4.extract_lane(low, 0);

    const range = bits == 1 ? largest - smallest : (largest - smallest) / levels;
    let scale = range < least ? least : range;
    let bias: f32 = 0;
    if (bits == 1) bias = smallest;
    else {
      // the edge of larger magnitude is represented exactly
      const negative = abs(smallest) > abs(largest);
      if (!negative) scale = -scale;
      const edge = negative ? smallest : largest;
      const code = nearest(edge / scale);
      if (code != 0) {
        scale = edge / code;
        bias = edge;
      }
    }
    const s = f32x4.splat(scale);
    const b = f32x4.splat(bias);
    for (let j: usize = 0; j < groupSize; j += 16) {
      const p = w + j * 4;
      pack(
        encode(v128.load(p), s, b, top),
        encode(v128.load(p, 16), s, b, top),
        encode(v128.load(p, 32), s, b, top),
        encode(v128.load(p, 48), s, b, top),
        out,
        bits,
      );
      out += 2 * bits;
    }
    store<f32>(scales + g * 4, scale);
    store<f32>(biases + g * 4, bias);
    w += groupSize * 4;
  }
}

/** `groups` groups of `groupSize` (a multiple of 16) values to codes, and one float32 scale and bias each. */
export function quantizeAffine(
  w: usize, out: usize, scales: usize, biases: usize, groups: usize, groupSize: usize, bits: i32,
): void {
  switch (bits) { // one specialised copy a width
    case 1: return quantize(w, out, scales, biases, groups, groupSize, 1);
    case 2: return quantize(w, out, scales, biases, groups, groupSize, 2);
    case 3: return quantize(w, out, scales, biases, groups, groupSize, 3);
    case 4: return quantize(w, out, scales, biases, groups, groupSize, 4);
    case 5: return quantize(w, out, scales, biases, groups, groupSize, 5);
    case 6: return quantize(w, out, scales, biases, groups, groupSize, 6);
    default: return quantize(w, out, scales, biases, groups, groupSize, 8);
  }
}
