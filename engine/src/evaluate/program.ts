/**
 * A planned evaluation as plain data, to be computed by another thread.
 *
 * Symbols are gone by then: a program holds the numbers that the plan found, so what can be refused is refused before
 * anything is sent. Values of sources go along without copies where their storage is theirs alone.
 */
import { type ArrayNode, type OpCall, source } from '../graph/graph';
import type { Attrs, ConcreteType } from '../graph/op';
import type { Tensor, TensorData } from '../tensor';
import { EvaluationError, type PlanOptions, plan } from './plan';

/** Arrays are numbered: sources first, then the results of each call in order. */
export interface Program {
  readonly sources: readonly Tensor[];
  readonly calls: readonly ProgramCall[];
  readonly outputs: readonly number[];
}

export interface ProgramCall {
  readonly op: string;
  readonly attrs: Attrs;
  readonly inputs: readonly number[];
  readonly out: readonly ConcreteType[];
}

/** A program, and what its numbers stand for here. */
export interface Written {
  readonly program: Program;
  readonly arrays: readonly ArrayNode[];
  readonly calls: readonly OpCall[];
}

/**
 * The program that computes `outputs`.
 * @throws EvaluationError as `plan` does, or for an attribute that is not plain data
 */
export function writeProgram(outputs: readonly ArrayNode[], options: PlanOptions = {}): Written {
  const { steps, sources } = plan(outputs, options);
  const arrays: ArrayNode[] = [...sources.keys()];
  const numberOf = new Map(arrays.map((node, i) => [node, i]));
  const calls = steps.map(({ call, op, attrs, nodes, out }): ProgramCall => {
    const inputs = nodes.map(node => numberOf.get(node)!);
    for (const node of call.outputs) numberOf.set(node, arrays.push(node) - 1);
    checkPlain(attrs, call);
    return { op, attrs, inputs, out: out.map(({ shape, dtype }) => ({ shape, dtype })) };
  });
  return {
    program: {
      sources: [...sources.values()].map(ownStorage),
      calls,
      outputs: outputs.map(node => numberOf.get(node)!),
    },
    arrays,
    calls: steps.map(step => step.call),
  };
}

/** The graph of a program, its sources constants. */
export function readProgram({ sources, calls, outputs }: Program): {
  readonly outputs: readonly ArrayNode[];
  readonly arrays: readonly ArrayNode[];
  readonly calls: readonly OpCall[];
} {
  const arrays: ArrayNode[] = sources.map(value => source(value, { value }));
  const read = calls.map(({ op, attrs, inputs, out }): OpCall => {
    const results: ArrayNode[] = [];
    const call: OpCall = { op, attrs, inputs: inputs.map(i => arrays[i]), outputs: results, origin: null };
    for (const [index, type] of out.entries()) results.push({ ...source(type), call, index });
    arrays.push(...results);
    return call;
  });
  return { outputs: outputs.map(i => arrays[i]), arrays, calls: read };
}

/**
 * The tensor with storage of its own: sending a view sends all of the buffer behind it, which may be a whole file of
 * weights. Shared memory is never copied.
 */
export function ownStorage(x: Tensor): Tensor {
  const { buffer, byteLength } = x.data;
  const shared = typeof SharedArrayBuffer !== 'undefined' && buffer instanceof SharedArrayBuffer;
  return shared || buffer.byteLength === byteLength ? x : ({ ...x, data: x.data.slice() } as Tensor);
}

/** The buffers of these tensors that can be handed over instead of copied, each once. */
export function transferable(tensors: readonly Tensor[]): ArrayBuffer[] {
  const buffers = new Set<TensorData['buffer']>(tensors.map(x => x.data.buffer));
  return [...buffers].filter(buffer => buffer instanceof ArrayBuffer);
}

function checkPlain(attr: unknown, call: OpCall): void {
  if (typeof attr === 'function' || typeof attr === 'symbol')
    throw new EvaluationError(
      'kernel',
      `${call.op} has an argument that no other thread can be given`,
      call.outputs[0],
    );
  if (typeof attr === 'object' && attr !== null) for (const value of Object.values(attr)) checkPlain(value, call);
}
