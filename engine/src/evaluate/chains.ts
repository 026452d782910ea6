/**
 * Finds chains: elementwise steps whose result nothing but one other elementwise step of the same shape reads.
 */
import type { ArrayNode } from '../graph/graph';
import type { ConcreteType } from '../graph/op';
import { CHAIN, type ChainAttrs, type ChainStep, chainable } from '../ops/chain';
import type { PlannedStep } from './plan';

const MOST_STEPS = 24;
const MOST_INPUTS = 12;

interface Chain {
  readonly nodes: readonly ArrayNode[];
  readonly inputs: readonly ConcreteType[];
  readonly steps: readonly ChainStep[];
  /** Results of other chains that went into this one. */
  readonly taken: readonly ArrayNode[];
}

/** The same steps with chains in place of what they are made of; single operations stay as they are. */
export function chained(steps: readonly PlannedStep[], outputs: readonly ArrayNode[]): readonly PlannedStep[] {
  const kept = new Set(outputs);
  const readers = readersOf(steps);
  const chains = new Map<ArrayNode, Chain>();
  const taken = new Set<ArrayNode>();
  for (const step of steps) {
    if (step.out.length !== 1 || !chainable(step.op, step.inputs, step.out[0])) continue;
    const shape = `${step.out[0].shape}`;
    const joins = (node: ArrayNode, i: number): boolean =>
      chains.has(node) && !kept.has(node) && readers.get(node)!.size === 1 && `${step.inputs[i].shape}` === shape;
    const chain = chainOf(step, chains, joins) ?? chainOf(step, chains, () => false)!;
    for (const node of chain.taken) taken.add(node);
    chains.set(step.call.outputs[0], chain);
  }
  return steps.flatMap(step => {
    const [node] = step.call.outputs;
    if (taken.has(node)) return [];
    const chain = chains.get(node);
    if (!chain || chain.steps.length === 1) return [step];
    const attrs: ChainAttrs = { steps: chain.steps };
    return [{ ...step, op: CHAIN, attrs, nodes: chain.nodes, inputs: chain.inputs }];
  });
}

function readersOf(steps: readonly PlannedStep[]): ReadonlyMap<ArrayNode, ReadonlySet<PlannedStep>> {
  const readers = new Map<ArrayNode, Set<PlannedStep>>();
  for (const step of steps)
    for (const node of step.nodes) {
      const all = readers.get(node);
      if (all) all.add(step);
      else readers.set(node, new Set([step]));
    }
  return readers;
}

/** The step behind the chains of those inputs that `joins` it; null where it would become too long. */
function chainOf(
  step: PlannedStep,
  chains: ReadonlyMap<ArrayNode, Chain>,
  joins: (node: ArrayNode, i: number) => boolean,
): Chain | null {
  const types = new Map<ArrayNode, ConcreteType>();
  const parts = new Map<ArrayNode, Chain>();
  for (const [i, node] of step.nodes.entries()) {
    const chain = joins(node, i) ? chains.get(node)! : null;
    if (!chain) types.set(node, step.inputs[i]);
    else if (!parts.has(node)) {
      parts.set(node, chain);
      for (const [k, inner] of chain.nodes.entries()) types.set(inner, chain.inputs[k]);
    }
  }
  const nodes = [...types.keys()];
  const steps: ChainStep[] = [];
  const results = new Map<ArrayNode, number>();
  for (const [node, chain] of parts) {
    const shift = nodes.length + steps.length - chain.nodes.length;
    const renumbered = (operand: number): number =>
      operand < chain.nodes.length ? nodes.indexOf(chain.nodes[operand]) : operand + shift;
    steps.push(...chain.steps.map(s => ({ ...s, operands: s.operands.map(renumbered) })));
    results.set(node, nodes.length + steps.length - 1);
  }
  const operands = step.nodes.map(node => results.get(node) ?? nodes.indexOf(node));
  const [{ shape, dtype }] = step.out;
  steps.push({ op: step.op, attrs: step.attrs, operands, type: { shape, dtype } });
  if (steps.length > MOST_STEPS || nodes.length > MOST_INPUTS) return null;
  return { nodes, inputs: [...types.values()], steps, taken: [...parts.keys()] };
}
