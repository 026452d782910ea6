/**
 * `mlx.optimizers.Optimizer`: keeps state for every parameter and turns gradients into new parameters.
 */
import { Refusal } from '../../../../engine/src/graph/refusal';
import { type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  type ClassValue,
  type DictValue,
  dict,
  list,
  NONE,
  nativeClass,
  openList,
  str,
  tuple,
  type Value,
} from '../../interpreter/values';
import { isOpaque } from '../define';
import { type Layer, layerMethod } from '../nn/layer';
import { named, property } from '../nn/methods';
import { updateParameters } from '../nn/parameters';
import { branchOf, dictOf, treeMap } from '../nn/tree';

/** An entry of a parameter's state. @throws Unknowable where there is none that is known */
export function stateEntry(state: Value, name: string): Value {
  const entry = state.kind === 'dict' ? state.entries.get(`s:${name}`) : undefined;
  if (!entry) throw new Unknowable(`the optimizer's state ${name} is not known`);
  return entry.value;
}

export function setStateEntry(interpreter: Interpreter, state: Value, name: string, value: Value): void {
  if (state.kind === 'dict') interpreter.heap.setDictEntry(state, `s:${name}`, { key: str(name), value });
}

/** What the optimizer as a whole remembers: its step, its learning rate, the state of each parameter. */
export const stateOf = (l: Layer): Value => l.get('_state');

/** Sets up what `Optimizer.__init__` does. */
export function initializeOptimizer(l: Layer, schedulers: Value = NONE): void {
  l.set('_initialized', bool(false));
  const zero = l.mx.call('array', [0, l.mx.dtype('uint64')]);
  l.set('_state', dict([['step', zero]]));
  l.set('_schedulers', schedulers.kind === 'dict' ? schedulers : dict());
}

const isCallable = (v: Value): boolean => ['function', 'builtin', 'method', 'class', 'instance'].includes(v.kind);

/** A setting that is a number, or a schedule: a function of the step. */
export function setScheduled(l: Layer, name: string, setting: Value): void {
  const state = stateOf(l);
  if (!isCallable(setting)) {
    setStateEntry(l.interpreter, state, name, isOpaque(setting) ? l.mx.call('array', [setting]) : asArray(l, setting));
    return;
  }
  setStateEntry(l.interpreter, l.get('_schedulers'), name, setting);
  setStateEntry(l.interpreter, state, name, l.interpreter.callWith(setting, stateEntry(state, 'step')));
}

const asArray = (l: Layer, v: Value): Value => l.mx.call('array', [v]);

/** The learning rate as an array of the dtype of `like`. */
export const learningRate = (l: Layer, like: Value): Value =>
  l.mx.cast(stateEntry(stateOf(l), 'learning_rate'), dtypeOf(l, like));

export const dtypeOf = (l: Layer, x: Value): Value => {
  const dtype = l.interpreter.getAttribute(x, 'dtype');
  if (!dtype) throw new Unknowable('the dtype is not known');
  return dtype;
};

// ---- state of the parameters ------------------------------------------------------------------------------------------

/** The state tree beside `parameters`: an empty dict for every leaf that has none yet. */
function grown(interpreter: Interpreter, parameters: Value, state: Value | null): Value {
  const branch = branchOf(interpreter, parameters);
  if (branch === null) return state ?? dict();
  if (branch.kind === 'dict') {
    const into: DictValue = state?.kind === 'dict' ? state : dict();
    const { entries, rest } = dictOf(
      interpreter,
      branch.entries.map(({ key, value }) => ({ key, value })),
      branch.rest,
    );
    for (const [name, { key, value }] of entries)
      interpreter.heap.setDictEntry(into, name, {
        key,
        value: grown(interpreter, value, into.entries.get(name)?.value ?? null),
      });
    if (rest) interpreter.heap.setDictRest(into, dict());
    return into;
  }
  const before = state?.kind === 'list' || state?.kind === 'tuple' ? state : null;
  if (!branch.items)
    return openList(grown(interpreter, branch.element ?? dict(), before?.element ?? null), branch.length);
  const items = branch.items.map((child, i) => grown(interpreter, child, before?.items?.[i] ?? null));
  return branch.kind === 'list' ? list(items) : tuple(items);
}

function initializeState(l: Layer, parameters: Value): void {
  const { interpreter } = l;
  grown(interpreter, parameters, stateOf(l));
  const init = l.get('init_single');
  treeMap(
    interpreter,
    (parameter, [state]) => {
      if (interpreter.truth(state) === false) interpreter.callWith(init, parameter, state);
      return NONE;
    },
    parameters,
    [stateOf(l)],
  );
  l.set('_initialized', bool(true));
}

