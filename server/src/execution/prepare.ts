/** What a request is about, as a graph to be evaluated. */
import type { Tensor } from '../../../engine/src/tensor';
import type { Analyser } from '../analysis/analyser';
import type { ExecuteRequest } from '../features/executor';
import { preparePart } from './part';
import { type Prepared, prepareEntry, prepareLayer, prepareProgram } from './target';

/**
 * @param read values that an entry reads on its way, in order; null for what cannot be computed
 * @throws Error with a message for the user; ValuesNeeded where an entry reads more than `read` holds
 */
export function prepare(analyser: Analyser, request: ExecuteRequest, read: readonly (Tensor | null)[] = []): Prepared {
  const { model, target } = request;
  if (target.kind === 'program') return prepareProgram(analyser, request);
  if (model && target.name !== model.entry) return preparePart(analyser, request, model);
  if (target.kind === 'layer') return prepareLayer(analyser, request);
  return prepareEntry(analyser, request, read);
}
