/**
 * Normalization layers: RMSNorm, LayerNorm, GroupNorm, InstanceNorm, BatchNorm.
 */
import { type Dim, floorDiv, isKnown, product, showDim } from '../../../../engine/src/dims/dim';
import { bool, type ClassValue, float, NONE, type Value } from '../../interpreter/values';
import { defineLayer, type Layer, layerMethod } from './layer';
import { Module } from './module';
import { freeze } from './training';

/** @throws Refusal of kind 'value' for an epsilon that is not positive */
function keepEpsilon(l: Layer): void {
  const eps = l.number('eps');
  if (eps !== null && eps <= 0) throw l.refusal('value', `${l.self.cls.name} needs a positive eps, not ${eps}`);
  l.set('eps', l.value('eps'));
}

/** Weight of ones and bias of zeros as long as the argument says, where `affine` asks for them; where that is not known, the layer is open. */
function affineParameters(l: Layer, name: string, order: readonly ('weight' | 'bias')[] = ['weight', 'bias']): void {
  const affine = l.flag('affine');
  if (affine === null) l.interpreter.heap.openInstance(l.self);
  if (!affine) return;
  const size = l.dim(name);
  for (const parameter of order) l.set(parameter, parameter === 'weight' ? l.mx.ones([size]) : l.mx.zeros([size]));
}

/** `weight * x + bias` where the layer has them. */
function scaled(l: Layer, x: Value): Value {
  const weight = l.member('weight');
  return weight ? l.mx.add(l.mx.multiply(weight, x), l.get('bias')) : x;
}

/** The fused norms want a weight as long as the input's last axis. */
function expectFeatures(l: Layer, x: Value): void {
  const weight = l.member('weight') ?? l.member('bias');
  if (weight && l.shape(weight)?.length === 1) l.expectLast(x, l.axis(weight, 0), 'norm-dims', 'features');
}

/** Norms that multiply elementwise also take axes of length 1 on either side. */
function expectBroadcast(l: Layer, x: Value, parameter: Value | null): void {
  const size = parameter && l.shape(parameter)?.at(-1);
  if (size === null || size === undefined) return;
  const { facts } = l.interpreter;
  const last = l.shape(x)?.at(-1);
  const narrow = facts.equal(size, 1) !== 'no' || (last !== undefined && facts.equal(last, 1) !== 'no');
  if (!narrow) l.expectLast(x, size, 'norm-dims', 'features');
}

export const RMSNorm = defineLayer({
  name: 'RMSNorm',
  init: '(dims, eps=1e-05)',
  construct(l) {
    keepEpsilon(l);
    l.set('weight', l.mx.ones([l.dim('dims')]));
  },
  call: '(x)',
  forward(l) {
    const x = l.input('x');
    expectFeatures(l, x);
    return l.mx.call('fast.rms_norm', [x, l.get('weight'), l.get('eps')]);
  },
  repr: l => `${l.text(l.axis(l.get('weight'), 0))}, eps=${l.text(l.get('eps'))}`,
});

export const LayerNorm = defineLayer({
  name: 'LayerNorm',
  init: '(dims, eps=1e-05, affine=True, bias=True)',
  construct(l) {
    keepEpsilon(l);
    l.set('dims', l.value('dims'));
    const bias = l.flag('bias');
    affineParameters(l, 'dims', bias === false ? ['weight'] : ['weight', 'bias']);
  },
  call: '(x)',
  forward(l) {
    const x = l.input('x');
    expectFeatures(l, x);
    return l.mx.call('fast.layer_norm', [x, l.member('weight'), l.member('bias'), l.get('eps')]);
  },
  repr: l => `${l.text(l.get('dims'))}, eps=${l.text(l.get('eps'))}, affine=${l.has('weight')}`,
});

/** Whole numbers that must be positive. */
function requirePositive(l: Layer, what: string, n: Dim): void {
  if (isKnown(n) && n <= 0) throw l.refusal('value', `${l.self.cls.name} needs a positive number of ${what}, not ${n}`);
}

