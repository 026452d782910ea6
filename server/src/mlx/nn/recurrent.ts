/**
 * Recurrent layers: RNN, GRU, LSTM, each over the second axis from the end.
 *
 * MLX records every step. Where the states have the shape and dtype of the sequence, as they nearly always do, one
 * operation stands for all steps (engine/src/ops/recurrent.ts). Otherwise up to a limit every step is recorded; beyond
 * it, or for a symbolic length, the first two steps show what is refused and what comes out, and the rest repeats.
 */
import { type Dim, isKnown, mul, sub } from '../../../../engine/src/dims/dim';
import { OpenShape } from '../../../../engine/src/dims/shape';
import { isFloating } from '../../../../engine/src/dtype';
import {
  bool,
  type ClassValue,
  ELLIPSIS,
  int,
  list,
  NONE,
  type SliceValue,
  tuple,
  type Value,
} from '../../interpreter/values';
import { activation } from './activations';
import { defineLayer, type Layer } from './layer';
import { requireArray } from './linear';

/** Steps that are recorded one by one. */
const MOST_STEPS = 64;

const slice = (lower: Value, upper: Value): SliceValue => ({ kind: 'slice', lower, upper, step: NONE });
const EVERYTHING = slice(NONE, NONE);

/** `x[..., index]` */
const last = (l: Layer, x: Value, index: Value): Value => l.interpreter.getItem(x, tuple([ELLIPSIS, index]));
/** `x[..., step, :]` */
const at = (l: Layer, x: Value, step: number): Value =>
  l.interpreter.getItem(x, tuple([ELLIPSIS, int(step), EVERYTHING]));

/** Weights drawn uniformly within 1/sqrt(hidden_size), in MLX's order; optional ones are None without a bias. */
function parameters(
  l: Layer,
  shapes: (input: Dim, hidden: Dim) => readonly (readonly [name: string, shape: readonly Dim[], optional?: boolean])[],
): void {
  const [input, hidden] = [l.dim('input_size'), l.dim('hidden_size')];
  if (isKnown(hidden) && hidden <= 0)
    throw l.refusal('value', `${l.self.cls.name} needs a positive hidden_size, not ${hidden}`);
  l.set('hidden_size', l.value('hidden_size'));
  const scale = isKnown(hidden) ? 1 / Math.sqrt(hidden) : null;
  const bias = l.flag('bias');
  for (const [name, shape, optional] of shapes(input, hidden)) {
    if (optional && bias === false) l.set(name, NONE);
    else if (optional && bias === null) l.interpreter.heap.openInstance(l.self);
    else l.set(name, l.mx.uniform(scale, shape));
  }
}

/** An attribute that may be None: null then, or where it is not known. */
function given(l: Layer, name: string): Value | null {
  const v = l.self.attributes.get(name);
  return v?.kind === 'array' ? v : null;
}

/** The input times its weight, with the bias. */
function project(l: Layer, x: Value, weight: string, bias: string): Value {
  requireArray(l, x);
  l.expectLast(x, l.axis(l.get(weight), -1), 'linear-input', 'features');
  const transposed = l.mx.transposed(l.get(weight));
  const offset = given(l, bias);
  return offset ? l.mx.call('addmm', [offset, x, transposed]) : l.mx.matmul(x, transposed);
}

/** The hidden state that `hidden` must fit to go with the whole sequence at once: [..., H]. */
function fitsSequence(l: Layer, projected: Value, state: Value): boolean {
  const [sequence, shape] = [l.shape(projected), l.shape(state)];
  if (sequence === null || shape === null || sequence.length < 2) return false;
  const wanted = [...sequence.slice(0, -2), l.size('hidden_size')];
  return shape.length === wanted.length && shape.every((d, i) => l.interpreter.facts.equal(d, wanted[i]) === 'yes');
}

/**
 * The whole layer as one operation, where the states fit and there is at least one step; null otherwise.
 * @param optional arrays that go with the sequence, by name; null where they are not given
 */
