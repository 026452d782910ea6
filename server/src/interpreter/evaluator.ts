/**
 * The interpreter: walks Python source over values and records the graph of arrays that MLX would.
 *
 * This file holds its state and the interface that builtins see; what each construct does stands beside it: expressions,
 * statements, branches, calls, attributes, operators, subscripts, iteration. It never runs user code, never imports, and
 * stops at its budget. What it cannot know is an UnknownValue with a reason.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import { symbol } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, RowVariable } from '../../../engine/src/dims/shape';
import { type ArrayNode, record, source } from '../../../engine/src/graph/graph';
import type { ArrayType, Attrs } from '../../../engine/src/graph/op';
import type { Refusal } from '../../../engine/src/graph/refusal';
import type { Node, Place } from '../python/ast';
import type { Held } from './again';
import { getAttribute, setAttribute } from './attributes';
import type { Pending } from './branches';
import { callValue, instantiate } from './calls';
import { compare, truthOf } from './comparison';
import { formatValue } from './format';
import { Heap } from './heap';
import { isInstance } from './instances';
import type { ArraysInFile, Interpreter } from './interpreter';
import { args } from './interpreter';
import { iterate, lengthOf } from './iteration';
import { joinValues } from './join';
import { binary } from './operators';
import { getItem, setItem } from './subscripts';
import {
  type Arguments,
  type ArrayValue,
  array,
  bool,
  type ClassValue,
  configuringDict,
  type FunctionValue,
  float,
  type InstanceValue,
  instance,
  int,
  type ModuleValue,
  type NativeType,
  type Origin,
  type Scope,
  str,
  unknown,
  type Value,
} from './values';

/** What the interpreter needs of the world: modules and how arrays behave. */
export interface Host {
  readonly arrayType: NativeType;
  /** Names every module sees. */
  readonly builtins: ReadonlyMap<string, Value>;
  /** The module `import name` (or `from ..name`) means in `from`; null when it is out of reach. */
  importModule(evaluator: Evaluator, name: string, level: number, from: ModuleValue): ModuleValue | null;
  /** What the attribute of something out of sight is by convention, for readers; null for most names. */
  conventionalMethod?(name: string, owner: string): Value | null;
  /** What the file of arrays at an absolute path holds now; null where that cannot be told. */
  arraysIn(path: string): ArraysInFile | null;
}

/** What is told of a run as it happens. */
export interface Recorder {
  observe(
    kind: 'assign' | 'arg' | 'return' | 'expr',
    place: Origin,
    name: string | null,
    frame: Frame,
    value: Value,
  ): void;
  refuse(refusal: Refusal, place: Origin, chain: readonly Origin[]): void;
  /** A class was called: the instance with the call's place. */
  made(instance: InstanceValue, place: Origin): void;
  called(instance: InstanceValue, input: Value | null, output: Value): void;
  /** A function's body was entered with these arguments. */
  entered(func: FunctionValue, given: readonly Value[]): void;
}

/** Limits of one run. */
export interface Budget {
  steps: number;
  depth: number;
}

/** Thrown when a run's budget is spent; what was recorded so far holds. */
export class BudgetSpent extends Error {}

/** A Python exception on its way to a handler. No Error, since that would note the stack each time. */
export class PythonRaise {
  constructor(
    readonly value: Value,
    readonly refusal: Refusal | null = null,
    readonly place: Origin | null = null,
  ) {}
}

/** Entries of maps. */
class Places {
  private readonly keys = new WeakMap<object, Set<string>>();
  add(target: object, key: string): void {
    let keys = this.keys.get(target);
    if (!keys) this.keys.set(target, (keys = new Set()));
    keys.add(key);
  }
  has(target: object, key: string): boolean {
    return this.keys.get(target)?.has(key) ?? false;
  }
}

