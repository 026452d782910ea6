/**
 * The most float32 operations a second, in GF/s, that fused 128-bit instructions reach on this core: ten chains of them,
 * so that neither latency nor memory limits. Prints a line of JSON.
 */
import v8 from 'node:v8';
import asc from 'assemblyscript/asc';

if (Number.parseInt(process.versions.node, 10) < 22) v8.setFlagsFromString('--experimental-wasm-relaxed-simd');

const chains = Array.from({ length: 10 }, (_, i) => `c${i}`);
const source = `
export function peak(n: i32): f32 {
  const a = f32x4.splat(0.9999999), b = f32x4.splat(0.0000001);
  let ${chains.map(c => `${c} = a`).join(', ')};
  for (let i = 0; i < n; i++) { ${chains.map(c => `${c} = f32x4.relaxed_madd(${c}, a, b);`).join(' ')} }
  return f32x4.extract_lane(${chains.reduce((sum, c) => `f32x4.add(${sum}, ${c})`)}, 0);
}`;

let bytes = null;
const flags = ['-O3', '--runtime', 'stub', '--enable', 'simd', '--enable', 'relaxed-simd'];
const { error } = await asc.main(['peak.ts', '--outFile', 'peak.wasm', ...flags], {
  readFile: name => (name === 'peak.ts' ? source : null),
  writeFile: (_, data) => {
    bytes = Uint8Array.from(data);
  },
  listFiles: () => [],
});
if (error) throw error;
const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { abort() {} } });
const rounds = 1e7;
let best = 0;
for (let i = 0; i < 10; i++) {
  const begun = performance.now();
  exports.peak(rounds);
  best = Math.max(best, (rounds * chains.length * 8) / (performance.now() - begun) / 1e6);
}
console.log(JSON.stringify({ peak: best }));
