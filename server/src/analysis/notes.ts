/**
 * What a run or a reading saw, kept by place: observations, refusals, layers.
 *
 * Places are those of the syntax tree's nodes and move with them, so nothing here is a copy of an offset.
 */
import type { Facts } from '../../../engine/src/dims/facts';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import type { Frame, Recorder } from '../interpreter/evaluator';
import { sameKnowledge } from '../interpreter/join';
import type { FunctionValue, InstanceValue, Origin, Value } from '../interpreter/values';
import type { ClassDef, FunctionDef, Lambda, Node } from '../python/ast';
import { snapshot } from './snapshot';
import type { Finding, Related, SiteKind, View } from './types';

export const MOST_AT_A_PLACE = 40;

export interface Seen {
  kind: SiteKind;
  place: Origin;
  name: string | null;
  function: string;
  values: Value[];
  /** Types at the time, for arrays whose facts are undone later. */
  types: (ArrayType | null)[];
  texts: Set<string>;
}

export interface LayerUse {
  readonly instance: InstanceValue;
  readonly place: Origin;
  readonly inputs: ArrayType[];
  readonly outputs: ArrayType[];
}

/** One call of a layer, with what went in and came out. */
export interface LayerCall {
  readonly instance: InstanceValue;
  readonly input: Value | null;
  readonly output: Value;
}

/** A parameter as what its use made of it. */
function settle(value: Value): Value {
  let v = value;
  while (v.kind === 'parameter' && v.settled) v = v.settled;
  return v;
}

/** A list as it is now: what is appended to it later was not there. */
const asNow = (value: Value): Value =>
  value.kind === 'list' && value.items ? { ...value, items: [...value.items] } : value;

/** Adds a type to those that are there, unless it reads like one of them. */
export function addType(types: ArrayType[], type: ArrayType | null): void {
  if (!type) return;
  const text = showType(type);
  if (!types.some(t => showType(t) === text)) types.push(type);
}

const KINDS: readonly SiteKind[] = ['assign', 'arg', 'return', 'expr'];

/** A number for each kind of site at each place of a file. */
const siteKey = (kind: SiteKind, { start, end }: Origin): number =>
  (start * 0x1000000 + (end - start)) * KINDS.length + KINDS.indexOf(kind);

export class Notes implements Recorder {
  facts: Facts | null = null;
  /** While set, nothing is kept: a file is loaded only so that its definitions exist. */
  paused = false;
  /** Every call of a layer in order, where somebody wants to run them. */
  trace: LayerCall[] | null = null;
  /** The function or class that was read, where what is noted is of that alone. */
  subject: Node | null = null;
  private readonly refused: { place: Origin; said: Omit<Finding, keyof Origin> }[] = [];
  readonly reached = new Set<FunctionDef | Lambda>();
  readonly layers = new Map<InstanceValue, LayerUse>();
  /** By file, then by `siteKey`. */
  private readonly seen = new Map<string, Map<number, Seen>>();
  private readonly said = new Set<string>();
  /** Instances as they were when what made them was about to be taken back. */
  private readonly copies = new Map<InstanceValue, InstanceValue>();
  /** The instance through which a class was read, by the class's definition. */
  private readonly selves = new Map<ClassDef, InstanceValue>();
  /** Sites with types, or with parameters that may get one, that were seen since the last `keep`. */
  private readonly fresh: { site: Seen; index: number }[] = [];
  /** Layers that were made or called since the last `keep`. */
  private readonly touched = new Set<LayerUse>();

  /** @param base what was noted when the object was made that this reads a method of */
  constructor(
    readonly view: View,
    readonly base: Notes | null = null,
  ) {}

  typeOf(value: Value): ArrayType | null {
    if (value.kind !== 'array') return null;
    return { shape: this.facts!.shape(value.node.shape), dtype: value.node.dtype };
  }

  observe(kind: SiteKind, place: Origin, name: string | null, frame: Frame, value: Value): void {
    if (this.paused) return;
    const settled = asNow(settle(value));
    let sites = this.seen.get(place.file);
    if (!sites) this.seen.set(place.file, (sites = new Map()));
    const key = siteKey(kind, place);
    let site = sites.get(key);
    if (!site) {
      site = { kind, place, name, function: frame.name, values: [], types: [], texts: new Set() };
      sites.set(key, site);
    }
    if (site.values.length >= MOST_AT_A_PLACE) return;
    const type = this.typeOf(settled);
    if (type) {
      const text = showType(type);
      if (site.texts.has(text)) return;
      site.texts.add(text);
    } else if (site.values.some(v => sameKnowledge(this.facts!, v, settled))) return;
    if (type || settled.kind === 'parameter') this.fresh.push({ site, index: site.types.length });
    site.values.push(settled);
    site.types.push(type);
  }

