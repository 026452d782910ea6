/**
 * Finds what is to be run and records its graph: a layer at its place, a class, an entry, or a program's values.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { ArrayType } from '../../../engine/src/graph/op';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Tensor } from '../../../engine/src/tensor';
import { type Analyser, collect, type NumberChoice, type Run } from '../analysis/analyser';
import type { LayerCall } from '../analysis/notes';
import type { LayerSite } from '../analysis/types';
import type { ExecuteRequest } from '../features/executor';
import type { Printed } from '../interpreter/builtins/functions';
import { moduleFrame, PythonRaise } from '../interpreter/evaluator';
import { args } from '../interpreter/interpreter';
import type { InstanceValue, Value } from '../interpreter/values';
import type { InputArray } from '../protocol';
import type { ClassDef } from '../python/ast';
import { inputSpecs } from '../session/inputs';
import { loadModel, type ModelWeights } from './attached';
import { editableAxis, numberNamed } from './numbers';

/** A graph to be evaluated, with what its parts are called. */
export interface Prepared {
  readonly run: Run;
  readonly outputs: readonly { name: string; node: ArrayNode }[];
  readonly inputs: readonly { input: InputArray; node: ArrayNode }[];
  readonly root: InstanceValue | null;
  readonly calls: readonly LayerCall[];
  /** The numbers that parameters got for want of a config. */
  readonly chosen: Readonly<Record<string, number>>;
  /** The checkpoint's arrays that the graph may rest on. */
  readonly weights?: ModelWeights | null;
}

/** Chooses numbers for parameters and remembers them. */
function chooser(request: ExecuteRequest): { choose: NumberChoice; chosen: Record<string, number> } {
  const chosen: Record<string, number> = {};
  return {
    chosen,
    choose: (name, usual) => {
      chosen[name] = numberNamed(name, usual, request.symbols);
      return chosen[name];
    },
  };
}

/**
 * An entry reads values of an array to decide what to record: they are computed, and it is recorded again with them.
 * Carries what has been recorded so far, with the array as its output.
 */
export class ValuesNeeded extends Error {
  constructor(readonly prepared: Prepared) {
    super('values are read while the graph is recorded');
  }
}

// ---- a layer ----------------------------------------------------------------------------------------------------------

/** @throws Error with a message for the user */
export function prepareLayer(analyser: Analyser, request: ExecuteRequest): Prepared {
  const { place, name } = request.target;
  const { choose, chosen } = chooser(request);
  const { program, reader } = analyser.runs(request.file, choose);
  for (const run of [program, reader]) {
    const [source] = [...run.host.files.values()].filter(f => f.path === request.file);
    const site = source && collect(source, [run]).layers.find(l => place !== null && l.start === place.start);
    if (!site) continue;
    const input = inputOfLayer(site, request);
    const node = sourceOf(run, input, request);
    const output = within(run, () => run.ev.call(site.instance, args([{ kind: 'array', node }])));
    return {
      run,
      outputs: arraysOf(output, 'output'),
      inputs: [{ input, node }],
      root: site.instance,
      calls: [],
      chosen: run === reader ? chosen : {},
    };
  }
  throw new Error(`${name} is not reached: run a class or an entry that makes it`);
}

/** The type that arrived in the analysis, or one that fits the layer's weight. */
function inputOfLayer(site: LayerSite, request: ExecuteRequest): InputArray {
  if (request.inputs.length > 0) return request.inputs[0];
  const [seen] = site.inputs.filter(t => Array.isArray(t.shape));
  const type = seen ?? fitting(site.instance);
  if (!type) throw new Error(`the input of ${site.instance.cls.name} is not known: give one`);
  return {
    name: 'x',
    dtype: type.dtype ?? (site.instance.cls.name.includes('Embedding') ? 'int32' : 'float32'),
    shape: (type.shape as readonly Dim[]).map(d => editableAxis(d, request.symbols)),
  };
}

