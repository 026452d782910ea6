/**
 * Recurrent layers over a whole sequence: rnn, gru, lstm.
 *
 * MLX records every step of these layers; here one operation stands for all of them, with the same arithmetic step by
 * step. Inputs: the projected sequence [..., L, gates · H], the recurrent weight [gates · H, H], then the optional ones
 * that `attrs.given` names. All have one floating dtype, and states the shape [..., H] (the surface sees to both).
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import type { DType } from '../dtype';
import { type ArrayType, type Attrs, type ConcreteType, defineOp, opNamed, type Shape } from '../graph/op';
import { allocate, elementCount, type Tensor } from '../tensor';
import { type Given, optionalInput } from './optional';

type State = 'hidden' | 'cell';

/** [..., L, H] from the projected sequence and the recurrent weight. */
function sequenceType(facts: Facts, [projected, recurrent]: readonly ArrayType[]): ArrayType {
  const weight = facts.shape(recurrent.shape);
  const hidden = Array.isArray(weight) ? (weight.at(-1) as Dim | undefined) : undefined;
  const withLast = (shape: Shape): Shape => {
    if (shape === null || hidden === undefined) return null;
    if (!(shape instanceof OpenShape)) return shape.with(-1, hidden);
    return shape.tail.length > 0 ? new OpenShape(shape.lead, shape.tail.with(-1, hidden)) : null;
  };
  return { shape: withLast(facts.shape(projected.shape)), dtype: projected.dtype };
}

/** Runs the kernel of another operation, on arrays whose result has shape `shape`. */
const run = (op: string, inputs: readonly Tensor[], shape: readonly number[], attrs: Attrs = {}): Tensor =>
  opNamed(op).kernel!(inputs, attrs, [{ shape, dtype: inputs[0].dtype }]) as Tensor;

const sigmoid = (x: Tensor): Tensor => run('sigmoid', [x], x.shape);
const tanh = (x: Tensor): Tensor => run('tanh', [x], x.shape);
const add = (a: Tensor, b: Tensor): Tensor => run('add', [a, b], a.shape);
const multiply = (a: Tensor, b: Tensor): Tensor => run('multiply', [a, b], a.shape);
const oneMinus = (x: Tensor): Tensor => run('subtract', [constant(x.dtype, 1), x], x.shape);

function constant(dtype: DType, value: number): Tensor {
  const data = allocate(dtype, 1) as Float32Array;
  data[0] = value;
  return { shape: [], dtype, data };
}

/** Columns `from` to `to` of x [n, k]. */
function columns(x: Tensor, from: number, to: number): Tensor {
  const [n, k] = x.shape;
  const data = allocate(x.dtype, n * (to - from)) as Float32Array;
  for (let row = 0; row < n; row++)
    data.set((x.data as Float32Array).subarray(row * k + from, row * k + to), row * (to - from));
  return { shape: [n, to - from], dtype: x.dtype, data };
}

function transposed(x: Tensor): Tensor {
  const [n, k] = x.shape;
  const data = allocate(x.dtype, n * k) as Float32Array;
  for (let i = 0; i < n; i++) for (let j = 0; j < k; j++) data[j * n + i] = (x.data as Float32Array)[i * k + j];
  return { shape: [k, n], dtype: x.dtype, data };
}

/** What one step makes of its input [n, gates · H] and the state before it, each [n, H] or not there yet. */
type Step = (input: Tensor, state: readonly (Tensor | null)[]) => readonly Tensor[];

