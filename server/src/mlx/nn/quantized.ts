/**
 * Quantized layers and `nn.quantize`: packed weights with scales and, in affine mode, biases for every group.
 */
import { anonymous, type Dim, isKnown, mul, showDim } from '../../../../engine/src/dims/dim';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { args, type Interpreter, Unknowable } from '../../interpreter/interpreter';
import { bool, type ClassValue, type InstanceValue, int, NONE, str, type Value } from '../../interpreter/values';
import { type Call, define, isOpaque, typeName } from '../define';
import { initialScale, requireFanIn } from './initial';
import { defineLayer, Layer, layerMethod } from './layer';
import { hasMember } from './members';
import { isModule } from './membership';
import { classMethod } from './methods';
import { leafModulesOf, updateModules } from './parameters';
import { freeze } from './training';
import { treeMap } from './tree';

/** Group size and bits that a mode has when none are asked for. */
const MODE_DEFAULTS: Readonly<Record<string, { groupSize: number; bits: number }>> = {
  affine: { groupSize: 64, bits: 4 },
  mxfp4: { groupSize: 32, bits: 4 },
  nvfp4: { groupSize: 16, bits: 4 },
  mxfp8: { groupSize: 32, bits: 8 },
};

/** The modes that can quantize a layer's input as well. */
const INPUT_MODES = ['nvfp4', 'mxfp8'];

/** `group_size`, `bits` and `mode` of a call: as given, for `mx.quantize`, and as the layer keeps them. */
interface Scheme {
  readonly given: readonly [groupSize: Value, bits: Value];
  readonly mode: Value;
  readonly groupSize: Value;
  readonly bits: Value;
}

function schemeOf(interpreter: Interpreter, call: Call): Scheme {
  const mode = call.value('mode');
  const defaults = mode.kind === 'str' && mode.value !== null ? MODE_DEFAULTS[mode.value] : null;
  if (defaults === undefined)
    throw new Refusal(
      'quantize-mode',
      `There is no quantization mode '${mode.kind === 'str' ? mode.value : ''}': the modes are ${Object.keys(MODE_DEFAULTS).join(', ')}`,
    );
  const kept = (name: 'group_size' | 'bits', fallback: number | undefined): Value => {
    const v = call.value(name);
    const chosen = interpreter.truth(v);
    if (chosen) return v;
    return chosen === false && fallback !== undefined ? int(fallback) : int(anonymous());
  };
  return {
    given: [call.value('group_size'), call.value('bits')],
    mode,
    groupSize: kept('group_size', defaults?.groupSize),
    bits: kept('bits', defaults?.bits),
  };
}

/** Sets weight, scales and biases of a layer to those of `weight` quantized. */
function setQuantized(l: Layer, weight: Value, scheme: Scheme, owner: InstanceValue): void {
  requireGroups(l, weight, scheme, owner);
  const parts = l.mx.items(l.mx.call('quantize', [weight, ...scheme.given], { mode: scheme.mode }));
  l.set('weight', parts[0]);
  l.set('scales', parts[1]);
  l.set('biases', parts[2] ?? NONE);
}

/** The last axis of a weight must be whole groups. */
function requireGroups(l: Layer, weight: Value, scheme: Scheme, owner: InstanceValue): void {
  const last = l.shape(weight)?.at(-1);
  if (last === undefined || scheme.groupSize.kind !== 'int') return;
  const size = scheme.groupSize.value;
  if (!isKnown(size) || size <= 0) return;
  l.interpreter.facts.requireDivides(size, last, () =>
    l.refusal(
      'quantize-group',
      `${owner.cls.name} cannot be quantized in groups of ${size}: its weight ${l.show(weight)} has ${showDim(last)} on the last axis, which ${size} does not divide`,
      { axis: -1, expected: size, actual: last, layer: owner },
    ),
  );
}

function keepScheme(l: Layer, scheme: Scheme): void {
  l.set('group_size', scheme.groupSize);
  l.set('bits', scheme.bits);
  l.set('mode', scheme.mode);
}

/** Arguments that say how a packed weight is to be read. */
const packing = (l: Layer): Record<string, Value> => ({
  group_size: l.get('group_size'),
  bits: l.get('bits'),
  mode: l.get('mode'),
});

/** Features before packing: groups on the last axis of the scales, times the group's size. */
export const unpackedWidth = (l: Layer): Dim => mul(l.axis(l.get('scales'), -1), l.size('group_size'));

