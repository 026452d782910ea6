/**
 * `npm start`: builds what is stale, checks the examples in the terminal, and opens them in an editor with the
 * extension: the installed VS Code, or VS Code for the Web in the browser.
 *
 *   npm start [-- --web] [--port N] [FOLDER]
 */
import { spawn, spawnSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildIfNeeded, root } from './build.mjs';
import { serveWeb } from './vscode-web.mjs';

const { values, positionals } = parseArgs({
  options: { web: { type: 'boolean' }, port: { type: 'string' } },
  allowPositionals: true,
});
const folder = path.resolve(positionals[0] ?? path.join(root, 'examples'));

await buildIfNeeded();

const shown = path.relative(process.cwd(), folder) || '.';
console.log(`$ mlx-scope check ${shown}\n`);
spawnSync(process.execPath, [path.join(root, 'dist/cli.js'), 'check', shown], { stdio: 'inherit' });
console.log();

if (!values.web && openDesktop()) console.log(`Opened ${shown} in VS Code.`);
else await openWeb();

/** Opens the installed VS Code. @returns whether there is one. */
function openDesktop() {
  const windows = process.platform === 'win32';
  const run = (...args) => spawnSync('code', args, { shell: windows, stdio: 'ignore', timeout: 30_000 });
  if (run('--version').status !== 0) return false;
  return run('--new-window', `--extensionDevelopmentPath=${root}`, folder).status === 0;
}

/** Serves the editor until Ctrl-C, and opens it where there is a display. */
async function openWeb() {
  const { url, stop } = await serveWeb({ folder, port: values.port && Number(values.port) });
  console.log(`VS Code for the Web with the extension: ${url}\nCtrl-C ends it. Changes stay in the browser.`);
  openBrowser(url);
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => {
      stop();
      process.exit(0);
    });
}

function openBrowser(url) {
  const { platform, env } = process;
  if (platform === 'linux' && !env.DISPLAY && !env.WAYLAND_DISPLAY) return;
  const [command, ...args] = { darwin: ['open', url], win32: ['cmd', '/c', 'start', '', url] }[platform] ?? [
    'xdg-open',
    url,
  ];
  const child = spawn(command, args, { stdio: 'ignore', detached: true });
  child.on('error', () => {});
  child.unref();
}