  refuse(refusal: Refusal, place: Origin, chain: readonly Origin[]): void {
    const key = `${place.file}:${place.start}:${refusal.kind}`;
    if (this.said.has(key)) return;
    this.said.add(key);
    const related: Related[] = [];
    const layer = refusal.detail.layer as InstanceValue | undefined;
    if (layer?.origin) related.push({ origin: layer.origin, message: `this ${layer.cls.name} was made here` });
    const outer = chain.slice(0, -1);
    for (const origin of outer.toReversed().slice(0, 6)) related.push({ origin, message: 'called from here' });
    const { kind, message, detail } = refusal;
    this.refused.push({ place, said: { kind, message, detail, view: this.view, chain, related } });
  }

  get findings(): Finding[] {
    return this.refused.map(({ place, said }) => ({ ...place, ...said }));
  }

  /** A class is about to be read through this instance. */
  self(definition: ClassDef, instance: InstanceValue): void {
    this.selves.set(definition, snapshot(instance));
  }

  selfOf(definition: ClassDef): InstanceValue | null {
    return this.selves.get(definition) ?? null;
  }

  /** Puts in what is known, and copies what was made, before a reading and all it learnt are taken back. */
  keep(): void {
    for (const { site, index } of this.fresh.splice(0)) {
      const value = settle(site.values[index]);
      site.values[index] = value;
      const type = site.types[index] ?? this.typeOf(value);
      if (!type) continue;
      const learnt = { shape: this.facts!.shape(type.shape), dtype: type.dtype };
      site.types[index] = learnt;
      site.texts.add(showType(learnt));
    }
    const shared = new Map<object, Value>();
    for (const { instance, inputs, outputs } of this.touched) {
      if (this.lasting(instance) === instance) this.copies.set(instance, snapshot(instance, shared));
      for (const types of [inputs, outputs])
        for (const [i, type] of types.entries()) types[i] = { shape: this.facts!.shape(type.shape), dtype: type.dtype };
    }
    this.touched.clear();
  }

  /** The instance as it was when it was last seen whole. */
  lasting(instance: InstanceValue): InstanceValue {
    return this.copies.get(instance) ?? this.base?.lasting(instance) ?? instance;
  }

  made(instance: InstanceValue, place: Origin): void {
    if (this.paused || this.layers.has(instance)) return;
    this.touched.add(this.use(instance, place));
  }

  private use(instance: InstanceValue, place: Origin): LayerUse {
    const use = { instance, place, inputs: [], outputs: [] };
    this.layers.set(instance, use);
    return use;
  }

  /** The layer, which may have been made before this reading began. */
  private layer(instance: InstanceValue): LayerUse | null {
    const own = this.layers.get(instance);
    if (own) return own;
    const made = this.base?.layers.get(instance);
    return made ? this.use(instance, made.place) : null;
  }

  called(instance: InstanceValue, input: Value | null, output: Value): void {
    this.trace?.push({ instance, input, output });
    const use = this.layer(instance);
    if (!use || use.inputs.length >= MOST_AT_A_PLACE) return;
    const given = input && settle(input);
    this.touched.add(use);
    addType(use.inputs, given && this.typeOf(given));
    addType(use.outputs, this.typeOf(output));
  }

  entered(func: FunctionValue, given: readonly Value[]): void {
    if (given.every(v => this.isTelling(v))) this.reached.add(func.node);
  }

  /** Whether an argument lets a function's shapes be told: not where nothing is known of it, or no rank. */
  private isTelling(value: Value): boolean {
    const v = settle(value);
    return v.kind === 'array' ? Array.isArray(this.facts!.shape(v.node.shape)) : v.kind !== 'unknown';
  }

  sites(file: string): Iterable<Seen> {
    return this.seen.get(file)?.values() ?? [];
  }

  /** A type with what has been learnt since put in. */
  learnt(type: ArrayType | null): ArrayType | null {
    return type && { shape: this.facts!.shape(type.shape), dtype: type.dtype };
  }
}
