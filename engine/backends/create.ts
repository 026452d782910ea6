/**
 * Makes the backends a caller asks for by name, each with what stands in for it where it cannot run.
 */
import type { Backend } from '../src/evaluate/backend';
import { type Arithmetic, WasmBackend } from './wasm';
import { WebGpuBackend } from './webgpu';

export const BACKEND_NAMES = ['wasm', 'webgpu', 'reference'] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

export interface BackendChoice {
  /** `webgpu` falls back to `wasm` for what it declines, and `wasm` to `reference`. */
  readonly name: BackendName;
  /** Of `wasm`; see ./wasm. */
  readonly arithmetic?: Arithmetic;
  /** Bytes that one operation may take at most. */
  readonly memoryLimit?: number;
  /** Of `webgpu`; see ./webgpu. */
  readonly leastWork?: number;
}

/**
 * What `evaluate` takes as `backend`: in order of preference, without `reference`, which is always there. Empty where
 * nothing faster runs on this machine.
 */
export async function createBackends({ name, ...options }: BackendChoice): Promise<readonly Backend[]> {
  if (name === 'reference') return [];
  const wasm = await made(WasmBackend.create(options));
  const webgpu = name === 'webgpu' ? await made(WebGpuBackend.create(options)) : [];
  return [...webgpu, ...wasm];
}

/** The backend, or none where it cannot run. */
const made = (backend: Promise<Backend>): Promise<Backend[]> =>
  backend.then(
    one => [one],
    () => [],
  );
