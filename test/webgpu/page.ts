/**
 * The tests of WebGPU, run by a page: the shared conformance cases, what happens when the device goes, and the Run panel.
 *
 * Only float32 programs exist, so the optional feature shader-f16 is not asked for: software adapters lack it, and what
 * cannot be tested here does not ship.
 */
import { createBackends } from '../../engine/backends/create';
import { parity } from '../../engine/backends/parity';
import { WebGpuBackend } from '../../engine/backends/webgpu';
import { GPU_OPS } from '../../engine/backends/webgpu/ops';
import { Facts } from '../../engine/src/dims/facts';
import { evaluate } from '../../engine/src/evaluate/evaluate';
import { record, source } from '../../engine/src/graph/graph';
import { elementCount, type Tensor } from '../../engine/src/tensor';
import { type Case, random } from '../unit/engine-backends/cases';
import { conformance, GROUPS, type Outcome } from '../unit/engine-backends/conformance';
import { PANEL_TESTS } from './panel';
import { tolerance } from './tolerance';

export type Result = Pick<Outcome, 'name' | 'difference' | 'message'> & { readonly passed: boolean };

/** What `window.answer` is in the end. */
export interface Answer {
  /** Vendor and architecture; null without an adapter. */
  readonly adapter: string | null;
  readonly results: readonly Result[];
}

/** No operation is too small for these tests. */
const ALL = { leastWork: 0 };

/** Left to other backends: what it has no program for, and work that there is none of. */
const mayDecline = ({ op, inputs }: Case): boolean =>
  !Object.hasOwn(GPU_OPS, op) || inputs.some(({ shape }) => elementCount(shape) === 0);

async function conformanceResults(): Promise<Result[]> {
  const backend = await WebGpuBackend.create(ALL);
  const results: Result[] = [];
  for (const [group, makeCases] of Object.entries(GROUPS)) {
    const cases = makeCases();
    for (const [i, outcome] of (await conformance(backend, cases, tolerance)).entries()) {
      const { name, verdict, difference, message } = outcome;
      if (verdict === 'declined' && mayDecline(cases[i])) continue;
      const passed = verdict === 'passed';
      results.push({ name: `${group}: ${name}`, passed, difference, message: message || (passed ? '' : verdict) });
    }
  }
  backend.destroy();
  return results;
}

// ---- the device goes --------------------------------------------------------------------------------------------------

/** The devices that were handed out, last first: tests take them away. */
const devices: GPUDevice[] = [];
const requestDevice = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await requestDevice.call(this, descriptor);
  devices.unshift(device);
  return device;
};

/** tanh(a @ b) + a, with its sources. */
function program() {
  const facts = new Facts();
  const [a, b] = [1, 2].map(seed =>
    source({ shape: [64, 64], dtype: 'float32' }, { value: random('float32', [64, 64], seed) }),
  );
  const [product] = record(facts, 'matmul', [a, b], {});
  const [bent] = record(facts, 'tanh', [product], {});
  return record(facts, 'add', [bent, a], {});
}

