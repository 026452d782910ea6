/**
 * How a layer is written down: its constructor's signature and what it sets, its call's signature and what it computes.
 *
 *     defineLayer({
 *       name: 'RMSNorm',
 *       init: '(dims, eps=1e-05)',
 *       construct: l => { l.set('weight', l.mx.ones([l.dim('dims')])); l.set('eps', l.value('eps')); },
 *       call: '(x)',
 *       forward: l => l.mx.call('fast.rms_norm', [l.input('x'), l.get('weight'), l.get('eps')]),
 *     })
 *
 * User code subclasses layers and replaces their attributes, so `forward` reads the instance, never the constructor.
 */
import { anonymous, type Dim, isKnown, showDim } from '../../../../engine/src/dims/dim';
import { OpenShape, RowVariable } from '../../../../engine/src/dims/shape';
import { type ArrayNode, source } from '../../../../engine/src/graph/graph';
import { Refusal, type RefusalDetail, type RefusalKind } from '../../../../engine/src/graph/refusal';
import { showType } from '../../../../engine/src/graph/show';
import { args, type Interpreter, Unknowable } from '../../interpreter/interpreter';
import {
  array,
  type BuiltinValue,
  type ClassValue,
  type InstanceValue,
  list,
  NONE,
  nativeClass,
  openList,
  str,
  type Value,
} from '../../interpreter/values';
import { scalarKind } from '../convert';
import { type Call, isOpaque } from '../define';
import { hasMember } from './members';
import { moduleMethod } from './methods';
import { Module } from './module';
import { Mx } from './mx';
import { initializeModule, isTraining } from './training';

/** One call of a layer's method: arguments by name, the instance's attributes, and `mx`. */
export class Layer {
  readonly mx: Mx;

  constructor(
    readonly call: Call,
    readonly self: InstanceValue,
  ) {
    this.mx = new Mx(call.interpreter);
  }

  get interpreter(): Interpreter {
    return this.call.interpreter;
  }

  // ---- arguments ------------------------------------------------------------------------------------------------------

  value(name: string): Value {
    return this.call.value(name);
  }

  /** A size. One that is not known becomes a nameless symbol, so that the layer's other axes stay known. */
  dim(name: string): Dim {
    const v = this.interpreter.settleAs(this.value(name), 'int');
    return isOpaque(v) || (v.kind === 'array' && v.node.value === null) ? anonymous() : this.call.dim(name);
  }

  /** A size that Python only computes with, so that MLX takes whole floats too. */
  count(name: string): Dim {
    const v = this.value(name);
    if (v.kind !== 'float') return this.dim(name);
    return v.value !== null && Number.isInteger(v.value) ? v.value : anonymous();
  }

  /** A number, or null when its value is not known. */
  number(name: string): number | null {
    return this.call.float(name);
  }

  /** A flag, or null when it may be either. */
  flag(name: string): boolean | null {
    return this.interpreter.truth(this.value(name));
  }

  /** An array argument. What nothing is known of becomes an array of unknown shape; numbers stay as they are. */
  input(name: string): Value {
    const v = this.interpreter.settleAs(this.value(name), 'array');
    return isOpaque(v) ? array(source({ shape: null, dtype: null }, { origin: this.interpreter.origin() })) : v;
  }

  /** An optional array argument, null for None. @throws Unknowable when it may be None */
  optional(name: string): Value | null {
    return this.call.has(name) ? this.input(name) : null;
  }

  // ---- the instance ---------------------------------------------------------------------------------------------------

  set(name: string, value: Value): void {
    this.interpreter.heap.set(this.self.attributes, name, value);
  }

  /** The attribute as it is now. */
  get(name: string): Value {
    const own = this.self.attributes.get(name);
    if (own) return this.interpreter.settled(own);
    const value = this.interpreter.getAttribute(this.self, name);
    if (value) return this.interpreter.settled(value);
    throw new Refusal(
      'attribute',
      `${this.self.cls.name} has no attribute ${name}`,
      { name, layer: this.self },
      'AttributeError',
    );
  }

