/**
 * Runs a piece of Python through the interpreter, with arrays given by name.
 */
import type { ArrayNode } from '../../engine/src/graph/graph';
import type { Refusal } from '../../engine/src/graph/refusal';
import { WorkspaceHost } from '../../server/src/analysis/host';
import { attempt } from '../../server/src/interpreter/branches';
import { Evaluator, moduleFrame, type Recorder } from '../../server/src/interpreter/evaluator';
import { block } from '../../server/src/interpreter/statements';
import { array, module, type Value } from '../../server/src/interpreter/values';
import { parse } from '../../server/src/python/parse';

export interface Ran {
  readonly names: ReadonlyMap<string, Value>;
  readonly refusals: readonly Refusal[];
  readonly evaluator: Evaluator;
}

/** Runs `text` after `import mlx.core as mx`, with the arrays `given` by name. Sees no files. */
export function run(text: string, given: Iterable<readonly [string, ArrayNode]> = []): Ran {
  const refusals: Refusal[] = [];
  const recorder: Recorder = {
    observe: () => {},
    refuse: refusal => refusals.push(refusal),
    made: () => {},
    called: () => {},
    entered: () => {},
  };
  const evaluator = new Evaluator(new WorkspaceHost({ source: () => null, resolve: () => null }), recorder);
  const scope = module('test');
  const frame = moduleFrame(scope);
  evaluator.frames.push(frame);
  for (const [name, node] of given) scope.attributes.set(name, array(node));
  attempt(() => block(evaluator, parse(`import mlx.core as mx\nimport mlx.nn as nn\n${text}`).body));
  return { names: scope.attributes, refusals, evaluator };
}
