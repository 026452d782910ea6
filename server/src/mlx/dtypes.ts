/**
 * MLX's dtypes as Python values: `mx.float32`, their categories, and what `finfo`, `issubdtype` and their kin say of them.
 */
import { anonymous, isKnown } from '../../../engine/src/dims/dim';
import { DTYPES, type DType, isFloating, isInteger, kindOf, promote, sizeOf } from '../../../engine/src/dtype';
import { Refusal } from '../../../engine/src/graph/refusal';
import type { Interpreter } from '../interpreter/interpreter';
import {
  type BuiltinValue,
  bool,
  builtin,
  type ClassValue,
  float,
  type InstanceValue,
  instance,
  int,
  type NativeType,
  type NativeValue,
  nativeClass,
  str,
  unknown,
  type Value,
} from '../interpreter/values';
import { type Call, define, dtypeOf, isOpaque, typeName } from './define';

export const dtypeClass: ClassValue = nativeClass('Dtype', []);
export const categoryClass: ClassValue = nativeClass('DtypeCategory', []);

/** `==` and `!=` of values that are equal when their data is; null where the other is not known. */
function compareData(op: string, value: Value, other: Value): Value | null {
  if (op !== '==' && op !== '!=') return null;
  if (isOpaque(other)) return bool(null);
  const [a, b] = [value as NativeValue, other as NativeValue];
  const equal = b.kind === 'native' && a.type === b.type && a.data === b.data;
  return bool(equal === (op === '=='));
}

const dtypeType: NativeType = {
  name: 'Dtype',
  cls: dtypeClass,
  getAttribute: (_, value, name) => (name === 'size' ? int(sizeOf((value as NativeValue).data as DType)) : null),
  compare: (_, op, value, other) => compareData(op, value, other),
  format: value => `mlx.core.${(value as NativeValue).data}`,
};

const categoryType: NativeType = {
  name: 'DtypeCategory',
  cls: categoryClass,
  compare: (_, op, value, other) => compareData(op, value, other),
  format: value => `DtypeCategory.${(value as NativeValue).data}`,
};

const native = (type: NativeType, data: unknown): NativeValue => ({ kind: 'native', type, data });

const values = new Map<DType, NativeValue>(DTYPES.map(dtype => [dtype, native(dtypeType, dtype)]));

/** `mx.float32` and so on; unknown when the dtype is. */
export const dtypeValue = (dtype: DType | null): Value =>
  dtype === null ? unknown('the dtype is not known') : values.get(dtype)!;

// ---- categories -------------------------------------------------------------------------------------------------------

const CATEGORIES = [
  'generic',
  'number',
  'integer',
  'signedinteger',
  'unsignedinteger',
  'inexact',
  'floating',
  'complexfloating',
] as const;
type Category = (typeof CATEGORIES)[number];

/** Each category's parent. */
const PARENT: Record<Category, Category | null> = {
  generic: null,
  number: 'generic',
  integer: 'number',
  signedinteger: 'integer',
  unsignedinteger: 'integer',
  inexact: 'number',
  floating: 'inexact',
  complexfloating: 'inexact',
};

const OF_KIND: Record<ReturnType<typeof kindOf>, Category> = {
  bool: 'generic',
  unsigned: 'unsignedinteger',
  signed: 'signedinteger',
  float: 'floating',
  complex: 'complexfloating',
};

/** A dtype or a category. */
type Kind = { dtype: DType } | { category: Category };

function kindOfValue(c: Call, name: string): Kind | null {
  const v = c.value(name);
  const dtype = dtypeOf(v);
  if (dtype) return { dtype };
  if (v.kind === 'native' && v.type === categoryType) return { category: v.data as Category };
  if (isOpaque(v)) return null;
  throw c.wrong(name, 'a dtype or a category of dtypes');
}

function isSubdtype(a: Kind, b: Kind): boolean {
  if ('dtype' in b) return 'dtype' in a && a.dtype === b.dtype;
  let category: Category | null = 'dtype' in a ? OF_KIND[kindOf(a.dtype)] : a.category;
  while (category && category !== b.category) category = PARENT[category];
  return category !== null;
}

const ISDTYPE_KINDS: Record<string, (dtype: DType) => boolean> = {
  bool: dtype => dtype === 'bool',
  'signed integer': dtype => kindOf(dtype) === 'signed',
  'unsigned integer': dtype => kindOf(dtype) === 'unsigned',
  integral: isInteger,
  'real floating': isFloating,
  'complex floating': dtype => dtype === 'complex64',
  numeric: dtype => dtype !== 'bool',
};

/** Whether `dtype` is of the kind that `isdtype`'s second argument (a string, a dtype, a tuple of them) names. */
function isOfKind(c: Call, dtype: DType, kind: Value): boolean | null {
  const v = c.interpreter.settled(kind);
  if (v.kind === 'tuple') {
    if (!v.items) return null;
    const answers = v.items.map(item => isOfKind(c, dtype, item));
    return answers.includes(true) ? true : answers.includes(null) ? null : false;
  }
  const named = dtypeOf(v);
  if (named) return named === dtype;
  if (isOpaque(v) || (v.kind === 'str' && v.value === null)) return null;
  const test = v.kind === 'str' ? ISDTYPE_KINDS[v.value!] : undefined;
  if (!test)
    throw new Refusal('value', `mx.isdtype: kind must be a dtype or one of ${Object.keys(ISDTYPE_KINDS).join(', ')}`);
  return test(dtype);
}

// ---- machine limits ---------------------------------------------------------------------------------------------------

