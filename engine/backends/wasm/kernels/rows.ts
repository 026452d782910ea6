/**
 * What is computed row by row: softmax, the norms of `mx.fast`, rotary positions, and the weights of attention.
 *
 * Sums run in float64, so that long rows lose nothing; results are float32.
 */
import { exp4 } from './math';

@inline
function addWide(sum: v128, x: v128): v128 {
  return f64x2.add(f64x2.add(sum, f64x2.promote_low_f32x4(x)), f64x2.promote_low_f32x4(v128.shuffle<i64>(x, x, 1, 0)));
}

@inline
function across(sum: v128): f64 {
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

function largest(x: usize, n: usize): f32 {
  let most: f32 = -f32(Infinity);
  let i: usize = 0;
  if (n >= 4) {
    let high = v128.load(x);
    for (i = 4; i + 4 <= n; i += 4) high = f32x4.max(high, v128.load(x + i * 4));
    high = f32x4.max(high, v128.shuffle<i64>(high, high, 1, 0));
    high = f32x4.max(high, v128.shuffle<i32>(high, high, 1, 0, 3, 2));
    most = f32x4.extract_lane(high, 0);
  }
  for (; i < n; i++) most = max<f32>(most, load<f32>(x + i * 4));
  return most;
}

/** x to e^(x - most), in place; answers the sum. */
function exponentials(x: usize, n: usize, most: f32): f64 {
  const tops = f32x4.splat(most);
  let wide = f64x2.splat(0);
  let i: usize = 0;
  for (; i + 4 <= n; i += 4) {
    const e = exp4(f32x4.sub(v128.load(x + i * 4), tops));
    v128.store(x + i * 4, e);
    wide = addWide(wide, e);
  }
  let sum = across(wide);
  for (; i < n; i++) {
    const e = f32x4.extract_lane(exp4(f32x4.splat(load<f32>(x + i * 4) - most)), 0);
    store<f32>(x + i * 4, e);
    sum += <f64>e;
  }
  return sum;
}

function scaleRow(x: usize, n: usize, factor: f64): void {
  let i: usize = 0;
  const f = f32x4.splat(<f32>factor);
  for (; i + 4 <= n; i += 4) v128.store(x + i * 4, f32x4.mul(v128.load(x + i * 4), f));
  for (; i < n; i++) store<f32>(x + i * 4, load<f32>(x + i * 4) * <f32>factor);
}

/** Softmax of each of `rows` rows of `n`, in place. */
export function softmaxRows(x: usize, rows: usize, n: usize): void {
  for (let r: usize = 0; r < rows; r++, x += n * 4) scaleRow(x, n, 1 / exponentials(x, n, largest(x, n)));
}

/**
 * Scores of queries to weights of values, in place: softmax of scale * scores + mask, a row a query. A mask is bytes
 * (kind 1, 0 hides) or floats (kind 2), with the strides of its axes; kind 0 is none. With `causal` row r sees the keys
 * up to r + offset. A sink is one more score, of no value.
 */
export function attentionWeights(
  scores: usize, rows: usize, keys: usize, scale: f32,
  mask: usize, kind: i32, maskRow: usize, maskColumn: usize,
  causal: bool, offset: isize, hasSink: bool, sink: f32,
): void {
  const hidden: f32 = -f32(Infinity);
  for (let r: usize = 0; r < rows; r++, scores += keys * 4) {
    scaleRow(scores, keys, scale);
    if (kind == 1) {
      for (let k: usize = 0; k < keys; k++)
        if (load<u8>(mask + r * maskRow + k * maskColumn) == 0) store<f32>(scores + k * 4, hidden);
    } else if (kind == 2) {
      for (let k: usize = 0; k < keys; k++) {
        const p = scores + k * 4;
        store<f32>(p, load<f32>(p) + load<f32>(mask + (r * maskRow + k * maskColumn) * 4));
      }
    }
    let seen = keys;
    if (causal) {
      const end = <isize>r + offset + 1;
      seen = end < 0 ? 0 : min(keys, <usize>end);
      memory.fill(scores + seen * 4, 0, (keys - seen) * 4);
    }
    let most = largest(scores, seen);
    if (hasSink) most = max<f32>(most, sink);
    let sum = exponentials(scores, seen, most);
    if (hasSink) sum += <f64>f32x4.extract_lane(exp4(f32x4.splat(sink - most)), 0);
    // A query that sees nothing has no weights: 0 / 0.
    if (seen < keys && seen == 0) for (let k: usize = 0; k < keys; k++) store<f32>(scores + k * 4, f32(NaN));
    else scaleRow(scores, seen, 1 / sum);
  }
}

/**
 * (x - mean) / sqrt(variance + eps) * weight + bias of each row; without `centred` the mean is taken for 0. `weight` and
 * `bias` may be 0 for none.
 */
export function normRows(
  x: usize, out: usize, rows: usize, n: usize, eps: f64, centred: bool, weight: usize, bias: usize,
): void {
  for (let r: usize = 0; r < rows; r++, x += n * 4, out += n * 4) {
    let mean: f64 = 0;
    if (centred) {
      for (let i: usize = 0; i < n; i++) mean += <f64>load<f32>(x + i * 4);
      mean /= <f64>n;
    }
    let wide = f64x2.splat(0);
    const means = f64x2.splat(mean);
    let i: usize = 0;
    for (; i + 2 <= n; i += 2) {
      const d = f64x2.sub(f64x2.promote_low_f32x4(v128.load64_zero(x + i * 4)), means);
      wide = f64x2.add(wide, f64x2.mul(d, d));
    }
    let squares = across(wide);
    for (; i < n; i++) {
      const d = <f64>load<f32>(x + i * 4) - mean;
      squares += d * d;
    }
    const factor = 1 / sqrt(squares / <f64>n + eps);
    for (i = 0; i < n; i++) {
      let value = (<f64>load<f32>(x + i * 4) - mean) * factor;
      if (weight != 0) value *= <f64>load<f32>(weight + i * 4);
      if (bias != 0) value += <f64>load<f32>(bias + i * 4);
      store<f32>(out + i * 4, <f32>value);
    }
  }
}

/**
 * Turns pairs of each of `length` rows of `width` by the angles of its position: cos and sin are [length, half]. Pairs
 * are neighbours where `traditional`, else `half` apart. What lies beyond them is copied.
 */
export function rotateRows(
  x: usize, out: usize, length: usize, width: usize, half: usize, traditional: bool, cos: usize, sin: usize,
): void {
  for (let r: usize = 0; r < length; r++, x += width * 4, out += width * 4) {
    let i: usize = 0;
    if (!traditional)
      for (; i + 4 <= half; i += 4) {
        const at = (r * half + i) * 4;
        const c = v128.load(cos + at), s = v128.load(sin + at);
        const a = v128.load(x + i * 4), b = v128.load(x + (half + i) * 4);
        v128.store(out + i * 4, f32x4.sub(f32x4.mul(a, c), f32x4.mul(b, s)));
        v128.store(out + (half + i) * 4, f32x4.add(f32x4.mul(a, s), f32x4.mul(b, c)));
      }
    for (; i < half; i++) {
      const at = (r * half + i) * 4;
      const first = (traditional ? i * 2 : i) * 4, second = (traditional ? i * 2 + 1 : half + i) * 4;
      const c = load<f32>(cos + at), s = load<f32>(sin + at);
      const a = load<f32>(x + first), b = load<f32>(x + second);
      store<f32>(out + first, a * c - b * s);
      store<f32>(out + second, a * s + b * c);
    }
    if (half * 2 < width) memory.copy(out + half * 2 * 4, x + half * 2 * 4, (width - half * 2) * 4);
  }
}
