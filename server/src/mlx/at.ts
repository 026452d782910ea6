/**
 * `x.at[index].add(value)` and its kin: updates that add up where an index names an element twice.
 */
import { Refusal } from '../../../engine/src/graph/refusal';
import type { UpdateMode } from '../../../engine/src/ops/write_at';
import type { Interpreter } from '../interpreter/interpreter';
import type { BuiltinValue, NativeType, NativeValue, Value } from '../interpreter/values';
import { define } from './define';
import { update } from './indexing';

/** What an `ArrayAt` stands for; `index` is null before it is indexed. */
interface At {
  readonly array: Value;
  readonly index: Value | null;
}

const MODES: readonly UpdateMode[] = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'];

const method = (mode: UpdateMode): BuiltinValue =>
  define(
    `array.at.${mode}(self, value)`,
    c => {
      const { array, index } = (c.value('self') as NativeValue).data as At;
      if (index === null) throw new Refusal('value', `array.at needs an index: x.at[0].${mode}(…)`);
      return update(c.interpreter, array, index, c.value('value'), mode);
    },
    { spread: false },
  );

const METHODS = new Map(MODES.map(mode => [mode as string, method(mode)]));

const arrayAt: NativeType = {
  name: 'ArrayAt',
  cls: null,
  getAttribute(_, value, name) {
    const func = METHODS.get(name);
    return func ? { kind: 'method', self: value, func } : null;
  },
  getItem: (_, value, index) => at(((value as NativeValue).data as At).array, index),
};

const at = (array: Value, index: Value | null): NativeValue => ({
  kind: 'native',
  type: arrayAt,
  data: { array, index } satisfies At,
});

/** The attribute `array.at`. */
export const atAttribute = (_: Interpreter, array: Value): Value => at(array, null);
