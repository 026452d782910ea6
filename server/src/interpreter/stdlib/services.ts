/** Modules that ask the machine or chance: what they answer is known by its kind alone. */
import { anonymous } from '../../../../engine/src/dims/dim';
import type { Interpreter } from '../interpreter';
import { type Arguments, builtin, float, int, iterator, NONE, openList, str, unknown, type Value } from '../values';

type Entry = readonly [string, Value];

const fn = (name: string, run: (ev: Interpreter, passed: Arguments) => Value): Entry => [name, builtin(name, run)];
const floats = (...names: string[]): Entry[] => names.map(name => fn(name, () => float(null)));
const ints = (...names: string[]): Entry[] => names.map(name => fn(name, () => int(anonymous())));
const nothing = (...names: string[]): Entry[] => names.map(name => fn(name, () => NONE));
const texts = (...names: string[]): Entry[] => names.map(name => fn(name, () => str(null)));

/** One of what a sequence holds. */
const anItem = (ev: Interpreter, sequence: Value | undefined): Value => {
  if (!sequence) return unknown('is chosen by chance');
  const { items, element } = ev.iterate(sequence);
  return items ? (items.length > 0 ? ev.join(items) : unknown('nothing is there')) : element;
};

/** A progress bar goes over what it is given. */
const progress = (name: string): Entry =>
  fn(name, (ev, { positional, keywords }) => {
    const over = positional[0] ?? keywords.get('iterable');
    return over ? iterator(ev.iterate(over)) : unknown('is a progress bar');
  });

export const SERVICES: Readonly<Record<string, readonly Entry[]>> = {
  time: [
    ...floats('time', 'perf_counter', 'monotonic', 'process_time'),
    ...ints('time_ns', 'perf_counter_ns'),
    ...nothing('sleep'),
    ...texts('strftime', 'ctime'),
  ],
  random: [
    ...floats('random', 'uniform', 'gauss', 'normalvariate', 'betavariate', 'expovariate', 'triangular'),
    ...ints('randint', 'randrange', 'getrandbits'),
    ...nothing('seed'),
    fn('choice', (ev, { positional }) => anItem(ev, positional[0])),
    fn('sample', (ev, { positional, keywords }) => {
      const count = ev.settled(positional[1] ?? keywords.get('k') ?? NONE);
      return openList(anItem(ev, positional[0]), count.kind === 'int' ? count.value : anonymous());
    }),
    fn('choices', (ev, { positional }) => openList(anItem(ev, positional[0]), anonymous())),
    fn('shuffle', (ev, { positional }) => {
      const [v] = positional.map(p => ev.settled(p));
      if (v?.kind === 'list' && v.items && v.items.length > 0) ev.heap.openList(v, ev.join(v.items), v.length);
      return NONE;
    }),
  ],
  tqdm: [progress('tqdm')],
  'tqdm.auto': [progress('tqdm')],
};