function applyGradients(l: Layer, gradients: Value, parameters: Value): Value {
  const { interpreter } = l;
  if (interpreter.truth(l.get('_initialized')) === false) initializeState(l, gradients);
  const state = stateOf(l);
  const step = stateEntry(state, 'step');
  const schedulers = l.get('_schedulers');
  if (schedulers.kind === 'dict')
    for (const { key, value } of schedulers.entries.values())
      if (key.kind === 'str' && key.value !== null)
        setStateEntry(interpreter, state, key.value, interpreter.callWith(value, step));
  setStateEntry(interpreter, state, 'step', l.mx.add(step, 1));
  const apply = l.get('apply_single');
  return treeMap(
    interpreter,
    (gradient, [parameter, own]) => interpreter.callWith(apply, gradient, parameter, own),
    gradients,
    [parameters, state],
  );
}

// ---- the class --------------------------------------------------------------------------------------------------------

const mustOverride = (l: Layer): never => {
  throw new Refusal('value', `${l.self.cls.name} does not say how to apply a gradient`, {}, 'RuntimeError');
};

export const optimizerMethods: readonly BuiltinValue[] = [
  layerMethod('Optimizer.init(parameters)', l => {
    initializeState(l, l.value('parameters'));
    return NONE;
  }),
  layerMethod('Optimizer.init_single(parameter, state)', mustOverride),
  layerMethod('Optimizer.apply_single(gradient, parameter, state)', mustOverride),
  layerMethod('Optimizer.apply_gradients(gradients, parameters)', l =>
    applyGradients(l, l.value('gradients'), l.value('parameters')),
  ),
  layerMethod('Optimizer.update(model, gradients)', l => {
    const model = l.value('model');
    const parameters = l.callAttribute('apply_gradients', l.value('gradients'), model);
    updateParameters(l.interpreter, model, parameters, true);
    return NONE;
  }),
  layerMethod('Optimizer._maybe_schedule(name, param)', l => {
    setScheduled(l, l.call.text('name'), l.value('param'));
    return NONE;
  }),
];

const stateProperty = (name: string): Value =>
  property(layerMethod(`Optimizer.${name}()`, l => stateEntry(stateOf(l), name)));

export const Optimizer: ClassValue = nativeClass(
  'Optimizer',
  [],
  [
    [
      '__init__',
      layerMethod('optim.Optimizer(schedulers=None)', l => {
        initializeOptimizer(l, l.value('schedulers'));
        return NONE;
      }),
    ],
    ...named(optimizerMethods),
    [
      'state',
      property(
        layerMethod('Optimizer.state()', stateOf),
        layerMethod('Optimizer.state(state)', l => {
          l.set('_initialized', bool(false));
          l.set('_state', l.value('state'));
          return NONE;
        }),
      ),
    ],
    ['step', stateProperty('step')],
    [
      'learning_rate',
      property(
        layerMethod('Optimizer.learning_rate()', l => stateEntry(stateOf(l), 'learning_rate')),
        layerMethod('Optimizer.learning_rate(learning_rate)', l => {
          setStateEntry(l.interpreter, stateOf(l), 'learning_rate', asArray(l, l.value('learning_rate')));
          return NONE;
        }),
      ),
    ],
  ],
);

export interface OptimizerDefinition {
  readonly name: string;
  readonly base?: ClassValue;
  /** Parameters of the constructor. */
  readonly init: string;
  /** After `Optimizer.__init__`. */
  readonly construct: (l: Layer) => void;
  /** State that begins as zeros of the parameter's shape. */
  readonly zeros?: readonly string[];
  /** State that begins otherwise. */
  readonly initSingle?: (l: Layer, parameter: Value, state: Value) => void;
  /** The new parameter. */
  readonly apply: (l: Layer, gradient: Value, parameter: Value, state: Value) => Value;
}

/** An optimizer that user code can subclass. */
export function defineOptimizer(definition: OptimizerDefinition): ClassValue {
  const { name, base = Optimizer, init, construct, zeros = [], initSingle, apply } = definition;
  return nativeClass(
    name,
    [base],
    [
      [
        '__init__',
        layerMethod(
          `optim.${name}${init}`,
          l => {
            initializeOptimizer(l);
            construct(l);
            return NONE;
          },
          { spread: false },
        ),
      ],
      [
        'init_single',
        layerMethod(`${name}.init_single(parameter, state)`, l => {
          const [parameter, state] = [l.value('parameter'), l.value('state')];
          for (const entry of zeros) setStateEntry(l.interpreter, state, entry, l.mx.call('zeros_like', [parameter]));
          initSingle?.(l, parameter, state);
          return NONE;
        }),
      ],
      [
        'apply_single',
        layerMethod(`${name}.apply_single(gradient, parameter, state)`, l =>
          apply(l, l.input('gradient'), l.input('parameter'), l.value('state')),
        ),
      ],
    ],
  );
}