interface FloatLimits {
  max: number;
  eps: number;
  smallest_normal: number;
  bits: number;
}
const FLOAT_LIMITS: Partial<Record<DType, FloatLimits>> = {
  float16: { max: 65504, eps: 2 ** -10, smallest_normal: 2 ** -14, bits: 16 },
  bfloat16: { max: 3.3895313892515355e38, eps: 2 ** -7, smallest_normal: 2 ** -126, bits: 16 },
  float32: { max: 3.4028234663852886e38, eps: 2 ** -23, smallest_normal: 2 ** -126, bits: 32 },
  float64: { max: Number.MAX_VALUE, eps: 2 ** -52, smallest_normal: 2 ** -1022, bits: 64 },
  complex64: { max: 3.4028234663852886e38, eps: 2 ** -23, smallest_normal: 2 ** -126, bits: 32 },
};

/** `finfo(min=-65504, max=65504, dtype=float16)`; null where a limit is not known. */
function showLimits(name: string, { attributes }: InstanceValue): string | null {
  const shown = (field: string): string | null => {
    const v = attributes.get(field)!;
    if (v.kind === 'float') return v.value === null ? null : `${Number(v.value.toPrecision(6))}`;
    return v.kind === 'int' && isKnown(v.value) ? `${v.value}` : null;
  };
  const [min, max] = [shown('min'), shown('max')];
  return min && max ? `${name}(min=${min}, max=${max}, dtype=${dtypeOf(attributes.get('dtype')!)})` : null;
}

/** The class `mx.<name>`: called with a dtype it makes an object with these fields. @throws Refusal for a dtype not `wanted` */
function limits(
  name: string,
  wanted: string,
  describe: (dtype: DType) => Iterable<readonly [string, Value]> | null,
): ClassValue {
  return nativeClass(name, [], [], (interpreter, cls, passed) => {
    const make = define(`mx.${name}(dtype, /)`, c => {
      const dtype = c.dtype('dtype');
      if (dtype === null) return unknown('the dtype is not known');
      const fields = describe(dtype);
      if (!fields) throw new Refusal('value', `mx.${name} is for ${wanted} dtypes, not for ${dtype}`);
      const info = instance(cls, interpreter.origin());
      for (const [field, value] of fields) info.attributes.set(field, value);
      info.attributes.set(
        '__repr__',
        builtin('__repr__', () => str(showLimits(name, info))),
      );
      return info;
    });
    return make.call(interpreter, passed);
  });
}

const finfo = limits('finfo', 'floating', dtype => {
  const limit = FLOAT_LIMITS[dtype];
  return (
    (limit && [
      ['dtype', dtypeValue(dtype === 'complex64' ? 'float32' : dtype)],
      ['min', float(-limit.max)],
      ['max', float(limit.max)],
      ['eps', float(limit.eps)],
      ['smallest_normal', float(limit.smallest_normal)],
      ['bits', int(limit.bits)],
    ]) ??
    null
  );
});

const iinfo = limits('iinfo', 'integer', dtype => {
  if (!isInteger(dtype)) return null;
  const bits = 8 * sizeOf(dtype);
  const signed = kindOf(dtype) === 'signed';
  // the largest 64-bit numbers have no exact place among JavaScript's
  const exactly = (value: number) => int(Number.isSafeInteger(value) ? value : anonymous());
  return [
    ['dtype', dtypeValue(dtype)],
    ['min', signed ? int(-(2 ** (bits - 1))) : int(0)],
    ['max', exactly(signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1)],
  ];
});

// ---- functions --------------------------------------------------------------------------------------------------------

/** The dtype of an array or dtype argument; null when it is not known. */
function dtypeOfArgument(interpreter: Interpreter, value: Value): DType | null {
  const v = interpreter.settled(value);
  if (v.kind === 'array') return v.node.dtype;
  const dtype = dtypeOf(v);
  if (dtype || isOpaque(v)) return dtype;
  throw new Refusal('value', `a dtype or an array is wanted, not ${typeName(v)}`);
}

export const dtypeFunctions: readonly BuiltinValue[] = [
  define('mx.issubdtype(arg1, arg2, /)', c => {
    const [a, b] = [kindOfValue(c, 'arg1'), kindOfValue(c, 'arg2')];
    return bool(a && b && isSubdtype(a, b));
  }),
  define('mx.isdtype(dtype, kind)', c => {
    const dtype = c.dtype('dtype');
    return bool(dtype === null ? null : isOfKind(c, dtype, c.value('kind')));
  }),
  define('mx.result_type(*arrays_and_dtypes)', c => {
    const dtypes = c.items('arrays_and_dtypes').map(v => dtypeOfArgument(c.interpreter, v));
    if (dtypes.length === 0) throw new Refusal('value', 'mx.result_type needs at least one array or dtype');
    return dtypeValue(dtypes.reduce((a, b) => promote(a, b)));
  }),
  define('mx.can_cast(from_, to)', c => {
    const from = dtypeOfArgument(c.interpreter, c.value('from_'));
    const to = c.dtype('to');
    return bool(from === null || to === null ? null : promote(from, to) === to);
  }),
];

/** What `mlx.core` calls its dtypes, their categories and classes. */
export const dtypeNames: readonly (readonly [string, Value])[] = [
  ...DTYPES.map(dtype => [dtype === 'bool' ? 'bool_' : dtype, dtypeValue(dtype)] as const),
  ...CATEGORIES.map(category => [category, native(categoryType, category)] as const),
  ['Dtype', dtypeClass],
  ['DtypeCategory', categoryClass],
  ['finfo', finfo],
  ['iinfo', iinfo],
];