  /** The array kept under `name`, or null where there is none. It may be none where the answer depends on unknowns. */
  member(name: string): Value | null {
    return hasMember(this.self, name) ? this.get(name) : null;
  }

  /** An int attribute; a nameless symbol where it is not known. */
  size(name: string): Dim {
    const v = this.get(name);
    return v.kind === 'int' ? v.value : anonymous();
  }

  /** A flag attribute. @throws Unknowable when it may be either */
  isSet(name: string): boolean {
    const answer = this.interpreter.truth(this.get(name));
    if (answer === null) throw new Unknowable(`${name} of ${this.self.cls.name} is not known`);
    return answer;
  }

  /** A float or int attribute; null when its value is not known. */
  constant(name: string): number | null {
    const v = this.get(name);
    if (v.kind === 'float') return v.value;
    return v.kind === 'int' && isKnown(v.value) ? v.value : null;
  }

  /** Whether the layer trains. @throws Unknowable when it may be either */
  get training(): boolean {
    const answer = isTraining(this.interpreter, this.self);
    if (answer === null) throw new Unknowable(`whether ${this.self.cls.name} is training is not known`);
    return answer;
  }

  /** A layer inside this one. */
  make(cls: ClassValue, positional: readonly Value[], keywords: { readonly [name: string]: Value } = {}): Value {
    return this.interpreter.instantiate(cls, args(positional, Object.entries(keywords)));
  }

  /** As many layers as the argument says; a list of unknown length where that is a symbol. */
  repeat(name: string, make: () => Value): Value {
    const count = this.interpreter.facts.resolve(this.dim(name));
    return isKnown(count) ? list(Array.from({ length: Math.max(0, count) }, make)) : openList(make(), count);
  }

  /** `self.name(*positional)` */
  callAttribute(name: string, ...positional: Value[]): Value {
    return this.interpreter.callWith(this.get(name), ...positional);
  }

  // ---- shapes ---------------------------------------------------------------------------------------------------------

  /** What is known of the axes: those of an array, none for a Python number. */
  private knownShape(x: Value): readonly Dim[] | OpenShape | null {
    if (x.kind === 'array') return this.interpreter.facts.shape(x.node.shape);
    return scalarKind(x) ? [] : null;
  }

  /** The array's axes, or null when its rank is not known. */
  shape(x: Value): readonly Dim[] | null {
    const shape = this.knownShape(x);
    return shape instanceof OpenShape ? null : shape;
  }

  /** The array's axes; fixes its rank where it was open. @throws Unknowable where that is not possible */
  ranked(x: Value, rank: number, names: readonly string[] = []): readonly Dim[] {
    const shape = this.knownShape(x);
    const axes = shape instanceof OpenShape ? this.interpreter.facts.refineRank(shape, rank, names) : shape;
    if (axes === null) throw new Unknowable('the rank of the input is not known');
    return axes;
  }

  /** An axis of an array of known rank, such as a weight; a nameless symbol where it is not known. */
  axis(x: Value, axis: number): Dim {
    return this.shape(x)?.at(axis) ?? anonymous();
  }

  /** The input's type for a message: `float32[32, 256]`. */
  show(x: Value): string {
    return x.kind === 'array'
      ? showType({ shape: this.interpreter.facts.shape(x.node.shape), dtype: x.node.dtype })
      : x.kind;
  }

  refusal(kind: RefusalKind, message: string, detail: RefusalDetail = {}): Refusal {
    return new Refusal(kind, message, { layer: this.self, ...detail });
  }

