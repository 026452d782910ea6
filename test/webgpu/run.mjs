/**
 * `npm run test:webgpu`: the WebGPU backend in a page of headless Chromium, on its software adapter. Ends with a line
 * `N passed, N failed`; exit status 1 when a test failed, 2 where there is no Chromium or no adapter.
 *
 * Options: `--verbose` names every test with its difference from the reference. $CHROME is the browser's path.
 */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import esbuild from 'esbuild';
import { root } from '../../scripts/build.mjs';
import { chromiumPath, launch, SOFTWARE_GPU } from '../e2e/harness/browser.mjs';

const { values } = parseArgs({ options: { verbose: { type: 'boolean', default: false } } });
const MOST_MILLISECONDS = 300_000;

function cannot(reason) {
  console.error(`The WebGPU tests cannot run: ${reason}`);
  process.exit(2);
}

/** A page's script, bundled. */
async function bundled(entry) {
  const { outputFiles } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  return outputFiles[0].text;
}

/** Serves `script` in an empty page on this machine, which counts as a secure place: others have no WebGPU. */
async function serve(script) {
  const server = createServer((request, response) => {
    const page = request.url === '/';
    response.setHeader('Content-Type', page ? 'text/html' : 'text/javascript');
    response.end(page ? '<!DOCTYPE html><title>WebGPU</title><script type="module" src="/page.js"></script>' : script);
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

try {
  chromiumPath();
} catch (error) {
  cannot(error.message);
}
const server = await serve(await bundled('test/webgpu/page.ts'));
const browser = await launch({ flags: SOFTWARE_GPU }).catch(error => cannot(error.message));
const { page } = browser;
try {
  const broken = new Promise((_, reject) => page.on('pageerror', reject));
  await page.goto(server.url);
  await Promise.race([page.waitForFunction('window.answer', null, { timeout: MOST_MILLISECONDS }), broken]);
  const { adapter, results } = await page.evaluate('window.answer');
  if (adapter === null) cannot('Chromium has no WebGPU adapter here');
  console.log(`WebGPU on ${adapter}`);
  for (const { name, passed, difference, message } of results)
    if (!passed) console.log(`FAILED ${name}: ${message}`);
    else if (values.verbose) console.log(`passed ${name} (${difference.toExponential(1)})`);
  const failed = results.filter(result => !result.passed).length;
  console.log(`${results.length - failed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  await browser.close();
  server.close();
}
