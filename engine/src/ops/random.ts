/**
 * mx.random: what each distribution accepts, and its values.
 *
 * The key is the optional input `key`, or the attribute `key` ({seed, draw}) for a draw from the implicit generator.
 * Bounds, means and probabilities are inputs, Python numbers being scalar arrays.
 */
import type { Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import type { OpenShape } from '../dims/shape';
import { showShape } from '../dims/shape';
import { type DType, isFloating, isInexact } from '../dtype';
import { type ArrayType, type Attrs, defineOp, type RankedType, type Shape } from '../graph/op';
import { Refusal, type RefusalKind } from '../graph/refusal';
import { showType } from '../graph/show';
import { categorical } from '../random/categorical';
import * as distributions from '../random/distributions';
import { type ImplicitKey, implicitKey, keyOf, type Seed, splitKey } from '../random/key';
import { multivariateNormal } from '../random/multivariate';
import type { Key } from '../random/threefry';
import type { Tensor } from '../tensor';
import { anyRank } from './any_rank';
import { normalizeAxis } from './axes';
import { broadcastOpen, broadcastShapes } from './broadcast';
import { type Given, optionalInput } from './optional';
import { steps, stridesOf, sums, takeAt } from './positions';

type Keyed<Name extends string = never> = { readonly key?: ImplicitKey } & Given<Name | 'key'>;
type Sized<Name extends string = never> = Keyed<Name> & {
  readonly shape: readonly Dim[];
  readonly dtype: DType | null;
};

const refuse = (kind: RefusalKind, message: string, input?: number): Refusal => new Refusal(kind, message, { input });

// ---- what they have in common -----------------------------------------------------------------------------------------

/** The key must be uint32[2]. */
function checkKey(
  facts: Facts,
  op: string,
  inputs: readonly ArrayType[],
  attrs: Attrs & Keyed<string>,
  required: number,
) {
  const key = optionalInput(inputs, attrs, required, 'key');
  if (key) checkKeyType(facts, op, key, inputs.indexOf(key));
}

function checkKeyType(facts: Facts, op: string, key: ArrayType, input: number): void {
  if (key.dtype !== null && key.dtype !== 'uint32')
    throw refuse('dtype', `${op}: a key is uint32[2], as mx.random.key makes it; this one is ${showType(key)}`, input);
  if (!isRanked(key)) return;
  const wrong = () => refuse('value', `${op}: a key has shape [2]; this one is ${showType(key)}`, input);
  if (key.shape.length !== 1) throw wrong();
  facts.require(key.shape[0], 2, wrong);
}

const isRanked = (type: ArrayType): type is RankedType => Array.isArray(type.shape);

/** A shape to be drawn cannot have a negative length. */
function checkShape(facts: Facts, op: string, shape: readonly Dim[]): void {
  if (shape.some(d => facts.less(d, 0) === 'yes'))
    throw refuse('value', `${op}: no length can be negative, but the shape is ${showShape(shape)}`);
}

/** What the parameters broadcast to must be, or fit, the shape that was asked for. */
function checkFits(
  facts: Facts,
  op: string,
  shape: readonly Dim[],
  parameters: readonly ArrayType[],
  what: string,
): void {
  let together: Shape = [];
  const message = () =>
    refuse(
      'broadcast',
      `${op}: ${what} ${parameters.length > 1 ? 'have' : 'has'} ${parameters.map(showType).join(' and ')}, ` +
        `which cannot fill the shape ${showShape(shape)}`,
    );
  for (const p of parameters) together = broadcastOpen(facts, together, p.shape, message);
  const result = broadcastOpen(facts, together, shape, message);
  const rank = rankAtLeast(result);
  if (rank > shape.length) throw message();
  if (!Array.isArray(result)) return;
  for (const [axis, d] of (result as readonly Dim[]).entries())
    if (facts.equal(d, shape[axis]) === 'no') throw message();
}

const rankAtLeast = (shape: Shape): number =>
  shape === null ? 0 : Array.isArray(shape) ? shape.length : (shape as OpenShape).tail.length;

const UNIFORM_DTYPES: readonly (DType | null)[] = [null, 'float16', 'bfloat16', 'float32'];

function checkUniformDtype(op: string, dtype: DType | null): void {
  if (dtype !== null && !isFloating(dtype))
    throw refuse('dtype', `${op}: random numbers of this kind are real floats, not ${dtype}`);
  if (!UNIFORM_DTYPES.includes(dtype))
    throw new Refusal('dtype', `${op}: MLX cannot draw ${dtype}; draw float32 and convert it`, {}, 'RuntimeError');
}

/** The key to draw with. `required` counts the inputs that are no options. */
export function keyFor(inputs: readonly Tensor[], attrs: Attrs & Keyed<string>, required: number): Key {
  const given = optionalInput(inputs, attrs, required, 'key');
  if (given) return [given.data[0] as number, given.data[1] as number];
  if (!attrs.key) throw new Error('neither a key nor a draw of the implicit generator was recorded');
  return implicitKey(attrs.key as ImplicitKey);
}

// ---- keys -------------------------------------------------------------------------------------------------------------

/** The key of `attrs.seed`. */
export const key = defineOp<{ readonly seed: Seed }>({
  name: 'random.key',
  infer: () => ({ shape: [2], dtype: 'uint32' }),
  kernel: (_, { seed }) => ({ shape: [2], dtype: 'uint32', data: Uint32Array.from(keyOf(seed)) }),
});

/** `num` keys of one, as an array [num, 2]. */
export const split = defineOp<Keyed & { readonly num: Dim }>({
  name: 'random.split',
  ...anyRank((facts, inputs, { num }) => {
    checkKeyType(facts, 'split', inputs[0], 0);
    checkShape(facts, 'split', [num]);
    return { shape: [num, 2], dtype: 'uint32' };
  }),
  kernel: ([k], { num }) => ({
    shape: [num as number, 2],
    dtype: 'uint32',
    data: Uint32Array.from(splitKey([k.data[0] as number, k.data[1] as number], num as number).flat()),
  }),
});

const BITS_DTYPES = { 1: 'uint8', 2: 'uint16', 4: 'uint32' } as const;

/** Random bits in unsigned integers of `width` bytes. */
export const bits = defineOp<Keyed & { readonly shape: readonly Dim[]; readonly width: 1 | 2 | 4 }>({
  name: 'random.bits',
  ...anyRank((facts, inputs, attrs) => {
    checkShape(facts, 'bits', attrs.shape);
    checkKey(facts, 'bits', inputs, attrs, 0);
    return { shape: attrs.shape, dtype: BITS_DTYPES[attrs.width] };
  }),
  kernel: (inputs, attrs, [out]) => distributions.bits(keyFor(inputs, attrs, 0), out.shape, attrs.width),
});

// ---- continuous -------------------------------------------------------------------------------------------------------

/** Inputs: low, high. */
export const uniform = defineOp<Sized>({
  name: 'random.uniform',
  ...anyRank((facts, inputs, attrs) => {
    const { shape, dtype } = attrs;
    if (dtype !== null && !isFloating(dtype)) checkUniformDtype('uniform', dtype);
    checkFits(facts, 'uniform', shape, inputs.slice(0, 2), 'low and high');
    checkUniformDtype('uniform', dtype);
    checkShape(facts, 'uniform', shape);
    checkKey(facts, 'uniform', inputs, attrs, 2);
    return { shape, dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) =>
    distributions.uniform(keyFor(inputs, attrs, 2), shape, inputs[0], inputs[1], dtype),
});

/** Optional inputs: loc, scale. The result may have more axes than the shape, from them. */
export const normal = defineOp<Sized<'loc' | 'scale'>>({
  name: 'random.normal',
  ...anyRank((facts, inputs, attrs) => {
    const { dtype } = attrs;
    if (dtype !== null && !isFloating(dtype) && dtype !== 'complex64')
      throw refuse('dtype', `normal: normal numbers are floats or complex64, not ${dtype}`);
    checkShape(facts, 'normal', attrs.shape);
    checkKey(facts, 'normal', inputs, attrs, 0);
    let shape: Shape = attrs.shape;
    for (const name of ['scale', 'loc'] as const) {
      const parameter = optionalInput(inputs, attrs, 0, name);
      if (!parameter) continue;
      const before = shape;
      const message = () =>
        refuse('broadcast', `normal: ${name} ${showType(parameter)} does not broadcast with ${showShape(before)}`);
      shape = broadcastOpen(facts, shape, parameter.shape, message);
    }
    return { shape, dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) =>
    distributions.normal(
      keyFor(inputs, attrs, 0),
      shape,
      dtype,
      optionalInput(inputs, attrs, 0, 'loc'),
      optionalInput(inputs, attrs, 0, 'scale'),
      attrs.shape as readonly number[],
    ),
});

/** Inputs: lower, upper. Without a shape the bounds decide it. */
export const truncatedNormal = defineOp<Keyed & { readonly shape?: readonly Dim[]; readonly dtype: DType | null }>({
  name: 'random.truncated_normal',
  ...anyRank((facts, inputs, attrs) => {
    const [lower, upper] = inputs;
    const { dtype } = attrs;
    if (dtype !== null && !isFloating(dtype)) checkUniformDtype('truncated_normal', dtype);
    const message = () =>
      refuse('broadcast', `truncated_normal: bounds ${showType(lower)} and ${showType(upper)} do not broadcast`);
    const shape = attrs.shape ?? broadcastOpen(facts, lower.shape, upper.shape, message);
    if (attrs.shape) checkFits(facts, 'truncated_normal', attrs.shape, [lower, upper], 'lower and upper');
    checkUniformDtype('truncated_normal', dtype);
    if (attrs.shape) checkShape(facts, 'truncated_normal', attrs.shape);
    checkKey(facts, 'truncated_normal', inputs, attrs, 2);
    return { shape, dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) =>
    distributions.truncatedNormal(keyFor(inputs, attrs, 2), shape, inputs[0], inputs[1], dtype),
});

export const gumbel = defineOp<Sized>({
  name: 'random.gumbel',
  ...anyRank((facts, inputs, attrs) => {
    checkUniformDtype('gumbel', attrs.dtype);
    checkShape(facts, 'gumbel', attrs.shape);
    checkKey(facts, 'gumbel', inputs, attrs, 0);
    return { shape: attrs.shape, dtype: attrs.dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) => distributions.gumbel(keyFor(inputs, attrs, 0), shape, dtype),
});

/** `loc` and `scale` are Python floats. */
export const laplace = defineOp<Sized & { readonly loc: number; readonly scale: number }>({
  name: 'random.laplace',
  ...anyRank((facts, inputs, attrs) => {
    if (attrs.dtype !== null && !isFloating(attrs.dtype))
      throw refuse('dtype', `laplace: random numbers of this kind are real floats, not ${attrs.dtype}`);
    checkShape(facts, 'laplace', attrs.shape);
    checkKey(facts, 'laplace', inputs, attrs, 0);
    return { shape: attrs.shape, dtype: attrs.dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) =>
    distributions.laplace(keyFor(inputs, attrs, 0), shape, dtype, attrs.loc, attrs.scale),
});

/** Inputs: mean [..., n], cov [..., n, n]. The result has the broadcast of their batches and `shape`, then n. */
export const multivariate = defineOp<Sized>({
  name: 'random.multivariate_normal',
  infer(facts, inputs, attrs) {
    const [mean, cov] = inputs;
    const op = 'multivariate_normal';
    if (attrs.dtype !== null && attrs.dtype !== 'float32')
      throw refuse('dtype', `${op}: only float32 can be drawn, not ${attrs.dtype}`);
    if (mean.shape.length < 1) throw refuse('value', `${op}: the mean needs at least one axis`, 0);
    if (cov.shape.length < 2) throw refuse('value', `${op}: the covariance needs at least two axes`, 1);
    const [rows, columns] = cov.shape.slice(-2);
    const n = mean.shape[mean.shape.length - 1];
    facts.require(rows, columns, () => refuse('value', `${op}: a covariance is square; this is ${showType(cov)}`, 1));
    const differs = () =>
      refuse('value', `${op}: mean ${showType(mean)} and covariance ${showType(cov)} differ in dimension`, 1);
    facts.require(n, columns, differs);
    const batch = broadcastShapes(facts, cov.shape.slice(0, -2), mean.shape.slice(0, -1), () =>
      refuse(
        'broadcast',
        `${op}: the batches of mean ${showType(mean)} and covariance ${showType(cov)} do not broadcast`,
      ),
    );
    const drawn = broadcastShapes(facts, batch, attrs.shape, () =>
      refuse(
        'broadcast',
        `${op}: shape ${showShape(attrs.shape)} does not broadcast with the batch ${showShape(batch)}`,
      ),
    );
    checkKey(facts, op, inputs, attrs, 2);
    return { shape: [...drawn, n], dtype: attrs.dtype };
  },
  kernel: (inputs, attrs, [{ shape }]) => multivariateNormal(keyFor(inputs, attrs, 2), shape, inputs[0], inputs[1]),
});

// ---- discrete ---------------------------------------------------------------------------------------------------------

/** Inputs: low, high. */
export const randint = defineOp<Sized>({
  name: 'random.randint',
  ...anyRank((facts, inputs, attrs) => {
    const { shape, dtype } = attrs;
    if (dtype !== null && isInexact(dtype))
      throw refuse('dtype', `randint: whole numbers have an integer dtype or bool, not ${dtype}`);
    checkFits(facts, 'randint', shape, inputs.slice(0, 2), 'low and high');
    checkShape(facts, 'randint', shape);
    checkKey(facts, 'randint', inputs, attrs, 2);
    return { shape, dtype };
  }),
  kernel: (inputs, attrs, [{ shape, dtype }]) =>
    distributions.randint(keyFor(inputs, attrs, 2), shape, inputs[0], inputs[1], dtype),
});

/** Input: p. Without a shape, p's. */
export const bernoulli = defineOp<Keyed & { readonly shape?: readonly Dim[] }>({
  name: 'random.bernoulli',
  ...anyRank((facts, inputs, attrs) => {
    const [p] = inputs;
    if (p.dtype !== null && !isFloating(p.dtype))
      throw refuse('dtype', `bernoulli: p is a float, this is ${showType(p)}`, 0);
    if (attrs.shape) {
      checkShape(facts, 'bernoulli', attrs.shape);
      checkFits(facts, 'bernoulli', attrs.shape, [p], 'p');
    }
    checkKey(facts, 'bernoulli', inputs, attrs, 1);
    return { shape: attrs.shape ?? p.shape, dtype: 'bool' };
  }),
  kernel: (inputs, attrs, [{ shape }]) => distributions.bernoulli(keyFor(inputs, attrs, 1), shape, inputs[0]),
});

type CategoricalAttrs = Keyed & {
  readonly axis: number;
  readonly shape?: readonly Dim[];
  readonly num_samples?: Dim;
};

/** Input: logits. At most one of `shape` and `num_samples`; the samples of the latter are a new last axis. */
export const sampleCategorical = defineOp<CategoricalAttrs>({
  name: 'random.categorical',
  infer(facts, inputs, attrs) {
    const [logits] = inputs;
    const { shape, num_samples: samples } = attrs;
    if (shape !== undefined && samples !== undefined)
      throw refuse('value', 'categorical: give shape or num_samples, not both');
    const axis = normalizeAxis('categorical', logits, attrs.axis);
    const reduced = logits.shape.filter((_, i) => i !== axis);
    if (shape !== undefined)
      checkFits(facts, 'categorical', shape, [{ shape: reduced, dtype: null }], 'what is left of the logits');
    const result = shape ?? (samples === undefined ? reduced : [...reduced, samples]);
    checkShape(facts, 'categorical', result);
    checkKey(facts, 'categorical', inputs, attrs, 1);
    checkNotEmpty(facts, logits, axis, result);
    return { shape: result, dtype: 'uint32' };
  },
  inferOpen: (_, __, { shape }) => ({ shape: shape ?? null, dtype: 'uint32' }),
  kernel(inputs, attrs, [{ shape }]) {
    const [logits] = inputs;
    const axis = attrs.axis < 0 ? attrs.axis + logits.shape.length : attrs.axis;
    const spread = attrs.num_samples === undefined ? logits : { ...logits, shape: [...logits.shape, 1] };
    return categorical(keyFor(inputs, attrs, 1), spread as Tensor, axis, shape);
  },
});

/** The largest of nothing is refused; a single distribution sampled into a shape is drawn from otherwise. */
function checkNotEmpty(facts: Facts, logits: RankedType, axis: number, result: readonly Dim[]): void {
  const count = logits.shape[axis];
  if (![count, ...result].some(d => facts.equal(d, 0) === 'yes')) return;
  const single = result.length > 0 && logits.shape.every((d, i) => i === axis || facts.equal(d, 1) !== 'no');
  if (single && facts.equal(count, 0) !== 'yes') return;
  throw refuse(
    'value',
    `categorical: ${showType(logits)} sampled into ${showShape(result)} leaves nothing to choose from`,
    0,
  );
}

/** Without an input the numbers below `n`; with the optional input `x` its slices along `axis`. In random order. */
export const permutation = defineOp<Keyed<'x'> & { readonly n?: Dim; readonly axis?: number }>({
  name: 'random.permutation',
  infer(facts, inputs, attrs) {
    const x = optionalInput(inputs, attrs, 0, 'x');
    if (x) normalizeAxis('permutation', x, attrs.axis ?? 0);
    return permuted(facts, inputs, attrs);
  },
  inferOpen: permuted,
  kernel(inputs, attrs, [out]) {
    const x = optionalInput(inputs, attrs, 0, 'x');
    const k = keyFor(inputs, attrs, 0);
    if (!x) return distributions.permutation(k, out.shape[0]);
    const axis = attrs.axis ?? 0;
    const at = axis < 0 ? axis + x.shape.length : axis;
    return takeAlong(x, at, distributions.permutation(k, x.shape[at]).data);
  },
});

function permuted(facts: Facts, inputs: readonly ArrayType[], attrs: Keyed<'x'> & { readonly n?: Dim }): ArrayType {
  checkKey(facts, 'permutation', inputs, attrs, 0);
  const x = optionalInput(inputs, attrs, 0, 'x');
  if (x) return x;
  checkShape(facts, 'permutation', [attrs.n!]);
  return { shape: [attrs.n!], dtype: 'uint32' };
}

/** The slices of `x` along `axis` in the given order. */
function takeAlong(x: Tensor, axis: number, order: Uint32Array): Tensor {
  const strides = stridesOf(x.shape);
  const along = x.shape.map((n, i) => (i === axis ? order.map(at => at * strides[i]) : steps(n, strides[i])));
  return takeAt(x, sums(along), x.shape);
}
