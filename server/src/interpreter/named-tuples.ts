/** Named tuples: tuples here, whose list of names leads to their class. */
import { type ClassValue, nativeClass, str, type TupleValue, tuple, unknown, type Value } from './values';

/** The class whose tuples have this very list of names. */
const classes = new WeakMap<readonly string[], ClassValue>();

export const classOfTuple = ({ fields }: TupleValue): ClassValue | null => (fields && classes.get(fields)) ?? null;

/** The class of a named tuple with these fields; `attributes` are what else it has. */
export function namedTupleClass(
  name: string,
  fields: readonly string[],
  defaults: ReadonlyMap<string, Value>,
  attributes: Iterable<readonly [string, Value]> = [],
): ClassValue {
  const own = [...fields];
  const made = nativeClass(name, [], [['_fields', tuple(own.map(str))], ...attributes], (_, __, passed) =>
    tuple(
      own.map(
        (f, i) => passed.positional[i] ?? passed.keywords.get(f) ?? defaults.get(f) ?? unknown(`${f} is not passed`),
      ),
      own,
    ),
  );
  classes.set(own, made);
  return made;
}

/** Makes `class Output(NamedTuple)` the class that it stands for; null for other classes. */
export function namedTupleOf(cls: ClassValue): ClassValue | null {
  if (!cls.bases.some(b => b.node === null && b.name === 'NamedTuple')) return null;
  const fields: string[] = [];
  const defaults = new Map<string, Value>();
  for (const stmt of cls.node?.body ?? []) {
    if (stmt.kind !== 'AnnAssign' || stmt.target.kind !== 'Name') continue;
    const name = stmt.target.id;
    fields.push(name);
    const given = cls.attributes.get(name);
    if (given) defaults.set(name, given);
  }
  return namedTupleClass(
    cls.name,
    fields,
    defaults,
    [...cls.attributes].filter(([name]) => !defaults.has(name)),
  );
}