/** A type that a layer of MLX takes, by its weight; null where that does not tell. */
export function fitting({ attributes, cls }: InstanceValue): ArrayType | null {
  const weight = attributes.get('weight');
  const shape =
    weight?.kind === 'array' && Array.isArray(weight.node.shape) ? (weight.node.shape as readonly Dim[]) : null;
  if (cls.name.includes('Embedding')) return { shape: [1, 4], dtype: 'int32' };
  const channels = shape?.at(-1);
  if (channels === undefined) return null;
  const conv = /^Conv(\d)d$/.exec(cls.name);
  if (conv) return { shape: [1, ...Array<number>(Number(conv[1])).fill(16), channels], dtype: 'float32' };
  return { shape: [2, channels], dtype: 'float32' };
}

function sourceOf(run: Run, input: InputArray, request: ExecuteRequest): ArrayNode {
  const [spec] = inputSpecs([input], request.symbols);
  return run.ev.source({ shape: spec.shape, dtype: spec.dtype as DType }, spec.name).node;
}

// ---- a class or an entry ----------------------------------------------------------------------------------------------

/** Values that an entry may read; what it reads beyond them stays unknown. */
const MOST_READ = 256;

/**
 * @param read values that the entry reads on its way, in order; null for what cannot be computed
 * @throws Error with a message for the user; ValuesNeeded where an entry reads more than `read` holds
 */
export function prepareEntry(analyser: Analyser, request: ExecuteRequest, read: readonly (Tensor | null)[]): Prepared {
  const { name } = request.target;
  let weights: ModelWeights | null = null;
  let top: InstanceValue | null = null;
  const inputs = request.inputs.length > 0 ? request.inputs : guessInputs(analyser, request);
  const { choose, chosen } = chooser(request);
  let reads = 0;
  const values = (run: Run, node: ArrayNode): Tensor | null => {
    const i = reads++;
    if (i < read.length) return read[i];
    if (i >= MOST_READ) return null;
    const definition = entryClass(run, request);
    throw new ValuesNeeded({
      run,
      outputs: [{ name: 'values', node }],
      inputs: inputNodes(inputs, [node]),
      root: definition && run.notes.selfOf(definition),
      calls: [],
      chosen,
      weights,
    });
  };
  const analysis = analyser.entry(
    {
      file: request.file,
      name,
      config: request.config,
      inputs: inputSpecs(inputs, request.symbols),
      seed: request.seed,
    },
    {
      trace: true,
      choose,
      values,
      made: (run, root) => {
        if (request.model) weights = loadModel(run, root, request.model);
        top = root;
        // What the file does with models of its own while it loads is not part of this run.
        run.notes.trace = [];
        return true;
      },
    },
  );
  const { run } = analysis;
  const [finding] = run.notes.findings;
  if (finding) throw new Error(finding.message);
  const outputs = arraysOf(run.ev.settled(analysis.outputs), 'output');
  if (outputs.length === 0)
    throw new Error(
      analysis.outputs.kind === 'unknown'
        ? `${name} gives no array: it ${analysis.outputs.reason}`
        : `${name} gives no array`,
    );
  const calls = run.notes.trace ?? [];
  return {
    run,
    outputs,
    inputs: inputNodes(inputs, [...outputs.map(o => o.node), ...calls.flatMap(c => nodeOf(c.input))]),
    root: top,
    calls,
    chosen,
    weights,
  };
}

/** The definition of the class that is entered, if it is one. */
function entryClass(run: Run, { file, target }: ExecuteRequest): ClassDef | null {
  const value = run.ev.modules.get(file)?.attributes.get(target.name);
  return value?.kind === 'class' ? value.node : null;
}