export const GroupNorm = defineLayer({
  name: 'GroupNorm',
  init: '(num_groups, dims, eps=1e-05, affine=True, pytorch_compatible=False)',
  construct(l) {
    keepEpsilon(l);
    const [groups, dims] = [l.dim('num_groups'), l.dim('dims')];
    requirePositive(l, 'groups', groups);
    requirePositive(l, 'features', dims);
    l.interpreter.facts.requireDivides(groups, dims, () =>
      l.refusal(
        'norm-dims',
        `${l.self.cls.name} cannot divide ${showDim(dims)} features into ${showDim(groups)} equal groups`,
        { expected: groups, actual: dims },
      ),
    );
    affineParameters(l, 'dims', ['bias', 'weight']);
    for (const name of ['num_groups', 'dims', 'pytorch_compatible']) l.set(name, l.value(name));
  },
  call: '(x)',
  forward(l) {
    const x = l.input('x');
    expectBroadcast(l, x, l.member('weight'));
    const shape = l.shape(x);
    if (shape === null) return scaled(l, l.like(x));
    return scaled(l, (l.isSet('pytorch_compatible') ? groupsByChannel : groupsInterleaved)(l, x, shape));
  },
  repr(l) {
    const shown = ['num_groups', 'dims', 'eps', 'pytorch_compatible'].map(name => l.text(l.get(name)));
    return `${shown[0]}, ${shown[1]}, eps=${shown[2]}, affine=${l.has('weight')}, pytorch_compatible=${shown[3]}`;
  },
});

/** `batch, *rest, dims = x.shape` needs two axes. */
function splitBatch(l: Layer, x: Value, shape: readonly Dim[]): { batch: Dim; dims: Dim } {
  if (shape.length < 2)
    throw l.refusal('norm-dims', `${l.self.cls.name} expects a batch and a feature axis, x is ${l.show(x)}`);
  return { batch: shape[0], dims: shape[shape.length - 1] };
}

/** PyTorch's grouping: neighbouring channels belong together. */
function groupsByChannel(l: Layer, x: Value, shape: readonly Dim[]): Value {
  const { mx } = l;
  const { batch, dims } = splitBatch(l, x, shape);
  const groups = l.size('num_groups');
  const size = floorDiv(dims, groups);
  const grouped = mx.transpose(mx.reshape(x, [batch, -1, groups, size]), [0, 2, 1, 3]);
  const flat = mx.reshape(grouped, [batch, groups, -1]);
  const normed = mx.call('fast.layer_norm', [flat], { weight: null, bias: null, eps: l.get('eps') });
  const back = mx.transpose(mx.reshape(normed, [batch, groups, -1, size]), [0, 2, 1, 3]);
  return mx.reshape(back, shape);
}

/** MLX's own grouping: channels a group's number apart belong together. */
function groupsInterleaved(l: Layer, x: Value, shape: readonly Dim[]): Value {
  const { mx } = l;
  const { batch } = splitBatch(l, x, shape);
  const grouped = mx.reshape(x, [batch, -1, l.size('num_groups')]);
  const mean = mx.call('mean', [grouped], { axis: 1, keepdims: bool(true) });
  const variance = mx.call('var', [grouped], { axis: 1, keepdims: bool(true) });
  return mx.reshape(standardized(l, grouped, mean, variance), shape);
}

/** `(x - mean) * rsqrt(variance + eps)` */
const standardized = (l: Layer, x: Value, mean: Value, variance: Value): Value =>
  l.mx.multiply(l.mx.subtract(x, mean), l.mx.call('rsqrt', [l.mx.add(variance, l.get('eps'))]));

