/**
 * What the interpreter offers to code that implements Python values outside it (MLX's surface, builtins).
 *
 * The evaluator implements this; nothing outside the room needs more of it.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { ArrayType, Attrs } from '../../../engine/src/graph/op';
import type { Tensor } from '../../../engine/src/tensor';
import type { Heap } from './heap';
import type {
  Arguments,
  ArrayValue,
  BoolValue,
  ClassValue,
  InstanceValue,
  Iteration,
  NativeType,
  Origin,
  Value,
} from './values';

/** What a file of arrays holds. */
export interface ArraysInFile {
  readonly arrays: ReadonlyMap<string, ArrayType>;
  /** Why MLX cannot load it, as a sentence; null where it can. */
  readonly problem: string | null;
}

export interface Interpreter {
  /** What is known of dimensions on the path being walked. */
  readonly facts: Facts;
  /** The only way to change a container. */
  readonly heap: Heap;
  /** How arrays behave; set by the MLX room. */
  readonly arrayType: NativeType;
  /** State that belongs to one run of a program (MLX's random generator, default device), by owner. */
  readonly session: Map<string, unknown>;

  /** Whether a program is followed from its start: not so where functions are read on their own. */
  readonly followsAll: boolean;

  /** The values of an array, in a run that computes them where the program reads them; null in every other. */
  readonly values: ((node: ArrayNode) => Tensor | null) | null;

  /** Where the expression being evaluated stands. */
  origin(): Origin | null;

  /** Records an operation with one result. @throws Refusal */
  record(op: string, inputs: readonly ArrayNode[], attrs?: Attrs): ArrayValue;
  /** Records an operation with several results. @throws Refusal */
  recordAll(op: string, inputs: readonly ArrayNode[], attrs?: Attrs): readonly ArrayValue[];
  /** An array that comes from outside: a parameter, weights, data. */
  source(type: ArrayType, label?: string): ArrayValue;

  /** Follows settled parameters; an unsettled one or another value is answered as it is. */
  settled(value: Value): Value;
  /** Settles an unsettled parameter as an array of open shape, an int named after it, … Other values as they are. */
  settleAs(value: Value, as: 'array' | 'int' | 'float' | 'bool' | 'str'): Value;

  call(callee: Value, args: Arguments): Value;
  /** Calls with positional values only. */
  callWith(callee: Value, ...positional: Value[]): Value;
  /** The attribute, or null where there is certainly none; unknown attributes of open values are UnknownValue. */
  getAttribute(value: Value, name: string): Value | null;
  setAttribute(value: Value, name: string, to: Value): void;
  getItem(value: Value, index: Value): Value;
  setItem(value: Value, index: Value, to: Value): void;
  binary(op: string, left: Value, right: Value): Value;
  compare(op: string, left: Value, right: Value): Value;
  /** What a loop over the value goes over; an unknown value gives an unknown element. */
  iterate(value: Value): Iteration;
  /** Python's truth of the value; null when it may be either. */
  truth(value: Value): boolean | null;
  length(value: Value): Dim | null;
  /** isinstance(value, cls); null when it may be either. */
  isInstance(value: Value, cls: ClassValue): boolean | null;
  /** Makes an instance by calling the class. */
  instantiate(cls: ClassValue, args: Arguments): Value;
  /** An instance with the origin of the current call and no `__init__` run. */
  bareInstance(cls: ClassValue): InstanceValue;
  /** One value that stands for all of these. */
  join(values: readonly Value[]): Value;
  /** `str(value)`; null where it cannot be known. */
  format(value: Value): string | null;
  /** What the file of arrays at an absolute path holds now, by name; null where that cannot be told. */
  arraysIn(path: string): ArraysInFile | null;
  bool(value: boolean | null): BoolValue;
}

/** Positional and keyword arguments from plain values. */
export const args = (positional: readonly Value[], keywords: Iterable<readonly [string, Value]> = []): Arguments => ({
  positional,
  keywords: new Map(keywords),
  open: false,
});

/**
 * Thrown by a builtin whose answer cannot be known; the call is then worth `UnknownValue(reason)`. It is no Error, since
 * that would note the stack each time.
 */
export class Unknowable {
  constructor(readonly reason: string) {}
}
