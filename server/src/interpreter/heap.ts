/**
 * The one way to change a container, so that a fork can be undone and two branches joined.
 *
 * While a fork is open every change is logged with what was there before; `undo` goes back, `changesSince` says what a
 * branch did. Outside forks nothing is logged and a change costs one test.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type {
  DictEntry,
  DictValue,
  InstanceValue,
  IteratorValue,
  ListValue,
  ParameterValue,
  SetValue,
  Value,
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

export class Heap {
  private log: Change[] = [];
  private forks = 0;

  // ---- forks ----------------------------------------------------------------------------------------------------------

  /** Starts logging; answers the position to go back to. */
  fork(): number {
    this.forks++;
    return this.log.length;
  }

  /** What changed since `mark`: the first record of each place, which knows its value before. */
  changesSince(mark: number): Change[] {
    const seen = new Map<object, Set<string>>();
    const first: Change[] = [];
    for (let i = mark; i < this.log.length; i++) {
      const change = this.log[i];
      let keys = seen.get(change.target);
      if (!keys) seen.set(change.target, (keys = new Set()));
      if (keys.has(change.key)) continue;
      keys.add(change.key);
      first.push(change);
    }
    return first;
  }

  /** Takes back everything since `mark`. */
  undo(mark: number): void {
    while (this.log.length > mark) {
      const change = this.log.pop()!;
      change.write(change.before);
    }
  }

  /** Ends one fork, keeping its changes. */
  close(): void {
    this.forks--;
    if (this.forks === 0) this.log = [];
  }

  /** Keeps the log for one more holder of the fork that began at a mark; `close` releases it. */
  hold(): void {
    this.forks++;
  }

  /** Changes a place found by `changesSince`. */
  assign(change: Change, value: unknown): void {
    this.logged(change.target, change.key, change.read, change.write);
    change.write(value);
  }

  /** The value a changed place had when the log was `mark` long. */
  valueAt(change: Change, mark: number): unknown {
    for (let i = mark; i < this.log.length; i++) {
      const later = this.log[i];
      if (later.target === change.target && later.key === change.key) return later.before;
    }
    return change.read();
  }

  private logged(target: object, key: string, read: () => unknown, write: (value: unknown) => void): void {
    if (this.forks > 0) this.log.push({ target, key, before: read(), write, read });
  }

  // ---- changes --------------------------------------------------------------------------------------------------------

  /** Sets (or with undefined removes) an entry of a scope, of an instance's, class's, module's or function's attributes. */
  set(map: Map<string, Value>, key: string, value: Value | undefined): void {
    this.setEntry(map as Map<string, unknown>, key, value);
  }

  private setEntry(map: Map<string, unknown>, key: string, value: unknown): void {
    const write = (v: unknown) => {
      if (v === undefined) map.delete(key);
      else map.set(key, v);
    };
    this.logged(map, key, () => map.get(key), write);
    write(value);
  }

  private setField<O extends object, K extends keyof O & string>(target: O, key: K, value: O[K]): void {
    const write = (v: unknown) => {
      target[key] = v as O[K];
    };
    this.logged(target, key, () => target[key], write);
    write(value);
  }

  /** Replaces a list's contents. */
  setItems(list: ListValue, items: readonly Value[]): void {
    this.setField(list, 'items', [...items]); // `append` grows it in place
    this.setField(list, 'element', null);
    this.setField(list, 'length', items.length);
  }

  /** Makes a list one of unknown contents: `length` times something like `element`. */
  openList(list: ListValue, element: Value, length: Dim): void {
    this.setField(list, 'items', null);
    this.setField(list, 'element', element);
    this.setField(list, 'length', length);
  }

  append(list: ListValue, value: Value): void {
    if (list.items && this.forks === 0) {
      // Nothing remembers the old contents: grow in place, or a loop of appends would be quadratic.
      (list.items as Value[]).push(value);
      list.length = list.items.length;
    } else if (list.items) this.setItems(list, [...list.items, value]);
  }

  /** `key` is `keyOf(entry.key)`; undefined removes. */
  setDictEntry(dict: DictValue, key: string, entry: DictEntry | undefined): void {
    this.setEntry(dict.entries as unknown as Map<string, unknown>, key, entry);
  }

  setDictRest(dict: DictValue, rest: Value | null): void {
    this.setField(dict, 'rest', rest);
  }

  setMember(set: SetValue, key: string, member: Value | undefined): void {
    this.setEntry(set.entries as unknown as Map<string, unknown>, key, member);
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
