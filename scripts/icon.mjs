/** Draws media/icon.png from media/icon.svg with an installed Chromium: `node scripts/icon.mjs`. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { launch } from '../test/e2e/harness/browser.mjs';
import { root } from './build.mjs';

const SIDE = 256;
const svg = readFileSync(path.join(root, 'media/icon.svg'), 'utf8');
const { page, close } = await launch({ viewport: { width: SIDE, height: SIDE } });
await page.setContent(`<style>body { margin: 0 }</style>${svg}`);
await page.screenshot({ path: path.join(root, 'media/icon.png'), omitBackground: true });
await close();