/** Values beside maps: what a map does not hold, though it may. */
class Entries {
  private readonly values = new WeakMap<object, Map<string, Value>>();
  set(target: object, key: string, value: Value): void {
    let values = this.values.get(target);
    if (!values) this.values.set(target, (values = new Map()));
    values.set(key, value);
  }
  get(target: object, key: string): Value | undefined {
    return this.values.get(target)?.get(key);
  }
}

export interface Yields {
  readonly values: Value[];
  /** How many forks were open when the generator began: in a deeper one it may yield, or not, or often. */
  readonly forks: number;
  /** Whether `values` is all, each once. */
  exact: boolean;
  /** What takes its turn at each `yield`: the block of a `with`. */
  readonly turn?: (value: Value) => void;
}

/** One activation: a function call, a class body or a module. */
export interface Frame {
  readonly scope: Scope;
  readonly module: ModuleValue;
  readonly func: FunctionValue | null;
  /** The class whose body this is. */
  readonly cls: ClassValue | null;
  readonly name: string;
  readonly globals: Set<string>;
  readonly nonlocals: Set<string>;
  /** Paths that left early and wait to be joined. */
  readonly pending: Pending[];
  /** What a generator has yielded so far. */
  readonly yields: Yields | null;
  /** Where the frame was called from. */
  readonly caller: Origin | null;
  /** What the parameters of a function were given, in order. */
  readonly given?: readonly Value[];
}

/** The activation of a module's top level. @param caller where it is imported, null where it is where everything begins */
export const moduleFrame = (module: ModuleValue, caller: Origin | null = null): Frame => ({
  scope: { names: module.attributes, parent: null, kind: 'module' },
  module,
  func: null,
  cls: null,
  name: '<module>',
  globals: new Set(),
  nonlocals: new Set(),
  pending: [],
  yields: null,
  caller,
});

export class Evaluator implements Interpreter {
  facts = new Facts();
  readonly heap = new Heap(values => this.join(values));
  readonly session = new Map<string, unknown>();
  readonly modules = new Map<string, ModuleValue>();
  readonly arrayType: NativeType;
  readonly frames: Frame[] = [];
  /** What takes its turn where the next call of a generator function yields. */
  atYield: { readonly node: Node; readonly run: (value: Value) => void } | null = null;
  /** How many enclosing `try` bodies would catch what is raised. */
  catching = 0;
  /** Counts reads of values that hold only by default: a decision that needed one is not certain. */
  usualReads = 0;
  /** What was set where a default alone decided. */
  readonly usualPlaces = new Places();
  /** Attributes that only a path sets which a default does not take. */
  readonly unusual = new Entries();
  /** How many conditions that nothing decides led here. */
  doubts = 0;
  /** Whether objects are followed from where they are made. */
  followsAll = false;
  private readonly escaped = new WeakSet<InstanceValue>();
  /** Attributes whose absence was reported: the next read of one is no news. */
  private readonly reported = new Places();
  /** Whether a refusal that nobody catches ends the path, as in Python; otherwise an unknown value goes on from there. */
  stopsAtRefusal = false;
  /** Whether expressions whose values are ints, tuples or lists are observed too. */
  observesAll = false;
  /** Choices that are open, with what was refused on the way that is walked and how many calls led to them. */
  readonly held: { readonly calls: number; readonly list: Held[] }[] = [];
  /** While walking a path taken only to see its shapes, nothing is reported. */
  muted = 0;
  steps = 0;
  /** Where numbers are wanted instead of symbols: the one for a parameter of this name. */
  chooseNumber: ((name: string, usual: number | null) => number) | null = null;
  values: Interpreter['values'] = null;
  private place: Place | null = null;

  constructor(
    readonly host: Host,
    public recorder: Recorder,
    readonly budget: Budget = { steps: 2_000_000, depth: 60 },
  ) {
    this.arrayType = host.arrayType;
  }

  // ---- places ---------------------------------------------------------------------------------------------------------

  get frame(): Frame {
    return this.frames[this.frames.length - 1];
  }