/** `quantized_matmul` of `x` with the layer's weight, transposed. */
export function quantizedProduct(l: Layer, x: Value): Value {
  l.expectLast(x, unpackedWidth(l), 'linear-input', 'features');
  return l.mx.call('quantized_matmul', [x, l.get('weight')], {
    scales: l.get('scales'),
    biases: l.member('biases') ?? NONE,
    transpose: bool(true),
    ...packing(l),
  });
}

/** Input features as a repr gives them: `weight.shape[1] * 32 // bits`. */
export const packedWidth = (l: Layer, factor: Dim = 1): string => {
  const [packed, bits] = [l.axis(l.get('weight'), 1), l.size('bits')];
  if (!isKnown(packed) || !isKnown(bits) || !isKnown(factor)) throw new Unknowable('the width is not known');
  return `${Math.floor((packed * 32) / bits) * factor}`;
};

export const schemeRepr = (l: Layer): string =>
  `group_size=${l.text(l.get('group_size'))}, bits=${l.text(l.get('bits'))}, mode=${l.text(l.get('mode'))}`;

// ---- layers -----------------------------------------------------------------------------------------------------------

export const QuantizedLinear = defineLayer({
  name: 'QuantizedLinear',
  init: "(input_dims, output_dims, bias=True, group_size=None, bits=None, mode='affine')",
  construct(l) {
    const scheme = schemeOf(l.interpreter, l.call);
    keepScheme(l, scheme);
    const [input, output] = [l.dim('input_dims'), l.dim('output_dims')];
    requireFanIn(l, input);
    setQuantized(l, l.mx.uniform(initialScale(input), [output, input]), scheme, l.self);
    const bias = l.flag('bias');
    if (bias) l.set('bias', l.mx.zeros([output]));
    if (bias === null) l.interpreter.heap.openInstance(l.self);
    freeze(l.interpreter, l.self);
  },
  call: '(x)',
  forward(l) {
    const product = quantizedProduct(l, l.input('x'));
    const bias = l.member('bias');
    return bias ? l.mx.add(product, bias) : product;
  },
  repr: l =>
    `input_dims=${packedWidth(l)}, output_dims=${l.text(l.axis(l.get('weight'), 0))}, bias=${l.has('bias')}, ${schemeRepr(l)}`,
  methods: [
    [
      'from_linear',
      fromLayer(
        "QuantizedLinear.from_linear(linear_layer, group_size=None, bits=None, mode='affine')",
        (made, from) => {
          setQuantized(made, from.get('weight'), schemeOf(made.interpreter, made.call), from.self);
          if (hasMember(from.self, 'bias')) made.set('bias', from.get('bias'));
        },
      ),
    ],
  ],
});

export const QuantizedEmbedding = defineLayer({
  name: 'QuantizedEmbedding',
  init: "(num_embeddings, dims, group_size=None, bits=None, mode='affine')",
  construct(l) {
    const scheme = schemeOf(l.interpreter, l.call);
    keepScheme(l, scheme);
    const [count, dims] = [l.dim('num_embeddings'), l.dim('dims')];
    requireFanIn(l, dims);
    setQuantized(l, l.mx.normal(initialScale(dims), [count, dims]), scheme, l.self);
    l.set('num_embeddings', l.value('num_embeddings'));
    l.set('dims', l.value('dims'));
    freeze(l.interpreter, l.self);
  },
  call: '(x)',
  forward(l) {
    const { interpreter } = l;
    const x = l.input('x');
    const biases = l.member('biases');
    const [weight, scales] = [l.get('weight'), l.get('scales')].map(part => interpreter.getItem(part, x));
    return l.mx.call('dequantize', [weight], {
      scales,
      biases: biases ? interpreter.getItem(biases, x) : NONE,
      ...packing(l),
    });
  },
  repr: l => `${l.text(l.get('num_embeddings'))}, ${l.text(l.get('dims'))}, ${schemeRepr(l)}`,
  methods: [
    ['as_linear', layerMethod('QuantizedEmbedding.as_linear(x)', l => quantizedProduct(l, l.input('x')))],
    [
      'from_embedding',
      fromLayer(
        "QuantizedEmbedding.from_embedding(embedding_layer, group_size=None, bits=None, mode='affine')",
        (made, from) => setQuantized(made, from.get('weight'), schemeOf(made.interpreter, made.call), from.self),
      ),
    ],
  ],
});