  /**
   * The last axis of `x` must be `expected`: refused where it cannot be, learnt where it is open.
   * @param noun what the axis counts, for the message: "features", "channels"
   */
  expectLast(x: Value, expected: Dim, kind: RefusalKind, noun: string): void {
    if (x.kind !== 'array') return;
    const { facts } = this.interpreter;
    const shape = facts.shape(x.node.shape);
    if (shape === null) return;
    const last = shape instanceof OpenShape ? shape.tail.at(-1) : shape.at(-1);
    if (last === undefined && shape instanceof OpenShape) {
      facts.bindRow(shape.lead, new OpenShape(new RowVariable(shape.lead.name), [expected]));
      return;
    }
    const name = this.self.cls.name;
    if (last === undefined)
      throw this.refusal(kind, `${name} expects ${showDim(expected)} ${noun} on the last axis, x has no axes`);
    facts.require(last, expected, () =>
      this.refusal(
        kind,
        `${name} expects ${showDim(expected)} ${noun} on the last axis, x has ${showDim(last)}: ${this.show(x)}`,
        { axis: -1, expected, actual: last },
      ),
    );
  }

  /** An array of the same shape as `x` that nothing else is known of: for inputs whose rank is not known. */
  like(x: Value, dtype: ArrayNode['dtype'] = x.kind === 'array' ? x.node.dtype : null): Value {
    return this.interpreter.source({ shape: x.kind === 'array' ? x.node.shape : null, dtype });
  }

  /** An array of which only the last axis is known. */
  openLast(last: Dim, dtype: ArrayNode['dtype'] = null): Value {
    return this.interpreter.source({ shape: new OpenShape(new RowVariable('?'), [last]), dtype });
  }

  // ---- repr -----------------------------------------------------------------------------------------------------------

  /** `str(value)` of an attribute or size. @throws Unknowable where it cannot be known */
  text(value: Value | Dim | boolean | null): string {
    const v = typeof value === 'boolean' || value === null ? this.interpreter.bool(value) : value;
    const shown = typeof v === 'number' || !('kind' in v) ? (isKnown(v) ? `${v}` : null) : this.interpreter.format(v);
    if (shown === null) throw new Unknowable('a value that it shows is not known');
    return shown;
  }

  /** `"name" in self` as it prints. */
  has(name: string): string {
    return this.text(hasMember(this.self, name));
  }
}

export interface LayerDefinition {
  readonly name: string;
  readonly base?: ClassValue;
  /** Parameters of the constructor; the base's constructor without it. */
  readonly init?: string;
  readonly construct?: (layer: Layer) => void;
  readonly call?: string;
  readonly forward?: (layer: Layer) => Value;
  /** What stands between the parentheses of its repr. */
  readonly repr?: (layer: Layer) => string;
  readonly methods?: readonly (readonly [name: string, value: Value])[];
}

/** A method of a layer. `signature` is as of `define`. */
export const layerMethod = (
  signature: string,
  run: (layer: Layer) => Value,
  options?: { spread?: boolean },
): BuiltinValue => moduleMethod(signature, (call, self) => run(new Layer(call, self)), options);

/** A layer as a class that user code can subclass. */
export function defineLayer(definition: LayerDefinition): ClassValue {
  const { name, base = Module, init, construct, call, forward, repr } = definition;
  const attributes: [string, Value][] = [];
  if (init !== undefined)
    attributes.push([
      '__init__',
      layerMethod(
        `nn.${name}${init}`,
        l => {
          initializeModule(l.interpreter, l.self);
          try {
            construct?.(l);
          } catch (e) {
            if (!(e instanceof Unknowable)) throw e;
            l.interpreter.heap.openInstance(l.self);
          }
          return NONE;
        },
        { spread: false },
      ),
    ]);
  if (call !== undefined && forward) attributes.push(['__call__', layerMethod(`${name}.__call__${call}`, forward)]);
  if (repr)
    attributes.push([
      '_extra_repr',
      layerMethod(`${name}._extra_repr()`, l => {
        try {
          return str(repr(l));
        } catch (e) {
          if (e instanceof Unknowable) return str(null);
          throw e;
        }
      }),
    ]);
  for (const [method, value] of definition.methods ?? []) attributes.push([method, value]);
  return nativeClass(name, [base], attributes);
}
