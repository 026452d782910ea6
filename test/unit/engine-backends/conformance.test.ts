/**
 * The shared cases on WebAssembly: equal bits in exact arithmetic, close ones in fast.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { WasmBackend } from '../../../engine/backends/wasm';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import type { DType } from '../../../engine/src/dtype';
import { conformance, GROUPS, type Tolerance } from './conformance';

enableRelaxedSimd();

/** Half precision rounds at every step in the reference, once in fast arithmetic. */
const FAST: Partial<Record<DType, number>> = { float32: 2e-6, float16: 2e-2, bfloat16: 2e-1 };

const exactly: Tolerance = () => 0;
const closely: Tolerance = (op, dtype) => (op === 'quantize' || op.startsWith('random.') ? 0 : (FAST[dtype] ?? 0));

let exact: WasmBackend;
let fast: WasmBackend;
beforeAll(async () => {
  exact = await WasmBackend.create();
  fast = await WasmBackend.create({ arithmetic: 'fast' });
});

const names = (outcomes: Awaited<ReturnType<typeof conformance>>, verdict: string) =>
  outcomes.filter(o => o.verdict === verdict).map(({ name, message }) => `${name}: ${message}`);

describe.each(Object.entries(GROUPS))('%s', (group, makeCases) => {
  const cases = makeCases();

  test('equal the reference bit for bit', async () => {
    const outcomes = await conformance(exact, cases, exactly);
    expect(names(outcomes, 'failed')).toEqual([]);
    // Left to the reference: all that is elementwise, and what the kernels cannot sum in MLX's order, groups across the
    // results.
    const declined = cases.filter((_, i) => outcomes[i].verdict === 'declined');
    const rightly = cases.filter(
      ({ attrs }) => group === 'elementwise' || (attrs.transpose === false && /fp/.test(String(attrs.mode))),
    );
    expect(declined.filter(one => !rightly.includes(one)).map(one => one.name)).toEqual([]);
  });

  test('are close to it in fast arithmetic', async () => {
    const outcomes = await conformance(fast, cases, closely);
    expect(names(outcomes, 'failed')).toEqual([]);
    expect(names(outcomes, 'declined').length).toBe(group === 'elementwise' ? cases.length : 0);
  });
});
