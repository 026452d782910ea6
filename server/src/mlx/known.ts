/** Values of arrays while the graph is being recorded. */
import { constantOf } from '../../../engine/src/graph/constant';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Tensor } from '../../../engine/src/tensor';
import type { Interpreter } from '../interpreter/interpreter';

/** The values where constants alone make them or the run computes what is read; else null. */
export const knownValues = (interpreter: Interpreter, node: ArrayNode): Tensor | null =>
  constantOf(interpreter.facts, node) ?? interpreter.values?.(node) ?? null;
