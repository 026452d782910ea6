/**
 * Values that are known while the graph is recorded: small arrays computed from constants alone.
 *
 * `mx.array([4, 8]).tolist()`, `mask.any().item()` on literal data, `int(x.max())`: a program may size arrays by such
 * numbers, so the reference kernels run at once, within a bound. What rests on an input, on random numbers or on much
 * data is not known.
 */
import { type Dim, isKnown } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { elementCount, type Tensor } from '../tensor';
import type { ArrayNode, OpCall } from './graph';
import { type Attr, type ConcreteType, opNamed } from './op';

/** Elements that each array on the way may have. */
const MOST_ELEMENTS = 4096;
const MOST_DEPTH = 64;

const computed = new WeakMap<OpCall, readonly Tensor[] | null>();

/** The node's values where they are known, else null. */
export function constantOf(facts: Facts, node: ArrayNode, depth = 0): Tensor | null {
  if (node.value) return node.value;
  if (!node.call || depth > MOST_DEPTH) return null;
  let outputs = computed.get(node.call);
  if (outputs === undefined) {
    outputs = compute(facts, node.call, depth);
    computed.set(node.call, outputs);
  }
  return outputs?.[node.index] ?? null;
}

function compute(facts: Facts, call: OpCall, depth: number): readonly Tensor[] | null {
  const { kernel } = opNamed(call.op);
  if (!kernel || call.op.startsWith('random.') || !isConcrete(call.attrs)) return null;
  const types = call.outputs.map(o => concreteType(facts, o));
  if (!types.every(t => t !== null)) return null;
  const inputs: Tensor[] = [];
  for (const input of call.inputs) {
    const value = constantOf(facts, input, depth + 1);
    if (!value || elementCount(value.shape) > MOST_ELEMENTS) return null;
    inputs.push(value);
  }
  const result = kernel(inputs, call.attrs, types);
  return isList(result) ? result : [result];
}

const isList = (result: Tensor | readonly Tensor[]): result is readonly Tensor[] => Array.isArray(result);

function concreteType(facts: Facts, { shape, dtype }: ArrayNode): ConcreteType | null {
  const known = facts.shape(shape);
  if (dtype === null || !Array.isArray(known) || !(known as readonly Dim[]).every(isKnown)) return null;
  const numbers = known as readonly number[];
  return elementCount(numbers) <= MOST_ELEMENTS ? { shape: numbers, dtype } : null;
}

/** Whether an attribute holds no symbol. */
function isConcrete(attr: Attr): boolean {
  if (typeof attr !== 'object' || attr === null) return true;
  if ('terms' in attr) return false;
  return Object.values(attr as { readonly [key: string]: Attr }).every(isConcrete);
}
