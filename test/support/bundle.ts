/**
 * Bundles an entry point once a test run, as `scripts/build.mjs` does, so that tests run what ships and not a build of
 * yesterday.
 */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import esbuild from 'esbuild';
import { pyrightParser } from '../../scripts/pyright-parser.mjs';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** The bundle's path. Each test file makes its own, so that files can run at the same time. */
export async function bundle(entry: string, name: string): Promise<string> {
  const outfile = path.join(ROOT, 'test/.tmp', `${name}.cjs`);
  mkdirSync(path.dirname(outfile), { recursive: true });
  await esbuild.build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'error',
    loader: { '.wasm': 'binary' },
    plugins: [pyrightParser()],
  });
  return outfile;
}
