/**
 * Activation functions, and the layers that apply them.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import { type BuiltinValue, bool, type ClassValue, float, int, type Value } from '../../interpreter/values';
import { define, typeName } from '../define';
import { defineLayer, type Layer } from './layer';
import { Mx } from './mx';

/** What an activation computes from its arguments in order. */
type Compute = (mx: Mx, x: Value, ...parameters: Value[]) => Value;

const HALF = float(0.5);
const ONE = int(1);

/** `logaddexp(x, 0)` */
const softplusOf = (mx: Mx, x: Value): Value => mx.call('logaddexp', [x, 0]);
const relu: Compute = (mx, x) => mx.call('maximum', [x, 0]);
const sigmoidOf = (mx: Mx, x: Value): Value => mx.call('sigmoid', [x]);
const eluOf: Compute = (mx, x, alpha) =>
  mx.call('where', [mx.compare('>', x, 0), x, mx.multiply(alpha, mx.subtract(mx.call('exp', [x]), ONE))]);
const AXIS_LAST = ', axis=-1';

/** Name, parameters after `x`, and formula. Functions with an axis are along it. */
const FORMULAS: readonly (readonly [name: string, parameters: string, compute: Compute])[] = [
  ['sigmoid', '', sigmoidOf],
  ['relu', '', relu],
  ['relu2', '', (mx, x) => mx.call('square', [relu(mx, x)])],
  ['relu6', '', (mx, x) => mx.call('minimum', [relu(mx, x), float(6)])],
  ['leaky_relu', ', negative_slope=0.01', (mx, x, slope) => mx.call('maximum', [mx.multiply(slope, x), x])],
  [
    'log_softmax',
    AXIS_LAST,
    (mx, x, axis) => {
      const keepdims = bool(true);
      const largest = mx.call('max', [x], { axis, keepdims });
      const shifted = mx.subtract(x, mx.call('stop_gradient', [largest]));
      return mx.subtract(shifted, mx.call('logsumexp', [shifted], { axis, keepdims }));
    },
  ],
  ['elu', ', alpha=1.0', eluOf],
  ['softmax', AXIS_LAST, (mx, x, axis) => mx.call('softmax', [x], { axis })],
  ['softplus', '', softplusOf],
  ['softsign', '', (mx, x) => mx.call('divide', [x, mx.add(ONE, mx.call('abs', [x]))])],
  [
    'softshrink',
    ', lambd=0.5',
    (mx, x, lambd) => {
      const large = mx.compare('>', mx.call('abs', [x]), lambd);
      return mx.call('where', [large, mx.subtract(x, mx.multiply(mx.call('sign', [x]), lambd)), 0]);
    },
  ],
  [
    'celu',
    ', alpha=1.0',
    (mx, x, alpha) => {
      const negative = mx.divide(mx.call('minimum', [x, float(0)]), alpha);
      const bent = mx.multiply(alpha, mx.subtract(mx.call('exp', [negative]), ONE));
      return mx.add(mx.call('maximum', [x, float(0)]), bent);
    },
  ],
  ['silu', '', (mx, x) => mx.multiply(x, sigmoidOf(mx, x))],
  ['log_sigmoid', '', (mx, x) => mx.negative(softplusOf(mx, mx.negative(x)))],
  [
    'gelu',
    '',
    (mx, x) => {
      const inner = mx.call('erf', [mx.divide(x, float(Math.SQRT2))]);
      return mx.divide(mx.multiply(x, mx.add(ONE, inner)), int(2));
    },
  ],
  [
    'gelu_approx',
    '',
    (mx, x) => {
      const cubic = mx.add(x, mx.multiply(float(0.044715), mx.power(x, int(3))));
      const inner = mx.call('tanh', [mx.multiply(float(Math.sqrt(2 / Math.PI)), cubic)]);
      return mx.multiply(mx.multiply(HALF, x), mx.add(ONE, inner));
    },
  ],
  ['gelu_fast_approx', '', (mx, x) => mx.multiply(x, sigmoidOf(mx, mx.multiply(float(1.702), x)))],
  ['step', ', threshold=0.0', (mx, x, threshold) => mx.call('where', [mx.compare('>=', x, threshold), 1, 0])],
  ['selu', '', (mx, x) => mx.multiply(eluOf(mx, x, float(1.67326)), float(1.0507))],
  [
    'prelu',
    ', alpha',
    (mx, x, alpha) => {
      const positive = mx.call('maximum', [int(0), x]);
      const negative = mx.call('minimum', [int(0), x]);
      try {
        return mx.add(positive, mx.multiply(alpha, negative));
      } catch (e) {
        // MLX compiles it without shapes: once it has run on some array, it takes any of that rank.
        if (e instanceof Refusal) throw new Unknowable('whether MLX refuses it depends on earlier calls');
        throw e;
      }
    },
  ],
  ['mish', '', (mx, x) => mx.multiply(x, mx.call('tanh', [softplusOf(mx, x)]))],
  [
    'hardswish',
    '',
    (mx, x) => {
      const shifted = mx.call('maximum', [mx.add(x, int(3)), 0]);
      return mx.divide(mx.multiply(x, mx.call('minimum', [shifted, 6])), int(6));
    },
  ],
  [
    'hard_tanh',
    ', min_val=-1.0, max_val=1.0',
    (mx, x, least, most) => mx.call('minimum', [mx.call('maximum', [x, least]), most]),
  ],
  [
    'hard_shrink',
    ', lambd=0.5',
    (mx, x, lambd) => mx.call('where', [mx.compare('>', mx.call('abs', [x]), lambd), x, 0]),
  ],
  ['softmin', AXIS_LAST, (mx, x, axis) => mx.call('softmax', [mx.negative(x)], { axis })],
  ['tanh', '', (mx, x) => mx.call('tanh', [x])],
  [
    'glu',
    AXIS_LAST,
    (mx, x, axis) => {
      const [a, b] = mx.items(mx.call('split', [x], { indices_or_sections: 2, axis }));
      return mx.multiply(a, sigmoidOf(mx, b));
    },
  ],
];

