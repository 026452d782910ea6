/**
 * One suite for every backend: what it supports of the shared cases, it computes as the reference does.
 *
 * Vitest runs it over WebAssembly (conformance.test.ts), a page of Chromium over WebGPU (test/webgpu).
 */
import { type Parity, parity } from '../../../engine/backends/parity';
import type { DType } from '../../../engine/src/dtype';
import { type Backend, reference } from '../../../engine/src/evaluate/backend';
import type { Tensor } from '../../../engine/src/tensor';
import {
  type Case,
  elementwiseCases,
  productCases,
  quantizeCases,
  quantizedCases,
  randomCases,
  resultTypes,
} from './cases';
import { attentionCases, chainCases, rowCases } from './layer_cases';

/** The cases by what they are about. */
export const GROUPS: Readonly<Record<string, () => Case[]>> = {
  products: productCases,
  elementwise: elementwiseCases,
  'quantized products': quantizedCases,
  quantization: quantizeCases,
  'random numbers': randomCases,
  rows: rowCases,
  attention: attentionCases,
  chains: chainCases,
};

/**
 * The largest difference that is no error, by dtype, for results of this operation: relative to the largest magnitude
 * of the result, or absolute where that is below 1. 0 asks for the same elements, signs of zeros included.
 */
export type Tolerance = (op: string, dtype: DType) => number;

export interface Outcome {
  readonly name: string;
  readonly op: string;
  /** `declined` where the backend leaves the case to others. */
  readonly verdict: 'passed' | 'failed' | 'declined';
  /** The difference that `Tolerance` is compared with; 0 where the case was declined. */
  readonly difference: number;
  /** Why it failed. */
  readonly message: string;
}

/** The outcome of each case. */
export async function conformance(
  backend: Backend,
  cases: readonly Case[],
  tolerance: Tolerance,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const one of cases) {
    const { name, op, attrs, inputs } = one;
    const said = { name, op, difference: 0, message: '' };
    if (!backend.supports(op, attrs, inputs)) {
      outcomes.push({ ...said, verdict: 'declined' });
      continue;
    }
    try {
      const types = resultTypes(one);
      const expected = (await reference.run(op, attrs, inputs, types)) as readonly Tensor[];
      const actual = await backend.run(op, attrs, inputs, types);
      const differences = expected.map((wanted, i) => scaled(parity(actual[i], wanted)));
      const difference = differences.reduce((a, b) => Math.max(a, b), 0);
      const most = Math.min(...types.map(({ dtype }) => tolerance(op, dtype)));
      const passed = most > 0 ? difference <= most : expected.every((wanted, i) => same(actual[i], wanted));
      const message = passed ? '' : `${difference.toExponential(2)} apart, at most ${most} allowed`;
      outcomes.push({ ...said, verdict: passed ? 'passed' : 'failed', difference, message });
    } catch (error) {
      outcomes.push({ ...said, verdict: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }
  return outcomes;
}

const same = (a: Tensor, b: Tensor): boolean => b.data.every((value, i) => Object.is(value, a.data[i]));

const scaled = ({ absolute, scale }: Parity): number => absolute / Math.max(scale, 1);
