/**
 * `mx.fast`: norms, rotary embeddings and attention; rules beside reference kernels.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type DType, isFloating, promote } from '../dtype';
import { type ArrayType, defineOp, type RankedType } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { rounder } from '../numeric/round';
import { allocate, elementCount, type Tensor } from '../tensor';
import { broadcastShapes } from './broadcast';
import { expandTo } from './expand';
import { type Given, optionalInput } from './optional';

// ---- norms ------------------------------------------------------------------------------------------------------------

type Norm = { readonly eps: number | null } & Given<'weight' | 'bias'>;

/** The type of a normalised array: weights must be as long as its last axis. */
function normType(facts: Facts, op: string, inputs: readonly ArrayType[], attrs: Norm): ArrayType {
  const [x] = inputs;
  const shape = facts.shape(x.shape);
  let { dtype } = x;
  for (const name of ['weight', 'bias'] as const) {
    const w = optionalInput(inputs, attrs, 1, name);
    if (!w) continue;
    dtype = promote(dtype, w.dtype);
    if (!Array.isArray(w.shape)) continue;
    if (w.shape.length !== 1) throw new Refusal('norm-dims', `${op}: ${name} has one axis, this is ${showType(w)}`);
    const axes = shape instanceof OpenShape ? shape.tail : shape;
    if (!axes || axes.length === 0) continue;
    const [last, width] = [axes[axes.length - 1], w.shape[0]];
    facts.require(
      last,
      width,
      () =>
        new Refusal('norm-dims', `${op}: ${name} has ${width} values, x has ${last} on its last axis: ${showType(x)}`, {
          axis: -1,
          expected: width,
          actual: last,
        }),
    );
  }
  return { shape, dtype };
}

function checkNormRank(op: string, x: RankedType): void {
  if (x.shape.length === 0) throw new Refusal('norm-dims', `${op} needs an array with at least one axis, not a number`);
}

/** Rows of the last axis, each handed to `normalise` in double precision. */
function normKernel(
  inputs: readonly Tensor[],
  attrs: Norm,
  dtype: DType,
  normalise: (row: Float64Array, eps: number) => void,
): Tensor {
  const [x] = inputs;
  const width = x.shape[x.shape.length - 1];
  const data = allocate(dtype, elementCount(x.shape)) as Float32Array;
  const [weight, bias] = (['weight', 'bias'] as const).map(n => optionalInput(inputs, attrs, 1, n));
  const round = rounder(dtype);
  const row = new Float64Array(width);
  for (let start = 0; start < data.length; start += width) {
    for (let i = 0; i < width; i++) row[i] = Number(x.data[start + i]);
    normalise(row, attrs.eps ?? 1e-5);
    for (let i = 0; i < width; i++) {
      const scaled = weight ? row[i] * Number(weight.data[i]) : row[i];
      data[start + i] = round(bias ? scaled + Number(bias.data[i]) : scaled);
    }
  }
  return { shape: x.shape, dtype, data };
}

function defineNorm(name: 'rms_norm' | 'layer_norm', normalise: (row: Float64Array, eps: number) => void): void {
  defineOp<Norm>({
    name: `fast.${name}`,
    infer(facts, inputs, attrs) {
      checkNormRank(name, inputs[0]);
      return normType(facts, name, inputs, attrs);
    },
    inferOpen: (facts, inputs, attrs) => normType(facts, name, inputs, attrs),
    kernel: (inputs, attrs, [out]) => normKernel(inputs, attrs, out.dtype, normalise),
  });
}

const meanOf = (row: Float64Array, of: (v: number) => number): number =>
  row.reduce((t, v) => t + of(v), 0) / row.length;

defineNorm('rms_norm', (row, eps) => {
  const scale = 1 / Math.sqrt(meanOf(row, v => v * v) + eps);
  for (let i = 0; i < row.length; i++) row[i] *= scale;
});
defineNorm('layer_norm', (row, eps) => {
  const centre = meanOf(row, v => v);
  const scale = 1 / Math.sqrt(meanOf(row, v => (v - centre) ** 2) + eps);
  for (let i = 0; i < row.length; i++) row[i] = (row[i] - centre) * scale;
});