export const InstanceNorm = defineLayer({
  name: 'InstanceNorm',
  init: '(dims, eps=1e-05, affine=False)',
  construct(l) {
    keepEpsilon(l);
    affineParameters(l, 'dims');
    l.set('dims', l.value('dims'));
  },
  call: '(x)',
  forward(l) {
    const { mx } = l;
    const x = l.input('x');
    const shape = l.shape(x);
    if (shape === null) {
      expectBroadcast(l, x, l.member('weight'));
      return scaled(l, l.like(x));
    }
    if (shape.length < 3)
      throw l.refusal('norm-dims', `${l.self.cls.name} expects at least 3 axes (N, ..., C), x is ${l.show(x)}`);
    expectBroadcast(l, x, l.member('weight'));
    const [batch, features] = [shape[0], shape[shape.length - 1]];
    const spatial = shape.slice(1, -1);
    const channelsFirst = mx.transpose(x, [0, shape.length - 1, ...spatial.map((_, i) => i + 1)]);
    const flat = mx.reshape(channelsFirst, [batch, features, -1]);
    const normed = mx.call('fast.layer_norm', [flat, null, null, l.get('eps')]);
    const unfolded = mx.reshape(normed, [batch, features, ...spatial]);
    return scaled(l, mx.transpose(unfolded, [0, ...spatial.map((_, i) => i + 2), 1]));
  },
  repr: l => `${l.text(l.get('dims'))}, eps=${l.text(l.get('eps'))}, affine=${l.has('weight')}`,
});

const RUNNING = ['running_mean', 'running_var'];

export const BatchNorm = defineLayer({
  name: 'BatchNorm',
  init: '(num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)',
  construct(l) {
    keepEpsilon(l);
    for (const name of ['num_features', 'momentum', 'track_running_stats']) l.set(name, l.value(name));
    affineParameters(l, 'num_features');
    const tracked = l.flag('track_running_stats');
    if (tracked === null) l.interpreter.heap.openInstance(l.self);
    if (!tracked) return;
    const size = l.dim('num_features');
    l.set('running_mean', l.mx.zeros([size]));
    l.set('running_var', l.mx.ones([size]));
    freeze(l.interpreter, l.self, RUNNING);
  },
  call: '(x)',
  forward(l) {
    const { mx } = l;
    const x = l.input('x');
    const shape = l.shape(x);
    if (shape === null) {
      expectBroadcast(l, x, l.member('weight'));
      return scaled(l, l.like(x));
    }
    if (shape.length < 2 || shape.length > 4)
      throw l.refusal('norm-dims', `${l.self.cls.name} expects 2, 3 or 4 axes, x has ${shape.length}: ${l.show(x)}`);
    const { training } = l;
    if (training && product(shape.slice(0, -1)) === 1)
      throw l.refusal(
        'norm-dims',
        `${l.self.cls.name} in training needs more than one value a channel, x is ${l.show(x)}`,
      );
    expectBroadcast(l, x, l.member('running_mean') ?? l.member('weight'));
    const statistics = (ddof: number): [Value, Value] => {
      const axis = shape.slice(0, -1).map((_, i) => i);
      return [mx.call('mean', [x], { axis }), mx.call('var', [x], { axis, ddof })];
    };
    let [mean, variance] = statistics(0);
    const tracked = l.isSet('track_running_stats');
    if (training && tracked) {
      const momentum = l.constant('momentum');
      const rest = momentum === null ? float(null) : float(1 - momentum);
      const blend = (name: string, fresh: Value): void =>
        l.set(name, mx.add(mx.multiply(rest, l.get(name)), mx.multiply(l.get('momentum'), fresh)));
      blend('running_mean', mean);
      blend('running_var', statistics(1)[1]);
    } else if (tracked) [mean, variance] = [l.get('running_mean'), l.get('running_var')];
    return scaled(l, standardized(l, x, mean, variance));
  },
  repr(l) {
    const shown = ['num_features', 'eps', 'momentum', 'track_running_stats'].map(name => l.text(l.get(name)));
    return `${shown[0]}, eps=${shown[1]}, momentum=${shown[2]}, affine=${l.has('weight')}, track_running_stats=${shown[3]}`;
  },
  methods: [
    [
      'unfreeze',
      layerMethod('BatchNorm.unfreeze(*, recurse=True, keys=None, strict=False)', l => {
        const unfreeze = Module.attributes.get('unfreeze')!;
        l.interpreter.call(unfreeze, { positional: [l.self], keywords: l.call.given, open: false });
        freeze(l.interpreter, l.self, RUNNING);
        return NONE;
      }),
    ],
  ],
});

export const normalizationLayers: readonly ClassValue[] = [InstanceNorm, LayerNorm, RMSNorm, GroupNorm, BatchNorm];
