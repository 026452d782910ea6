/** VS Code on the desktop through @vscode/test-electron, where one is installed or can be downloaded. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { buildTests, root } from '../../../scripts/build.mjs';

const { downloadAndUnzipVSCode, runTests } = createRequire(import.meta.url)('@vscode/test-electron');
const RELEASES = 'https://update.code.visualstudio.com/api/releases/stable';

/** The executable: $VSCODE, the installed one, or a download. @returns null where there is none. */
export async function desktopVSCode() {
  if (process.env.VSCODE) return process.env.VSCODE;
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) return null;
  const installed = installedVSCode();
  if (installed) return installed;
  const reachable = await fetch(RELEASES, { signal: AbortSignal.timeout(10_000) }).then(
    answer => answer.ok,
    () => false,
  );
  return reachable ? downloadAndUnzipVSCode({ cachePath: path.join(root, '.vscode-test') }) : null;
}

/** The application beside the command `code`. */
function installedVSCode() {
  try {
    const finder = process.platform === 'win32' ? 'where' : 'which';
    const command = realpathSync(execFileSync(finder, ['code'], { encoding: 'utf8' }).split(/\r?\n/)[0]);
    const folder = path.resolve(path.dirname(command), '..');
    const places = ['code', 'Code.exe', '../../MacOS/Electron'];
    return places.map(name => path.join(folder, name)).find(file => existsSync(file)) ?? null;
  } catch {
    return null;
  }
}

/** @param {string} workspace @returns {Promise<import('./suite.mjs').Result[]>} */
export async function suiteOnDesktop(workspace) {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-results-')), 'results.jsonl');
  const failure = await runTests({
    vscodeExecutablePath: await desktopVSCode(),
    extensionDevelopmentPath: root,
    extensionTestsPath: path.join(await buildTests(), 'suite.js'),
    launchArgs: [workspace, '--disable-extensions', '--disable-workspace-trust'],
    extensionTestsEnv: { MLX_SCOPE_RESULTS: file },
  }).then(
    () => null,
    error => error,
  );
  if (!existsSync(file)) throw failure ?? new Error('The suite told no results');
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
}
