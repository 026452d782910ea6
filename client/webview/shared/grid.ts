/** Which elements of an array a heat map shows, and where. */
import type { ArrayResult, Scalar } from '../../../server/src/protocol';

export interface Grid {
  rows: number;
  columns: number;
  /** Row by row; what is not finite is NaN or an infinity. */
  values: Float64Array;
  /** Of the first element in `ArrayResult.values`. */
  offset: number;
  /** What the picture shows. */
  caption: string;
  /** `[0, 3, 17]` of a position in `values`. */
  indexAt(position: number): string;
}

/** A single row longer than this is folded, or it would be a line of colour. */
const LONGEST_ROW = 128;

/** Labels of the planes (last two axes) of which whole values are at hand; empty for one plane or less. */
export function planesOf({ shape, values, dtype }: ArrayResult): string[] {
  if (shape.length < 3) return [];
  const leading = shape.slice(0, -2);
  const size = planeSize(shape);
  const known = size === 0 ? 0 : Math.floor(values.length / perElement(dtype) / size);
  const total = leading.reduce((a, b) => a * b, 1);
  return Array.from({ length: Math.min(known, total) }, (_, i) => `[${[...unravel(i, leading), ':', ':'].join(', ')}]`);
}

/** The plane with this number, or as much of it as is known. */
export function gridOf(array: ArrayResult, plane: number): Grid {
  const { shape, dtype } = array;
  const stride = perElement(dtype);
  const size = planeSize(shape);
  const offset = plane * size;
  const known = Math.max(0, Math.min(size, array.values.length / stride - offset));
  const last = shape.at(-1) ?? 1;
  const fold = known <= last && known > LONGEST_ROW ? foldWidth(known) : null;
  const columns = fold ?? Math.min(last, Math.max(1, known));
  const rows = Math.max(1, Math.floor(known / columns));
  const values = new Float64Array(rows * columns);
  for (let i = 0; i < values.length; i++) values[i] = magnitude(array.values, (offset + i) * stride, stride);
  return {
    rows,
    columns,
    values,
    offset: offset * stride,
    caption: captionOf(array, values.length, size, fold),
    indexAt: position => `[${unravel(offset + position, shape).join(', ')}]`,
  };
}

function captionOf({ shape }: ArrayResult, shown: number, size: number, fold: number | null): string {
  const parts: string[] = [];
  if (shown < size)
    parts.push(`the first ${shown.toLocaleString('en-US')} of ${size.toLocaleString('en-US')} elements`);
  if (fold !== null) parts.push(`${shape.length > 1 ? 'a row' : 'the vector'} folded every ${fold}`);
  return parts.join(', ') || (shape.length < 2 ? 'all elements' : 'rows down, last axis across');
}

const planeSize = (shape: readonly number[]): number => (shape.at(-1) ?? 1) * (shape.at(-2) ?? 1);
const perElement = (dtype: string): number => (dtype === 'complex64' ? 2 : 1);

/** The width that makes the picture about twice as wide as it is high. */
function foldWidth(n: number): number {
  const wish = Math.sqrt(2 * n);
  const powers = [16, 32, 64, 128, 256];
  return powers.reduce((best, width) => (Math.abs(width - wish) < Math.abs(best - wish) ? width : best));
}

/** A real element, or the absolute value of a complex one. */
function magnitude(values: readonly Scalar[], at: number, stride: number): number {
  if (stride === 1) return toNumber(values[at]);
  return Math.hypot(toNumber(values[at]), toNumber(values[at + 1]));
}

function toNumber(value: Scalar): number {
  if (typeof value === 'string') return { nan: NaN, inf: Infinity, '-inf': -Infinity }[value];
  return Number(value);
}

function unravel(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const axis of [...shape].reverse()) {
    index.unshift(flat % axis);
    flat = Math.floor(flat / axis);
  }
  return index;
}
