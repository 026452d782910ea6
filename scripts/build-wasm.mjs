/**
 * Compiles the AssemblyScript kernels and writes them, as base64, into engine/backends/wasm/generated/kernels.ts.
 *
 *   node scripts/build-wasm.mjs            builds when a source is newer than the result
 *   node scripts/build-wasm.mjs --force    always
 *
 * Bytes inside a module load the same way in a Node bundle, a browser worker, a webview and a test, without a path, a
 * fetch or a loader setting. The two builds (see kernels/simd.ts) differ by one compiler feature.
 */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const SOURCES = path.join(ROOT, 'engine/backends/wasm/kernels');
const TARGET = path.join(ROOT, 'engine/backends/wasm/generated/kernels.ts');
// Not -O3: it folds the copies that are specialised by bit width back into one with variable shifts, half as fast.
const FLAGS = [
  '-O2',
  '--noAssert',
  '--runtime',
  'stub',
  '--importMemory',
  // The memory is declared shared; for one that is not, ../engine/backends/wasm/kernels.ts takes the mark away.
  '--sharedMemory',
  '--maximumMemory',
  '65535',
  '--enable',
  'threads',
  '--enable',
  'simd',
  '--enable',
  'bulk-memory',
];
const BUILDS = { EXACT: [], FAST: ['--enable', 'relaxed-simd'] };

const modified = file => fs.statSync(file).mtimeMs;

function upToDate() {
  if (!fs.existsSync(TARGET)) return false;
  const inputs = [fileURLToPath(import.meta.url), ...fs.readdirSync(SOURCES).map(name => path.join(SOURCES, name))];
  return inputs.every(file => modified(file) < modified(TARGET));
}

/** The bytes of one build. Compiler messages go to stderr. */
async function compile(extra) {
  let bytes = null;
  const { error, stderr } = await asc.main(['index.ts', '--outFile', 'out.wasm', ...FLAGS, ...extra], {
    readFile: name => {
      const file = path.join(SOURCES, name);
      return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : null;
    },
    writeFile: (_name, data) => {
      bytes = Buffer.from(data);
    },
    listFiles: () => [],
  });
  if (error || !bytes) throw new Error(`the kernels do not compile: ${error}\n${stderr}`);
  return bytes;
}

if (process.argv.includes('--force') || !upToDate()) {
  const lines = ['/** Compiled from ../kernels by scripts/build-wasm.mjs; not kept in the repository. */'];
  for (const [name, extra] of Object.entries(BUILDS)) {
    const bytes = await compile(extra);
    lines.push(`export const ${name} =`, `  '${bytes.toString('base64')}';`);
    console.log(`kernels, ${name.toLowerCase()}: ${bytes.length} bytes`);
  }
  fs.mkdirSync(path.dirname(TARGET), { recursive: true });
  fs.writeFileSync(TARGET, `${lines.join('\n')}\n`);
}
