/**
 * A chain of elementwise operations as one: what an evaluation's plan makes of steps whose results only the next one
 * reads (../evaluate/fuse). No program records it.
 */
import type { Facts } from '../dims/facts';
import type { DType } from '../dtype';
import { type Attrs, type ConcreteType, defineOp, opNamed, type RankedType } from '../graph/op';
import type { Tensor } from '../tensor';

/** Operands are numbered: the inputs of the chain first, then the results of its steps in order. */
export type ChainStep = {
  readonly op: string;
  readonly attrs: Attrs;
  readonly operands: readonly number[];
  /** What the step gives. */
  readonly type: { readonly shape: readonly number[]; readonly dtype: DType };
};

export type ChainAttrs = { readonly steps: readonly ChainStep[] };

export const CHAIN = 'chain';

const CALCULATIONS =
  'negative abs square sqrt rsqrt reciprocal exp sigmoid tanh erf log log2 log10 log1p expm1 sin cos floor ceil ' +
  'add subtract multiply divide maximum minimum power';
const TESTS =
  'equal not_equal less less_equal greater greater_equal logical_and logical_or logical_not where astype stop_gradient';

/** Whether operations may have booleans alone for inputs. */
const CHAINABLE: ReadonlyMap<string, boolean> = new Map([
  ...CALCULATIONS.split(' ').map(op => [op, false] as const),
  ...TESTS.split(' ').map(op => [op, true] as const),
]);

export const CHAINED_OPS: readonly string[] = [...CHAINABLE.keys()];

const isFloat = ({ dtype }: ConcreteType): boolean =>
  dtype === 'float32' || dtype === 'float16' || dtype === 'bfloat16';

/** Whether an operation may stand in a chain: elementwise, on floats of at most 32 bits and booleans. */
export function chainable(op: string, inputs: readonly ConcreteType[], out: ConcreteType): boolean {
  const ofBooleans = CHAINABLE.get(op);
  if (ofBooleans === undefined || !(ofBooleans || inputs.some(isFloat))) return false;
  return [...inputs, out].every(type => isFloat(type) || type.dtype === 'bool');
}

/** For each operand the last step that reads it. */
const lastUses = (steps: readonly ChainStep[]): ReadonlyMap<number, number> =>
  new Map(steps.flatMap(({ operands }, i) => operands.map(at => [at, i] as const)));

function infer(facts: Facts, inputs: readonly RankedType[], { steps }: ChainAttrs): RankedType {
  const known: RankedType[] = [...inputs];
  for (const { op, attrs, operands } of steps) {
    const given = operands.map(i => known[i]);
    known.push(opNamed(op).infer(facts, given, attrs) as RankedType);
  }
  return known[known.length - 1];
}

defineOp<ChainAttrs>({
  name: CHAIN,
  infer,
  kernel(inputs, { steps }) {
    const known: Tensor[] = [...inputs];
    const last = lastUses(steps);
    for (const [i, { op, attrs, operands, type }] of steps.entries()) {
      const given = operands.map(at => known[at]);
      known.push(opNamed(op).kernel!(given, attrs, [type]) as Tensor);
      // what no later step reads is let go
      for (const at of operands) if (last.get(at) === i) delete known[at];
    }
    return known[known.length - 1];
  },
});
