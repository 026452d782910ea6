/**
 * How arrays that broadcast lie along the axes of what they are combined to.
 */
import type { ConcreteType } from '../src/graph/op';

/** An axis of a broadcast. */
export interface Axis {
  length: number;
  /** Of each input; 0 where it is repeated. */
  readonly strides: readonly number[];
}

/** How the inputs lie along the axes of the result, from the first; neighbours are merged where all inputs allow it. */
export function broadcastAxes(inputs: readonly ConcreteType[], out: ConcreteType): Axis[] {
  const rank = out.shape.length;
  const next = inputs.map(() => 1);
  const axes: Axis[] = [];
  for (let back = 1; back <= rank; back++) {
    const length = out.shape[rank - back];
    const strides = inputs.map(({ shape }, i) => {
      const own = shape[shape.length - back] ?? 1;
      const stride = own === 1 ? 0 : next[i];
      next[i] *= own;
      return stride;
    });
    if (length === 1) continue;
    const before = axes.at(-1);
    if (before && strides.every((s, i) => s === before.strides[i] * before.length)) before.length *= length;
    else axes.push({ length, strides });
  }
  return axes.reverse();
}
