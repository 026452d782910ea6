/**
 * Layers sharded over the machines of a group, and the functions that shard a model.
 *
 * A group of one holds whole layers and records what MLX records; of a larger or unknown group only the shards' shapes
 * are known.
 */
import { anonymous, type Dim, floorDiv, isKnown, mul, showDim } from '../../../../engine/src/dims/dim';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { args, type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  builtin,
  type ClassValue,
  int,
  NONE,
  str,
  tuple,
  type Value,
} from '../../interpreter/values';
import { type Call, define } from '../define';
import { initialScale, optionalBias, requireFanIn } from './initial';
import { defineLayer, Layer, layerMethod } from './layer';
import { applyLinear, Linear } from './linear';
import { hasMember } from './members';
import { isModule } from './membership';
import { classMethod } from './methods';
import { Module } from './module';
import { Mx } from './mx';
import { filterAndMap, parametersOf, updateParameters, validParameter } from './parameters';
import { packedWidth, quantizedProduct, schemeRepr } from './quantized';
import { freeze } from './training';
import { leavesOf, treeMap } from './tree';

// ---- groups -----------------------------------------------------------------------------------------------------------

/** The `group` argument, or the one that `mx.distributed.init()` makes. */
const groupArgument = (c: Call): Value =>
  c.interpreter.truth(c.value('group')) === false
    ? new Mx(c.interpreter).call('distributed.init', [])
    : c.value('group');

/** How many machines a group has; a nameless symbol where that is not known. */
export function groupSize(interpreter: Interpreter, group: Value): Dim {
  const method = interpreter.getAttribute(group, 'size');
  const size = method ? interpreter.settled(interpreter.callWith(method)) : NONE;
  return size.kind === 'int' ? size.value : anonymous();
}

/** An axis divided among the group. @throws Refusal where it cannot be in equal parts */
function share(l: Layer, what: string, size: Dim, machines: Dim): Dim {
  l.interpreter.facts.requireDivides(machines, size, () =>
    l.refusal('value', `${l.self.cls.name} cannot divide ${showDim(size)} ${what} among ${showDim(machines)} machines`),
  );
  return floorDiv(size, machines);
}

// ---- sharding parameters ------------------------------------------------------------------------------------------------

/** Which axis of a parameter is divided; null for one that every machine keeps whole. */
type Sharding = (path: string, array: Value) => { axis: number; segments: Value } | null;

type Direction = 'all-to-sharded' | 'sharded-to-all';
const DIRECTIONS: readonly Direction[] = ['all-to-sharded', 'sharded-to-all'];

const rankOf = (interpreter: Interpreter, v: Value): number | null => {
  const shape = v.kind === 'array' ? interpreter.facts.shape(v.node.shape) : null;
  return Array.isArray(shape) ? shape.length : null;
};

const shardingFor =
  (interpreter: Interpreter, direction: Direction, segments: Value): Sharding =>
  (path, array) => {
    const bias = path.endsWith('bias');
    if (direction === 'sharded-to-all') return bias ? null : { axis: -1, segments };
    const rank = rankOf(interpreter, array);
    return { axis: bias ? -1 : Math.max((rank ?? 2) - 2, 0), segments };
  };

/** The tree with each array cut to this machine's share. */
function shard(interpreter: Interpreter, parameters: Value, sharding: Sharding, group: Value): Value {
  const machines = groupSize(interpreter, group);
  return treeMap(
    interpreter,
    (leaf, _rest, path) => {
      if (leaf.kind !== 'array' || machines === 1) return leaf;
      const shape = interpreter.facts.shape(leaf.node.shape);
      const cut = path === null ? null : sharding(path, leaf);
      if (cut === null || !Array.isArray(shape)) return leaf;
      const axis = cut.axis < 0 ? cut.axis + shape.length : cut.axis;
      return interpreter.source({
        shape: shape.with(axis, floorDiv(shape[axis], machines)),
        dtype: leaf.node.dtype,
      });
    },
    parameters,
  );
}

