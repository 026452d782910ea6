/**
 * Scores the recorded behaviour of MLX against ours: bundles test/truth/main.ts, or another of `BOARDS` that is named
 * first, and runs it. Arguments are that file's.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';
import { pyrightParser } from './pyright-parser.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const BOARDS = {
  cases: 'test/truth/main.ts',
  logits: 'test/truth/logits/main.ts',
  coverage: 'test/truth/coverage-main.ts',
  reader: 'test/truth/reader/main.ts',
};
const [named] = process.argv.slice(2);
const board = named in BOARDS ? named : 'cases';
const args = process.argv.slice(named in BOARDS ? 3 : 2);
const outfile = path.join(root, `test/.tmp/truth-${board}.cjs`);

await esbuild.build({
  absWorkingDir: root,
  entryPoints: [BOARDS[board]],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: 'inline',
  logLevel: 'warning',
  plugins: [pyrightParser()],
});
const { status } = spawnSync(process.execPath, ['--enable-source-maps', outfile, ...args], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
