/** softmax: exponentials as shares of their sum. */
import { type DType, isInexact } from '../dtype';
import { defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import * as complex from '../numeric/complex';
import { allocate, elementCount, type Tensor } from '../tensor';
import { normalizeAxes } from './axes';
import { storing, toInexact } from './elementwise';
import { type Groups, groupsOf } from './groups';
import { atLeastRank } from './reductions';

type Numbers = { [i: number]: number };

/** exp(x) / Σ exp(x) of each group, computed in double precision. */
function shares(x: Tensor, { starts, members }: Groups, dtype: DType): Tensor {
  const data = allocate(dtype, elementCount(x.shape)) as Numbers;
  const store = storing(dtype);
  for (const start of starts) {
    let top = -Infinity;
    for (const m of members) top = Math.max(top, Number(x.data[start + m]));
    let total = 0;
    for (const m of members) total += Math.exp(Number(x.data[start + m]) - top);
    for (const m of members) data[start + m] = store(Math.exp(Number(x.data[start + m]) - top) / total);
  }
  return { shape: x.shape, dtype, data: data as Tensor['data'] };
}

function complexShares(x: Tensor, { starts, members }: Groups): Tensor {
  const from = x.data as ArrayLike<number>;
  const data = allocate('complex64', elementCount(x.shape)) as Numbers;
  for (const start of starts) {
    const places = Array.from(members, m => 2 * (start + m));
    const top = Math.max(...places.map(p => from[p]));
    const powers = places.map(p => complex.exp([from[p] - top, from[p + 1]]));
    const total = powers.reduce(complex.add, [0, 0]);
    for (const [i, p] of places.entries()) [data[p], data[p + 1]] = complex.divide(powers[i], total);
  }
  return { shape: x.shape, dtype: 'complex64', data: data as Tensor['data'] };
}

/** Over several axes together; all where `axes` is null. MLX returns a 0-d array and an empty one as they are. */
defineOp<{ readonly axes: readonly number[] | null }>({
  name: 'softmax',
  infer(facts, [x], { axes }) {
    if (x.shape.length === 0 && axes && axes.length > 0)
      throw new Refusal('axis', `softmax over axes of a 0-d array: ${showType(x)} has none`);
    if (x.shape.some(d => facts.equal(d, 0) === 'yes')) return x;
    const over = normalizeAxes('softmax', x, axes);
    // only over the last axis does MLX keep the floats that ints become
    const isLast = over.length === 1 && over[0] === x.shape.length - 1;
    return { shape: x.shape, dtype: isLast && x.dtype ? toInexact(x.dtype) : x.dtype };
  },
  inferOpen(facts, [x], { axes }) {
    const known = atLeastRank(facts, x, axes);
    return { shape: known.shape, dtype: x.dtype && (isInexact(x.dtype) ? x.dtype : null) };
  },
  kernel([x], { axes }, [out]) {
    if (elementCount(x.shape) === 0 || (x.shape.length === 0 && !isInexact(x.dtype))) return x;
    const groups = groupsOf(x.shape, normalizeAxes('softmax', x, axes));
    if (out.dtype === 'complex64') return complexShares(cast(x, 'complex64'), groups);
    if (isInexact(out.dtype)) return shares(x, groups, out.dtype);
    return cast(shares(x, groups, 'float32'), out.dtype);
  },
});
