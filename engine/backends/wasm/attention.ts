/**
 * Scaled dot-product attention: the two products on the kernels, and between them the weights, head after head.
 *
 * Queries of all heads that share keys lie one behind the other and are one product.
 */
import type { ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { type Given, optionalInput } from '../../src/ops/optional';
import { elementCount, type Tensor } from '../../src/tensor';
import { isHeldAsFloat32 } from '../held';
import type { Arena } from './arena';
import type { WasmOp } from './op';

type AttentionAttrs = Given<'mask' | 'sinks'> & { readonly scale: number | null; readonly causal: boolean };

/** A mask in the arena, read where it is repeated without being so. */
interface Mask {
  readonly at: number;
  /** As `attentionWeights` numbers them: 0 for none, 1 for bytes, 2 for floats. */
  readonly kind: 0 | 1 | 2;
  /** Strides along [B, n_heads, L, S], in elements. */
  readonly strides: readonly number[];
}

const NO_MASK: Mask = { at: 0, kind: 0, strides: [0, 0, 0, 0] };

function putMask(arena: Arena, mask: Tensor | undefined): Mask {
  if (!mask) return NO_MASK;
  const strides = [0, 0, 0, 0];
  let stride = 1;
  for (let back = 1; back <= mask.shape.length; back++) {
    const length = mask.shape[mask.shape.length - back];
    if (length !== 1) strides[4 - back] = stride;
    stride *= length;
  }
  return { at: arena.put(mask.data), kind: mask.dtype === 'bool' ? 1 : 2, strides };
}

function attend(arena: Arena, inputs: readonly Tensor[], attrs: AttentionAttrs, out: ConcreteType): Tensor {
  const [q, k, v] = inputs.slice(0, 3).map(x => cast(x, out.dtype));
  const [batch, heads, length, size] = q.shape;
  const [, shared, keys] = k.shape;
  const columns = v.shape[3];
  const sinks = optionalInput(inputs, attrs, 3, 'sinks');
  const perKey = heads / shared;
  return arena.use(() => {
    const [queries, rows, values] = [q, k, v].map(x => arena.put(x.data));
    const mask = putMask(arena, optionalInput(inputs, attrs, 3, 'mask'));
    const scores = arena.allocate(perKey * length * keys * 4);
    const to = arena.allocate(elementCount(out.shape) * 4);
    const workspace = arena.allocate(arena.kernels.workspaceBytes());
    const { kernels } = arena;
    const bytes = mask.kind === 1 ? 1 : 4;
    for (let group = 0; group < batch * shared; group++) {
      const m = perKey * length;
      kernels.setDense(rows + group * keys * size * 4, size, 1);
      kernels.multiply(queries + group * m * size * 4, scores, m, size, keys, 0, workspace);
      for (let h = 0; h < perKey; h++) {
        const head = (group % shared) * perKey + h;
        const [alongBatch, alongHeads, alongRows, alongKeys] = mask.strides;
        const at = mask.at + (Math.floor(group / shared) * alongBatch + head * alongHeads) * bytes;
        kernels.attentionWeights(
          scores + h * length * keys * 4,
          length,
          keys,
          attrs.scale ?? 1,
          at,
          mask.kind,
          alongRows,
          alongKeys,
          Number(attrs.causal),
          keys - length,
          Number(sinks !== undefined),
          sinks ? Number(sinks.data[head]) : 0,
        );
      }
      kernels.setDense(values + group * keys * columns * 4, columns, 0);
      kernels.multiply(scores, to + group * m * columns * 4, m, keys, columns, 0, workspace);
    }
    return arena.take(to, out);
  });
}

export const attention: WasmOp = {
  supports: (_, [q, k, v, ...rest]) =>
    [q, k, v].every(({ dtype, shape }) => isHeldAsFloat32(dtype) && elementCount(shape) > 0) &&
    rest.every(({ dtype }) => isHeldAsFloat32(dtype) || dtype === 'bool'),
  run: ({ arena }, inputs, attrs, [out]) => [attend(arena, inputs, attrs as unknown as AttentionAttrs, out)],
};
