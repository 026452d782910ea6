/**
 * Changing an array's dtype by value. Reading its bytes anew is ./view.
 */
import type { DType } from '../dtype';
import { defineOp } from '../graph/op';
import { cast } from '../numeric/cast';

/** `dtype` null is one that is not known. */
type To = { readonly dtype: DType | null };

defineOp<To>({
  name: 'astype',
  infer: (_, [x], { dtype }) => ({ shape: x.shape, dtype }),
  inferOpen: (_, [x], { dtype }) => ({ shape: x.shape, dtype }),
  kernel: ([x], { dtype }) => cast(x, dtype!),
});
