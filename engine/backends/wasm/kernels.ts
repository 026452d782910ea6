/**
 * Loads the compiled kernels (./kernels, in AssemblyScript) over a memory of their own.
 *
 * Which of the two builds runs is the caller's choice of arithmetic, not the machine's: only where `fast` is asked for
 * and the engine knows relaxed SIMD does the fused build load.
 */
import type { DType } from '../../src/dtype';
import { EXACT, FAST } from './generated/kernels';

/** `exact` gives MLX's own bits; `fast` fuses multiply and add. */
export type Arithmetic = 'exact' | 'fast';

/** As kernels/round.ts numbers them. */
export const ROUNDING: Partial<Record<DType, number>> = { float32: 0, bfloat16: 1, float16: 2 };

/** Pointers and counts are unsigned 32-bit numbers; see kernels/ for each function's contract. */
export interface KernelExports {
  setDense(w: number, width: number, rows: number): void;
  setAffine(w: number, s: number, b: number, width: number, size: number, bits: number, rows: number): void;
  setMicroscaled(w: number, s: number, width: number, size: number, bits: number, rows: number): void;
  multiply(x: number, y: number, m: number, k: number, n: number, dtype: number, workspace: number): void;
  workspaceBytes(): number;
  randomWords(key0: number, key1: number, count: number, out: number, from: number, to: number): void;
  uniforms(at: number, count: number, low: number, range: number, top: number, dtype: number): void;
  normals(at: number, count: number, root: number, mean: number, moved: number, dtype: number, constants: number): void;
  roundAll(at: number, count: number, dtype: number): void;
  chainWorkspaceBytes(): number;
  chain(
    program: number,
    steps: number,
    inputs: number,
    inputCount: number,
    axes: number,
    rank: number,
    inner: number,
    out: number,
    bools: number,
    workspace: number,
  ): void;
  softmaxRows(x: number, rows: number, n: number): void;
  attentionWeights(
    scores: number,
    rows: number,
    keys: number,
    scale: number,
    mask: number,
    kind: number,
    maskRow: number,
    maskColumn: number,
    causal: number,
    offset: number,
    hasSink: number,
    sink: number,
  ): void;
  normRows(
    x: number,
    out: number,
    rows: number,
    n: number,
    eps: number,
    centred: number,
    weight: number,
    bias: number,
  ): void;
  rotateRows(
    x: number,
    out: number,
    length: number,
    width: number,
    half: number,
    traditional: number,
    cos: number,
    sin: number,
  ): void;
  groupMaxima(w: number, out: number, groups: number, groupSize: number): void;
  encodeFp8(w: number, out: number, divisors: number, groups: number, groupSize: number, dtype: number): void;
  quantizeAffine(
    w: number,
    out: number,
    scales: number,
    biases: number,
    groups: number,
    groupSize: number,
    bits: number,
  ): void;
}

// (func (result v128) (i32x4.splat (i32.const 0)))
const SIMD_PROBE = '0061736d010000000105016000017b030201000a080106004100fd110b';
// (func (result v128) (f32x4.relaxed_madd (i32x4.splat 0) (i32x4.splat 0) (i32x4.splat 0)))
const RELAXED_PROBE = `0061736d010000000105016000017b030201000a13011100${'4100fd11'.repeat(3)}fd85020b`;

function validates(hex: string): boolean {
  const digits = hex.match(/../g) as string[];
  return typeof WebAssembly === 'object' && WebAssembly.validate(Uint8Array.from(digits, d => Number.parseInt(d, 16)));
}

/** Whether this engine can run the kernels at all. */
export const hasSimd = (): boolean => validates(SIMD_PROBE);
/** Whether it knows relaxed SIMD; on Node 20 only after `enableRelaxedSimd` (./relaxed.node). */
export const hasRelaxedSimd = (): boolean => validates(RELAXED_PROBE);

const modules = new Map<string, Promise<WebAssembly.Module>>();

/** Memories that modules are declared to take, in pages. */
const MOST_PAGES = 65535;
const SHARED_MEMORY = [...'memory'].map(c => c.charCodeAt(0)).concat(2, 3);
const AT_FLAG = SHARED_MEMORY.length - 1;

/** Turns the import of a shared memory into that of a plain one: one bit of its limits. */
function unshare(bytes: Uint8Array): void {
  for (let at = 0; at + AT_FLAG < bytes.length; at++)
    if (SHARED_MEMORY.every((byte, i) => bytes[at + i] === byte)) {
      bytes[at + AT_FLAG] = 1;
      return;
    }
  throw new Error('the kernels import no shared memory');
}

function compiled(source: string, shared: boolean): Promise<WebAssembly.Module> {
  const key = `${shared} ${source.length} ${source === FAST}`;
  let module = modules.get(key);
  if (!module) {
    const bytes = Uint8Array.from(atob(source), c => c.charCodeAt(0));
    if (!shared) unshare(bytes);
    modules.set(key, (module = WebAssembly.compile(bytes)));
  }
  return module;
}

/** The kernels of one arithmetic, ready to be instantiated over any number of memories. */
export class KernelModule {
  private constructor(
    /** What runs: `exact` where `fast` was asked for in vain. */
    readonly arithmetic: Arithmetic,
    readonly module: WebAssembly.Module,
    /** Whether its memories are shared between threads. */
    readonly shared: boolean,
  ) {}

  /** @throws Error where the engine lacks SIMD. */
  static async load(wanted: Arithmetic, shared = false): Promise<KernelModule> {
    if (!hasSimd()) throw new Error('this JavaScript engine has no WebAssembly SIMD');
    const arithmetic = wanted === 'fast' && hasRelaxedSimd() ? 'fast' : 'exact';
    return new KernelModule(arithmetic, await compiled(arithmetic === 'fast' ? FAST : EXACT, shared), shared);
  }

  /** A memory of `pages` that instances can run over. */
  memory(pages: number): WebAssembly.Memory {
    return new WebAssembly.Memory({ initial: pages, maximum: MOST_PAGES, shared: this.shared });
  }

  instantiate(memory: WebAssembly.Memory): KernelExports {
    const abort = (): never => {
      throw new Error('a kernel gave up');
    };
    return new WebAssembly.Instance(this.module, { env: { memory, abort } }).exports as unknown as KernelExports;
  }
}