/** Walks the sequence and gathers every part of the state as [..., L, H]. */
function scan(projected: Tensor, initial: readonly (Tensor | undefined)[], out: ConcreteType, step: Step): Tensor[] {
  const [length, hidden] = out.shape.slice(-2);
  const width = projected.shape[projected.shape.length - 1];
  const n = elementCount(out.shape.slice(0, -2));
  const rows = projected.data as Float32Array;
  const results = initial.map(() => allocate(out.dtype, n * length * hidden) as Float32Array);
  let state: readonly (Tensor | null)[] = initial.map(s => (s ? { ...s, shape: [n, hidden] } : null));
  for (let t = 0; t < length; t++) {
    const input = allocate(out.dtype, n * width) as Float32Array;
    for (let row = 0; row < n; row++) {
      const start = (row * length + t) * width;
      input.set(rows.subarray(start, start + width), row * width);
    }
    state = step({ shape: [n, width], dtype: out.dtype, data: input }, state);
    for (const [part, value] of state.entries())
      for (let row = 0; row < n; row++) {
        const source = (value!.data as Float32Array).subarray(row * hidden, (row + 1) * hidden);
        results[part].set(source, (row * length + t) * hidden);
      }
  }
  return results.map(data => ({ shape: out.shape, dtype: out.dtype, data }));
}

/** h = nonlinearity(input + h @ Whh.T) */
export const rnn = defineOp<Given<'hidden'> & { readonly nonlinearity: 'tanh' }>({
  name: 'rnn',
  infer: sequenceType,
  inferOpen: sequenceType,
  kernel(inputs, attrs, [out]) {
    const [projected, recurrent] = inputs;
    const weight = transposed(recurrent);
    const initial = [optionalInput(inputs, attrs, 2, 'hidden')];
    return scan(projected, initial, out, (input, [hidden]) => [
      tanh(hidden ? run('addmm', [input, hidden, weight], input.shape) : input),
    ])[0];
  },
});

/** Gates r, z and the candidate n; `bias` is added to the candidate's recurrent part. */
export const gru = defineOp<Given<'bias' | 'hidden'>>({
  name: 'gru',
  infer: sequenceType,
  inferOpen: sequenceType,
  kernel(inputs, attrs, [out]) {
    const [projected, recurrent] = inputs;
    const weight = transposed(recurrent);
    const bias = optionalInput(inputs, attrs, 2, 'bias');
    const size = out.shape[out.shape.length - 1];
    const gates = (x: Tensor): Tensor => columns(x, 0, 2 * size);
    const candidate = (x: Tensor): Tensor => columns(x, 2 * size, 3 * size);
    return scan(projected, [optionalInput(inputs, attrs, 2, 'hidden')], out, (input, [hidden]) => {
      const product = hidden && run('matmul', [hidden, weight], [hidden.shape[0], 3 * size]);
      const gate = sigmoid(product ? add(gates(input), gates(product)) : gates(input));
      const [reset, update] = [columns(gate, 0, size), columns(gate, size, 2 * size)];
      const own = candidate(input);
      const from = product ? (bias ? add(candidate(product), bias) : candidate(product)) : bias;
      const mixed = tanh(from ? add(own, multiply(reset, from)) : own);
      const fresh = multiply(oneMinus(update), mixed);
      return [hidden ? add(fresh, multiply(update, hidden)) : fresh];
    })[0];
  },
});

/** Gates i, f, g, o; answers the hidden and the cell states, each [..., L, H]. */
export const lstm = defineOp<Given<State>>({
  name: 'lstm',
  infer: lstmType,
  inferOpen: lstmType,
  kernel(inputs, attrs, [out]) {
    const [projected, recurrent] = inputs;
    const weight = transposed(recurrent);
    const size = out.shape[out.shape.length - 1];
    const initial = [optionalInput(inputs, attrs, 2, 'hidden'), optionalInput(inputs, attrs, 2, 'cell')];
    return scan(projected, initial, out, (input, [hidden, cell]) => {
      const gates = hidden ? run('addmm', [input, hidden, weight], input.shape) : input;
      const gate = (i: number): Tensor => columns(gates, i * size, (i + 1) * size);
      const written = multiply(sigmoid(gate(0)), tanh(gate(2)));
      const memory = cell ? add(multiply(sigmoid(gate(1)), cell), written) : written;
      return [multiply(sigmoid(gate(3)), tanh(memory)), memory];
    });
  },
});

function lstmType(facts: Facts, inputs: readonly ArrayType[]): readonly ArrayType[] {
  const type = sequenceType(facts, inputs);
  return [type, type];
}
