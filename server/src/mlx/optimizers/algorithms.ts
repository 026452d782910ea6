/**
 * The optimizers of `mlx.optimizers`, each with its state and its update rule.
 */
import { isKnown } from '../../../../engine/src/dims/dim';
import { type ClassValue, float, int, type Value } from '../../interpreter/values';
import type { Layer } from '../nn/layer';
import {
  defineOptimizer,
  dtypeOf,
  learningRate,
  Optimizer,
  setScheduled,
  setStateEntry,
  stateEntry,
  stateOf,
} from './optimizer';

/** A number less one, or null where it is not known. */
const oneMinus = (x: number | null): Value => float(x === null ? null : 1 - x);
const keep = (l: Layer, ...names: string[]): void => {
  for (const name of names) l.set(name, l.value(name));
};
const square = (l: Layer, x: Value): Value => l.mx.call('square', [x]);
const sqrt = (l: Layer, x: Value): Value => l.mx.call('sqrt', [x]);

/** `factor * before + (1 - factor) * now` */
const blend = (l: Layer, factor: number | null, before: Value, now: Value): Value =>
  l.mx.add(l.mx.multiply(float(factor), before), l.mx.multiply(oneMinus(factor), now));

function requireRange(
  l: Layer,
  name: string,
  value: number | null,
  within: (x: number) => boolean,
  range: string,
): void {
  if (value !== null && !within(value))
    throw l.refusal('value', `${l.self.cls.name} needs ${name} ${range}, not ${value}`);
}

/** The two decay rates. */
function betasOf(l: Layer): [number | null, number | null] {
  const v = l.get('betas');
  const items = v.kind === 'tuple' || v.kind === 'list' ? v.items : null;
  const rate = (i: number): number | null => {
    const item = items?.[i];
    if (item?.kind === 'float') return item.value;
    return item?.kind === 'int' && isKnown(item.value) ? item.value : null;
  };
  return [rate(0), rate(1)];
}

function keepBetas(l: Layer): void {
  keep(l, 'betas');
  for (const [i, beta] of betasOf(l).entries())
    requireRange(l, `beta${i + 1}`, beta, x => x >= 0 && x < 1, 'from 0 to below 1');
}

const SGD = defineOptimizer({
  name: 'SGD',
  init: '(learning_rate, momentum=0.0, weight_decay=0.0, dampening=0.0, nesterov=False)',
  construct(l) {
    const [momentum, dampening] = [l.number('momentum'), l.number('dampening')];
    const unfit = (momentum !== null && momentum <= 0) || (dampening !== null && dampening !== 0);
    if (l.flag('nesterov') && unfit) throw l.refusal('value', 'SGD with nesterov needs a momentum and no dampening');
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keep(l, 'momentum', 'weight_decay', 'dampening', 'nesterov');
  },
  zeros: ['v'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const [momentum, dampening] = [l.constant('momentum'), l.constant('dampening')];
    const decayed =
      l.constant('weight_decay') === 0 ? gradient : mx.add(gradient, mx.multiply(l.get('weight_decay'), parameter));
    const rate = learningRate(l, decayed);
    if (momentum !== null && momentum <= 0) return mx.subtract(parameter, mx.multiply(rate, decayed));
    const share = dampening !== null && dampening > 0 ? mx.multiply(oneMinus(dampening), decayed) : decayed;
    const velocity = mx.add(mx.multiply(l.get('momentum'), stateEntry(state, 'v')), share);
    const nesterov = l.interpreter.truth(l.get('nesterov'));
    const update = nesterov ? mx.add(decayed, mx.multiply(l.get('momentum'), velocity)) : velocity;
    setStateEntry(l.interpreter, state, 'v', velocity);
    return mx.subtract(parameter, mx.multiply(rate, update));
  },
});

/** `parameter - rate * gradient / (sqrt(v) + eps)` */
const scaledStep = (l: Layer, gradient: Value, parameter: Value, v: Value): Value => {
  const { mx } = l;
  const step = mx.multiply(learningRate(l, gradient), gradient);
  return mx.subtract(parameter, mx.divide(step, mx.add(sqrt(l, v), l.get('eps'))));
};

/** Constants that must lie in a range, kept under their names. */
function keepPositive(l: Layer, strictly: readonly string[], orZero: readonly string[] = []): void {
  keep(l, ...strictly, ...orZero);
  for (const name of orZero) requireRange(l, name, l.constant(name), x => x >= 0, 'of at least 0');
  for (const name of strictly) requireRange(l, name, l.constant(name), x => x > 0, 'above 0');
}

