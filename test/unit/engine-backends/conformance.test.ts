/**
 * The shared cases on WebAssembly: equal bits in exact arithmetic, close ones in fast.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { WasmBackend } from '../../../engine/backends/wasm';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import type { DType } from '../../../engine/src/dtype';
import type { Case } from './cases';
import { conformance, GROUPS, type Tolerance } from './conformance';

enableRelaxedSimd();

/** Half precision rounds at every step in the reference, once in fast arithmetic. */
const FAST: Partial<Record<DType, number>> = { float32: 2e-6, float16: 2e-2, bfloat16: 2e-1 };
/** Functions and long sums that the reference computes in float64: a last bit may round the other way. */
const ROUNDED: Partial<Record<DType, number>> = { float32: 5e-7, float16: 1e-3, bfloat16: 8e-3 };

/** Operations whose every bit is fixed: by MLX, or by IEEE 754. */
const EXACT = new RegExp(
  '^(matmul|addmm|gather_|quantize|random|add|subtract|multiply|divide|(max|min)imum|abs|negative|square|sqrt|reciprocal|' +
    'erf|floor|ceil|logical_|equal|not_equal|less|greater)',
);

const exactly: Tolerance = (op, dtype) => (EXACT.test(op) ? 0 : (ROUNDED[dtype] ?? 0));
const closely: Tolerance = (op, dtype) => (/^(quantize$|random)/.test(op) ? 0 : (FAST[dtype] ?? 0));

/** Quantization to e2m1 is left to the reference. */
const isLeft = ({ op, attrs }: Case): boolean => op === 'quantize' && /fp4/.test(String(attrs.mode));

let exact: WasmBackend;
let fast: WasmBackend;
beforeAll(async () => {
  exact = await WasmBackend.create();
  fast = await WasmBackend.create({ arithmetic: 'fast' });
});

const names = (outcomes: Awaited<ReturnType<typeof conformance>>, verdict: string) =>
  outcomes.filter(o => o.verdict === verdict).map(({ name, message }) => `${name}: ${message}`);

describe.each(Object.entries(GROUPS))('%s', (_, makeCases) => {
  const cases = makeCases();

  test('equal the reference, bit for bit where bits are fixed', async () => {
    const outcomes = await conformance(exact, cases, exactly);
    expect(names(outcomes, 'failed')).toEqual([]);
    // Left to the reference: what the kernels cannot sum in MLX's order, groups across the results.
    const declined = cases.filter((_, i) => outcomes[i].verdict === 'declined');
    const rightly = cases.filter(
      one => isLeft(one) || (one.attrs.transpose === false && /fp/.test(String(one.attrs.mode))),
    );
    expect(declined.filter(one => !rightly.includes(one)).map(one => one.name)).toEqual([]);
  });

  test('are close to it in fast arithmetic', async () => {
    const outcomes = await conformance(fast, cases, closely);
    expect(names(outcomes, 'failed')).toEqual([]);
    const declined = cases.filter((_, i) => outcomes[i].verdict === 'declined');
    expect(declined.filter(one => !isLeft(one)).map(one => one.name)).toEqual([]);
  });
});
