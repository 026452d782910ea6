/**
 * Keys, and the implicit generator behind `mx.random.seed`.
 *
 * After `seed(s)` every call without a key does `[state, sub] = split(state)` and draws with `sub`. In a graph such a
 * key is named by its seed and by which draw it is, so that recording needs no numbers; here the chain is walked.
 */
import { type Key, randomWords } from './threefry';

/** A whole number from 0 to 2^64 - 1; as decimal text where a number would lose digits. */
export type Seed = number | string;

/** The key of the `draw`-th call without a key since `seed`, from 0. */
export type ImplicitKey = { readonly seed: Seed; readonly draw: number };

/**
 * `mx.random.key(seed)`.
 * @throws RangeError when the seed is not a whole number of 64 bits.
 */
export function keyOf(seed: Seed): Key {
  const exact = typeof seed === 'string' ? /^\d+$/.test(seed) : Number.isSafeInteger(seed);
  const value = exact ? BigInt(seed) : -1n;
  if (value < 0n || value >= 2n ** 64n)
    throw new RangeError(`a seed is a whole number from 0 to 2^64 - 1, this is ${seed}`);
  return [Number(value >> 32n), Number(value & 0xffffffffn)];
}

/** `mx.random.split(key, num)`. */
export function splitKey(key: Key, num = 2): Key[] {
  const words = randomWords(key, 2 * num);
  return Array.from({ length: num }, (_, i) => [words[2 * i], words[2 * i + 1]]);
}

interface Chain {
  state: Key;
  readonly keys: Key[];
}

const chains = new Map<string, Chain>();
const MOST_CHAINS = 16;

/** The key that an implicit draw uses. Chains of recent seeds are kept, so that walking on costs one split a draw. */
export function implicitKey({ seed, draw }: ImplicitKey): Key {
  const name = `${seed}`;
  const chain = chains.get(name) ?? { state: keyOf(seed), keys: [] };
  chains.delete(name); // the last used goes last
  chains.set(name, chain);
  if (chains.size > MOST_CHAINS) chains.delete(chains.keys().next().value!);
  while (chain.keys.length <= draw) {
    const [state, sub] = splitKey(chain.state);
    chain.state = state;
    chain.keys.push(sub);
  }
  return chain.keys[draw];
}