const formulas = new Map(FORMULAS.map(([name, , compute]) => [name, compute]));
const formula = (name: string): Compute => formulas.get(name)!;

const NEVER_ARRAYS = new Set<Value['kind']>(['list', 'tuple', 'dict', 'str', 'none']);

/** What an activation is applied to: an array or a number. MLX makes no array of a list here. */
function operand(interpreter: Interpreter, name: string, x: Value): Value {
  const v = interpreter.settleAs(x, 'array');
  if (!NEVER_ARRAYS.has(v.kind)) return v;
  throw new Refusal('signature', `${name} expects an array, not ${typeName(v)}`, { name: 'x' }, 'TypeError');
}

/** `nn.relu`, `nn.gelu`, … */
export const activationFunctions: readonly BuiltinValue[] = FORMULAS.map(([name, parameters, compute]) =>
  define(`nn.${name}(x${parameters})`, c => {
    const [, ...others] = c.signature.parameters.map(p => c.value(p.name));
    return compute(new Mx(c.interpreter), operand(c.interpreter, `nn.${name}`, c.value('x')), ...others);
  }),
);

/** An activation function, for layers that have one by default. */
export const activation = (name: string): BuiltinValue => activationFunctions.find(f => f.name === `nn.${name}`)!;

// ---- layers -----------------------------------------------------------------------------------------------------------

const apply = (l: Layer, name: string, ...parameters: Value[]): Value =>
  formula(name)(l.mx, operand(l.interpreter, l.self.cls.name, l.input('x')), ...parameters);

/** Layers without parameters, with the function they apply and its defaults. */
const PLAIN: readonly (readonly [layer: string, name: string, ...parameters: Value[]])[] = [
  ['Sigmoid', 'sigmoid'],
  ['Mish', 'mish'],
  ['ReLU', 'relu'],
  ['ReLU2', 'relu2'],
  ['ReLU6', 'relu6'],
  ['Softmax', 'softmax', int(-1)],
  ['Softplus', 'softplus'],
  ['Softsign', 'softsign'],
  ['SiLU', 'silu'],
  ['LogSoftmax', 'log_softmax', int(-1)],
  ['LogSigmoid', 'log_sigmoid'],
  ['Tanh', 'tanh'],
  ['Hardswish', 'hardswish'],
  ['SELU', 'selu'],
  ['HardTanh', 'hard_tanh', float(-1), float(1)],
  ['Softmin', 'softmin', int(-1)],
];

/** Layers that keep one parameter of their function, under this attribute. */
const PARAMETRIC: readonly (readonly [layer: string, name: string, parameter: string, attribute: string])[] = [
  ['GLU', 'glu', 'axis=-1', 'axis'],
  ['LeakyReLU', 'leaky_relu', 'negative_slope=0.01', '_negative_slope'],
  ['ELU', 'elu', 'alpha=1.0', '_alpha'],
  ['CELU', 'celu', 'alpha=1.0', '_alpha'],
  ['Softshrink', 'softshrink', 'lambd=0.5', 'lambd'],
  ['Step', 'step', 'threshold=0.0', 'threshold'],
  ['HardShrink', 'hard_shrink', 'lambd=0.5', 'lambd'],
];

const GELU_FUNCTIONS: Readonly<Record<string, string>> = {
  none: 'gelu',
  precise: 'gelu_approx',
  tanh: 'gelu_approx',
  fast: 'gelu_fast_approx',
};

const GELU = defineLayer({
  name: 'GELU',
  init: "(approx='none')",
  construct(l) {
    const approx = l.value('approx');
    l.set('_approx', approx);
    if (approx.kind === 'str' && approx.value !== null && !(approx.value in GELU_FUNCTIONS))
      throw l.refusal(
        'value',
        `GELU has no approximation '${approx.value}': it knows ${Object.keys(GELU_FUNCTIONS).join(', ')}`,
      );
  },
  call: '(x)',
  forward(l) {
    const approx = l.get('_approx');
    // All of them give the same shape and dtype.
    const name = approx.kind === 'str' && approx.value !== null ? GELU_FUNCTIONS[approx.value] : 'gelu';
    return apply(l, name ?? 'gelu_fast_approx');
  },
});

const PReLU = defineLayer({
  name: 'PReLU',
  init: '(num_parameters=1, init=0.25)',
  construct: l => l.set('weight', l.mx.call('full', [[l.dim('num_parameters')], l.value('init')])),
  call: '(x)',
  forward: l => apply(l, 'prelu', l.get('weight')),
});

export const activationLayers: readonly ClassValue[] = [
  ...PLAIN.map(([name, func, ...parameters]) =>
    defineLayer({ name, init: '()', call: '(x)', forward: l => apply(l, func, ...parameters) }),
  ),
  ...PARAMETRIC.map(([name, func, parameter, attribute]) =>
    defineLayer({
      name,
      init: `(${parameter})`,
      construct: l => l.set(attribute, l.value(parameter.slice(0, parameter.indexOf('=')))),
      call: '(x)',
      forward: l => apply(l, func, l.get(attribute)),
    }),
  ),
  GELU,
  PReLU,
];
