/**
 * The one way to change a container, so that a fork can be undone and two branches joined.
 *
 * While a fork is open every change is logged with what was there before; `undo` goes back, `changesSince` says what a
 * branch did. A container that was made since the last fork began is not seen by any other path: its changes are not
 * logged, and once the fork ends it is forgotten. So a fork costs what it changes of the world before it, and not the
 * variables of the functions that it called.
 */
import { anonymous, type Dim } from '../../../engine/src/dims/dim';
import {
  type DictEntry,
  type DictValue,
  freshId,
  type InstanceValue,
  type IteratorValue,
  type ListValue,
  madeAt,
  type ParameterValue,
  type SetValue,
  type Value,
} from './values';

/** A place that can change: an entry of a map, or a field of an object. */
export interface Change {
  readonly target: object;
  readonly key: string;
  readonly before: unknown;
  /** Puts a value there without logging; `undefined` removes a map entry. */
  readonly write: (value: unknown) => void;
  readonly read: () => unknown;
}

/** A moment to go back to. */
export interface Mark {
  /** How long the log was. */
  readonly position: number;
  /** What was made before this age is known to who holds the mark. */
  age: number;
  readonly uncertain: boolean;
  /** Who still needs it: the fork that it began, and the paths that left early and wait. */
  holders: number;
}

/** The lists that one stands for, and those that they stand for, each once. */
function standsFor(list: ListValue): Set<ListValue> {
  const all = new Set<ListValue>(list.oneOf);
  for (const each of all) for (const further of each.oneOf ?? []) all.add(further);
  all.delete(list);
  return all;
}

/** An entry of a dict or set among the places of it, which its fields are too. */
const entryPlace = (key: string): string => `[${key}]`;

export class Heap {
  /** @param join one value for several */
  constructor(private readonly join: (values: readonly Value[]) => Value) {}

  private log: Change[] = [];
  /** Those in use, in order of age. */
  private readonly marks: Mark[] = [];

  // ---- forks ----------------------------------------------------------------------------------------------------------

  /** How many forks are open, or waited for: what runs inside may run, or not, or often. */
  get depth(): number {
    return this.marks.reduce((n, mark) => n + Number(mark.uncertain), 0);
  }

  /** Starts logging; answers the moment to go back to, until `close`. */
  fork(): Mark {
    return this.mark(true);
  }

  /** A moment to compare with, where what runs until `close` runs once for certain. */
  watch(): Mark {
    return this.mark(false);
  }

  private mark(uncertain: boolean): Mark {
    const mark = { position: this.log.length, age: freshId(), uncertain, holders: 1 };
    this.marks.push(mark);
    return mark;
  }

  /** Keeps a mark for one more holder, who knows what was made before `age`; each closes it once. */
  hold(mark: Mark, age = mark.age): void {
    mark.holders++;
    mark.age = Math.max(mark.age, age);
  }

  /** Ends a fork, keeping its changes. */
  close(mark: Mark): void {
    mark.holders--;
    let ended: Mark | null = null;
    while (this.marks.length > 0 && this.marks[this.marks.length - 1].holders === 0) ended = this.marks.pop()!;
    if (ended) this.forget(ended.position);
  }

  /** Drops from the log what no mark before `position` needs. */
  private forget(position: number): void {
    if (this.marks.length === 0) {
      this.log = [];
      return;
    }
    const { age } = this.marks[this.marks.length - 1];
    let kept = position;
    for (let i = position; i < this.log.length; i++) {
      const change = this.log[i];
      if (madeAt(change.target) < age) this.log[kept++] = change;
    }
    this.log.length = kept;
  }

  /** What changed since `mark`: the first record of each place, which knows its value before. */
  changesSince(mark: Mark): Change[] {
    const seen = new Map<object, Set<string>>();
    const first: Change[] = [];
    for (let i = mark.position; i < this.log.length; i++) {
      const change = this.log[i];
      let keys = seen.get(change.target);
      if (!keys) seen.set(change.target, (keys = new Set()));
      if (keys.has(change.key)) continue;
      keys.add(change.key);
      first.push(change);
    }
    return first;
  }

  /** Takes back everything since `mark`, and every mark after it. */
  undo(mark: Mark): void {
    this.marks.length = this.marks.lastIndexOf(mark) + 1;
    while (this.log.length > mark.position) {
      const change = this.log.pop()!;
      change.write(change.before);
    }
  }

