/**
 * Copies of instances, for what has to outlive a reading whose changes are taken back.
 */
import type { InstanceValue, Value } from '../interpreter/values';

/**
 * A copy of an instance and of the containers and instances it holds; each is copied once, so that what was shared
 * stays so. Ids stay, since the copy stands for the same object at one moment.
 */
export function snapshot(instance: InstanceValue, copies = new Map<object, Value>()): InstanceValue {
  return copy(instance, copies) as InstanceValue;
}

function copy(value: Value, copies: Map<object, Value>): Value {
  const known = copies.get(value);
  if (known) return known;
  const keep = <V extends Value>(made: V): V => {
    copies.set(value, made);
    return made;
  };
  switch (value.kind) {
    case 'instance': {
      const made = keep({ ...value, attributes: new Map<string, Value>() });
      for (const [name, v] of value.attributes) made.attributes.set(name, copy(v, copies));
      return made;
    }
    case 'list': {
      const made = keep({ ...value });
      made.items = value.items?.map(v => copy(v, copies)) ?? null;
      made.element = value.element && copy(value.element, copies);
      return made;
    }
    case 'dict': {
      const made = keep({ ...value, entries: new Map(value.entries) });
      for (const [key, entry] of value.entries)
        made.entries.set(key, { key: entry.key, value: copy(entry.value, copies) });
      return made;
    }
    case 'set':
      return keep({ ...value, entries: new Map(value.entries) });
    case 'parameter':
      return value.settled ? copy(value.settled, copies) : value;
    default:
      return value;
  }
}