function directionArgument(c: Call): Direction {
  const text = c.text('sharding');
  const direction = DIRECTIONS.find(d => d === text);
  if (!direction)
    throw new Refusal('value', `${c.signature.name} knows no sharding '${text}': there are ${DIRECTIONS.join(', ')}`);
  return direction;
}

/** A sharding function of the user's: it answers None, an axis, or (axis, segments). */
const userSharding =
  (interpreter: Interpreter, predicate: Value): Sharding =>
  (path, array) => {
    const answer = interpreter.settled(interpreter.callWith(predicate, str(path), array));
    if (answer.kind === 'none') return null;
    const [axis, segments] = answer.kind === 'tuple' && answer.items ? answer.items : [answer, int(1)];
    if (axis.kind === 'int' && isKnown(axis.value)) return { axis: axis.value, segments };
    throw new Unknowable('how the parameter is sharded is not known');
  };

const shardInplace = define('shard_inplace(module, sharding, *, segments=1, group=None)', c => {
  const { interpreter } = c;
  const module = c.value('module');
  if (!isModule(module)) throw new Unknowable('the module is not known');
  const group = groupArgument(c);
  const sharding =
    c.value('sharding').kind === 'str'
      ? shardingFor(interpreter, directionArgument(c), c.value('segments'))
      : userSharding(interpreter, c.value('sharding'));
  const parameters = shard(interpreter, parametersOf(interpreter, module), sharding, group);
  updateParameters(interpreter, module, parameters, true);
  return NONE;
});

const sumGradients = define('sum_gradients(group)', () =>
  builtin('sum_gradients', (_interpreter, passed) => passed.positional[0] ?? NONE),
);

// ---- layers -----------------------------------------------------------------------------------------------------------

/** `x` summed over the group. */
const summed = (l: Layer, x: Value): Value => l.mx.call('distributed.all_sum', [x], { group: l.get('group') });

/** The axis of a weight [output, input] that is divided. */
const axisOf = (direction: Direction): 0 | 1 => (direction === 'all-to-sharded' ? 0 : 1);

/** [output, input] of one machine's weight. */
function shardedShape(l: Layer, direction: Direction): [Dim, Dim] {
  const group = groupArgument(l.call);
  l.set('group', group);
  const machines = groupSize(l.interpreter, group);
  const [input, output] = [l.dim('input_dims'), l.dim('output_dims')];
  requireFanIn(l, input);
  return direction === 'all-to-sharded'
    ? [share(l, 'output features', output, machines), input]
    : [output, share(l, 'input features', input, machines)];
}

function shardedLinear(name: string, direction: Direction): ClassValue {
  return defineLayer({
    name,
    init: '(input_dims, output_dims, bias=True, group=None)',
    construct(l) {
      const shape = shardedShape(l, direction);
      const scale = initialScale(l.dim('input_dims'));
      l.set('weight', l.mx.uniform(scale, shape));
      optionalBias(l, () => l.set('bias', l.mx.uniform(scale, [shape[0]])));
    },
    call: '(x)',
    forward(l) {
      const x = l.input('x');
      if (direction === 'all-to-sharded') return applyLinear(l, x);
      const weight = l.get('weight');
      l.expectLast(x, l.axis(weight, -1), 'linear-input', 'features');
      const product = summed(l, l.mx.matmul(x, l.mx.transposed(weight)));
      const bias = l.member('bias');
      return bias ? l.mx.add(product, bias) : product;
    },
    repr(l) {
      const machines = groupSize(l.interpreter, l.get('group'));
      const whole = (axis: 0 | 1): string =>
        l.text(mul(l.axis(l.get('weight'), axis), axis === axisOf(direction) ? machines : 1));
      return `input_dims=${whole(1)}, output_dims=${whole(0)}, bias=${l.has('bias')}`;
    },
    methods: [
      ['from_linear', fromLayer(`${name}.from_linear(cls, linear_layer, *, segments=1, group=None)`, direction)],
    ],
  });
}

