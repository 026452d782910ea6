/**
 * What several readings of one place tell together: a reader sees a function through its callers and on its own, and a
 * reading that knows less of a value than another says nothing beside it.
 */
import { type Dim, showDim, symbolsOf } from '../../../engine/src/dims/dim';
import { OpenShape } from '../../../engine/src/dims/shape';
import type { ArrayType } from '../../../engine/src/graph/op';
import { showType } from '../../../engine/src/graph/show';
import type { Value } from '../interpreter/values';

/** A value of a place, with its type where it is an array. */
export interface Told {
  readonly value: Value;
  readonly type: ArrayType | null;
}

const isNameless = (d: Dim): boolean => [...symbolsOf(d)].some(s => s.anonymous);

/** Each reading has symbols of its own: they are one to a reader where they have one name. */
const sameAxis = (less: Dim, more: Dim): boolean => isNameless(less) || showDim(less) === showDim(more);

/** Whether `less` holds of every array that `more` describes, or nothing is known that speaks against it. */
function isCovered(less: ArrayType, more: ArrayType): boolean {
  if (less.dtype !== null && more.dtype !== null && less.dtype !== more.dtype) return false;
  if (!Array.isArray(more.shape)) return false;
  const axes = more.shape as readonly Dim[];
  if (less.shape === null) return true;
  const known = less.shape instanceof OpenShape ? less.shape.tail : (less.shape as readonly Dim[]);
  const from = axes.length - known.length;
  if (less.shape instanceof OpenShape ? from < 0 : from !== 0) return false;
  return known.every((d, i) => sameAxis(d, axes[from + i]));
}

/** Values that say something: without those that another says better. The order is kept. */
export function mostTelling(told: readonly Told[]): Told[] {
  const arrays = told.filter(t => t.type !== null);
  const best = arrays.filter(
    (a, i) => !arrays.some((b, j) => i !== j && isCovered(a.type!, b.type!) && (!isCovered(b.type!, a.type!) || j < i)),
  );
  const isKnown = best.some(({ type }) => Array.isArray(type!.shape));
  return told.filter(t =>
    t.type ? best.includes(t) : !isKnown || (t.value.kind !== 'unknown' && t.value.kind !== 'parameter'),
  );
}

/** The values that a union is of, arrays with the types that `typeOf` gives them. */
export function alternatives({ value, type }: Told, typeOf: (value: Value) => ArrayType | null): Told[] {
  if (value.kind !== 'union') return [{ value, type }];
  return value.options.map(option => ({ value: option, type: typeOf(option) }));
}

/** Without those that read alike. */
export function distinct(told: readonly Told[]): Told[] {
  const texts = new Set<string>();
  return told.filter(({ type }) => {
    if (!type) return true;
    const text = showType(type);
    return !texts.has(text) && texts.add(text);
  });
}