  /** Changes a place found by `changesSince`. */
  assign(change: Change, value: unknown): void {
    this.logged(change.target, change.key, change.read, change.write);
    change.write(value);
  }

  /** The value a changed place had at `mark`. */
  valueAt(change: Change, mark: Mark): unknown {
    for (let i = mark.position; i < this.log.length; i++) {
      const later = this.log[i];
      if (later.target === change.target && later.key === change.key) return later.before;
    }
    return change.read();
  }

  /** Whether a path that may be gone back to knows the container. */
  private isKnownBefore(container: object): boolean {
    return this.marks.length > 0 && madeAt(container) < this.marks[this.marks.length - 1].age;
  }

  private logged(target: object, key: string, read: () => unknown, write: (value: unknown) => void): void {
    if (this.isKnownBefore(target)) this.log.push({ target, key, before: read(), write, read });
  }

  // ---- changes --------------------------------------------------------------------------------------------------------

  /** Sets (or with undefined removes) an entry of a scope, of an instance's, class's, module's or function's attributes. */
  set(map: Map<string, Value>, key: string, value: Value | undefined): void {
    this.setEntry(map, key, map as Map<string, unknown>, key, value);
  }

  /** Changes an entry of a map, as the place `place` of `target`. */
  private setEntry(target: object, place: string, map: Map<string, unknown>, key: string, value: unknown): void {
    const write = (v: unknown) => {
      if (v === undefined) map.delete(key);
      else map.set(key, v);
    };
    this.logged(target, place, () => map.get(key), write);
    write(value);
  }

  private setField<O extends object, K extends keyof O & string>(target: O, key: K, value: O[K]): void {
    const write = (v: unknown) => {
      target[key] = v as O[K];
    };
    this.logged(target, key, () => target[key], write);
    write(value);
  }

  /** After a change of a list that stands for one of several: each of those may hold what it now holds. */
  private weaken(list: ListValue, now: readonly Value[]): void {
    for (const each of standsFor(list)) {
      const contents = [...(each.items ?? [each.element!]), ...now];
      if (contents.length > 0) this.setContents(each, null, this.join(contents), anonymous());
    }
  }

  private setContents(list: ListValue, items: readonly Value[] | null, element: Value | null, length: Dim): void {
    this.setField(list, 'items', items);
    this.setField(list, 'element', element);
    this.setField(list, 'length', length);
  }

  /** Replaces a list's contents. */
  setItems(list: ListValue, items: readonly Value[]): void {
    this.weaken(list, items);
    this.setContents(list, [...items], null, items.length); // a copy: `append` grows it in place
  }

  /** Makes a list one of unknown contents: `length` times something like `element`. */
  openList(list: ListValue, element: Value, length: Dim): void {
    this.weaken(list, [element]);
    this.setContents(list, null, element, length);
  }

  append(list: ListValue, value: Value): void {
    if (list.items && !list.oneOf && !this.isKnownBefore(list)) {
      // Nothing remembers the old contents: grow in place, or a loop of appends would be quadratic.
      (list.items as Value[]).push(value);
      list.length = list.items.length;
    } else if (list.items) this.setItems(list, [...list.items, value]);
  }

  /** `key` is `keyOf(entry.key)`; undefined removes. */
  setDictEntry(dict: DictValue, key: string, entry: DictEntry | undefined): void {
    this.setEntry(dict, entryPlace(key), dict.entries as Map<string, unknown>, key, entry);
  }

  setDictRest(dict: DictValue, rest: Value | null): void {
    this.setField(dict, 'rest', rest);
  }

  setMember(set: SetValue, key: string, member: Value | undefined): void {
    this.setEntry(set, entryPlace(key), set.entries as Map<string, unknown>, key, member);
  }

  openSet(set: SetValue): void {
    this.setField(set, 'open', true);
  }

  advance(iterator: IteratorValue, position: number): void {
    this.setField(iterator, 'position', position);
  }

  settle(parameter: ParameterValue, value: Value): void {
    this.setField(parameter, 'settled', value);
  }

  openInstance(instance: InstanceValue): void {
    this.setField(instance, 'open', true);
  }

  setNative(instance: InstanceValue, native: unknown): void {
    this.setField(instance, 'native', native);
  }
}
