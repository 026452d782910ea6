/**
 * Arrays of which it is only guessed that they are MLX's.
 *
 * A parameter of which `x.shape` is read may be an array of NumPy or PyTorch as well. Their shapes follow the same rules,
 * so what is known of one shape is known of the other, and a shape that one refuses all refuse. But other names exist
 * there, other arguments, other dtypes: of those nothing is refused.
 */
import { Refusal, type RefusalKind } from '../../../engine/src/graph/refusal';
import { Unknowable } from './interpreter';
import { array, list, openList, type Value } from './values';

export const isGuess = (v: Value): boolean => v.kind === 'array' && v.guessed === true;

/** Whether an operation between these may be another library's: no array among them is certainly MLX's. */
export const guessedAmong = (...values: readonly Value[]): boolean =>
  values.some(isGuess) && !values.some(v => v.kind === 'array' && !v.guessed);

/** What every library refuses. */
const SHARED: ReadonlySet<RefusalKind> = new Set(['matmul', 'broadcast', 'reshape', 'axis', 'unpack', 'index-rank']);

/** What an operation on a guessed array gives, which is a guess as well. @throws Unknowable where MLX alone refuses */
export function onGuess<V extends Value | null>(run: () => V): V {
  try {
    const value = run();
    return value && (asGuess(value) as V);
  } catch (e) {
    if (e instanceof Refusal && !SHARED.has(e.kind)) throw new Unknowable('may be an array of another library');
    throw e;
  }
}

/** The value with its arrays as guesses. */
export function asGuess(value: Value): Value {
  switch (value.kind) {
    case 'array':
      return value.guessed ? value : array(value.node, true);
    case 'tuple':
      return { ...value, items: value.items?.map(asGuess) ?? null, element: value.element && asGuess(value.element) };
    case 'list':
      return value.items ? list(value.items.map(asGuess)) : openList(asGuess(value.element!), value.length);
    default:
      return value;
  }
}
