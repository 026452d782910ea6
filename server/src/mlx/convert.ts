/**
 * Python values as arrays, the way MLX converts them: weak scalars take the dtype of what they meet.
 */
import { type Dim, isKnown } from '../../../engine/src/dims/dim';
import { OpenShape, RowVariable, showShape } from '../../../engine/src/dims/shape';
import { type DType, isInteger, kindOf, promote, promoteScalar, sizeOf } from '../../../engine/src/dtype';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import { type PythonError, Refusal } from '../../../engine/src/graph/refusal';
import { cast } from '../../../engine/src/numeric/cast';
import { type Tensor, tensor } from '../../../engine/src/tensor';
import type { Interpreter } from '../interpreter/interpreter';
import type { ListValue, TupleValue, Value } from '../interpreter/values';

/** The weak kind of a Python number, or null for anything else. */
export function scalarKind(v: Value): ScalarKind | null {
  return v.kind === 'bool' || v.kind === 'int' || v.kind === 'float' || v.kind === 'complex' ? v.kind : null;
}

type ScalarKind = 'bool' | 'int' | 'float' | 'complex';

const ALONE = { bool: 'bool', int: 'int32', float: 'float32', complex: 'complex64' } as const;

/** The number a scalar is, where it is known and real. */
function numberOf(v: Value): number | null {
  if (v.kind === 'int') return isKnown(v.value) ? v.value : null;
  if (v.kind === 'float') return v.value;
  return v.kind === 'bool' && v.value !== null ? Number(v.value) : null;
}

/** The dtype `mx.array` gives a Python number by itself: ints that need it take 64 bits. */
function dtypeAlone(v: Value, kind: ScalarKind): DType {
  const number = numberOf(v);
  return kind === 'int' && number !== null && Math.trunc(number) !== (number | 0) ? 'int64' : ALONE[kind];
}

/** A Python number as a 0-d array. `dtype` null means what `mx.array` would choose. */
export function scalarArray(interpreter: Interpreter, v: Value, dtype: DType | null = null): ArrayNode {
  const kind = scalarKind(v)!;
  const origin = interpreter.origin();
  if (v.kind === 'complex') {
    const value = tensor('complex64', [], Float32Array.of(v.real, v.imaginary));
    return source({ shape: [], dtype: 'complex64' }, { value, origin });
  }
  const number = numberOf(v);
  const type = dtype ?? dtypeAlone(v, kind);
  if (number === null) return source({ shape: [], dtype: type }, { origin });
  if (kind === 'int') requireRange(number, 64, `${number} does not fit in 64 bits`, 'RuntimeError');
  return source({ shape: [], dtype: type }, { value: fromNumbers([number], [], type), origin });
}

/** @throws Refusal for an int that signed integers of so many bits cannot hold */
function requireRange(number: number, bits: number, message: string, raised: PythonError): void {
  const limit = 2 ** (bits - 1);
  if (number < -limit || number >= limit) throw new Refusal('value', message, {}, raised);
}

/**
 * A Python number as MLX makes an array of it beside one of `dtype`.
 * @throws Refusal for an int that integers of less than 64 bits cannot hold
 */
export function scalarBeside(interpreter: Interpreter, v: Value, dtype: DType): ArrayNode {
  const type = promoteScalar(dtype, scalarKind(v)!)!;
  const number = v.kind === 'int' ? numberOf(v) : null;
  const bits = 8 * sizeOf(type);
  if (number !== null && isInteger(type) && bits < 64) {
    const [least, most] = kindOf(type) === 'unsigned' ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
    if (number < least || number > most)
      throw new Refusal('dtype', `${number} does not fit in ${type}, which holds ${least} to ${most}`);
  }
  return scalarArray(interpreter, v, type);
}

/** Numbers as a tensor. */
const fromNumbers = (numbers: readonly number[], shape: readonly number[], dtype: DType): Tensor =>
  cast({ shape, dtype: 'float64', data: Float64Array.from(numbers) }, dtype);

/**
 * Any value as an array: arrays themselves, numbers, and (through `mx.array`'s rule) nested sequences of them.
 * A value nothing is known of becomes an array of unknown shape and dtype.
 * @throws what `refuse` makes for a value that can be no array.
 */
