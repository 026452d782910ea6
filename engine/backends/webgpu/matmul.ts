/**
 * Tiled products in WGSL: y = x @ w, for weights that are dense or quantized.
 *
 * A workgroup of 16 x 16 computes a tile of 64 x 64, each invocation 4 x 4 of it in registers. Tiles of x and w pass
 * through workgroup memory, 16 values of k at a time; quantized weights are unpacked on the way in, so one program
 * serves every format. Sums are float32.
 */
import type { QuantizationMode } from '../../src/quantize/modes';
import { bindings, type Shader } from './shader';

export const TILE = 64;

/** How the weights are stored: a function `weight(matrix, k, n)` over the inputs it declares. */
interface Storage {
  readonly key: string;
  readonly inputs: Readonly<Record<string, string>>;
  readonly code: string;
}

const denseStorage = (transposed: boolean): Storage => ({
  key: transposed ? 'transposed' : 'dense',
  inputs: { w: 'f32' },
  code: `
fn weight(matrix: u32, k: u32, n: u32) -> f32 {
  return w[${transposed ? '(matrix * params.n + n) * params.k + k' : '(matrix * params.k + k) * params.n + n'}];
}`,
});

/** Values of codes: the code itself, e2m1 by table, or e4m3 by its fields. */
const DECODE = {
  affine: 'fn decode(code: u32) -> f32 { return f32(code); }',
  fp4: `
const FP4 = array<f32, 8>(0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0);
fn decode(code: u32) -> f32 {
  let values = FP4;
  let size = values[code & 7u];
  return select(size, -size, code > 7u);
}`,
  fp8: `
fn decode(code: u32) -> f32 {
  let magnitude = code & 127u;
  let bits = select((magnitude << 20u) + (120u << 23u), 0x7fc00000u, magnitude == 127u);
  let size = select(bitcast<f32>(bits), f32(magnitude) * 0.001953125, magnitude < 8u);
  return select(size, -size, code > 127u);
}`,
};

function quantizedStorage(mode: QuantizationMode, bits: number, groupSize: number, transpose: boolean): Storage {
  const decode = mode === 'affine' ? DECODE.affine : bits === 8 ? DECODE.fp8 : DECODE.fp4;
  const scaled = mode === 'affine' ? 'scales[group] * decode(code) + biases[group]' : 'scales[group] * decode(code)';
  return {
    key: `${mode} ${bits} ${groupSize} ${transpose}`,
    inputs: { codes: 'u32', scales: 'f32', ...(mode === 'affine' ? { biases: 'f32' } : {}) },
    code: `${decode}
const BITS = ${bits}u;
fn weight(matrix: u32, k: u32, n: u32) -> f32 {
  let row = ${transpose ? 'matrix * params.n + n' : 'matrix * params.k + k'};
  let column = ${transpose ? 'k' : 'n'};
  let columns = ${transpose ? 'params.k' : 'params.n'};
  let bit = column * BITS;
  let shift = bit & 31u;
  let word = row * (columns * BITS / 32u) + (bit >> 5u);
  var code = codes[word] >> shift;
  if (shift + BITS > 32u) { code |= codes[word + 1u] << (32u - shift); }
  code &= ${2 ** bits - 1}u;
  let group = row * (columns / ${groupSize}u) + column / ${groupSize}u;
  return ${scaled};
}`,
  };
}

/** `matrices` holds for each product which matrix of x and which of w it multiplies. */
const tiled = ({ key, inputs, code }: Storage): Shader => ({
  key: `matmul ${key}`,
  code: `${bindings(['m', 'k', 'n', 'first'], { matrices: 'vec2u', x: 'f32', ...inputs }, 'y')}
${code}
const DEPTH = 16u;
const PITCH = 17u; // a row of xs, padded against bank conflicts
var<workgroup> xs: array<f32, ${TILE * 17}>;
var<workgroup> ws: array<f32, ${TILE * 16}>;

@compute @workgroup_size(16, 16)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) local: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let product = params.first + group.z;
  let pair = matrices[product];
  let row0 = group.y * ${TILE}u;
  let column0 = group.x * ${TILE}u;
  var sums: array<vec4f, 4>;
  for (var k0 = 0u; k0 < params.k; k0 += DEPTH) {
    for (var e = index; e < ${TILE * 16}u; e += 256u) {
      let row = e / DEPTH;
      let k = e % DEPTH;
      var value = 0.0;
      if (row0 + row < params.m && k0 + k < params.k) { value = x[(pair.x * params.m + row0 + row) * params.k + k0 + k]; }
      xs[row * PITCH + k] = value;
    }
    for (var e = index; e < ${TILE * 16}u; e += 256u) {
      let k = e / ${TILE}u;
      let column = e % ${TILE}u;
      var value = 0.0;
      if (k0 + k < params.k && column0 + column < params.n) { value = weight(pair.y, k0 + k, column0 + column); }
      ws[k * ${TILE}u + column] = value;
    }
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      let at = k * ${TILE}u + local.x * 4u;
      let b = vec4f(ws[at], ws[at + 1u], ws[at + 2u], ws[at + 3u]);
      for (var i = 0u; i < 4u; i++) { sums[i] += xs[(local.y * 4u + i) * PITCH + k] * b; }
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < 4u; i++) {
    let row = row0 + local.y * 4u + i;
    for (var j = 0u; j < 4u; j++) {
      let column = column0 + local.x * 4u + j;
      if (row < params.m && column < params.n) { y[(product * params.m + row) * params.n + column] = sums[i][j]; }
    }
  }
}`,
});

/** Inputs: matrices, x, w. Parameters: m, k, n, and the first product of the dispatch. */
export const denseProduct = (transposed: boolean): Shader => tiled(denseStorage(transposed));

/** Inputs: matrices, x, codes, scales and for affine biases, all decoded to float32. Parameters as `denseProduct`. */
export const quantizedProduct = (mode: QuantizationMode, bits: number, groupSize: number, transpose: boolean): Shader =>
  tiled(quantizedStorage(mode, bits, groupSize, transpose));