export const QQLinear = defineLayer({
  name: 'QQLinear',
  init: "(input_dims, output_dims, group_size=None, bits=None, mode='nvfp4')",
  construct(l) {
    keepScheme(l, schemeOf(l.interpreter, l.call));
    const [input, output] = [l.dim('input_dims'), l.dim('output_dims')];
    requireFanIn(l, input);
    l.set('weight', l.mx.uniform(initialScale(input), [output, input]));
    l.set('_quantized', bool(false));
  },
  call: '(x)',
  forward: l =>
    l.mx.call('qqmm', [l.input('x'), l.get('weight')], { scales: l.member('scales') ?? NONE, ...packing(l) }),
  repr(l) {
    const weight = l.get('weight');
    const packed = weight.kind === 'array' && weight.node.dtype === 'uint32';
    const input = packed ? packedWidth(l) : l.text(l.axis(weight, 1));
    return `input_dims=${input}, output_dims=${l.text(l.axis(weight, 0))}, ${schemeRepr(l)}`;
  },
  methods: [
    ['quantize', layerMethod('QQLinear.quantize()', l => packWeight(l))],
    ['dequantize', layerMethod('QQLinear.dequantize()', l => unpackWeight(l))],
    [
      '_set_training_mode',
      layerMethod('QQLinear._set_training_mode(mode)', l => {
        l.set('_training', l.value('mode'));
        return l.interpreter.truth(l.value('mode')) ? unpackWeight(l) : packWeight(l);
      }),
    ],
    [
      'from_linear',
      fromLayer("QQLinear.from_linear(linear_layer, group_size=None, bits=None, mode='nvfp4')", (made, from) => {
        made.set('weight', from.get('weight'));
        const train = made.interpreter.getAttribute(made.self, 'train');
        if (train) made.interpreter.callWith(train, from.get('_training'));
      }),
    ],
  ],
});

/** In evaluation a QQLinear keeps its weight packed. */
function packWeight(l: Layer): Value {
  if (l.isSet('_quantized')) return NONE;
  const weight = l.get('weight');
  const { group_size, bits, mode } = packing(l);
  requireGroups(l, weight, { given: [group_size, bits], mode, groupSize: group_size, bits }, l.self);
  const parts = l.mx.items(l.mx.call('quantize', [weight, group_size, bits], { mode }));
  l.set('weight', parts[0]);
  l.set('scales', parts[1]);
  l.set('_quantized', bool(true));
  return NONE;
}

function unpackWeight(l: Layer): Value {
  if (!l.isSet('_quantized')) return NONE;
  l.set('weight', l.mx.call('dequantize', [l.get('weight')], { scales: l.get('scales'), ...packing(l) }));
  l.interpreter.heap.set(l.self.attributes, 'scales', undefined);
  l.set('_quantized', bool(false));
  return NONE;
}

/**
 * A class method that makes a quantized layer of a plain one: an instance of the right size first, as MLX does (which
 * draws random numbers), then the other's weight.
 */
function fromLayer(signature: string, fill: (made: Layer, from: Layer) => void): Value {
  const method = define(`${signature.replace('(', '(cls, ')}`, c => {
    const { interpreter } = c;
    const cls = c.value('cls');
    const layer = c.value(c.signature.parameters[1].name);
    if (cls.kind !== 'class' || layer.kind !== 'instance') throw new Unknowable('the layer to quantize is not known');
    const from = new Layer(c, layer);
    const shape = from.shape(from.get('weight'));
    if (shape !== null && shape.length !== 2)
      throw new Refusal(
        'quantize-module',
        `${layer.cls.name} cannot be quantized: its weight has ${shape.length} axes`,
        {
          layer,
        },
      );
    const [output, input] = shape ?? [anonymous(), anonymous()];
    const linear = signature.includes('linear_layer');
    if (signature.startsWith('QQLinear') && hasMember(layer, 'bias'))
      throw new Refusal('quantize-module', 'QQLinear does not support a bias yet', { layer }, 'RuntimeError');
    const sizes = linear ? [int(input), int(output)] : [int(output), int(input)];
    const bias = signature.startsWith('QuantizedLinear') ? [bool(false)] : [];
    const scheme = schemeOf(interpreter, c);
    requireGroups(from, from.get('weight'), scheme, layer);
    const made = interpreter.instantiate(cls, args([...sizes, ...bias, ...scheme.given], [['mode', scheme.mode]]));
    if (made.kind === 'instance') fill(new Layer(c, made), from);
    return made;
  });
  return classMethod(method);
}

