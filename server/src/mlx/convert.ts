/**
 * Python values as arrays, the way MLX converts them: weak scalars take the dtype of what they meet.
 */
import { isKnown } from '../../../engine/src/dims/dim';
import { OpenShape, RowVariable } from '../../../engine/src/dims/shape';
import { type DType, promoteScalar } from '../../../engine/src/dtype';
import { type ArrayNode, source } from '../../../engine/src/graph/graph';
import type { Refusal } from '../../../engine/src/graph/refusal';
import { allocate, tensor } from '../../../engine/src/tensor';
import type { Interpreter } from '../interpreter/interpreter';
import type { Value } from '../interpreter/values';

/** The weak kind of a Python number, or null for anything else. */
export function scalarKind(v: Value): 'bool' | 'int' | 'float' | 'complex' | null {
  return v.kind === 'bool' || v.kind === 'int' || v.kind === 'float' || v.kind === 'complex' ? v.kind : null;
}

const ALONE = { bool: 'bool', int: 'int32', float: 'float32', complex: 'complex64' } as const;

/** A Python number as a 0-d array. `dtype` null means what `mx.array` would choose. */
export function scalarArray(interpreter: Interpreter, v: Value, dtype: DType | null = null): ArrayNode {
  const kind = scalarKind(v)!;
  const type: DType = dtype ?? ALONE[kind];
  const number =
    v.kind === 'int'
      ? isKnown(v.value)
        ? v.value
        : null
      : v.kind === 'float'
        ? v.value
        : v.kind === 'bool' && v.value !== null
          ? Number(v.value)
          : null;
  const origin = interpreter.origin();
  if (v.kind === 'complex') {
    const data = allocate('complex64', 1);
    data.set([v.real, v.imaginary]);
    return source({ shape: [], dtype: 'complex64' }, { value: tensor('complex64', [], data), origin });
  }
  if (number === null) return source({ shape: [], dtype: type }, { origin });
  const data = allocate(type, 1);
  if (type === 'int64' || type === 'uint64') (data as BigInt64Array)[0] = BigInt(Math.trunc(number));
  else (data as Float32Array)[0] = number;
  return source({ shape: [], dtype: type }, { value: tensor(type, [], data), origin });
}

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
    case 'unknown':
    case 'parameter':
    case 'union':
    case 'native':
    case 'instance':
    case 'list':
    case 'tuple':
      return source({ shape: null, dtype: null }, { origin: interpreter.origin() });
    default:
      throw refuse();
  }
}

/**
 * The operands of a binary operation: a Python number becomes an array of the dtype that MLX gives it beside the other.
 */
export function operands(interpreter: Interpreter, a: Value, b: Value, refuse: () => Refusal): [ArrayNode, ArrayNode] {
  const left = interpreter.settled(a);
  const right = interpreter.settled(b);
  const [ka, kb] = [scalarKind(left), scalarKind(right)];
  if (ka && !kb) {
    const other = toArray(interpreter, right, refuse);
    return [weak(interpreter, left, ka, other), other];
  }
  if (kb && !ka) {
    const other = toArray(interpreter, left, refuse);
    return [other, weak(interpreter, right, kb, other)];
  }
  return [toArray(interpreter, left, refuse), toArray(interpreter, right, refuse)];
}

function weak(
  interpreter: Interpreter,
  v: Value,
  kind: 'bool' | 'int' | 'float' | 'complex',
  beside: ArrayNode,
): ArrayNode {
  if (beside.dtype === null) return source({ shape: [], dtype: null }, { origin: interpreter.origin() });
  return scalarArray(interpreter, v, promoteScalar(beside.dtype, kind));
}

/** The type of an array parameter nothing is known of yet, to be refined by use. */
export const openArray = (name: string): { shape: OpenShape; dtype: null } => ({
  shape: new OpenShape(new RowVariable(name), []),
  dtype: null,
});
