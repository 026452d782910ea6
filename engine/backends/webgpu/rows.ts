/**
 * Rows along the last axis in WGSL: softmax and the norms of `mx.fast`. A workgroup takes a row, its invocations every
 * 64th element; what they found is combined in workgroup memory.
 */
import { ROW_OF_WORKGROUPS, WORKGROUP } from './elementwise';
import { bindings, type Shader } from './shader';

/** `name` combines what all invocations hold by `expression` in a and b. */
const combine = (name: string, expression: string): string => `
fn ${name}(index: u32, value: f32) -> f32 {
  shared_[index] = value;
  workgroupBarrier();
  for (var half = ${WORKGROUP / 2}u; half > 0u; half /= 2u) {
    if (index < half) {
      let a = shared_[index];
      let b = shared_[index + half];
      shared_[index] = ${expression};
    }
    workgroupBarrier();
  }
  let result = shared_[0];
  workgroupBarrier();
  return result;
}`;

const program = (inputs: readonly string[], params: readonly string[], body: string): string => `${bindings(
  ['rows', 'n', ...params],
  Object.fromEntries(inputs.map(name => [name, 'f32'])),
  'out',
)}
var<workgroup> shared_: array<f32, ${WORKGROUP}>;
${combine('largest', 'max(a, b)')}
${combine('total', 'a + b')}
@compute @workgroup_size(${WORKGROUP})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let row = group.y * ${ROW_OF_WORKGROUPS}u + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.n;
${body}
}`;

/** Input: x. Parameters: rows, n. */
export const softmaxRows = (): Shader => ({
  key: 'softmax',
  code: program(
    ['x'],
    [],
    `  var most = -3.402823466e38;
  for (var i = index; i < params.n; i += ${WORKGROUP}u) { most = max(most, x[first + i]); }
  most = largest(index, most);
  var sum = 0.0;
  for (var i = index; i < params.n; i += ${WORKGROUP}u) { sum += exp(x[first + i] - most); }
  sum = total(index, sum);
  for (var i = index; i < params.n; i += ${WORKGROUP}u) { out[first + i] = exp(x[first + i] - most) / sum; }`,
  ),
});

/** Inputs: x, then weight and bias where there are. Parameters: rows, n, the bits of eps. */
export const normRows = (centred: boolean, weight: boolean, bias: boolean): Shader => ({
  key: `norm ${centred} ${weight} ${bias}`,
  code: program(
    ['x', ...(weight ? ['weight'] : []), ...(bias ? ['bias'] : [])],
    ['eps'],
    `  var mean = 0.0;
${
  centred
    ? `  for (var i = index; i < params.n; i += ${WORKGROUP}u) { mean += x[first + i]; }
  mean = total(index, mean) / f32(params.n);`
    : ''
}
  var squares = 0.0;
  for (var i = index; i < params.n; i += ${WORKGROUP}u) {
    let d = x[first + i] - mean;
    squares += d * d;
  }
  let scale = inverseSqrt(total(index, squares) / f32(params.n) + bitcast<f32>(params.eps));
  for (var i = index; i < params.n; i += ${WORKGROUP}u) {
    out[first + i] = (x[first + i] - mean) * scale${weight ? ' * weight[i]' : ''}${bias ? ' + bias[i]' : ''};
  }`,
  ),
});
