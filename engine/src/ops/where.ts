/**
 * Choosing between two arrays element by element.
 */

import type { Facts } from '../dims/facts';
import { promote } from '../dtype';
import { type ArrayType, defineOp, type Shape } from '../graph/op';
import { cast } from '../numeric/cast';
import { allocate, elementCount } from '../tensor';
import { broadcastOpen } from './broadcast';
import { cannotBroadcast } from './elementwise';
import { expandIndex } from './expand';

function infer(facts: Facts, [condition, x, y]: readonly ArrayType[]): ArrayType {
  const dtype = promote(x.dtype, y.dtype);
  const values: Shape = broadcastOpen(facts, x.shape, y.shape, cannotBroadcast('where', x, y));
  const combined = { shape: values, dtype };
  const shape = broadcastOpen(facts, condition.shape, values, cannotBroadcast('where', condition, combined));
  return { shape, dtype };
}

/** `where(condition, x, y)`: x where the condition is not zero, else y; all three broadcast. */
defineOp({
  name: 'where',
  infer,
  inferOpen: infer,
  kernel([condition, x, y], _attrs, [out]) {
    const [a, b] = [cast(x, out.dtype), cast(y, out.dtype)];
    const [ic, ia, ib] = [condition, a, b].map(t => expandIndex(t.shape, out.shape));
    const test = cast(condition, 'bool').data;
    const width = out.dtype === 'complex64' ? 2 : 1;
    const data = allocate(out.dtype, elementCount(out.shape));
    for (let i = 0; i < ic.length; i++) {
      const [from, index] = test[ic[i]] ? [a, ia[i]] : [b, ib[i]];
      for (let part = 0; part < width; part++)
        (data as { [i: number]: number | bigint })[i * width + part] = from.data[index * width + part];
    }
    return { shape: out.shape, dtype: out.dtype, data };
  },
});
