/** code-server: VS Code with its real extension host on Node, in the browser. Installed by install-code-server.sh. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../scripts/vscode-web.mjs';

/** Nothing that asks, updates or gets in the way of a pointer. */
const SETTINGS = {
  'workbench.startupEditor': 'none',
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'extensions.autoUpdate': false,
  'extensions.autoCheckUpdates': false,
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'editor.accessibilitySupport': 'off',
  'chat.commandCenter.enabled': false,
  'workbench.tips.enabled': false,
  'workbench.colorTheme': 'Default Dark Modern',
  'editor.minimap.enabled': false,
};

export const codeServerFolder = () =>
  process.env.CODE_SERVER_DIR ?? path.join(os.homedir(), '.cache/mlx-scope/code-server');

function entry() {
  const file = path.join(codeServerFolder(), 'node_modules/code-server/out/node/entry.js');
  if (!existsSync(file))
    throw new Error(`code-server is not in ${codeServerFolder()}: run test/e2e/install-code-server.sh`);
  return file;
}

/** Installs a .vsix into a fresh folder of extensions. @returns the folder. */
export function installVsix(vsix) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-extensions-'));
  const args = [
    '--extensions-dir',
    folder,
    '--user-data-dir',
    `${folder}-user`,
    '--install-extension',
    vsix,
    '--force',
  ];
  execFileSync(process.execPath, [entry(), ...args], { stdio: 'pipe' });
  return folder;
}

/**
 * Starts a server that answers.
 * @param {{ extensions?: string, settings?: Record<string, unknown>, env?: Record<string, string> }} [options]
 */
export async function startCodeServer({ extensions, settings = {}, env = {} } = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-code-server-'));
  const userData = path.join(folder, 'user');
  mkdirSync(path.join(userData, 'User'), { recursive: true });
  writeFileSync(path.join(userData, 'User/settings.json'), JSON.stringify({ ...SETTINGS, ...settings }));
  const port = await freePort(0);
  const logFile = path.join(folder, 'server.log');
  const log = openSync(logFile, 'w');
  const args = ['--bind-addr', `127.0.0.1:${port}`, '--auth', 'none', '--disable-telemetry', '--disable-update-check'];
  args.push('--disable-workspace-trust', '--disable-getting-started-override', '--user-data-dir', userData);
  args.push('--extensions-dir', extensions ?? path.join(folder, 'extensions'));
  args.push('--config', path.join(folder, 'config.yaml'));
  const server = spawn(process.execPath, [entry(), ...args], {
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env, PASSWORD: '' },
  });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    if (server.exitCode === null) {
      server.kill('SIGTERM');
      await Promise.race([new Promise(resolve => server.once('exit', resolve)), sleep(5000)]);
      if (server.exitCode === null) server.kill('SIGKILL');
    }
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const readLog = () => readFileSync(logFile, 'utf8');
  for (let tries = 0; tries < 300; tries++) {
    const healthy = await fetch(`${url}/healthz`).then(
      answer => answer.ok,
      () => false,
    );
    if (healthy) return { url, stop, log: readLog };
    if (server.exitCode !== null) break;
    await sleep(100);
  }
  const told = readLog();
  await stop();
  throw new Error(`code-server does not start:\n${told}`);
}