  /** Makes `node` the place of what happens next; answers the place before, to be restored. */
  at(node: Node): Place | null {
    const before = this.place;
    this.place = this.placeOf(node);
    return before;
  }
  restore(place: Place | null): void {
    this.place = place;
  }

  origin(): Origin | null {
    return this.place;
  }

  placeOf(node: Node): Place {
    node.place ??= { file: this.frame.module.file ?? '', start: node.start, end: node.end };
    return node.place;
  }

  step(): void {
    if (++this.steps > this.budget.steps) throw new BudgetSpent(`more than ${this.budget.steps} steps`);
  }

  /** Reports a refusal at `node` and goes on, or ends the path; inside a `try` it is raised instead. */
  refused(refusal: Refusal, node: Node): void {
    const place = this.placeOf(node);
    if (this.catching > 0) throw new PythonRaise(str(refusal.message), refusal, place);
    this.reportRaised(refusal, place);
    if (this.stopsAtRefusal && this.muted === 0) throw new PythonRaise(str(refusal.message), refusal, place);
  }

  /** What Python certainly raises here: inside a `try` it is raised, elsewhere an unknown value goes on. */
  raised(exception: 'IndexError' | 'KeyError' | 'ValueError' | 'ZeroDivisionError', reason: string): Value {
    if (this.catching > 0) throw new PythonRaise(str(exception));
    return unknown(reason);
  }

  /** Reports what was raised at `place` and caught by nobody. */
  reportRaised(refusal: Refusal, place: Origin): void {
    if (this.muted > 0) return;
    const { layer, name } = refusal.detail;
    if (refusal.kind === 'attribute' && layer && name) this.reported.add(layer, name);
    const calls = this.frames.flatMap(f => (f.caller ? [f.caller] : []));
    const chain = [...calls, place];
    const held = this.held.at(-1);
    if (!held) this.recorder.refuse(refusal, place, chain);
    else held.list.push({ refusal, place, chain, at: chain[held.calls] ?? place });
  }

  /** Reports what was held until all ways were walked; it may lie on one way of an outer choice. */
  report({ refusal, place, chain }: Held): void {
    const outer = this.held.at(-1);
    if (!outer) this.recorder.refuse(refusal, place, chain);
    else outer.list.push({ refusal, place, chain, at: chain[outer.calls] ?? place });
  }

  /** The instances in these values get out of sight: what is out of reach may give them any attribute. */
  escape(values: Iterable<Value>): void {
    const waiting = [...values];
    for (let v = waiting.pop(); v; v = waiting.pop()) {
      const value = this.settled(v);
      if (value.kind === 'instance') {
        if (this.escaped.has(value)) continue;
        this.escaped.add(value);
        waiting.push(...value.attributes.values());
      } else if (value.kind === 'method') waiting.push(value.self);
      else if (value.kind === 'union') waiting.push(...value.options);
      else if (value.kind === 'list' || value.kind === 'tuple')
        waiting.push(...(value.items ?? [value.element!]).filter(holdsInstances));
    }
  }

  /** Whether an attribute that was not found is certainly absent, and nothing was said of it yet. */
  isMissing(v: InstanceValue, name: string): boolean {
    if (
      (!this.stopsAtRefusal && this.reported.has(v, name)) ||
      !this.followsAll ||
      this.usualReads > 0 ||
      v.open ||
      v.cls.open ||
      this.escaped.has(v)
    )
      return false;
    const base = v.cls.mro.find(c => !c.node);
    return (
      v.cls.node !== null &&
      base?.bare === true &&
      v.cls.mro.every(c => (c.node ? c.node.decorators.length === 0 && !hasHooks(c) : base.mro.includes(c)))
    );
  }

  observe(kind: 'assign' | 'arg' | 'return' | 'expr', node: Node, name: string | null, value: Value): void {
    this.recorder.observe(kind, this.placeOf(node), name, this.frame, value);
  }

  // ---- arrays ---------------------------------------------------------------------------------------------------------