function shardedQuantizedLinear(name: string, direction: Direction): ClassValue {
  return defineLayer({
    name,
    init: "(input_dims, output_dims, bias=True, group_size=64, bits=4, mode='affine', group=None)",
    construct(l) {
      for (const setting of ['group_size', 'bits', 'mode']) l.set(setting, l.value(setting));
      const shape = shardedShape(l, direction);
      const weight = l.mx.uniform(initialScale(l.dim('input_dims')), shape);
      const parts = l.mx.items(
        l.mx.call('quantize', [weight, l.value('group_size'), l.value('bits')], { mode: l.value('mode') }),
      );
      l.set('weight', parts[0]);
      l.set('scales', parts[1]);
      l.set('biases', parts[2] ?? NONE);
      optionalBias(l, () => l.set('bias', l.mx.zeros([shape[0]])));
      freeze(l.interpreter, l.self);
    },
    call: '(x)',
    forward(l) {
      const product = quantizedProduct(l, l.input('x'));
      const total = direction === 'all-to-sharded' ? product : summed(l, product);
      const bias = l.member('bias');
      return bias ? l.mx.add(total, bias) : total;
    },
    repr(l) {
      const machines = groupSize(l.interpreter, l.get('group'));
      const [inputs, outputs] = direction === 'all-to-sharded' ? [1, machines] : [machines, 1];
      const output = l.text(mul(l.axis(l.get('weight'), 0), outputs));
      return `input_dims=${packedWidth(l, inputs)}, output_dims=${output}, bias=${l.has('bias')}, ${schemeRepr(l)}`;
    },
    methods: [
      [
        'unfreeze',
        layerMethod(`${name}.unfreeze(*, recurse=True, keys=None, strict=False)`, l => {
          l.interpreter.call(Module.attributes.get('unfreeze')!, {
            positional: [l.self],
            keywords: l.call.given,
            open: false,
          });
          freeze(l.interpreter, l.self);
          return NONE;
        }),
      ],
      [
        'from_quantized_linear',
        fromLayer(`${name}.from_quantized_linear(cls, quantized_linear_layer, *, segments=1, group=None)`, direction),
      ],
    ],
  });
}

/** A class method that makes a sharded layer of a whole one. */
function fromLayer(signature: string, direction: Direction): Value {
  return classMethod(
    define(signature, c => {
      const { interpreter } = c;
      const quantized = signature.includes('quantized_linear_layer');
      const whole = c.value(quantized ? 'quantized_linear_layer' : 'linear_layer');
      const cls = c.value('cls');
      if (whole.kind !== 'instance' || cls.kind !== 'class') throw new Unknowable('the layer to shard is not known');
      const from = new Layer(c, whole);
      const [output, packed] = [0, 1].map(axis => from.axis(from.get('weight'), axis));
      const input = quantized ? floorDiv(mul(packed, 32), from.size('bits')) : packed;
      const group = groupArgument(c);
      const settings = quantized ? ['group_size', 'bits', 'mode'].map(name => [name, from.get(name)] as const) : [];
      const bias = interpreter.bool(hasMember(whole, 'bias'));
      const made = interpreter.instantiate(cls, args([int(input), int(output), bias], [...settings, ['group', group]]));
      const sharding = shardingFor(interpreter, direction, c.value('segments'));
      const parameters = shard(interpreter, parametersOf(interpreter, whole), sharding, group);
      updateParameters(interpreter, made, parameters, true);
      return made;
    }),
  );
}

const AllToShardedLinear = shardedLinear('AllToShardedLinear', 'all-to-sharded');
const ShardedToAllLinear = shardedLinear('ShardedToAllLinear', 'sharded-to-all');
const QuantizedAllToShardedLinear = shardedQuantizedLinear('QuantizedAllToShardedLinear', 'all-to-sharded');
const QuantizedShardedToAllLinear = shardedQuantizedLinear('QuantizedShardedToAllLinear', 'sharded-to-all');

