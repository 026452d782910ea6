/**
 * `pad`: more elements before and after each axis.
 */
import { add, type Dim, showDim } from '../dims/dim';
import { OpenShape } from '../dims/shape';
import { defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import type { Tensor } from '../tensor';
import { expandTo } from './expand';
import { steps, stridesOf, sums, takeAt } from './positions';
import { writeAt } from './write_at';

export type PadWidth = { readonly low: Dim; readonly high: Dim };

type PadAttrs = {
  /** One for every axis, or a single one that holds for all. */
  readonly widths: readonly PadWidth[];
  readonly mode: string;
};

const MODES = ['constant', 'edge', 'reflect', 'symmetric'];

/** Inputs: the array, and the constant to pad with. */
defineOp<PadAttrs>({
  name: 'pad',
  infer(facts, [type], { widths, mode }) {
    requireMode(mode);
    const rank = type.shape.length;
    if (widths.length !== 1 && widths.length !== rank)
      throw new Refusal('value', `pad is given widths for ${widths.length} axes, ${showType(type)} has ${rank}`, {
        input: 0,
        expected: rank,
        actual: widths.length,
      });
    const shape = type.shape.map((d, axis) => {
      const { low, high } = widths.length === 1 ? widths[0] : widths[axis];
      for (const w of [low, high])
        if (facts.less(w, 0) === 'yes')
          throw new Refusal(
            'value',
            `pad cannot take away elements: the width ${showDim(w)} of axis ${axis} is negative`,
            { axis },
          );
      if ((mode === 'reflect' || mode === 'symmetric') && d === 0 && facts.less(0, add(low, high)) === 'yes')
        throw new Refusal('value', `pad has nothing to ${mode} on the empty axis ${axis} of ${showType(type)}`, {
          axis,
        });
      return add(add(d, low), high);
    });
    return { shape, dtype: type.dtype };
  },
  inferOpen(facts, [{ shape, dtype }], { widths, mode }) {
    requireMode(mode);
    if (!(shape instanceof OpenShape) || widths.length === 1) return { shape: null, dtype };
    const full = facts.refineRank(shape, widths.length);
    return {
      shape: full?.map((d, axis) => add(add(d, widths[axis].low), widths[axis].high)) ?? null,
      dtype,
    };
  },
  kernel([x, constant], { widths, mode }, [out]) {
    const strides = stridesOf(x.shape);
    const low = x.shape.map((_, axis) => Number((widths.length === 1 ? widths[0] : widths[axis]).low));
    if (mode === 'constant') {
      const outer = stridesOf(out.shape);
      const inner = x.shape.map((n, axis) => steps(n, outer[axis], low[axis] * outer[axis]));
      return writeAt(filled(cast(constant, x.dtype), out.shape), x, sums(inner), 'set');
    }
    const lists = out.shape.map((n, axis) =>
      Array.from({ length: n }, (_, i) => source(mode, i - low[axis], x.shape[axis]) * strides[axis]),
    );
    return takeAt(x, sums(lists), out.shape);
  },
});

/** The first element everywhere: MLX looks at no other. */
const filled = (constant: Tensor, shape: readonly number[]): Tensor => expandTo(takeAt(constant, [0], []), shape);

function requireMode(mode: string): void {
  if (!MODES.includes(mode)) throw new Refusal('value', `pad knows the modes ${MODES.join(', ')}, not '${mode}'`);
}

/** The element of an axis `length` long that stands at `i`, which may lie outside. */
function source(mode: string, i: number, length: number): number {
  if (mode === 'edge') return Math.max(0, Math.min(i, length - 1));
  const period = mode === 'symmetric' ? 2 * length : Math.max(1, 2 * (length - 1));
  const at = ((i % period) + period) % period;
  return at < length ? at : mode === 'symmetric' ? period - 1 - at : period - at;
}