function atOnce(
  l: Layer,
  op: string,
  projected: Value,
  recurrent: Value,
  optional: Readonly<Record<string, Value | null>>,
): readonly Value[] | null {
  const { interpreter } = l;
  const given = Object.entries(optional).filter(([, v]) => v !== null) as [string, Value][];
  const arrays = [projected, recurrent, ...given.map(([, v]) => v)];
  const nodes = arrays.flatMap(v => (v.kind === 'array' ? [v.node] : []));
  const dtype = nodes[0]?.dtype;
  if (nodes.length < arrays.length || !dtype || !isFloating(dtype) || nodes.some(n => n.dtype !== dtype)) return null;
  const shape = l.shape(projected);
  if (shape === null || shape.length < 2 || interpreter.facts.equal(shape[shape.length - 2], 0) === 'yes') return null;
  const weight = l.shape(recurrent);
  if (weight === null || weight.length !== 2 || shape[shape.length - 1] !== weight[0]) return null;
  if (interpreter.facts.equal(weight[1], l.size('hidden_size')) !== 'yes') return null;
  if (given.some(([name, v]) => name !== 'bias' && !fitsSequence(l, projected, v))) return null;
  return interpreter.recordAll(op, nodes, { given: given.map(([name]) => name) });
}

/** The state after a step, from the step's number and the state before. */
type Step = (index: number, state: readonly (Value | null)[]) => readonly Value[];

/** Runs the steps and answers each part of the state stacked over all of them. */
function scan(l: Layer, projected: Value, initial: readonly (Value | null)[], step: Step): Value[] {
  const shape = l.shape(projected);
  if (shape === null) return initial.map(() => unrolledType(l, projected));
  if (shape.length < 2)
    throw l.refusal('linear-input', `${l.self.cls.name} expects [..., L, D], x has only one axis`, {});
  const length = shape[shape.length - 2];
  const steps = isKnown(length) ? Math.min(length, MOST_STEPS + 1) : MOST_STEPS + 1;
  const recorded = steps > MOST_STEPS ? 2 : steps;
  let state = initial;
  const all: Value[][] = initial.map(() => []);
  for (let i = 0; i < recorded; i++) {
    const next = step(i, state);
    for (const [part, value] of next.entries()) all[part].push(value);
    state = next;
  }
  if (steps <= MOST_STEPS) return all.map(parts => l.mx.call('stack', [list(parts)], { axis: -2 }));
  return all.map(parts => repeated(l, parts[parts.length - 1], length));
}

/** What stacking `length` arrays like `one` on the second axis from the end gives. */
function repeated(l: Layer, one: Value, length: Dim): Value {
  const shape = l.shape(one);
  if (one.kind !== 'array' || shape === null) return l.like(one);
  return l.interpreter.source({ shape: shape.toSpliced(-1, 0, length), dtype: one.node.dtype });
}

/** The result for an input of unknown rank: its axes, with hidden_size last. */
function unrolledType(l: Layer, projected: Value): Value {
  const shape = projected.kind === 'array' ? l.interpreter.facts.shape(projected.node.shape) : null;
  const hidden = l.size('hidden_size');
  if (projected.kind !== 'array' || !(shape instanceof OpenShape)) return l.openLast(hidden);
  const tail = [...shape.tail.slice(0, -1), hidden];
  return l.interpreter.source({ shape: new OpenShape(shape.lead, tail), dtype: projected.node.dtype });
}

const TANH = activation('tanh');

const RNN = defineLayer({
  name: 'RNN',
  init: '(input_size, hidden_size, bias=True, nonlinearity=None)',
  construct(l) {
    const chosen = l.value('nonlinearity');
    if (['int', 'float', 'str', 'list', 'tuple', 'dict'].includes(chosen.kind) && l.interpreter.truth(chosen))
      throw l.refusal('value', `RNN needs a function as its nonlinearity, not ${chosen.kind}`);
    l.set('nonlinearity', l.interpreter.truth(chosen) === false ? TANH : chosen);
    parameters(l, (input, hidden) => [
      ['Wxh', [hidden, input]],
      ['Whh', [hidden, hidden]],
      ['bias', [hidden], true],
    ]);
  },
  call: '(x, hidden=None)',
  forward(l) {
    const projected = project(l, l.input('x'), 'Wxh', 'bias');
    const initial = l.optional('hidden');
    const whole = l.get('nonlinearity') === TANH && atOnce(l, 'rnn', projected, l.get('Whh'), { hidden: initial });
    if (whole) return whole[0];
    const recurrent = l.mx.transposed(l.get('Whh'));
    const [hidden] = scan(l, projected, [initial], (i, [before]) => {
      const input = at(l, projected, i);
      const mixed = before ? l.mx.call('addmm', [input, before, recurrent]) : input;
      return [l.interpreter.callWith(l.get('nonlinearity'), mixed)];
    });
    return hidden;
  },
  repr: l =>
    `input_dims=${l.text(l.axis(l.get('Wxh'), 1))}, hidden_size=${l.text(l.get('hidden_size'))}, nonlinearity=${l.text(l.get('nonlinearity'))}, bias=${hasBias(l, 'bias')}`,
});

