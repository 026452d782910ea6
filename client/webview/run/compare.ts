/** Computes a program in this page, by WebAssembly and by WebGPU, and says how far the two are apart. */
import { createBackends } from '../../../engine/backends/create';
import { parity } from '../../../engine/backends/parity';
import type { Backend } from '../../../engine/src/evaluate/backend';
import { type Evaluation, evaluate } from '../../../engine/src/evaluate/evaluate';
import { readProgram } from '../../../engine/src/evaluate/program';
import { readProgramText } from '../../../engine/src/evaluate/program_text';
import '../../../engine/src/ops';

export interface Comparison {
  /** How many of the operations WebGPU computed; the others are left to the processor. */
  readonly onGpu: number;
  readonly operations: number;
  /** What these operations took on either. */
  readonly gpuSeconds: number;
  readonly wasmSeconds: number;
  /** The largest difference between two elements of the outputs; NaN where only one is a number. */
  readonly difference: number;
  /** The largest finite element by WebAssembly, to judge the difference by. */
  readonly scale: number;
  /** Why the GPU gave something up, each reason once. */
  readonly troubles: readonly string[];
}

/** A computation that is shorter is made twice: the first time, the GPU's driver compiles. */
const SHORT_MILLISECONDS = 1000;

let gpu: Promise<readonly Backend[]> | null = null;
/** WebGPU, then WebAssembly. The device is opened once, and goes with the page. */
const gpuBackends = (): Promise<readonly Backend[]> => (gpu ??= createBackends({ name: 'webgpu', leastWork: 0 }));

/** Whether this page can compute on a GPU, or on what stands in for one. */
export async function hasWebGpu(): Promise<boolean> {
  return Boolean(await globalThis.navigator.gpu?.requestAdapter().catch(() => null));
}

/** @throws EvaluationError where the program cannot be computed; the signal's reason when cancelled */
export async function compare(text: string, signal: AbortSignal): Promise<Comparison> {
  const { outputs } = readProgram(readProgramText(text));
  const wasm = await evaluate(outputs, { backend: await createBackends({ name: 'wasm' }), signal });
  const onGpu = () => gpuBackends().then(backend => evaluate(outputs, { backend, signal }));
  const first = await onGpu();
  const last = first.milliseconds < SHORT_MILLISECONDS ? await onGpu() : first;
  return { ...times(wasm, last), ...distance(wasm, last), troubles: troubles([first, last]) };
}

function times(wasm: Evaluation, gpu: Evaluation) {
  const calls = new Set(gpu.steps.filter(step => step.backend === 'webgpu').map(step => step.call));
  const seconds = ({ steps }: Evaluation) =>
    steps.reduce((sum, { call, milliseconds }) => sum + (calls.has(call) ? milliseconds / 1000 : 0), 0);
  return { onGpu: calls.size, operations: gpu.steps.length, gpuSeconds: seconds(gpu), wasmSeconds: seconds(wasm) };
}

function distance(wasm: Evaluation, gpu: Evaluation) {
  const parities = wasm.outputs.map((right, i) => parity(gpu.outputs[i], right));
  return {
    difference: Math.max(0, ...parities.map(p => p.absolute)),
    scale: Math.max(0, ...parities.map(p => p.scale)),
  };
}

const troubles = (evaluations: readonly Evaluation[]): string[] => [
  ...new Set(evaluations.flatMap(({ steps }) => steps.flatMap(({ givenUp = [] }) => givenUp.map(g => g.reason)))),
];
