/**
 * The graph that MLX would record: nodes are arrays, edges the operations between them.
 *
 * Recording infers shapes at once, as MLX does; evaluation (../evaluate) runs later and only where every dimension is
 * a number. Nodes are immutable; what is learnt of a symbol after recording shows through `Facts`.
 */
import type { Facts } from '../dims/facts';
import type { DType } from '../dtype';
import type { Tensor } from '../tensor';
import { type ArrayType, type Attrs, opNamed, type RankedType, type Shape } from './op';

/** One application of an operation. */
export interface OpCall {
  readonly op: string;
  readonly inputs: readonly ArrayNode[];
  readonly attrs: Attrs;
  readonly outputs: readonly ArrayNode[];
  /** Where in the source it was recorded; opaque to the engine. */
  readonly origin: unknown;
}

/** One array. `call` is null for inputs (parameters, weights, placeholders) and constants. */
export interface ArrayNode extends ArrayType {
  readonly id: number;
  readonly shape: Shape;
  readonly dtype: DType | null;
  readonly call: OpCall | null;
  /** Which of the call's outputs this is. */
  readonly index: number;
  /** The values of a constant. */
  readonly value: Tensor | null;
  /** A readable name for an input, such as a parameter's. */
  readonly label: string | null;
  readonly origin: unknown;
}

let nextId = 1;

/** An array that comes from outside the graph: an input, a weight, or (with `value`) a constant. */
export function source(type: ArrayType, options: { value?: Tensor; label?: string; origin?: unknown } = {}): ArrayNode {
  return {
    id: nextId++,
    shape: type.shape,
    dtype: type.dtype,
    call: null,
    index: 0,
    value: options.value ?? null,
    label: options.label ?? null,
    origin: options.origin ?? null,
  };
}

/**
 * Records `op` over `inputs` and answers its results.
 * @throws Refusal where MLX would raise.
 */
export function record(
  facts: Facts,
  op: string,
  inputs: readonly ArrayNode[],
  attrs: Attrs = {},
  origin: unknown = null,
): readonly ArrayNode[] {
  const def = opNamed(op);
  const types = inputs.map(i => ({ shape: facts.shape(i.shape), dtype: i.dtype }));
  let result: ArrayType | readonly ArrayType[];
  if (types.every((t): t is RankedType => Array.isArray(t.shape))) result = def.infer(facts, types, attrs);
  else result = def.inferOpen?.(facts, types, attrs) ?? { shape: null, dtype: null };
  const outputs: ArrayNode[] = [];
  const call: OpCall = { op, inputs, attrs, outputs, origin };
  for (const [index, type] of (Array.isArray(result)
    ? (result as readonly ArrayType[])
    : [result as ArrayType]
  ).entries())
    outputs.push({ id: nextId++, shape: type.shape, dtype: type.dtype, call, index, value: null, label: null, origin });
  return outputs;
}
