/**
 * Recurrent layers: RNN, GRU, LSTM, each over the second axis from the end.
 *
 * MLX records every step. Up to a limit so do we; beyond it, or for a symbolic length, the first two steps show what is
 * refused and what comes out, and the rest repeats the second.
 */
import { type Dim, isKnown, mul, sub } from '../../../../engine/src/dims/dim';
import { OpenShape } from '../../../../engine/src/dims/shape';
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

const RNN = defineLayer({
  name: 'RNN',
  init: '(input_size, hidden_size, bias=True, nonlinearity=None)',
  construct(l) {
    const chosen = l.value('nonlinearity');
    if (['int', 'float', 'str', 'list', 'tuple', 'dict'].includes(chosen.kind) && l.interpreter.truth(chosen))
      throw l.refusal('value', `RNN needs a function as its nonlinearity, not ${chosen.kind}`);
    l.set('nonlinearity', l.interpreter.truth(chosen) === false ? activation('tanh') : chosen);
    parameters(l, (input, hidden) => [
      ['Wxh', [hidden, input]],
      ['Whh', [hidden, hidden]],
      ['bias', [hidden], true],
    ]);
  },
  call: '(x, hidden=None)',
  forward(l) {
    const projected = project(l, l.input('x'), 'Wxh', 'bias');
    const recurrent = l.mx.transposed(l.get('Whh'));
    const [hidden] = scan(l, projected, [l.optional('hidden')], (i, [before]) => {
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
    const recurrent = mx.transposed(l.get('Wh'));
    const split = int(sub(0, l.size('hidden_size')));
    const gates = (x: Value): [Value, Value] => [last(l, x, slice(NONE, split)), last(l, x, slice(split, NONE))];
    const rank = l.shape(projected)?.length ?? 0;
    const [gateInput, newInput] = rank >= 2 ? gates(projected) : [projected, projected];
    const newBias = given(l, 'bhn');
    const [hidden] = scan(l, projected, [l.optional('hidden')], (i, [before]) => {
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
    const recurrent = mx.transposed(l.get('Wh'));
    const states = scan(l, projected, [l.optional('hidden'), l.optional('cell')], (i, [hidden, cell]) => {
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
