/** Numbers as panels show them. */
import type { Scalar } from '../../../server/src/protocol';

/** Four significant digits; tiny and huge numbers in powers of ten. */
export function number(value: Scalar | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (typeof value !== 'number') return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return minus(value.toString());
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return minus(value.toExponential(2).replace('e+', 'e'));
  return minus(value.toPrecision(4));
}

/** A true minus sign, as wide as a digit. */
const minus = (text: string): string => text.replace(/-/g, '−');

export const count = (value: number): string => value.toLocaleString('en-US');

/** `1 combination`, `22 combinations`. */
export const counted = (value: number, noun: string): string => `${count(value)} ${noun}${value === 1 ? '' : 's'}`;

/** `16.1 MB`, in powers of ten. */
export function bytes(value: number): string {
  const unit = Math.min(4, Math.floor(Math.log10(Math.max(1, value)) / 3));
  const scaled = value / 1000 ** unit;
  return `${unit === 0 ? scaled : scaled.toFixed(scaled < 10 ? 2 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

export function seconds(value: number): string {
  if (value < 1e-3) return `${(value * 1e6).toFixed(0)} µs`;
  if (value < 1) return `${(value * 1e3).toFixed(value < 0.01 ? 2 : 0)} ms`;
  return `${value.toFixed(2)} s`;
}

/** `3.1 %`; smaller than a hundredth of a percent in powers of ten. */
export function percent(fraction: number): string {
  const value = fraction * 100;
  if (value === 0) return '0 %';
  return `${value < 0.01 ? value.toExponential(1) : value.toPrecision(3)} %`;
}

/** `float32[32, 10]`. */
export const arrayType = ({ dtype, shape }: { dtype: string; shape: readonly (number | string)[] }): string =>
  `${dtype}[${shape.join(', ')}]`;