// ---- rope -------------------------------------------------------------------------------------------------------------

type Rope = {
  readonly dims: Dim;
  readonly traditional: boolean;
  readonly base: number | null;
  readonly scale: number | null;
  readonly offset: Dim | null;
} & Given<'offset' | 'freqs'>;

/** x keeps its type; it has at least three axes, and the rotated width is even and no wider than the last. */
defineOp<Rope>({
  name: 'fast.rope',
  infer(facts, [x], { dims }) {
    if (x.shape.length < 3)
      throw new Refusal('rope', `rope needs at least three axes (…, length, head_dim), x is ${showType(x)}`);
    const last = x.shape[x.shape.length - 1];
    if (facts.less(last, dims) === 'yes')
      throw new Refusal('rope', `rope rotates ${dims} features, but the last axis has ${last}: ${showType(x)}`, {
        axis: -1,
        expected: dims,
        actual: last,
      });
    return x;
  },
  inferOpen: (_, [x]) => x,
  kernel(inputs, attrs, [out]) {
    const [x] = inputs;
    const dims = attrs.dims as number;
    const half = dims / 2;
    const [length, width] = x.shape.slice(-2);
    const freqs = optionalInput(inputs, attrs, 1, 'freqs');
    const offsets = optionalInput(inputs, attrs, 1, 'offset');
    const data = allocate(out.dtype, elementCount(x.shape)) as Float32Array;
    const round = rounder(out.dtype);
    const rate = Array.from({ length: half }, (_, i) =>
      freqs ? 1 / Number(freqs.data[i]) : (attrs.base ?? 10000) ** (-i / half),
    );
    const perBatch = elementCount(x.shape.slice(1));
    for (let row = 0; row < data.length; row += width) {
      const batch = offsets && offsets.data.length > 1 ? Math.floor(row / perBatch) : 0;
      const offset = offsets ? Number(offsets.data[batch]) : ((attrs.offset as number | null) ?? 0);
      const position = (offset + ((row / width) % length)) * (attrs.scale ?? 1);
      for (let i = 0; i < half; i++) {
        const [a, b] = attrs.traditional ? [2 * i, 2 * i + 1] : [i, i + half];
        const [p, q] = [Number(x.data[row + a]), Number(x.data[row + b])];
        const angle = position * rate[i];
        data[row + a] = round(p * Math.cos(angle) - q * Math.sin(angle));
        data[row + b] = round(p * Math.sin(angle) + q * Math.cos(angle));
      }
      for (let i = dims; i < width; i++) data[row + i] = Number(x.data[row + i]);
    }
    return { shape: x.shape, dtype: out.dtype, data };
  },
});

// ---- attention --------------------------------------------------------------------------------------------------------

type Attention = { readonly scale: number | null; readonly causal: boolean } & Given<'mask' | 'sinks'>;

const attentionRefusal = (message: string) => new Refusal('attention', message);

/** Queries B×H×L×D, keys and values B×K×S×D with K dividing H; the result has the queries' axes and the values' width. */
function attentionType(facts: Facts, inputs: readonly RankedType[], attrs: Attention): ArrayType {
  const [q, k, v] = inputs;
  for (const [name, x] of [
    ['queries', q],
    ['keys', k],
    ['values', v],
  ] as const)
    if (x.shape.length !== 4)
      throw attentionRefusal(`attention takes four axes (batch, heads, length, head_dim); ${name} is ${showType(x)}`);
  const dtype = [q, k, v].map(x => x.dtype).reduce(promote);
  if (dtype !== null && !isFloating(dtype)) throw new Refusal('dtype', `attention is of floats, not ${dtype}`);
  const same = (a: Dim, b: Dim, message: string) => facts.require(a, b, () => attentionRefusal(message));
  same(
    q.shape[3],
    k.shape[3],
    `attention: queries have head_dim ${q.shape[3]}, keys ${k.shape[3]}: ${showType(q)}, ${showType(k)}`,
  );
  same(k.shape[1], v.shape[1], `attention: keys have ${k.shape[1]} heads, values ${v.shape[1]}`);
  same(k.shape[2], v.shape[2], `attention: keys have length ${k.shape[2]}, values ${v.shape[2]}`);
  for (const x of [k, v])
    same(q.shape[0], x.shape[0], `attention: queries have batch ${q.shape[0]}, keys or values ${x.shape[0]}`);
  if (facts.divides(k.shape[1], q.shape[1]) === 'no')
    throw attentionRefusal(`attention: ${q.shape[1]} query heads cannot share ${k.shape[1]} key heads evenly`);
  const mask = optionalInput(inputs, attrs, 3, 'mask');
  if (mask && Array.isArray(mask.shape)) {
    if (mask.shape.length > 4)
      throw attentionRefusal(`attention: a mask has at most four axes, this is ${showType(mask)}`);
    const scores = [q.shape[0], q.shape[1], q.shape[2], k.shape[2]];
    const wrong = () =>
      attentionRefusal(`attention: a mask of ${showType(mask)} does not fit scores of [${scores.join(', ')}]`);
    const joined = broadcastShapes(facts, mask.shape, scores, wrong);
    for (const [i, d] of joined.entries()) if (facts.equal(d, scores[i]) === 'no') throw wrong();
  }
  return { shape: [q.shape[0], q.shape[1], q.shape[2], v.shape[3]], dtype };
}