const shardLinear = define('shard_linear(module, sharding, *, segments=1, group=None)', c => {
  const { interpreter } = c;
  const module = c.value('module');
  if (module.kind !== 'instance') throw new Unknowable('the layer to shard is not known');
  const direction = directionArgument(c);
  const plain = interpreter.isInstance(module, Linear);
  if (plain === null) throw new Unknowable('whether the layer is quantized is not known');
  const cls =
    direction === 'all-to-sharded'
      ? plain
        ? AllToShardedLinear
        : QuantizedAllToShardedLinear
      : plain
        ? ShardedToAllLinear
        : QuantizedShardedToAllLinear;
  const make = interpreter.getAttribute(cls, plain ? 'from_linear' : 'from_quantized_linear')!;
  return interpreter.call(
    make,
    args(
      [module],
      [
        ['segments', c.value('segments')],
        ['group', groupArgument(c)],
      ],
    ),
  );
});

// ---- fully sharded modules --------------------------------------------------------------------------------------------

const FullyShardedModule: ClassValue = defineLayer({
  name: 'FullyShardedModule',
  init: '(module, group=None, compute_dtype=None)',
  construct(l) {
    const module = l.value('module');
    if (!isModule(module)) throw new Unknowable('the module to shard is not known');
    const { interpreter } = l;
    const group = groupArgument(l.call);
    const machines = groupSize(interpreter, group);
    const notSharded = (_owner: unknown, key: string | null, v: Value): boolean | null =>
      isModule(v) && v.cls.mro.includes(FullyShardedModule) ? false : validParameter(module, key, v);
    const parameters = filterAndMap(interpreter, module, notSharded);
    for (const [path, array] of leavesOf(interpreter, parameters).pairs) {
      const shape = array.kind === 'array' ? interpreter.facts.shape(array.node.shape) : null;
      if (!Array.isArray(shape)) continue;
      if (shape.length === 0) throw l.refusal('value', `The parameter ${path} is a scalar and cannot be sharded`);
      share(l, `rows of ${path}`, shape[0], machines);
    }
    const paths = leavesOf(interpreter, parameters).pairs.map(([path]) => str(path));
    l.set('_paths', tuple(paths));
    const shards = shard(interpreter, parameters, () => ({ axis: 0, segments: int(1) }), group);
    updateParameters(interpreter, module, shards, true);
    l.set('module', module);
  },
  repr: l => `num_sharded_params=${l.text(l.interpreter.length(l.get('_paths')) ?? anonymous())}`,
  methods: [
    ['__call__', forwarded(null)],
    ['as_linear', forwarded('as_linear')],
  ],
});

/** A call of the whole module, gathered for it. Of a larger group the shards stand in for it, so nothing is known. */
function forwarded(method: string | null): BuiltinValue {
  return builtin(`FullyShardedModule.${method ?? '__call__'}`, (interpreter, passed) => {
    const [self, ...positional] = passed.positional;
    const module = interpreter.getAttribute(self, 'module');
    const target = module && method ? interpreter.getAttribute(module, method) : module;
    if (!target) throw new Unknowable('the sharded module is not known');
    return interpreter.call(target, { ...passed, positional });
  });
}

/** A group of one leaves the module as it is; of an unknown group the whole module has the shapes its calls see. */
const fullyShard = define('nn.fully_shard(module, *, group=None, compute_dtype=None)', c => {
  const module = c.value('module');
  const machines = groupSize(c.interpreter, groupArgument(c));
  if (!isKnown(machines) || machines === 1) return module;
  if (isModule(module) && module.cls.mro.includes(FullyShardedModule)) return module;
  return c.interpreter.instantiate(FullyShardedModule, args([module, groupArgument(c), c.value('compute_dtype')]));
});

export const distributedLayers: readonly ClassValue[] = [
  AllToShardedLinear,
  ShardedToAllLinear,
  QuantizedAllToShardedLinear,
  QuantizedShardedToAllLinear,
  FullyShardedModule,
];

/** Functions of `mlx.nn.layers.distributed`; `fully_shard` is one of `mlx.nn` too. */
export const distributedFunctions: readonly BuiltinValue[] = [shardInplace, shardLinear, sumGradients];
export { fullyShard };