export function toArray(interpreter: Interpreter, value: Value, refuse: () => Refusal): ArrayNode {
  const v = interpreter.settleAs(value, 'array');
  if (v.kind === 'array') return v.node;
  if (scalarKind(v)) return scalarArray(interpreter, v);
  switch (v.kind) {
    case 'list':
    case 'tuple':
      return arrayOfSequence(interpreter, v);
    case 'native': {
      const numpy = numpyArray(v);
      return numpy ? numpyNode(interpreter, numpy, null) : source(UNKNOWN, { origin: interpreter.origin() });
    }
    case 'unknown':
    case 'parameter':
    case 'union':
    case 'instance':
    case 'iterator':
      return source(UNKNOWN, { origin: interpreter.origin() });
    default:
      throw refuse();
  }
}

const UNKNOWN = { shape: null, dtype: null } as const;

// ---- nested sequences -------------------------------------------------------------------------------------------------

/** What a nested sequence holds: its shape, the dtype that its numbers and arrays ask for, and its numbers where known. */
interface Contents {
  readonly shape: readonly Dim[];
  readonly dtype: DType | null;
  /** In order; null where they are not all known. */
  readonly numbers: readonly number[] | null;
}

/** Dtypes whose elements MLX reads from a list as 32-bit ints first. */
const READ_AS_INT32: ReadonlySet<DType> = new Set(['bool', 'uint8', 'uint16', 'int8', 'int16', 'int32']);

/** Items of more sequences than this are not followed one by one. */
const MOST_ROWS = 64;

/**
 * A list or tuple, nested or not, as `mx.array` reads it. `dtype` null is what the contents ask for together.
 * @throws Refusal for rows of different lengths and for items that are no numbers, arrays or sequences
 */
export function arrayOfSequence(interpreter: Interpreter, sequence: Value, dtype: DType | null = null): ArrayNode {
  const origin = interpreter.origin();
  const found = contentsOf(interpreter, sequence);
  if (!found) return source({ shape: null, dtype }, { origin });
  const { shape, numbers } = found;
  const type = dtype ?? found.dtype;
  if (numbers && dtype && found.dtype === 'int64' && READ_AS_INT32.has(dtype))
    for (const number of numbers)
      requireRange(number, 32, `mx.array: ${number} of the list does not fit in 32 bits`, 'RuntimeError');
  if (numbers && type && shape.every(isKnown))
    return source({ shape, dtype: type }, { value: fromNumbers(numbers, shape, type), origin });
  const stacked = stack(interpreter, sequence);
  if (!stacked) return source({ shape, dtype: type }, { origin });
  return type === null || stacked.dtype === type
    ? stacked
    : interpreter.record('astype', [stacked], { dtype: type }).node;
}

function contentsOf(interpreter: Interpreter, value: Value): Contents | null {
  const v = interpreter.settled(value);
  const kind = scalarKind(v);
  if (kind) {
    const number = numberOf(v);
    return { shape: [], dtype: dtypeAlone(v, kind), numbers: number === null ? null : [number] };
  }
  switch (v.kind) {
    case 'array': {
      const shape = interpreter.facts.shape(v.node.shape);
      if (shape === null || shape instanceof OpenShape) return null;
      return { shape, dtype: v.node.dtype, numbers: null };
    }
    case 'list':
    case 'tuple':
      return sequenceContents(interpreter, v);
    case 'str':
      // text that nothing is known of is but what keys usually are
      if (v.value === null) return null;
      throw new Refusal('value', 'mx.array cannot be made of a str');
    case 'unknown':
    case 'parameter':
    case 'union':
    case 'instance':
    case 'iterator':
      return null;
    default:
      throw new Refusal('value', `mx.array cannot be made of a ${v.kind === 'native' ? v.type.name : v.kind}`);
  }
}

