/**
 * A kernel in the user's own Metal or CUDA source: the caller says what comes out, and here nothing can run it.
 */
import type { Dim } from '../dims/dim';
import type { DType } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { anyRank } from './any_rank';

type KernelAttrs = { readonly shapes: readonly (readonly Dim[])[]; readonly dtypes: readonly DType[] };

defineOp<KernelAttrs>({
  name: 'custom_kernel',
  ...anyRank((_, __, { shapes, dtypes }: KernelAttrs): readonly ArrayType[] =>
    shapes.map((shape, i) => ({ shape, dtype: dtypes[i] })),
  ),
});
