/**
 * `mlx.nn.losses`: each checks its shapes strictly, computes elementwise and reduces as asked.
 */
import type { Dim } from '../../../../engine/src/dims/dim';
import { showShape } from '../../../../engine/src/dims/shape';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { showType } from '../../../../engine/src/graph/show';
import { Unknowable } from '../../interpreter/interpreter';
import { type BuiltinValue, bool, float, int, type Value } from '../../interpreter/values';
import { type Call, define } from '../define';
import { Mx } from './mx';

const REDUCTIONS = ['none', 'mean', 'sum'];

/** A loss being computed: its arguments as arrays, and `mx`. */
class Loss {
  readonly mx: Mx;

  constructor(readonly call: Call) {
    this.mx = new Mx(call.interpreter);
  }

  get(name: string): Value {
    return this.call.interpreter.settleAs(this.call.value(name), 'array');
  }
  number(name: string): Value {
    return this.call.value(name);
  }

  /** The axes of an array argument, or null when its rank is not known. */
  shape(v: Value): readonly Dim[] | null {
    const shape = v.kind === 'array' ? this.call.interpreter.facts.shape(v.node.shape) : null;
    return Array.isArray(shape) ? shape : null;
  }

  private show(name: string, v: Value): string {
    return v.kind === 'array'
      ? `${name} is ${showType({ shape: this.call.interpreter.facts.shape(v.node.shape), dtype: v.node.dtype })}`
      : `${name} is a Python ${v.kind}`;
  }

  refusal(message: string): Refusal {
    return new Refusal('loss', `${this.call.signature.name.slice('nn.losses.'.length)} ${message}`);
  }

  /** The loss reads `.shape` of what must be an array. */
  requireArray(name: string): Value {
    const v = this.get(name);
    if (v.kind === 'int' || v.kind === 'float' || v.kind === 'bool' || v.kind === 'none')
      throw new Refusal('loss', this.call.wrong(name, 'an array').message, { name }, 'AttributeError');
    return v;
  }

  /** Two arguments must have the same shape. @throws Refusal of kind 'loss' */
  same(a: string, b: string): void {
    const [left, right] = [this.requireArray(a), this.requireArray(b)];
    this.sameShape(left, this.shape(right), () =>
      this.refusal(`wants ${a} and ${b} of one shape: ${this.show(a, left)}, ${this.show(b, right)}`),
    );
  }

  /** `v` must have the axes `shape`, where both are known. */
  sameShape(v: Value, shape: readonly Dim[] | null, refuse: () => Refusal): void {
    const own = this.shape(v);
    if (own === null || shape === null) return;
    if (own.length !== shape.length) throw refuse();
    for (const [i, d] of own.entries()) this.call.interpreter.facts.require(d, shape[i], refuse);
  }

  /** Multiplies by `weights`, which must have the loss's shape. */
  weighted(loss: Value): Value {
    if (!this.call.has('weights')) return loss;
    const weights = this.requireArray('weights');
    this.sameShape(weights, this.shape(loss), () =>
      this.refusal(
        `wants weights of the loss's shape ${showShape(this.shape(loss))}: ${this.show('weights', weights)}`,
      ),
    );
    return this.mx.multiply(loss, weights);
  }

  reduce(loss: Value): Value {
    const reduction = this.call.text('reduction');
    if (!REDUCTIONS.includes(reduction))
      throw this.refusal(`has no reduction '${reduction}': there are ${REDUCTIONS.join(', ')}`);
    return reduction === 'none' ? loss : this.mx.call(reduction, [loss]);
  }
}

type Compute = (l: Loss, mx: Mx) => Value;

const loss = (name: string, parameters: string, compute: Compute): BuiltinValue =>
  define(`nn.losses.${name}(${parameters})`, c => {
    const l = new Loss(c);
    return l.reduce(compute(l, l.mx));
  });

/** The entry of `x` along `axis` that `targets` names. */
const picked = (l: Loss, x: Value, targets: Value): Value => {
  const axis = l.number('axis');
  const index = l.mx.call('expand_dims', [targets, axis]);
  return l.mx.call('squeeze', [l.mx.call('take_along_axis', [x, index, axis]), axis]);
};

