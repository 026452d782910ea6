/**
 * How an array's type reads in a message, a hint or a hover: `float32[B, L, 4096]`.
 */
import { showShape } from '../dims/shape';
import type { ArrayType } from './op';

/** `float32[32, 256]`; the dtype is left out where it is unknown: `[B, ..., 64]`. */
export const showType = ({ shape, dtype }: ArrayType): string => `${dtype ?? ''}${showShape(shape)}`;