  record(op: string, inputs: readonly ArrayNode[], attrs: Attrs = {}): ArrayValue {
    return array(record(this.facts, op, inputs, attrs, this.origin())[0]);
  }
  recordAll(op: string, inputs: readonly ArrayNode[], attrs: Attrs = {}): readonly ArrayValue[] {
    return record(this.facts, op, inputs, attrs, this.origin()).map(node => array(node));
  }
  source(type: ArrayType, label?: string): ArrayValue {
    return array(source(type, this.labelled(label)));
  }
  private labelled(label?: string) {
    return { label, origin: this.origin() };
  }

  arraysIn(path: string): ArraysInFile | null {
    return this.host.arraysIn(path);
  }

  // ---- parameters of the reader's view --------------------------------------------------------------------------------

  settled(value: Value): Value {
    let v = value;
    while (v.kind === 'parameter' && v.settled) {
      if (v.usual) this.usualReads++;
      v = v.settled;
    }
    return v;
  }

  settleAs(value: Value, as: 'array' | 'int' | 'float' | 'bool' | 'str' | 'dict'): Value {
    const v = this.settled(value);
    if (v.kind !== 'parameter') return v;
    const made: Value =
      as === 'array'
        ? array(
            source({ shape: new OpenShape(new RowVariable(v.name), []), dtype: null }, this.labelled(v.name)),
            !v.ours,
          )
        : as === 'int'
          ? int(this.chooseNumber?.(v.name, null) ?? symbol(v.name, { least: 1 }))
          : as === 'float'
            ? float(null)
            : as === 'bool'
              ? bool(null)
              : as === 'dict'
                ? configuringDict(v.name)
                : str(null);
    this.heap.settle(v, made);
    return made;
  }

  // ---- what builtins see ----------------------------------------------------------------------------------------------

  call(callee: Value, passed: Arguments): Value {
    return callValue(this, callee, passed);
  }
  callWith(callee: Value, ...positional: Value[]): Value {
    return callValue(this, callee, args(positional));
  }
  instantiate(cls: ClassValue, passed: Arguments): Value {
    return instantiate(this, cls, passed);
  }
  bareInstance(cls: ClassValue): InstanceValue {
    return instance(cls, this.origin());
  }
  getAttribute(value: Value, name: string): Value | null {
    return getAttribute(this, value, name);
  }
  setAttribute(value: Value, name: string, to: Value): void {
    setAttribute(this, value, name, to);
  }
  getItem(value: Value, index: Value): Value {
    return getItem(this, value, index);
  }
  setItem(value: Value, index: Value, to: Value): void {
    setItem(this, value, index, to);
  }
  binary(op: string, left: Value, right: Value): Value {
    return binary(this, op, left, right);
  }
  compare(op: string, left: Value, right: Value): Value {
    return compare(this, op, left, right);
  }
  iterate(value: Value) {
    return iterate(this, value);
  }
  truth(value: Value): boolean | null {
    return truthOf(this, value);
  }
  length(value: Value): Dim | null {
    return lengthOf(this, value);
  }
  isInstance(value: Value, cls: ClassValue): boolean | null {
    return isInstance(this, value, cls);
  }
  join(values: readonly Value[]): Value {
    return joinValues(this.facts, values);
  }
  format(value: Value): string | null {
    return formatValue(this, value);
  }
  bool(value: boolean | null) {
    return bool(value);
  }

  // ---- modules --------------------------------------------------------------------------------------------------------

  importModule(name: string, level: number, from: ModuleValue): ModuleValue | null {
    return this.host.importModule(this, name, level, from);
  }
}

const holdsInstances = ({ kind }: Value): boolean =>
  kind === 'instance' || kind === 'list' || kind === 'tuple' || kind === 'method' || kind === 'union';

/** Whether a class answers for attributes itself. */
const hasHooks = ({ attributes }: ClassValue): boolean =>
  ['__getattr__', '__getattribute__', '__setattr__'].some(name => attributes.has(name));