function crossEntropy(l: Loss, mx: Mx): Value {
  const smoothing = l.call.float('label_smoothing');
  if (smoothing !== null && (smoothing < 0 || smoothing >= 1))
    throw l.refusal(`takes a label_smoothing from 0 to below 1, not ${smoothing}`);
  const [logits, targets] = [l.requireArray('logits'), l.requireArray('targets')];
  const [logitsShape, targetsShape] = [l.shape(logits), l.shape(targets)];
  const axis = l.call.int('axis');
  if (logitsShape === null || targetsShape === null) throw new Unknowable('the ranks of the arguments are not known');
  const probabilities = logitsShape.length === targetsShape.length;
  const mismatch = (): Refusal =>
    l.refusal(
      probabilities
        ? `wants probabilities of the logits' shape ${showShape(logitsShape)}, not ${showShape(targetsShape)}`
        : `wants class numbers of the logits' shape ${showShape(logitsShape)} without axis ${axis}, not ${showShape(targetsShape)}`,
    );
  if (!probabilities && (axis < -logitsShape.length || axis >= logitsShape.length))
    throw new Refusal('axis', `cross_entropy has no axis ${axis} in ${showShape(logitsShape)}`, { axis }, 'IndexError');
  l.sameShape(targets, probabilities ? logitsShape : logitsShape.toSpliced(axis, 1), mismatch);
  const keepdims = bool(true);
  const largest = mx.call('stop_gradient', [mx.call('max', [logits], { axis, keepdims })]);
  const shifted = mx.subtract(logits, largest);
  const score = probabilities ? mx.call('sum', [mx.multiply(shifted, targets)], { axis }) : picked(l, shifted, targets);
  const normalizer = mx.call('logsumexp', [shifted], { axis });
  if (smoothing === 0) return l.weighted(mx.subtract(normalizer, score));
  const kept = mx.multiply(float(smoothing === null ? null : 1 - smoothing), score);
  const spread = mx.multiply(mx.negative(mx.call('mean', [shifted], { axis })), float(smoothing));
  return l.weighted(mx.add(mx.subtract(normalizer, kept), spread));
}

function binaryCrossEntropy(l: Loss, mx: Mx): Value {
  l.same('inputs', 'targets');
  const [inputs, targets] = [l.get('inputs'), l.get('targets')];
  if (l.call.flag('with_logits'))
    return l.weighted(mx.subtract(mx.call('logaddexp', [float(0), inputs]), mx.multiply(inputs, targets)));
  const logarithm = (x: Value): Value => mx.call('clip', [mx.call('log', [x])], { a_min: -100, a_max: null });
  const hit = mx.multiply(targets, logarithm(inputs));
  const miss = mx.multiply(mx.subtract(1, targets), logarithm(mx.subtract(1, inputs)));
  return l.weighted(mx.negative(mx.add(hit, miss)));
}

function smoothL1(l: Loss, mx: Mx): Value {
  l.same('predictions', 'targets');
  const beta = l.call.float('beta');
  const difference = mx.call('abs', [mx.subtract(l.get('predictions'), l.get('targets'))]);
  const near = mx.divide(mx.multiply(float(0.5), mx.call('square', [difference])), l.number('beta'));
  const far = mx.subtract(mx.call('abs', [difference]), float(beta === null ? null : 0.5 * beta));
  return mx.call('where', [mx.compare('<', difference, l.number('beta')), near, far]);
}

function gaussianNll(l: Loss, mx: Mx): Value {
  l.same('inputs', 'targets');
  l.same('inputs', 'vars');
  const variance = mx.call('maximum', [l.get('vars'), l.number('eps')]);
  const distance = mx.call('square', [mx.subtract(l.get('targets'), l.get('inputs'))]);
  const nll = mx.multiply(float(0.5), mx.add(mx.call('log', [variance]), mx.divide(distance, variance)));
  return l.call.flag('full') ? mx.add(nll, float(0.5 * Math.log(2 * Math.PI))) : nll;
}

function triplet(l: Loss, mx: Mx): Value {
  const p = l.call.float('p');
  const distance = (from: string): Value => {
    const powers = mx.call('power', [mx.call('abs', [mx.subtract(l.get('anchors'), l.get(from))]), l.number('p')]);
    const total = mx.add(mx.call('sum', [powers, l.number('axis')]), l.number('eps'));
    return mx.call('power', [total, float(p === null ? null : 1 / p)]);
  };
  const margin = mx.add(mx.subtract(distance('positives'), distance('negatives')), l.number('margin'));
  return mx.call('maximum', [margin, 0]);
}