// ---- quantizing a layer and a model -----------------------------------------------------------------------------------

/** `Linear.to_quantized` and `Embedding.to_quantized`. */
export function quantizedFrom(l: Layer): Value {
  const cls = l.self.cls;
  const embedding = cls.mro.some(c => c.name === 'Embedding' && c.node === null);
  const withInput = l.flag('quantize_input');
  if (withInput === null) throw new Unknowable('whether the input is quantized is not known');
  let target: ClassValue = embedding ? QuantizedEmbedding : QuantizedLinear;
  if (withInput) {
    const mode = l.value('mode');
    if (embedding)
      throw l.refusal('quantize-module', 'An Embedding has no input to quantize: quantize_input is for Linear layers');
    if (mode.kind === 'str' && mode.value !== null && !INPUT_MODES.includes(mode.value))
      throw l.refusal(
        'quantize-mode',
        `quantize_input works in the modes ${INPUT_MODES.join(' and ')}, not in '${mode.value}'`,
      );
    target = QQLinear;
  }
  const make = l.interpreter.getAttribute(target, embedding ? 'from_embedding' : 'from_linear')!;
  return l.interpreter.callWith(make, l.self, l.value('group_size'), l.value('bits'), l.value('mode'));
}

const canQuantize = (interpreter: Interpreter, module: InstanceValue): boolean | null => {
  const method = interpreter.getAttribute(module, 'to_quantized');
  return method === null ? false : isOpaque(method) ? null : true;
};

/** `nn.quantize`: replaces the leaf modules that the predicate chooses. */
export const quantize = define(
  "nn.quantize(model, group_size=None, bits=None, *, mode='affine', quantize_input=False, class_predicate=None)",
  c => {
    const { interpreter } = c;
    const model = c.value('model');
    if (!isModule(model)) throw new Unknowable('the model is not known');
    const visit = (leaf: Value, _rest: readonly Value[], path: string | null): Value =>
      isModule(leaf) ? quantizeLeaf(c, leaf, path) : leaf;
    const leaves = treeMap(interpreter, visit, leafModulesOf(interpreter, model), [], isModule);
    updateModules(interpreter, model, leaves, true);
    return NONE;
  },
);

function quantizeLeaf(c: Call, module: InstanceValue, path: string | null): Value {
  const { interpreter } = c;
  const able = canQuantize(interpreter, module);
  const predicate = c.value('class_predicate');
  const answer =
    interpreter.truth(predicate) === false
      ? bool(able)
      : interpreter.settled(interpreter.callWith(predicate, str(path), module));
  const chosen = interpreter.truth(answer);
  if (chosen === false) return module;
  const name = path ? `${path}, ` : '';
  if (able === false) {
    if (chosen === null) return module;
    throw new Refusal(
      'quantize-module',
      `${name}${module.cls.name} has no to_quantized, so class_predicate must not choose it`,
      { layer: module },
    );
  }
  const keywords = new Map<string, Value>();
  if (answer.kind === 'dict') {
    if (answer.rest) throw new Unknowable('what class_predicate asks for is not known');
    for (const { key, value } of answer.entries.values()) {
      if (key.kind !== 'str' || key.value === null) continue;
      if (key.value === 'quantize_input' && interpreter.truth(value) === false) continue;
      keywords.set(key.value, value);
    }
  } else if (answer.kind === 'bool' || isOpaque(answer)) {
    for (const argument of ['group_size', 'bits', 'mode']) keywords.set(argument, c.value(argument));
    if (interpreter.truth(c.value('quantize_input')) !== false)
      keywords.set('quantize_input', c.value('quantize_input'));
  } else
    throw new Refusal(
      'quantize-module',
      `class_predicate must answer a bool or a dict of arguments for to_quantized, not ${typeName(answer)}`,
      { layer: module },
    );
  try {
    const method = interpreter.getAttribute(module, 'to_quantized')!;
    const quantized = interpreter.call(method, { positional: [], keywords, open: false });
    return chosen === null ? interpreter.join([module, quantized]) : quantized;
  } catch (e) {
    if (!(e instanceof Refusal)) throw e;
    // Where the predicate may say no, nothing is certain.
    if (chosen === null) return module;
    throw new Refusal(e.kind, `${name}${e.message}`, { layer: module, ...e.detail }, e.pythonType);
  }
}

export const quantizedLayers: readonly ClassValue[] = [QuantizedLinear, QuantizedEmbedding, QQLinear];