const RMSprop = defineOptimizer({
  name: 'RMSprop',
  init: '(learning_rate, alpha=0.99, eps=1e-08)',
  construct(l) {
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keepPositive(l, ['eps'], ['alpha']);
  },
  zeros: ['v'],
  apply(l, gradient, parameter, state) {
    const v = blend(l, l.constant('alpha'), stateEntry(state, 'v'), square(l, gradient));
    setStateEntry(l.interpreter, state, 'v', v);
    return scaledStep(l, gradient, parameter, v);
  },
});

const Adagrad = defineOptimizer({
  name: 'Adagrad',
  init: '(learning_rate, eps=1e-08)',
  construct(l) {
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keepPositive(l, ['eps']);
  },
  zeros: ['v'],
  apply(l, gradient, parameter, state) {
    const v = l.mx.add(stateEntry(state, 'v'), square(l, gradient));
    setStateEntry(l.interpreter, state, 'v', v);
    return scaledStep(l, gradient, parameter, v);
  },
});

const AdaDelta = defineOptimizer({
  name: 'AdaDelta',
  init: '(learning_rate, rho=0.9, eps=1e-06)',
  construct(l) {
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keepPositive(l, ['eps'], ['rho']);
  },
  zeros: ['v', 'u'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const rho = l.constant('rho');
    const root = (x: Value): Value => sqrt(l, mx.add(x, l.get('eps')));
    const v = blend(l, rho, stateEntry(state, 'v'), square(l, gradient));
    const before = stateEntry(state, 'u');
    const step = mx.multiply(mx.divide(root(before), root(v)), gradient);
    setStateEntry(l.interpreter, state, 'v', v);
    setStateEntry(l.interpreter, state, 'u', blend(l, rho, before, square(l, step)));
    return mx.subtract(parameter, mx.multiply(learningRate(l, gradient), step));
  },
});

function adamStep(l: Layer, gradient: Value, parameter: Value, state: Value): Value {
  const { mx } = l;
  const rate = learningRate(l, gradient);
  const [b1, b2] = betasOf(l);
  const m = blend(l, b1, stateEntry(state, 'm'), gradient);
  const v = blend(l, b2, stateEntry(state, 'v'), square(l, gradient));
  setStateEntry(l.interpreter, state, 'm', m);
  setStateEntry(l.interpreter, state, 'v', v);
  if (!l.isSet('bias_correction')) {
    const scaled = mx.divide(mx.multiply(rate, m), mx.add(sqrt(l, v), l.get('eps')));
    return mx.subtract(parameter, scaled);
  }
  const step = stateEntry(stateOf(l), 'step');
  const dtype = dtypeOf(l, gradient);
  const bias = (beta: number | null): Value => mx.subtract(1, mx.power(float(beta), step));
  const first = mx.cast(mx.divide(rate, bias(b1)), dtype);
  const second = mx.cast(mx.call('rsqrt', [bias(b2)]), dtype);
  const denominator = mx.add(mx.multiply(sqrt(l, v), second), l.get('eps'));
  return mx.subtract(parameter, mx.divide(mx.multiply(first, m), denominator));
}

function constructAdam(l: Layer): void {
  keepBetas(l);
  keepPositive(l, [], ['eps']);
  setScheduled(l, 'learning_rate', l.value('learning_rate'));
}

const ADAM = 'learning_rate, betas=(0.9, 0.999), eps=1e-08';

const Adam = defineOptimizer({
  name: 'Adam',
  init: `(${ADAM}, bias_correction=False)`,
  construct(l) {
    constructAdam(l);
    keep(l, 'bias_correction');
  },
  zeros: ['m', 'v'],
  apply: adamStep,
});

const AdamW = defineOptimizer({
  name: 'AdamW',
  base: Adam,
  init: `(${ADAM}, weight_decay=0.01, bias_correction=False)`,
  construct(l) {
    constructAdam(l);
    keep(l, 'bias_correction', 'weight_decay');
  },
  zeros: ['m', 'v'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const shrink = mx.subtract(1, mx.multiply(learningRate(l, gradient), l.get('weight_decay')));
    return adamStep(l, gradient, mx.multiply(parameter, shrink), state);
  },
});

const Adamax = defineOptimizer({
  name: 'Adamax',
  base: Adam,
  init: `(${ADAM})`,
  construct(l) {
    constructAdam(l);
    l.set('bias_correction', l.interpreter.bool(false));
  },
  zeros: ['m', 'v'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const [b1, b2] = betasOf(l);
    const m = blend(l, b1, stateEntry(state, 'm'), gradient);
    const decayed = mx.multiply(float(b2), stateEntry(state, 'v'));
    const v = mx.call('maximum', [decayed, mx.call('abs', [gradient])]);
    setStateEntry(l.interpreter, state, 'm', m);
    setStateEntry(l.interpreter, state, 'v', v);
    const scaled = mx.divide(mx.multiply(learningRate(l, gradient), m), mx.add(v, l.get('eps')));
    return mx.subtract(parameter, scaled);
  },
});

