/**
 * Switches relaxed SIMD on in Node 20, where it waits behind a flag; newer versions have it on and reject the flag.
 */
import v8 from 'node:v8';

/** Must be called before the process first uses WebAssembly. */
export function enableRelaxedSimd(): void {
  if (Number.parseInt(process.versions.node, 10) < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');
}
