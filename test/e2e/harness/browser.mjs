/** The system's Chromium, driven by playwright-core without any download. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** Chromium without a graphics card: WebGPU has no adapter. */
const NO_GPU = ['--disable-gpu'];
/** WebGPU on the processor, for compute; slow, and the same in every machine. */
export const SOFTWARE_GPU = ['--disable-gpu', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** The executable in $CHROME or on the path. @throws when there is none. */
export function chromiumPath() {
  if (process.env.CHROME) return process.env.CHROME;
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = NAMES.flatMap(name => folders.map(folder => path.join(folder, name))).find(file => existsSync(file));
  if (!found) throw new Error('Chromium is needed: install the package chromium, or set CHROME to its path');
  return found;
}

/**
 * A browser with a fresh profile. Third-party cookies are allowed in it: without them the service worker of webviews
 * on another origin does not start, and for the same reason the profile is a persistent one.
 */
export async function launch({ flags = NO_GPU, viewport = { width: 1440, height: 900 } } = {}) {
  const profile = mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-chromium-'));
  mkdirSync(path.join(profile, 'Default'), { recursive: true });
  const preferences = { profile: { cookie_controls_mode: 0, block_third_party_cookies: false } };
  writeFileSync(path.join(profile, 'Default/Preferences'), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    headless: true,
    viewport,
    args: [...FLAGS, ...flags],
  });
  context.setDefaultTimeout(30_000);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { page: context.pages()[0] ?? (await context.newPage()), close };
}