const Lion = defineOptimizer({
  name: 'Lion',
  init: '(learning_rate, betas=(0.9, 0.99), weight_decay=0.0)',
  construct(l) {
    keepBetas(l);
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keep(l, 'weight_decay');
  },
  zeros: ['m'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const rate = learningRate(l, gradient);
    const [b1, b2] = betasOf(l);
    const before = stateEntry(state, 'm');
    const direction = blend(l, b1, before, gradient);
    setStateEntry(l.interpreter, state, 'm', blend(l, b2, before, gradient));
    const decay = l.constant('weight_decay');
    const shrunk =
      decay !== null && decay <= 0
        ? parameter
        : mx.multiply(mx.subtract(1, mx.multiply(rate, l.get('weight_decay'))), parameter);
    return mx.subtract(shrunk, mx.multiply(rate, mx.call('sign', [direction])));
  },
});

// ---- Adafactor --------------------------------------------------------------------------------------------------------

const rms = (l: Layer, x: Value): Value => sqrt(l, l.mx.call('mean', [square(l, x)]));
const meanOver = (l: Layer, x: Value, axis: number): Value => l.mx.call('mean', [x], { axis });

/** Second moments of a matrix, from those of its rows and columns. */
function factored(l: Layer, rows: Value, columns: Value): Value {
  const { mx } = l;
  const mean = mx.call('mean', [rows], { axis: -1, keepdims: l.interpreter.bool(true) });
  const row = mx.call('rsqrt', [mx.divide(rows, mean)]);
  const column = mx.call('rsqrt', [columns]);
  return mx.multiply(mx.call('expand_dims', [row], { axis: -1 }), mx.call('expand_dims', [column], { axis: -2 }));
}

function adafactorRate(l: Layer, parameter: Value): Value {
  const { mx } = l;
  const step = stateEntry(stateOf(l), 'step');
  const scale = rms(l, parameter);
  let rate: Value;
  if (l.isSet('relative_step')) {
    const least = l.isSet('warmup_init') ? mx.multiply(float(1e-6), step) : float(1e-2);
    rate = mx.call('minimum', [least, mx.call('rsqrt', [step])]);
  } else rate = stateEntry(stateOf(l), 'learning_rate');
  rate = mx.cast(rate, dtypeOf(l, scale));
  if (!l.isSet('scale_parameter')) return mx.multiply(float(1), rate);
  return mx.multiply(mx.call('maximum', [epsilon(l, 1), scale]), rate);
}

const epsilon = (l: Layer, i: 0 | 1): Value => l.interpreter.getItem(l.get('eps'), int(i));

const Adafactor = defineOptimizer({
  name: 'Adafactor',
  init: '(learning_rate=None, eps=(1e-30, 0.001), clip_threshold=1.0, decay_rate=-0.8, beta_1=None, weight_decay=0.0, scale_parameter=True, relative_step=True, warmup_init=False)',
  construct(l) {
    if (l.call.has('learning_rate')) setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keep(l, 'eps', 'clip_threshold', 'decay_rate', 'beta_1', 'weight_decay');
    keep(l, 'scale_parameter', 'relative_step', 'warmup_init');
  },
  initSingle(l, parameter, state) {
    const { mx } = l;
    const shape = l.shape(parameter);
    const zeros = (name: string, from: Value): void => setStateEntry(l.interpreter, state, name, from);
    if (shape && shape.length >= 2) {
      const dtype = dtypeOf(l, parameter);
      zeros('exp_avg_sq_row', mx.call('zeros', [shape.slice(0, -1)], { dtype }));
      zeros('exp_avg_sq_col', mx.call('zeros', [shape.toSpliced(-2, 1)], { dtype }));
    } else zeros('exp_avg_sq', mx.call('zeros_like', [parameter]));
    if (l.get('beta_1').kind !== 'none') zeros('exp_avg', mx.call('zeros_like', [parameter]));
  },
  apply(l, gradient, parameter, state) {
    const { mx, interpreter } = l;
    const rate = adafactorRate(l, parameter);
    const power = mx.power(stateEntry(stateOf(l), 'step'), l.get('decay_rate'));
    const beta2 = mx.subtract(float(1), mx.cast(power, dtypeOf(l, parameter)));
    const moved = (name: string, now: Value): Value => {
      const value = mx.add(mx.multiply(beta2, stateEntry(state, name)), mx.multiply(mx.subtract(1, beta2), now));
      setStateEntry(interpreter, state, name, value);
      return value;
    };
    const squared = mx.add(square(l, gradient), epsilon(l, 0));
    const isMatrix = (l.shape(gradient)?.length ?? 0) >= 2;
    const scale = isMatrix
      ? factored(
          l,
          moved('exp_avg_sq_row', meanOver(l, squared, -1)),
          moved('exp_avg_sq_col', meanOver(l, squared, -2)),
        )
      : mx.call('rsqrt', [moved('exp_avg_sq', squared)]);
    let update = mx.multiply(scale, gradient);
    const excess = mx.call('maximum', [float(1), mx.divide(rms(l, update), l.get('clip_threshold'))]);
    update = mx.multiply(rate, mx.divide(update, excess));
    if (l.get('beta_1').kind !== 'none') {
      update = blend(l, l.constant('beta_1'), stateEntry(state, 'exp_avg'), update);
      setStateEntry(interpreter, state, 'exp_avg', update);
    }
    const decay = l.constant('weight_decay');
    if (decay === 0) return mx.subtract(parameter, update);
    const shrink = mx.multiply(float(decay === null ? null : -decay), rate);
    return mx.subtract(mx.add(parameter, mx.multiply(parameter, shrink)), update);
  },
});

