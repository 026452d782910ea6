/**
 * Scaled dot-product attention: queries [B, n_heads, L, D], keys and values [B, n_kv_heads, S, D], of which each serves
 * n_heads / n_kv_heads heads.
 */
import { type Dim, floorDiv, showDim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { isFloating, promote } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp, type RankedType } from '../graph/op';
import { Refusal, type RefusalDetail } from '../graph/refusal';
import { showType } from '../graph/show';
import { rounder } from '../numeric/round';
import { type Tensor, tensor } from '../tensor';
import { anyRank } from './any_rank';
import { expandTo } from './expand';
import { type Given, optionalInput } from './optional';
import { rankOf } from './tails';

type AttentionAttrs = Given<'mask' | 'sinks'> & { readonly scale: number | null; readonly causal: boolean };

const NAMES = ['queries', 'keys', 'values'] as const;
const AXES = ['B', 'n_heads', 'L', 'head_dim'];

const refuse = (message: string, detail: RefusalDetail = {}): Refusal =>
  new Refusal('attention', `scaled_dot_product_attention: ${message}`, detail);

/** Queries, keys and values with their four axes; null where the shape of one is not known. */
function ranked(facts: Facts, types: readonly ArrayType[]): RankedType[] | null {
  const full: RankedType[] = [];
  for (const [input, type] of types.entries()) {
    const rank = rankOf(type.shape);
    if (rank !== null && rank !== 4)
      throw refuse(
        `the ${NAMES[input]} must have four axes [${AXES.join(', ')}], they have ${rank}: ${showType(type)}`,
        {
          input,
          expected: 4,
          actual: rank,
        },
      );
    const shape = type.shape instanceof OpenShape ? facts.refineRank(type.shape, 4, AXES) : type.shape;
    if (shape !== null) full.push({ shape: shape as readonly Dim[], dtype: type.dtype });
  }
  return full.length === types.length ? full : null;
}

/** The axes that must agree: input and axis, with those they are compared with, and what they are. */
const EQUAL = [
  { a: [0, 0], b: [1, 0], what: 'batch sizes of queries and keys' },
  { a: [0, 0], b: [2, 0], what: 'batch sizes of queries and values' },
  { a: [1, 1], b: [2, 1], what: 'numbers of heads of keys and values' },
  { a: [0, 3], b: [1, 3], what: 'head dimensions of queries and keys' },
  { a: [1, 2], b: [2, 2], what: 'lengths of keys and values' },
] as const;

function requireFit(facts: Facts, types: readonly RankedType[]): void {
  for (const { a, b, what } of EQUAL) {
    const [left, right] = [types[a[0]].shape[a[1]], types[b[0]].shape[b[1]]];
    facts.require(left, right, () =>
      refuse(`the ${what} differ, ${showDim(left)} and ${showDim(right)}: ${types.map(showType).join(', ')}`, {
        input: b[0],
        axis: b[1],
        expected: left,
        actual: right,
      }),
    );
  }
  const [heads, shared] = [types[0].shape[1], types[1].shape[1]];
  facts.requireDivides(shared, heads, () =>
    refuse(`the number of heads, ${showDim(heads)}, is no multiple of that of the keys, ${showDim(shared)}`, {
      input: 1,
      axis: 1,
      expected: heads,
      actual: shared,
    }),
  );
}

/** A mask broadcasts to [B, n_heads, L, S], which it must not exceed. */
function requireMask(facts: Facts, mask: ArrayType, scores: readonly Dim[] | null, dtype: ArrayType['dtype']): void {
  const rank = rankOf(mask.shape);
  if (rank !== null && rank > 4) throw refuse(`a mask has four axes at most, this has ${rank}: ${showType(mask)}`);
  if (mask.dtype !== null && mask.dtype !== 'bool' && dtype !== null && promote(mask.dtype, dtype) !== dtype)
    throw refuse(`a mask of ${mask.dtype} would change the result, which is ${dtype}: use bool or ${dtype}`);
  if (scores === null || rank === null) return;
  const shape = mask.shape as readonly Dim[];
  for (let i = 1; i <= rank; i++) {
    const [have, want] = [shape[rank - i], scores[4 - i]];
    if (facts.equal(have, 1) !== 'no') continue;
    facts.require(have, want, () =>
      refuse(
        `the mask ${showType(mask)} does not fit the scores [B, n_heads, L, S], which are ${showType({ shape: scores, dtype: null })}`,
        { axis: rank - i, expected: want, actual: have },
      ),
    );
  }
}

