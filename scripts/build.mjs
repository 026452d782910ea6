/**
 * Bundles everything that ships, from the table of entry points below.
 *
 *   node scripts/build.mjs [--dev] [--watch]
 *
 * `--dev` keeps names and adds source maps; `--watch` implies it. Test suites of the editor are bundled on request by
 * `buildTests`, into test/.tmp, so that they never reach the package.
 */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import esbuild from 'esbuild';
import { pyrightParser } from './pyright-parser.mjs';

export const root = path.resolve(import.meta.dirname, '..');

const node = { platform: 'node', format: 'cjs', target: 'node20' };
const page = { platform: 'browser', format: 'iife', target: 'es2022' };
/** An extension host asks for CommonJS, in the browser too. */
const host = { format: 'cjs', external: ['vscode'] };

/** Output name under dist/ → entry point and how it is bundled. */
const bundles = {
  'client.js': { entry: 'client/src/main.node.ts', ...node, ...host },
  'client.web.js': { entry: 'client/src/main.web.ts', ...page, ...host },
  'server.js': { entry: 'server/src/main.node.ts', ...node },
  'server.web.js': { entry: 'server/src/main.web.ts', ...page },
  'cli.js': { entry: 'server/src/cli.node.ts', ...node, banner: { js: '#!/usr/bin/env node' } },
  'engine.js': { entry: 'engine/worker/worker.node.ts', ...node },
  'panels/run.js': { entry: 'client/webview/run/main.ts', ...page },
  'panels/quantize.js': { entry: 'client/webview/quantize/main.ts', ...page },
  'panels/panels.css': { entry: 'client/webview/panels.css' },
};

/** The editor's test suites: the same tests for the desktop's extension host and for the browser's. */
const suites = {
  'suite.js': { entry: 'test/e2e/suite/index.node.ts', ...node, external: ['vscode', 'mocha'] },
  // mocha's browser build expects a global object named as in Node.
  'suite.web.js': { entry: 'test/e2e/suite/index.web.ts', ...page, ...host, define: { global: 'globalThis' } },
};

function options({ entry, ...rest }, outfile, { dev }) {
  return {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: !dev,
    sourcemap: dev ? 'linked' : false,
    sourcesContent: false,
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': JSON.stringify(dev ? 'development' : 'production'), ...rest.define },
    plugins: [pyrightParser()],
    ...rest,
  };
}

/** Builds dist/. @returns rows of `[file, bytes, bytes after brotli]`. */
export async function build({ dev = false, watch = false } = {}) {
  await import('./build-wasm.mjs');
  const dist = path.join(root, 'dist');
  rmSync(dist, { recursive: true, force: true });
  const all = Object.entries(bundles).map(([name, bundle]) => options(bundle, path.join(dist, name), { dev }));
  if (watch) {
    const contexts = await Promise.all(all.map(one => esbuild.context(one)));
    await Promise.all(contexts.map(context => context.watch()));
    return [];
  }
  await Promise.all(all.map(one => esbuild.build(one)));
  return all.map(({ outfile }) => [
    path.relative(root, outfile),
    statSync(outfile).size,
    brotliCompressSync(readFileSync(outfile)).length,
  ]);
}

/** Bundles the suites that run inside the editor. @returns their folder. */
export async function buildTests() {
  const folder = path.join(root, 'test/.tmp/suites');
  await Promise.all(
    Object.entries(suites).map(([name, bundle]) =>
      esbuild.build(options(bundle, path.join(folder, name), { dev: true })),
    ),
  );
  return folder;
}

/** Builds dist/ unless it is newer than every source, for commands that merely need it to be there. */
export async function buildIfNeeded() {
  const stamp = path.join(root, 'dist/cli.js');
  const built = existsSync(stamp) ? statSync(stamp).mtimeMs : 0;
  if (built > newest(['client', 'server', 'engine', 'scripts', 'package.json'])) return;
  console.log('Building…');
  await build();
}

/** The latest modification, in milliseconds, of the files under these paths of the project. */
function newest(paths) {
  let latest = 0;
  for (const one of paths.map(name => path.join(root, name))) {
    const info = statSync(one);
    const files = info.isDirectory()
      ? readdirSync(one, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
      : [];
    for (const file of files) latest = Math.max(latest, statSync(path.join(file.parentPath, file.name)).mtimeMs);
    if (info.isFile()) latest = Math.max(latest, info.mtimeMs);
  }
  return latest;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { dev: { type: 'boolean' }, watch: { type: 'boolean' } } });
  const rows = await build({ dev: values.dev || values.watch, watch: values.watch });
  for (const [file, bytes, packed] of rows)
    console.log(`${file.padEnd(24)} ${kilobytes(bytes)} ${kilobytes(packed)} br`);
  if (values.watch) console.log('Watching for changes; Ctrl-C ends.');
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(8)} kB`;
}
