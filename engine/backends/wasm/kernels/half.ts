/**
 * Products in float16 or bfloat16 as MLX's CPU build computes quantized ones: held as float32, but every product and
 * every running sum is rounded to the half type.
 *
 * Rounding costs several times what it rounds, so there is one micro-kernel (a row over one panel) and no tile.
 */
import { BFLOAT16, FLOAT16, round } from './round';
import { COLUMNS } from './tile';

/** Turns a panel of codes into weights: scale * code, rounded, + bias, rounded. `scales` and `biases` are [groups][8]. */
export function affinePanel(panel: usize, kc: usize, groupSize: usize, scales: usize, biases: usize, dtype: i32): void {
  if (dtype == BFLOAT16) dress(panel, kc, groupSize, scales, biases, BFLOAT16);
  else dress(panel, kc, groupSize, scales, biases, FLOAT16);
}

@inline
function dress(panel: usize, kc: usize, groupSize: usize, scales: usize, biases: usize, dtype: i32): void {
  for (let k: usize = 0; k < kc; k += groupSize) {
    const end = panel + min(groupSize, kc - k) * COLUMNS * 4;
    const s0 = v128.load(scales), s1 = v128.load(scales, 16);
    const b0 = v128.load(biases), b1 = v128.load(biases, 16);
    for (; panel < end; panel += COLUMNS * 4) {
      v128.store(panel, round(f32x4.add(round(f32x4.mul(v128.load(panel), s0), dtype), b0), dtype));
      v128.store(panel, round(f32x4.add(round(f32x4.mul(v128.load(panel, 16), s1), dtype), b1), dtype), 16);
    }
    scales += COLUMNS * 4;
    biases += COLUMNS * 4;
  }
}

@inline
function step(a: v128, panel: usize, offset: usize, sum: v128, dtype: i32): v128 {
  return round(f32x4.add(sum, round(f32x4.mul(a, v128.load(panel + offset)), dtype)), dtype);
}

/**
 * One row over one panel: y[8] continues its sums over kc values; with `scales` the sum of these kc values alone is
 * scaled and added. `y` must have room for eight columns.
 */
export function halfRow(kc: usize, x: usize, panel: usize, y: usize, scales: usize, dtype: i32): void {
  if (dtype == BFLOAT16) halfRowOf(kc, x, panel, y, scales, BFLOAT16);
  else halfRowOf(kc, x, panel, y, scales, FLOAT16);
}

@inline
function halfRowOf(kc: usize, x: usize, panel: usize, y: usize, scales: usize, dtype: i32): void {
  let c0 = f32x4.splat(0), c1 = c0;
  if (scales == 0) {
    c0 = v128.load(y);
    c1 = v128.load(y, 16);
  }
  for (let k: usize = 0; k < kc; k++) {
    const a = v128.load32_splat(x);
    c0 = step(a, panel, 0, c0, dtype);
    c1 = step(a, panel, 16, c1, dtype);
    x += 4;
    panel += COLUMNS * 4;
  }
  if (scales != 0) {
    c0 = step(c0, scales, 0, v128.load(y), dtype);
    c1 = step(c1, scales, 16, v128.load(y, 16), dtype);
  }
  v128.store(y, c0);
  v128.store(y, c1, 16);
}