function sequenceContents(interpreter: Interpreter, v: ListValue | TupleValue): Contents | null {
  if (!v.items) {
    const inner = contentsOf(interpreter, v.element!);
    return inner && { shape: [v.length, ...inner.shape], dtype: inner.dtype, numbers: null };
  }
  if (v.items.length === 0) return { shape: [0], dtype: 'float32', numbers: [] };
  const parts = v.items.map(item => contentsOf(interpreter, item));
  if (!parts.every(part => part !== null)) return null;
  const [first] = parts;
  const { facts } = interpreter;
  for (const { shape } of parts)
    if (shape.length !== first.shape.length || shape.some((d, i) => facts.equal(d, first.shape[i]) === 'no'))
      throw new Refusal(
        'value',
        `mx.array: the rows of a nested list must be alike; one is ${showShape(first.shape)}, another ${showShape(shape)}`,
      );
  const known = parts.flatMap(part => part.numbers ?? []);
  return {
    shape: [parts.length, ...first.shape],
    dtype: parts.map(part => part.dtype).reduce(promote),
    numbers: parts.every(part => part.numbers) ? known : null,
  };
}

/** The arrays of a nested sequence put together as MLX records it; null where there are too many or some are not known. */
function stack(interpreter: Interpreter, value: Value): ArrayNode | null {
  const v = interpreter.settled(value);
  if (v.kind === 'array') return v.node;
  if (scalarKind(v)) return scalarArray(interpreter, v);
  if ((v.kind !== 'list' && v.kind !== 'tuple') || !v.items || v.items.length > MOST_ROWS) return null;
  const rows = v.items.map(item => stack(interpreter, item));
  return rows.length > 0 && rows.every(row => row !== null)
    ? interpreter.record('stack', rows, { axis: 0 }).node
    : null;
}

// ---- beside another array ---------------------------------------------------------------------------------------------

/**
 * The operands of a binary operation: a Python number becomes an array of the dtype that MLX gives it beside the other.
 */
export function operands(interpreter: Interpreter, a: Value, b: Value, refuse: () => Refusal): [ArrayNode, ArrayNode] {
  const left = interpreter.settled(a);
  const right = interpreter.settled(b);
  if (isWeak(left) && !isWeak(right)) {
    const other = toArray(interpreter, right, refuse);
    return [weak(interpreter, left, other), other];
  }
  if (isWeak(right) && !isWeak(left)) {
    const other = toArray(interpreter, left, refuse);
    return [other, weak(interpreter, right, other)];
  }
  return [toArray(interpreter, left, refuse), toArray(interpreter, right, refuse)];
}

/** Whether a value takes the dtype of the array it meets: Python's numbers within their kind, and all that is NumPy's. */
const isWeak = (v: Value): boolean => scalarKind(v) !== null || numpyArray(v) !== null;

function weak(interpreter: Interpreter, v: Value, beside: ArrayNode): ArrayNode {
  const numpy = numpyArray(v);
  if (numpy) return numpyNode(interpreter, numpy, beside.dtype);
  if (beside.dtype === null) return source({ shape: [], dtype: null }, { origin: interpreter.origin() });
  return scalarBeside(interpreter, v, beside.dtype);
}

// ---- NumPy's arrays ---------------------------------------------------------------------------------------------------

/** What an `ndarray` or a NumPy number holds: the array MLX would make of it. */
export interface NumpyArray {
  readonly node: ArrayNode;
  /** NumPy's name of the dtype; null when it is not known. */
  readonly dtype: string | null;
  /** The Python number that a NumPy number is. */
  readonly number?: Value;
}

/** The data of a NumPy array or number, or null for another value. */
export const numpyArray = (v: Value): NumpyArray | null =>
  v.kind === 'native' && (v.type.name === 'ndarray' || v.type.name === 'generic') ? (v.data as NumpyArray) : null;

/** A NumPy array as an array of `dtype`, or of the one MLX gives it. */
export function numpyNode(interpreter: Interpreter, { node }: NumpyArray, dtype: DType | null): ArrayNode {
  if (dtype === null || dtype === node.dtype) return node;
  return interpreter.record('astype', [node], { dtype }).node;
}

/** The type of an array parameter nothing is known of yet, to be refined by use. */
export const openArray = (name: string): { shape: OpenShape; dtype: null } => ({
  shape: new OpenShape(new RowVariable(name), []),
  dtype: null,
});
