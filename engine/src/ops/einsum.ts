/**
 * einsum: sums of products named by letters.
 */
import { anonymous, type Dim } from '../dims/dim';
import type { Facts } from '../dims/facts';
import { OpenShape } from '../dims/shape';
import { type DType, isInexact, promote } from '../dtype';
import { type ArrayType, type ConcreteType, defineOp, type RankedType } from '../graph/op';
import { Refusal, type RefusalDetail } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast } from '../numeric/cast';
import { allocate, elementCount, type Tensor } from '../tensor';
import { broadcastDim } from './broadcast';
import { expandIndex } from './expand';
import { type Elements, readBox, reshaped, stridesOf, width } from './positions';
import { accumulator, matrixProduct, multiply } from './product_kernels';

const refuse = (message: string, detail: RefusalDetail = {}): Refusal =>
  new Refusal('einsum', `einsum: ${message}`, detail);

/** Subscripts as letters, one a axis, without ellipses. */
interface Subscripts {
  readonly inputs: readonly string[];
  readonly output: string;
}

// ---- subscripts -------------------------------------------------------------------------------------------------------

const ELLIPSIS = '...';

/** `ij,jk->ik`, or `ij,jk`, whose output is the letters that stand once, in alphabetical order. */
function parse(text: string): { inputs: string[]; output: string } {
  const compact = text.replaceAll(' ', '');
  const arrow = compact.indexOf('->');
  const inputs = (arrow < 0 ? compact : compact.slice(0, arrow)).split(',');
  if (arrow >= 0) return { inputs, output: compact.slice(arrow + 2) };
  const letters = [...inputs.join('').replaceAll('.', '')];
  const once = letters.filter(c => letters.indexOf(c) === letters.lastIndexOf(c)).sort();
  return { inputs, output: (compact.includes(ELLIPSIS) ? ELLIPSIS : '') + once.join('') };
}

/** @throws Refusal for what is neither a letter nor the one ellipsis a term may have */
function checkTerm(term: string): void {
  const rest = term.replace(ELLIPSIS, '');
  if (rest.includes(ELLIPSIS)) throw refuse(`${term} has more than one ellipsis`);
  const odd = rest.match(/[^a-zA-Z]/);
  if (odd) throw refuse(`subscripts are letters, but ${term} has '${odd[0]}'`);
}

/** Letters for the axes of an ellipsis, the last for the last: none that the subscripts use. */
function spareLetters(text: string): string {
  const all = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  return [...all].filter(c => !text.includes(c)).join('');
}

/**
 * The letters of each operand and of the result, for operands of these ranks.
 * @throws Refusal for malformed subscripts, and a number of operands or axes that they do not fit
 */
function resolve(text: string, types: readonly ArrayType[], ranks: readonly number[]): Subscripts {
  const { inputs, output } = parse(text);
  checkOperandCount(inputs, types);
  const spare = spareLetters(text);
  let longest = 0;
  const expanded = inputs.map((term, i) => {
    checkTerm(term);
    if (!term.includes(ELLIPSIS)) return term;
    const length = ranks[i] - (term.length - ELLIPSIS.length);
    if (length < 0) throw refuse(`${showType(types[i])} has too few axes for ${term}`, { input: i });
    longest = Math.max(longest, length);
    return term.replace(ELLIPSIS, spare.slice(spare.length - length));
  });
  checkTerm(output);
  const result = output.replace(ELLIPSIS, spare.slice(spare.length - longest));
  const twice = [...result].find((c, i) => result.indexOf(c) !== i);
  if (twice) throw refuse(`${twice} stands twice in the output ${output}`);
  for (const [i, term] of expanded.entries())
    if (term.length !== ranks[i])
      throw refuse(
        `${inputs[i]} names ${term.length} ${term.length === 1 ? 'axis' : 'axes'}, but operand ${i} is ${showType(types[i])}`,
        { input: i, expected: term.length, actual: ranks[i] },
      );
  return { inputs: expanded, output: result };
}

function checkOperandCount(terms: readonly string[], operands: readonly unknown[]): void {
  if (operands.length === 0) throw refuse('there are no operands');
  if (terms.length !== operands.length)
    throw refuse(`${terms.length} terms are written for ${operands.length} operand${operands.length === 1 ? '' : 's'}`);
}

// ---- rule -------------------------------------------------------------------------------------------------------------

function inferRanked(facts: Facts, inputs: readonly RankedType[], subscripts: string): ArrayType {
  const ranks = inputs.map(t => t.shape.length);
  const terms = resolve(subscripts, inputs, ranks);
  const lengths = letterLengths(facts, terms.inputs, inputs);
  const dtype = resultDtype(terms, inputs);
  const missing = [...terms.output].find(c => !lengths.has(c));
  if (missing) throw refuse(`the output has ${missing}, which no operand has`);
  return { shape: [...terms.output].map(c => lengths.get(c)!), dtype };
}