/** What the reader's view learnt of the array parameters of `__call__`. */
export function guessInputs(analyser: Analyser, request: ExecuteRequest): InputArray[] {
  const { name } = request.target;
  const { program, reader } = analyser.runs(request.file);
  const source = program.host.files.get(request.file);
  if (!source) return [];
  const seen = new Map<string, InputArray>();
  for (const run of [program, reader])
    for (const o of collect(source, [run]).observations) {
      if (o.kind !== 'arg' || !o.name || o.function !== `${name}.__call__` || !o.type || seen.has(o.name)) continue;
      const isIndex = /(^|_)(ids|tokens?|inputs|indices)$/.test(o.name);
      if (!Array.isArray(o.type.shape)) {
        // Of token ids not even the rank may be told by use: they come in batches of sequences.
        if (isIndex) seen.set(o.name, { name: o.name, dtype: 'int32', shape: ['B', 'L'] });
        continue;
      }
      seen.set(o.name, {
        name: o.name,
        dtype: o.type.dtype ?? (isIndex ? 'int32' : 'float32'),
        shape: (o.type.shape as readonly Dim[]).map(d => editableAxis(d, request.symbols)),
      });
    }
  return [...seen.values()];
}

const nodeOf = (v: Value | null): ArrayNode[] => (v?.kind === 'array' ? [v.node] : []);

/** The sources of a graph that carry the inputs' names. */
function inputNodes(
  inputs: readonly InputArray[],
  outputs: readonly ArrayNode[],
): { input: InputArray; node: ArrayNode }[] {
  const found = new Map<string, ArrayNode>();
  const seen = new Set<ArrayNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.call) stack.push(...node.call.inputs);
    else if (node.label && !node.value) found.set(node.label, node);
  }
  return inputs.flatMap(input => (found.has(input.name) ? [{ input, node: found.get(input.name)! }] : []));
}

// ---- a program --------------------------------------------------------------------------------------------------------

/** @throws Error with a message for the user */
export function prepareProgram(analyser: Analyser, request: ExecuteRequest): Prepared {
  const { name } = request.target;
  const { program: run } = analyser.runs(request.file);
  const [finding] = run.notes.findings;
  if (finding) throw new Error(finding.message);
  const module = run.ev.modules.get(request.file);
  const chosen = name === '<module>' ? null : module?.attributes.get(name);
  if (name !== '<module>' && !chosen) throw new Error(`${name} is not defined in the program`);
  const printed = (run.ev.session.get('printed') as Printed[] | undefined) ?? [];
  const outputs = chosen
    ? arraysOf(run.ev.settled(chosen), name)
    : printed.flatMap((p, i) =>
        p.values.flatMap((v, j) => arraysOf(run.ev.settled(v), `print ${i + 1}${p.values.length > 1 ? `.${j}` : ''}`)),
      );
  if (outputs.length === 0)
    throw new Error(chosen ? `${name} is no array` : 'the program prints no array: name an entry');
  return { run, outputs, inputs: [], root: null, calls: [], chosen: {} };
}

// ---- shared -----------------------------------------------------------------------------------------------------------

/** The arrays in a value, by where they stand in it. */
export function arraysOf(value: Value, name: string, depth = 0): { name: string; node: ArrayNode }[] {
  if (value.kind === 'array') return [{ name, node: value.node }];
  if (depth > 3) return [];
  if ((value.kind === 'tuple' || value.kind === 'list') && value.items)
    return value.items.flatMap((v, i) => arraysOf(v, `${name}[${i}]`, depth + 1));
  if (value.kind === 'dict')
    return [...value.entries.values()].flatMap(e =>
      arraysOf(e.value, e.key.kind === 'str' ? `${name}.${e.key.value}` : name, depth + 1),
    );
  return [];
}

/** Calls in a frame of the run's file. @throws Error with what MLX refuses */
export function within(run: Run, act: () => Value): Value {
  const { ev } = run;
  const main = [...ev.modules.values()].find(m => m.file !== null);
  if (!main) throw new Error('the file did not load');
  const frame = moduleFrame(main);
  ev.frames.push(frame);
  ev.steps = 0;
  try {
    return act();
  } catch (e) {
    if (e instanceof Refusal || e instanceof PythonRaise)
      throw new Error(e instanceof Refusal ? e.message : (e.refusal?.message ?? 'the layer raises'));
    throw e;
  } finally {
    ev.frames.pop();
  }
}