defineOp<Attention>({
  name: 'fast.scaled_dot_product_attention',
  infer: attentionType,
  inferOpen(facts, inputs, attrs) {
    const ranked = inputs.map(x => {
      const shape = facts.shape(x.shape);
      const known =
        shape instanceof OpenShape && inputs.indexOf(x) < 3
          ? facts.refineRank(shape, 4)
          : Array.isArray(shape)
            ? shape
            : null;
      return known && { shape: known, dtype: x.dtype };
    });
    const [q, k, v] = ranked;
    const mask = ranked[3];
    if (q && k && v)
      return attentionType(facts, mask ? [q, k, v, mask] : [q, k, v], mask ? attrs : { ...attrs, given: [] });
    // The queries' axes are the result's but for the width, which is the values'.
    const dtype = inputs
      .slice(0, 3)
      .map(x => x.dtype)
      .reduce(promote);
    return { shape: null, dtype };
  },
  kernel(inputs, attrs, [out]) {
    const [q, k, v] = inputs;
    const [batch, heads, length, width] = q.shape;
    const [, shared, keys] = k.shape;
    const deep = v.shape[3];
    const scoresShape = [batch, heads, length, keys];
    const given = optionalInput(inputs, attrs, 3, 'mask');
    const mask = given && expandTo(given, scoresShape);
    const sinks = optionalInput(inputs, attrs, 3, 'sinks');
    const data = allocate(out.dtype, elementCount(out.shape)) as Float32Array;
    const round = rounder(out.dtype);
    const scores = new Float64Array(keys);
    const at = (t: Tensor, i: number) => Number(t.data[i]);
    for (let b = 0; b < batch; b++)
      for (let h = 0; h < heads; h++) {
        const kv = (b * shared + Math.floor(h / (heads / shared))) * keys;
        for (let l = 0; l < length; l++) {
          const row = (b * heads + h) * length + l;
          let top = sinks ? at(sinks, h) : -Infinity;
          for (let s = 0; s < keys; s++) {
            let dot = 0;
            for (let d = 0; d < width; d++) dot += at(q, row * width + d) * at(k, (kv + s) * width + d);
            dot *= attrs.scale ?? 1;
            if (mask)
              dot =
                mask.dtype === 'bool' ? (mask.data[row * keys + s] ? dot : -Infinity) : dot + at(mask, row * keys + s);
            if (attrs.causal && s > l + keys - length) dot = -Infinity;
            scores[s] = dot;
            top = Math.max(top, dot);
          }
          let total = sinks ? Math.exp(at(sinks, h) - top) : 0;
          for (let s = 0; s < keys; s++) total += scores[s] = Math.exp(scores[s] - top);
          for (let d = 0; d < deep; d++) {
            let sum = 0;
            for (let s = 0; s < keys; s++) sum += scores[s] * at(v, (kv + s) * deep + d);
            data[row * deep + d] = round(sum / total);
          }
        }
      }
    return { shape: out.shape, dtype: out.dtype, data };
  },
});