export const einsum = defineOp<{ readonly subscripts: string }>({
  name: 'einsum',
  infer: (facts, inputs, { subscripts }) => inferRanked(facts, inputs, subscripts),
  inferOpen(facts, inputs, { subscripts }) {
    const { inputs: terms } = parse(subscripts);
    checkOperandCount(terms, inputs);
    const ranked = inputs.map((type, i) => withRank(facts, type, terms[i]));
    if (ranked.every(type => type !== null)) return inferRanked(facts, ranked, subscripts);
    return { shape: null, dtype: inputs.map(t => t.dtype).reduce(promote) };
  },
  kernel(inputs, { subscripts }, [out]) {
    const ranks = inputs.map(x => x.shape.length);
    return evaluate(resolve(subscripts, inputs, ranks), inputs, out);
  },
});

/** The operand with the rank its term says; null where an ellipsis leaves it open. */
function withRank(facts: Facts, type: ArrayType, term: string): RankedType | null {
  const { shape, dtype } = type;
  if (Array.isArray(shape)) return { shape, dtype };
  if (term.includes(ELLIPSIS)) return null;
  if (!(shape instanceof OpenShape)) return { shape: Array.from(term, () => anonymous()), dtype };
  const known = facts.refineRank(shape, term.length, [...term]);
  if (!known) throw refuse(`${term} names ${term.length} axes, but the operand is ${showType(type)}`);
  return { shape: known, dtype };
}

/** How long the axis of each letter is: operands broadcast, but within one operand a letter has one length. */
function letterLengths(facts: Facts, terms: readonly string[], types: readonly RankedType[]): Map<string, Dim> {
  const lengths = new Map<string, Dim>();
  for (const [i, term] of terms.entries()) {
    const own = new Map<string, Dim>();
    for (const [axis, c] of [...term].entries()) {
      const d = types[i].shape[axis];
      const detail = { input: i, axis };
      const before = own.get(c);
      if (before !== undefined)
        facts.require(before, d, () =>
          refuse(`${c} is ${before} and ${d} long within one operand, ${showType(types[i])}`, detail),
        );
      own.set(c, d);
      const known = lengths.get(c);
      const differs = () =>
        refuse(`${c} is ${known} long elsewhere, but ${d} in operand ${i}: ${types.map(showType).join(', ')}`, {
          ...detail,
          expected: known,
          actual: d,
        });
      lengths.set(c, known === undefined ? d : broadcastDim(facts, known, d, differs));
    }
  }
  return lengths;
}

const SUM_DTYPE: Partial<Record<DType, DType>> = {
  bool: 'int32',
  int8: 'int32',
  int16: 'int32',
  uint8: 'uint32',
  uint16: 'uint32',
};

/** The dtype of each operand once letters that stand nowhere else are summed away. */
const summedDtypes = ({ inputs, output }: Subscripts, types: readonly ArrayType[]): (DType | null)[] =>
  types.map(({ dtype }, i) => {
    const others = inputs.filter((_, j) => j !== i).join('') + output;
    const sums = [...inputs[i]].some(c => !others.includes(c));
    return dtype !== null && sums ? (SUM_DTYPE[dtype] ?? dtype) : dtype;
  });

function resultDtype(terms: Subscripts, types: readonly ArrayType[]): DType | null {
  const dtype = summedDtypes(terms, types).reduce(promote);
  const [a, b] = terms.inputs;
  // two operands that share a letter the output lacks meet in a matrix product; which ones do among more depends on
  // the order of contraction
  const contracts = types.length === 2 && [...a].some(c => b.includes(c) && !terms.output.includes(c));
  if (dtype !== null && contracts && !isInexact(dtype))
    throw new Refusal(
      'dtype',
      `einsum: matrix products need floats, these are ${types.map(t => t.dtype).join(' and ')}`,
    );
  return dtype;
}

// ---- kernel -----------------------------------------------------------------------------------------------------------

/** A tensor with a letter for each axis, none twice. */
interface Labelled {
  readonly x: Tensor;
  readonly letters: string;
}

/** Contracts from the left, two at a time; what only one operand has is summed first. */
function evaluate({ inputs, output }: Subscripts, operands: readonly Tensor[], out: ConcreteType): Tensor {
  let current = reduce({ x: operands[0], letters: inputs[0] }, inputs.slice(1).join('') + output);
  for (let i = 1; i < operands.length; i++) {
    const later = inputs.slice(i + 1).join('') + output;
    const next = reduce({ x: operands[i], letters: inputs[i] }, current.letters + later);
    current = combine(reduce(current, next.letters + later), next, later);
  }
  return cast(arrange(reduce(current, output), output, out.shape), out.dtype);
}

