/** A part of a model with the weights of a checkpoint: a layer, or a module of a class, called by itself. */
import type { Dim } from '../../../engine/src/dims/dim';
import { isKnown } from '../../../engine/src/dims/dim';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { Analyser, Run } from '../analysis/analyser';
import { callWith } from '../analysis/entry';
import type { AttachedModel, ExecuteRequest } from '../features/executor';
import type { InstanceValue } from '../interpreter/values';
import { moduleAt } from '../mlx/nn/weights';
import type { InputArray } from '../protocol';
import { inputSpecs } from '../session/inputs';
import { loadModel, type ModelWeights } from './attached';
import { nodesOf } from './numbers';
import { arraysOf, fitting, guessInputs, type Prepared, within } from './target';

/** The first module that is made at the layer's place, or is of the class. @throws Error with a message for the user */
export function preparePart(analyser: Analyser, request: ExecuteRequest, model: AttachedModel): Prepared {
  const { target, file, seed } = request;
  const isLayer = target.kind === 'layer';
  const whole = { ...request, target: { ...target, kind: 'class' as const, name: model.entry } };
  // A module of a class takes what arrives at it in the model; a layer of MLX says by its weight what it takes.
  const inputs = isLayer ? [] : guessInputs(analyser, { ...whole, inputs: [] });
  let loaded: { root: InstanceValue; weights: ModelWeights } | null = null;
  const { run, limits } = analyser.entry(
    { file, name: model.entry, config: model.config, inputs: inputSpecs(inputs, request.symbols), seed },
    {
      trace: !isLayer,
      made: (run, root) => {
        loaded = { root, weights: loadModel(run, root, model) };
        return !isLayer;
      },
    },
  );
  if (!loaded) throw new Error(run.notes.findings[0]?.message ?? limits[0] ?? `${model.entry} could not be made`);
  const { root, weights } = loaded as { root: InstanceValue; weights: ModelWeights };
  const part = findPart(request, run, root, weights);
  if (!part) throw new Error(`${target.name} is no part of ${model.entry}`);
  const given = request.inputs.length > 0 ? request.inputs : usualInputs(run, part);
  const known = new Set(given.map(i => i.name));
  const outputs = arraysOf(
    within(run, () => callWith(run, part, inputSpecs(given, request.symbols))),
    'output',
  );
  const nodes = [...nodesOf(outputs.map(o => o.node))];
  const named = nodes.filter(n => !n.call && !n.value && n.label && known.has(n.label) && !weights.sources.has(n));
  return {
    run,
    outputs,
    inputs: given.flatMap(input => {
      const node = named.find(n => n.label === input.name);
      return node ? [{ input, node }] : [];
    }),
    root: part,
    calls: [],
    chosen: {},
    weights,
  };
}

function findPart(
  { target, file }: ExecuteRequest,
  run: Run,
  root: InstanceValue,
  { paths }: ModelWeights,
): InstanceValue | null {
  for (const [module, path] of paths) {
    const { origin, cls } = module;
    const found =
      target.kind === 'layer'
        ? origin?.file === file && origin.start === target.place?.start
        : cls.name === target.name && cls.node !== null;
    // What stands there now: the layer may have been replaced by a quantized one.
    if (found) return path === '' ? root : moduleAt(run.ev, root, `${path}.weight`);
  }
  return null;
}

/** What arrived at the module in the model, or a type that fits the layer. */
function usualInputs(run: Run, part: InstanceValue): InputArray[] {
  const seen = run.notes.trace?.find(call => call.instance === part)?.input;
  const type: ArrayType | null =
    seen?.kind === 'array' ? { shape: run.ev.facts.shape(seen.node.shape), dtype: seen.node.dtype } : fitting(part);
  if (!type || !Array.isArray(type.shape)) throw new Error(`the input of ${part.cls.name} is not known: give one`);
  const shape = (type.shape as readonly Dim[]).map(d => (isKnown(d) ? d : SHORT));
  return [{ name: 'x', dtype: type.dtype ?? 'float32', shape }];
}

/** Of an axis whose length no config says. */
const SHORT = 8;
