/**
 * `npm run bench [-- NAME…]`: bundles and runs the measurements of test/bench, each in a process of its own, so that
 * one's garbage and compiled code do not weigh on the next.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import { build, root } from './build.mjs';
import { pyrightParser } from './pyright-parser.mjs';

const folder = path.join(root, 'test/bench');
const wanted = process.argv.slice(2);
const all = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.bench.ts')) : [];
const chosen = all.filter(name => wanted.length === 0 || wanted.some(part => name.includes(part)));
if (chosen.length === 0)
  throw new Error(`no measurement is called ${wanted.join(' or ')}; there are: ${all.join(', ')}`);

await build();
let failed = false;
for (const name of chosen) {
  const outfile = path.join(root, 'test/.tmp/bench', name.replace(/\.ts$/, '.cjs'));
  const options = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    outfile,
    logLevel: 'warning',
    external: ['esbuild'],
  };
  await esbuild.build({ ...options, entryPoints: [path.join(folder, name)], plugins: [pyrightParser()] });
  console.log(`\n── ${name.replace('.bench.ts', '')}`);
  const { status } = spawnSync(process.execPath, ['--expose-gc', outfile], { stdio: 'inherit', cwd: root });
  failed ||= status !== 0;
}
process.exitCode = failed ? 1 : 0;