/** Takes diagonals of repeated letters, and sums over those that are not in `kept`. */
function reduce({ x, letters }: Labelled, kept: string): Labelled {
  const unique = [...new Set(letters)];
  const stays = unique.filter(c => kept.includes(c));
  if (unique.length === letters.length && stays.length === letters.length) return { x, letters };
  const sums = unique.filter(c => !kept.includes(c));
  const box = arrange({ x, letters }, [...stays, ...sums].join(''));
  const shape = box.shape.slice(0, stays.length);
  return { x: sums.length > 0 ? sumTail(box, shape) : box, letters: stays.join('') };
}

/**
 * The elements with one axis for each of `order`'s letters: repeated letters walk a diagonal, missing ones have length
 * 1. With `shape`, broadcast to it.
 */
function arrange({ x, letters }: Labelled, order: string, shape?: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  const lengths = [...order].map((c, i) => shape?.[i] ?? x.shape[letters.indexOf(c)] ?? 1);
  const along = [...order].map((c, i) => {
    let stride = 0;
    for (const [axis, own] of [...letters].entries()) if (own === c) stride += strides[axis];
    return x.shape[letters.indexOf(c)] === lengths[i] ? stride : 0;
  });
  return readBox(x, lengths, along);
}

/** Sums over all axes behind those of `shape`, in order, in the dtype of `mx.sum`. */
function sumTail(x: Tensor, shape: readonly number[]): Tensor {
  const dtype = SUM_DTYPE[x.dtype] ?? x.dtype;
  const lanes = width(x);
  const groups = elementCount(shape);
  const { data } = cast(x, accumulator(dtype));
  const total = allocate(accumulator(dtype), groups);
  const size = groups === 0 ? 0 : data.length / lanes / groups;
  const [from, to] = [data as Elements, total as Elements];
  for (let i = 0; i < groups * size; i++)
    for (let lane = 0; lane < lanes; lane++) {
      const at = Math.floor(i / size) * lanes + lane;
      const value = from[i * lanes + lane];
      to[at] = typeof value === 'bigint' ? (to[at] as bigint) + value : (to[at] as number) + value;
    }
  return cast({ shape, dtype: accumulator(dtype), data: total } as Tensor, dtype);
}

/** The product of two, summed over the shared letters that are not in `kept`. */
function combine(a: Labelled, b: Labelled, kept: string): Labelled {
  const dtype = promote(a.x.dtype, b.x.dtype)!;
  const shared = [...a.letters].filter(c => b.letters.includes(c));
  const batch = shared.filter(c => kept.includes(c));
  const summed = shared.filter(c => !kept.includes(c));
  const left = [...a.letters].filter(c => !shared.includes(c));
  const right = [...b.letters].filter(c => !shared.includes(c));
  const length = (c: string): number => {
    const [m, n] = [a, b].map(({ x, letters }) => (letters.includes(c) ? x.shape[letters.indexOf(c)] : 1));
    return m === 1 ? n : m;
  };
  const lengths = (letters: readonly string[]): number[] => letters.map(length);
  const size = (letters: readonly string[]): number => elementCount(lengths(letters));
  const letters = [...batch, ...left, ...right].join('');
  const out = { shape: lengths([...letters]), dtype };
  if (summed.length === 0) {
    const spread = (y: Labelled): Tensor =>
      arrange(
        y,
        letters,
        [...letters].map(c => (y.letters.includes(c) ? length(c) : 1)),
      );
    return { x: multiply(spread(a), spread(b), out), letters };
  }
  const matrices = (y: Labelled, order: readonly string[], shape: number[]): Tensor =>
    reshaped(cast(arrange(y, order.join(''), lengths(order)), dtype), [size(batch), ...shape]);
  const x = isInexact(dtype)
    ? matrixProduct(
        matrices(a, [...batch, ...left, ...summed], [size(left), size(summed)]),
        matrices(b, [...batch, ...summed, ...right], [size(summed), size(right)]),
        expandIndex([size(batch)], [size(batch)]),
        expandIndex([size(batch)], [size(batch)]),
        out,
      )
    : sumOfProducts(a, b, letters + summed.join(''), lengths, out);
  return { x, letters };
}

/** The same for integers, which have no matrix product. */
function sumOfProducts(
  a: Labelled,
  b: Labelled,
  order: string,
  lengths: (letters: readonly string[]) => number[],
  out: ConcreteType,
): Tensor {
  const shape = lengths([...order]);
  const full = multiply(arrange(a, order, shape), arrange(b, order, shape), { shape, dtype: out.dtype });
  return cast(sumTail(full, out.shape), out.dtype);
}