function huber(l: Loss, mx: Mx): Value {
  const errors = mx.call('abs', [mx.subtract(l.get('inputs'), l.get('targets'))]);
  const quadratic = mx.call('minimum', [errors, l.number('delta')]);
  const linear = mx.subtract(errors, quadratic);
  const near = mx.multiply(float(0.5), mx.power(quadratic, int(2)));
  return mx.add(near, mx.multiply(l.number('delta'), linear));
}

function cosineSimilarity(l: Loss, mx: Mx): Value {
  const axis = l.number('axis');
  const [x1, x2] = [l.get('x1'), l.get('x2')];
  const norm = (x: Value): Value => mx.call('linalg.norm', [x], { axis });
  const lengths = mx.multiply(norm(x1), norm(x2));
  const product = mx.call('sum', [mx.multiply(x1, x2)], { axis });
  return mx.divide(product, mx.call('maximum', [lengths, l.number('eps')]));
}

function marginRanking(l: Loss, mx: Mx): Value {
  l.same('inputs1', 'inputs2');
  l.same('inputs2', 'targets');
  const difference = mx.subtract(l.get('inputs1'), l.get('inputs2'));
  const wrong = mx.multiply(mx.negative(l.get('targets')), difference);
  return mx.call('maximum', [int(0), mx.add(wrong, l.number('margin'))]);
}

const NONE_BY_DEFAULT = "reduction='none'";
const MEAN_BY_DEFAULT = "reduction='mean'";

export const losses: readonly BuiltinValue[] = [
  loss(
    'cross_entropy',
    `logits, targets, weights=None, axis=-1, label_smoothing=0.0, ${NONE_BY_DEFAULT}`,
    crossEntropy,
  ),
  loss(
    'binary_cross_entropy',
    `inputs, targets, weights=None, with_logits=True, ${MEAN_BY_DEFAULT}`,
    binaryCrossEntropy,
  ),
  loss('l1_loss', `predictions, targets, ${MEAN_BY_DEFAULT}`, (l, mx) => {
    l.same('predictions', 'targets');
    return mx.call('abs', [mx.subtract(l.get('predictions'), l.get('targets'))]);
  }),
  loss('mse_loss', `predictions, targets, ${MEAN_BY_DEFAULT}`, (l, mx) => {
    l.same('predictions', 'targets');
    return mx.call('square', [mx.subtract(l.get('predictions'), l.get('targets'))]);
  }),
  loss('nll_loss', `inputs, targets, axis=-1, ${NONE_BY_DEFAULT}`, (l, mx) =>
    mx.negative(picked(l, l.get('inputs'), l.get('targets'))),
  ),
  loss('gaussian_nll_loss', `inputs, targets, vars, full=False, eps=1e-06, ${MEAN_BY_DEFAULT}`, gaussianNll),
  loss('kl_div_loss', `inputs, targets, axis=-1, ${NONE_BY_DEFAULT}`, (l, mx) => {
    const [inputs, targets] = [l.get('inputs'), l.get('targets')];
    const terms = mx.multiply(mx.call('exp', [targets]), mx.subtract(targets, inputs));
    return mx.call('sum', [terms, l.number('axis')]);
  }),
  loss('smooth_l1_loss', `predictions, targets, beta=1.0, ${MEAN_BY_DEFAULT}`, smoothL1),
  loss(
    'triplet_loss',
    `anchors, positives, negatives, axis=-1, p=2, margin=1.0, eps=1e-06, ${NONE_BY_DEFAULT}`,
    triplet,
  ),
  loss('hinge_loss', `inputs, targets, ${NONE_BY_DEFAULT}`, (l, mx) =>
    mx.call('maximum', [mx.subtract(1, mx.multiply(l.get('inputs'), l.get('targets'))), 0]),
  ),
  loss('huber_loss', `inputs, targets, delta=1.0, ${NONE_BY_DEFAULT}`, huber),
  loss('log_cosh_loss', `inputs, targets, ${NONE_BY_DEFAULT}`, (l, mx) => {
    const errors = mx.subtract(l.get('inputs'), l.get('targets'));
    return mx.subtract(mx.call('logaddexp', [errors, mx.negative(errors)]), float(Math.LN2));
  }),
  loss('cosine_similarity_loss', `x1, x2, axis=1, eps=1e-08, ${NONE_BY_DEFAULT}`, cosineSimilarity),
  loss('margin_ranking_loss', `inputs1, inputs2, targets, margin=0.0, ${NONE_BY_DEFAULT}`, marginRanking),
];