function requireSinks(facts: Facts, sinks: ArrayType, heads: Dim | null, dtype: ArrayType['dtype']): void {
  const rank = rankOf(sinks.shape);
  const wrong = () =>
    refuse(`sinks holds one number for each head: ${showType(sinks)}`, { expected: heads ?? undefined });
  if (rank !== null && rank !== 1) throw wrong();
  if (rank === 1 && heads !== null) facts.require((sinks.shape as readonly Dim[])[0], heads, wrong);
  if (sinks.dtype !== null && dtype !== null && promote(sinks.dtype, dtype) !== dtype)
    throw refuse(`sinks of ${sinks.dtype} would change the result, which is ${dtype}`);
}

defineOp<AttentionAttrs>({
  name: 'attention',
  ...anyRank((facts, inputs, attrs: AttentionAttrs): ArrayType => {
    const [q, k, v] = inputs;
    const full = ranked(facts, [q, k, v]);
    if (full) requireFit(facts, full);
    const dtype = [k, v].reduce((all, t) => promote(all, t.dtype), q.dtype);
    if (dtype !== null && !isFloating(dtype))
      throw new Refusal('dtype', `scaled_dot_product_attention takes floating point arrays, not ${showType(q)}`);
    const scores = full && [...full[0].shape.slice(0, 3), full[1].shape[2]];
    const mask = optionalInput(inputs, attrs, 3, 'mask');
    if (mask) requireMask(facts, mask, scores, dtype);
    const sinks = optionalInput(inputs, attrs, 3, 'sinks');
    if (sinks) requireSinks(facts, sinks, full?.[0].shape[1] ?? null, dtype);
    if (!full) return { shape: null, dtype };
    return { shape: [...full[0].shape.slice(0, 3), full[2].shape[3]].map(d => facts.resolve(d)), dtype };
  }),
  kernel: (inputs, attrs, [out]) => attend(inputs, attrs, out),
});

type Reals = { [i: number]: number };

/** Softmax of the scores in float64, one query at a time. */
function attend(inputs: readonly Tensor[], attrs: AttentionAttrs, out: ConcreteType): Tensor {
  const [q, k, v] = inputs;
  const [batch, heads, length, size] = q.shape;
  const [, shared, keys] = k.shape;
  const columns = v.shape[3];
  const scores = [batch, heads, length, keys];
  const mask = optionalInput(inputs, attrs, 3, 'mask');
  const masked = mask && (expandTo(mask, scores).data as Reals);
  const sinks = optionalInput(inputs, attrs, 3, 'sinks')?.data as Reals | undefined;
  const [queries, rows, values] = [q.data as Reals, k.data as Reals, v.data as Reals];
  const result = tensor(out.dtype, out.shape);
  const round = rounder(out.dtype);
  const perKey = Number(floorDiv(heads, Math.max(shared, 1)));
  const weights = new Float64Array(keys);
  for (let row = 0; row < batch * heads * length; row++) {
    const head = Math.floor(row / length) % heads;
    const group = Math.floor(row / (length * heads)) * shared + Math.floor(head / perKey);
    const seen = attrs.causal ? (row % length) + keys - length : keys - 1;
    let most = sinks ? sinks[head] : -Infinity;
    for (let j = 0; j < keys; j++) {
      let score = 0;
      for (let d = 0; d < size; d++) score += queries[row * size + d] * rows[(group * keys + j) * size + d];
      score *= attrs.scale ?? 1;
      if (masked && mask.dtype === 'bool') score = masked[row * keys + j] ? score : -Infinity;
      else if (masked) score += Number(masked[row * keys + j]);
      weights[j] = j > seen ? -Infinity : score;
      most = Math.max(most, weights[j]);
    }
    let total = sinks ? Math.exp(sinks[head] - most) : 0;
    for (let j = 0; j < keys; j++) total += weights[j] = Math.exp(weights[j] - most);
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let j = 0; j < keys; j++) sum += weights[j] * values[(group * keys + j) * columns + c];
      (result.data as Reals)[row * columns + c] = round(sum / total);
    }
  }
  return result;
}