function equal(actual: unknown, wanted: unknown): void {
  const [left, right] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${left} instead of ${right}`);
}

async function nearReference(outputs: readonly Tensor[]): Promise<void> {
  const expected = await evaluate(program());
  const { absolute } = parity(outputs[0], expected.outputs[0]);
  if (!(absolute <= 1e-4)) throw new Error(`${absolute} apart from the reference`);
}

const DEVICE_TESTS: Readonly<Record<string, () => Promise<void>>> = {
  async 'a graph runs on the GPU, what it lacks elsewhere'() {
    const { outputs, steps } = await evaluate(program(), { backend: await createBackends({ name: 'webgpu', ...ALL }) });
    await nearReference(outputs);
    equal([...new Set(steps.map(s => s.backend))], ['webgpu']);
  },

  async 'small work is left to the processor'() {
    const { steps } = await evaluate(program(), { backend: await createBackends({ name: 'webgpu' }) });
    equal(
      steps.map(s => s.backend),
      ['webgpu', 'wasm'],
    );
  },

  async 'a device lost between two operations: the next backends go on'() {
    const backend = await createBackends({ name: 'webgpu', ...ALL });
    const { outputs, steps } = await evaluate(program(), {
      backend,
      onProgress: ({ done }) => done === 1 && devices[0].destroy(),
    });
    await nearReference(outputs);
    equal(
      steps.map(s => s.backend),
      ['webgpu', 'wasm'],
    );
    const again = await evaluate(program(), { backend });
    equal(
      again.steps.map(s => s.backend),
      ['wasm', 'wasm'],
    );
  },

  async 'a device lost in the middle of an operation: it is computed again, and the reason told'() {
    const backend = await createBackends({ name: 'webgpu', ...ALL });
    const evaluation = evaluate(program(), { backend });
    await Promise.resolve();
    devices[0].destroy();
    const { outputs, steps } = await evaluation;
    await nearReference(outputs);
    equal(steps[0].backend, 'wasm');
    equal(
      steps[0].givenUp?.map(g => g.backend),
      ['webgpu'],
    );
    if (!steps[0].givenUp?.[0].reason) throw new Error('no reason is told');
  },

  async 'a backend that was given back declines'() {
    const backend = await WebGpuBackend.create(ALL);
    const x = random('float32', [8, 8], 1);
    equal(backend.supports('matmul', {}, [x, x]), true);
    backend.destroy();
    equal(backend.supports('matmul', {}, [x, x]), false);
  },

  async 'without an adapter WebAssembly takes over'() {
    const { requestAdapter } = GPU.prototype;
    GPU.prototype.requestAdapter = async () => null;
    try {
      equal(
        (await createBackends({ name: 'webgpu' })).map(b => b.name),
        ['wasm'],
      );
    } finally {
      GPU.prototype.requestAdapter = requestAdapter;
    }
  },

  async "runs at the same time do not take each other's memory"() {
    const backend = await WebGpuBackend.create(ALL);
    const cases = [1, 2, 3, 4, 5, 6].map(seed => [random('float32', [70, 70], seed), random('float32', [70, 70], 9)]);
    const type = { shape: [70, 70], dtype: 'float32' } as const;
    const results = await Promise.all(cases.map(inputs => backend.run('matmul', {}, inputs, [type])));
    for (const [i, inputs] of cases.entries()) {
      const [alone] = await backend.run('matmul', {}, inputs, [type]);
      equal(parity(results[i][0], alone).absolute, 0);
    }
  },

  async 'results that stay on the GPU are the ones that were given'() {
    const backend = await WebGpuBackend.create(ALL);
    for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
      const x = random(dtype, [300], 1);
      const type = { shape: [300], dtype };
      const [once] = await backend.run('multiply', {}, [x, x], [type]);
      const copy = { ...once, data: once.data.slice() } as Tensor;
      const [kept] = await backend.run('square', {}, [once], [type]);
      const [sent] = await backend.run('square', {}, [copy], [type]);
      equal(parity(kept, sent).absolute, 0);
    }
  },
};

// ---- all of them ------------------------------------------------------------------------------------------------------

async function resultsOf(group: string, tests: Readonly<Record<string, () => Promise<void>>>): Promise<Result[]> {
  const results: Result[] = [];
  for (const [name, test] of Object.entries(tests)) {
    let message = '';
    await test().catch(error => {
      message = error instanceof Error ? error.message : String(error);
    });
    results.push({ name: `${group}: ${name}`, passed: message === '', difference: 0, message });
  }
  return results;
}

declare global {
  interface Window {
    answer?: Answer;
  }
}

const adapter = await navigator.gpu?.requestAdapter();
window.answer = adapter
  ? {
      adapter: [adapter.info.vendor, adapter.info.architecture].join(' '),
      results: [
        ...(await conformanceResults()),
        ...(await resultsOf('device', DEVICE_TESTS)),
        ...(await resultsOf('panel', PANEL_TESTS)),
      ],
    }
  : { adapter: null, results: [] };