// ---- Muon -------------------------------------------------------------------------------------------------------------

/** Coefficients of the quintic Newton-Schulz iteration. */
const QUINTIC = [3.4445, -4.775, 2.0315] as const;

/** A matrix with all singular values near 1, by Newton-Schulz iteration. */
function orthogonalized(l: Layer, matrix: Value): Value {
  const { mx } = l;
  const [rows, columns] = l.shape(matrix) ?? [];
  const tall = rows !== undefined && l.interpreter.facts.less(columns, rows) === 'yes';
  const [a, b, c] = QUINTIC;
  let x = tall ? mx.transposed(matrix) : matrix;
  const norm = mx.call('linalg.norm', [x], { keepdims: l.interpreter.bool(true) });
  x = mx.divide(x, mx.add(norm, float(1e-7)));
  const steps = l.size('ns_steps');
  for (let i = 0; i < (isKnown(steps) ? steps : 1); i++) {
    const gram = mx.matmul(x, mx.transposed(x));
    const polynomial = mx.call('addmm', [mx.multiply(float(b), gram), gram, gram], { beta: float(1), alpha: float(c) });
    x = mx.call('addmm', [mx.multiply(float(a), x), polynomial, x], { beta: float(1), alpha: float(1) });
  }
  return tall ? mx.transposed(x) : x;
}

const Muon = defineOptimizer({
  name: 'Muon',
  init: '(learning_rate, momentum=0.95, weight_decay=0.01, nesterov=True, ns_steps=5)',
  construct(l) {
    setScheduled(l, 'learning_rate', l.value('learning_rate'));
    keep(l, 'momentum', 'weight_decay', 'nesterov', 'ns_steps');
  },
  zeros: ['v'],
  apply(l, gradient, parameter, state) {
    const { mx } = l;
    const momentum = l.constant('momentum');
    const decayed =
      l.constant('weight_decay') === 0 ? gradient : mx.add(gradient, mx.multiply(l.get('weight_decay'), parameter));
    const v = blend(l, momentum, stateEntry(state, 'v'), decayed);
    setStateEntry(l.interpreter, state, 'v', v);
    const update = l.isSet('nesterov')
      ? mx.add(mx.multiply(decayed, oneMinus(momentum)), mx.multiply(v, l.get('momentum')))
      : v;
    const rate = learningRate(l, decayed);
    const shape = l.shape(update);
    if (!shape || shape.length < 2) return mx.subtract(parameter, mx.multiply(rate, update));
    const matrix = shape.length > 2 ? mx.reshape(update, [shape[0], -1]) : update;
    const even = orthogonalized(l, matrix);
    const restored = shape.length > 2 ? mx.reshape(even, shape) : even;
    const [rows, columns] = [shape[shape.length - 2], shape[shape.length - 1]];
    const aspect = isKnown(rows) && isKnown(columns) ? Math.sqrt(Math.max(1, rows / columns)) : null;
    return mx.subtract(parameter, mx.multiply(mx.multiply(rate, float(aspect)), restored));
  },
});

export const algorithms: readonly ClassValue[] = [
  Optimizer,
  SGD,
  RMSprop,
  Adagrad,
  AdaDelta,
  Adam,
  AdamW,
  Adamax,
  Lion,
  Adafactor,
  Muon,
];
