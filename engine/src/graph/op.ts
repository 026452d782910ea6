/**
 * How an operation is described: once, with its shape and dtype rule and its reference kernel side by side.
 *
 * The files of `engine/src/ops/` each hold one family and register every operation of it with `defineOp`.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import type { OpenShape } from '../dims/shape';
import type { DType } from '../dtype';
import type { Tensor } from '../tensor';

/** What is known of an array's shape: its axes, some of them (OpenShape), or nothing (null). */
export type Shape = readonly Dim[] | OpenShape | null;

export interface ArrayType {
  readonly shape: Shape;
  /** null when unknown. */
  readonly dtype: DType | null;
}

/** An array whose rank is known; its axes may be symbols. */
export interface RankedType extends ArrayType {
  readonly shape: readonly Dim[];
}

export type Attr =
  | Dim
  | string
  | boolean
  | null
  | undefined
  | DType
  | readonly Attr[]
  | { readonly [key: string]: Attr };
export type Attrs = { readonly [name: string]: Attr };

export interface OpDef<A extends Attrs = Attrs> {
  readonly name: string;
  /**
   * Shapes and dtypes of the results. Called only when the rank of every input is known.
   * Throws Refusal where MLX would raise for all values of the symbols; learns from what must hold through `facts`
   * (`facts.require`). May answer a null shape or dtype where the rule cannot be exact.
   */
  infer(facts: Facts, inputs: readonly RankedType[], attrs: A): ArrayType | readonly ArrayType[];
  /** The same when the rank of some input is unknown. Default: one result of unknown shape and dtype. */
  inferOpen?(facts: Facts, inputs: readonly ArrayType[], attrs: A): ArrayType | readonly ArrayType[];
  /**
   * The values, computed plainly: the reference that faster backends are tested against. All attrs are numbers here.
   * `out` are the inferred result types with numeric shapes. Absent only for operations without values.
   */
  kernel?(inputs: readonly Tensor[], attrs: A, out: readonly ConcreteType[]): Tensor | readonly Tensor[];
}

export interface ConcreteType {
  readonly shape: readonly number[];
  readonly dtype: DType;
}

const table = new Map<string, OpDef>();

/** Registers an operation. A name can be taken once. */
export function defineOp<A extends Attrs>(def: OpDef<A>): OpDef<A> {
  if (table.has(def.name)) throw new Error(`operation ${def.name} is defined twice`);
  table.set(def.name, def as unknown as OpDef);
  return def;
}

/** The operation called `name`; throws when there is none, since names come from our own surface. */
export function opNamed(name: string): OpDef {
  const def = table.get(name);
  if (!def) throw new Error(`no operation is called ${name}`);
  return def;
}

export const allOps = (): readonly OpDef[] => [...table.values()];