const hasBias = (l: Layer, name: string): string => l.text(bool(l.get(name).kind !== 'none'));

const GRU = defineLayer({
  name: 'GRU',
  init: '(input_size, hidden_size, bias=True)',
  construct: l =>
    parameters(l, (input, hidden) => [
      ['Wx', [mul(3, hidden), input]],
      ['Wh', [mul(3, hidden), hidden]],
      ['b', [mul(3, hidden)], true],
      ['bhn', [hidden], true],
    ]),
  call: '(x, hidden=None)',
  forward(l) {
    const { mx } = l;
    const projected = project(l, l.input('x'), 'Wx', 'b');
    const [newBias, initial] = [given(l, 'bhn'), l.optional('hidden')];
    const whole = atOnce(l, 'gru', projected, l.get('Wh'), { bias: newBias, hidden: initial });
    if (whole) return whole[0];
    const recurrent = mx.transposed(l.get('Wh'));
    const split = int(sub(0, l.size('hidden_size')));
    const gates = (x: Value): [Value, Value] => [last(l, x, slice(NONE, split)), last(l, x, slice(split, NONE))];
    const rank = l.shape(projected)?.length ?? 0;
    const [gateInput, newInput] = rank >= 2 ? gates(projected) : [projected, projected];
    const [hidden] = scan(l, projected, [initial], (i, [before]) => {
      let gate = at(l, gateInput, i);
      let candidate: Value | null = newBias;
      if (before) {
        const [gateState, newState] = gates(mx.matmul(before, recurrent));
        candidate = newBias ? mx.add(newState, newBias) : newState;
        gate = mx.add(gate, gateState);
      }
      const [reset, update] = mx.items(mx.call('split', [mx.call('sigmoid', [gate]), 2], { axis: -1 }));
      const input = at(l, newInput, i);
      const mixed = mx.call('tanh', [candidate ? mx.add(input, mx.multiply(reset, candidate)) : input]);
      const fresh = mx.multiply(mx.subtract(1, update), mixed);
      return [before ? mx.add(fresh, mx.multiply(update, before)) : fresh];
    });
    return hidden;
  },
  repr: l =>
    `input_dims=${l.text(l.axis(l.get('Wx'), 1))}, hidden_size=${l.text(l.get('hidden_size'))}, bias=${hasBias(l, 'b')}`,
});

const LSTM = defineLayer({
  name: 'LSTM',
  init: '(input_size, hidden_size, bias=True)',
  construct: l =>
    parameters(l, (input, hidden) => [
      ['Wx', [mul(4, hidden), input]],
      ['Wh', [mul(4, hidden), hidden]],
      ['bias', [mul(4, hidden)], true],
    ]),
  call: '(x, hidden=None, cell=None)',
  forward(l) {
    const { mx } = l;
    const projected = project(l, l.input('x'), 'Wx', 'bias');
    const initial = { hidden: l.optional('hidden'), cell: l.optional('cell') };
    const whole = atOnce(l, 'lstm', projected, l.get('Wh'), initial);
    if (whole) return tuple(whole);
    const recurrent = mx.transposed(l.get('Wh'));
    const states = scan(l, projected, [initial.hidden, initial.cell], (i, [hidden, cell]) => {
      const input = at(l, projected, i);
      const gates = hidden ? mx.call('addmm', [input, hidden, recurrent]) : input;
      const parts = mx.items(mx.call('split', [gates, 4], { axis: -1 }));
      const [write, forget, output] = [parts[0], parts[1], parts[3]].map(gate => mx.call('sigmoid', [gate]));
      const written = mx.multiply(write, mx.call('tanh', [parts[2]]));
      const memory = cell ? mx.add(mx.multiply(forget, cell), written) : written;
      return [mx.multiply(output, mx.call('tanh', [memory])), memory];
    });
    return tuple(states);
  },
  repr: l =>
    `input_dims=${l.text(l.axis(l.get('Wx'), 1))}, hidden_size=${l.text(l.get('hidden_size'))}, bias=${hasBias(l, 'bias')}`,
});

export const recurrentLayers: readonly ClassValue[] = [RNN, GRU, LSTM];
