/**
 * Runs the mocha suite inside the extension host of an editor in the browser and answers its results.
 *
 * Both editors take the extension and the tests from their page; the host's console and exit code arrive in the page
 * through two global functions.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildTests, root } from '../../../scripts/build.mjs';
import { serveWeb } from '../../../scripts/vscode-web.mjs';
import { launch } from './browser.mjs';
import { startCodeServer } from './code-server.mjs';
import { screens } from './workbench.mjs';

/** What the suite's reporter prints before each result. */
const MARK = 'MLX-SCOPE-TEST ';
const LIMIT = 240_000;

/** @typedef {{ title: string, error: string | null, milliseconds: number }} Result */

/** @param {string} workspace the folder to open. @returns {Promise<Result[]>} */
export async function suiteInCodeServer(workspace) {
  const tests = path.join(await buildTests(), 'suite.js');
  const server = await startCodeServer();
  try {
    const { host } = new URL(server.url);
    const remote = file => `vscode-remote://${host}${file}`;
    const payload = [
      ['extensionDevelopmentPath', remote(root)],
      ['extensionTestsPath', remote(tests)],
      ['skipWelcome', 'true'],
    ];
    const query = new URLSearchParams({ folder: workspace, payload: JSON.stringify(payload) });
    return await collect(`${server.url}/?${query}`, 'suite-code-server');
  } finally {
    await server.stop();
  }
}

/** @param {string} workspace the folder to open. @returns {Promise<Result[]>} */
export async function suiteInWeb(workspace) {
  const tests = path.join(await buildTests(), 'suite.web.js');
  const server = await serveWeb({ folder: workspace, tests });
  try {
    return await collect(server.url, 'suite-web');
  } finally {
    server.stop();
  }
}

/** Opens the page and waits for the suite's end. @returns {Promise<Result[]>} */
async function collect(url, name) {
  const browser = await launch();
  const { page } = browser;
  /** @type {Result[]} */
  const results = [];
  const told = [];
  try {
    const ended = new Promise(resolve => page.exposeFunction('codeAutomationExit', code => resolve(code)));
    await page.exposeFunction('codeAutomationLog', (_type, parts) => {
      const text = parts.map(String).join(' ');
      const at = text.indexOf(MARK);
      if (at >= 0) results.push(JSON.parse(text.slice(at + MARK.length)));
      else told.push(text);
    });
    page.on('pageerror', error => told.push(`page error: ${error}`));
    await page.goto(url);
    const code = await Promise.race([ended, sleep(LIMIT, 'timeout')]);
    await page.screenshot({ path: path.join(screens(), `${name}.png`) });
    writeFileSync(path.join(screens(), `${name}.log`), told.join('\n'));
    if (results.length === 0 || code === 'timeout')
      throw new Error(`The suite ended with ${code} after ${results.length} tests:\n${told.slice(-40).join('\n')}`);
    return results;
  } finally {
    await browser.close();
  }
}
