/**
 * Steps that are computed together: fewer arrays are made, and what is made is not read twice.
 */
import type { ArrayNode } from '../graph/graph';
import { permutation } from '../ops/permuting';
import { TRANSPOSED, transposable } from '../ops/transposed_products';
import { chained } from './chains';
import type { PlannedStep } from './plan';

/** The same steps with transpositions taken into the products they are made for, and elementwise ones in chains. */
export function fuse(steps: readonly PlannedStep[], outputs: readonly ArrayNode[]): readonly PlannedStep[] {
  const makers = new Map<ArrayNode, PlannedStep>();
  for (const step of steps) for (const node of step.call.outputs) makers.set(node, step);
  const fused = steps.map(step => transposedProduct(step, makers) ?? step);
  return chained(withoutUnused(fused, outputs), outputs);
}

function transposedProduct(step: PlannedStep, makers: ReadonlyMap<ArrayNode, PlannedStep>): PlannedStep | null {
  const right = transposable(step.op);
  const maker = right === null ? undefined : makers.get(step.nodes[right]);
  if (right === null || !maker || !exchangesMatrices(maker)) return null;
  return {
    ...step,
    op: `${step.op}${TRANSPOSED}`,
    nodes: step.nodes.with(right, maker.nodes[0]),
    inputs: step.inputs.with(right, maker.inputs[0]),
  };
}

/** Whether the step exchanges the last two axes of its input and does nothing else. */
function exchangesMatrices({ op, attrs, inputs: [input] }: PlannedStep): boolean {
  const order = input && permutation(op, input, attrs);
  if (!order || order.length < 2) return false;
  const rank = order.length;
  return order.every((axis, i) => axis === (i === rank - 1 ? rank - 2 : i === rank - 2 ? rank - 1 : i));
}

/** The steps that the outputs rest on, now that some read past others. */
function withoutUnused(steps: readonly PlannedStep[], outputs: readonly ArrayNode[]): readonly PlannedStep[] {
  const needed = new Set(outputs);
  const kept = steps.toReversed().filter(({ call, nodes }) => {
    if (!call.outputs.some(node => needed.has(node))) return false;
    for (const node of nodes) needed.add(node);
    return true;
  });
  return kept.reverse();
}
