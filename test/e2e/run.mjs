/**
 * `npm run test:vscode [-- PART…]`: the extension in real editors. Parts: desktop, code-server, web, panels; without
 * one, all that this machine has. Ends with a line `N passed, N failed`.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startVitest } from 'vitest/node';
import { root } from '../../scripts/build.mjs';
import { makePackage } from '../../scripts/package.mjs';
import { desktopVSCode } from './harness/desktop.mjs';

const PARTS = {
  desktop: 'suite-desktop',
  'code-server': 'suite-code-server',
  web: 'suite-web',
  panels: 'first-light',
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter(part => !(part in PARTS));
if (unknown.length > 0)
  throw new Error(`no part is called ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}`);
const parts = wanted.length > 0 ? wanted : Object.keys(PARTS);
if (parts.includes('desktop') && !(await desktopVSCode())) {
  if (wanted.length > 0)
    throw new Error('no VS Code for the desktop is installed or can be downloaded, or there is no display');
  console.log('No VS Code for the desktop here: the suite runs in code-server and in VS Code for the Web.');
  parts.splice(parts.indexOf('desktop'), 1);
}

process.env.MLX_SCOPE_VSIX = await makePackage();
const report = path.join(root, 'test/.tmp/vscode-results.json');
const vitest = await startVitest(
  'test',
  parts.map(part => PARTS[part]),
  {
    root: import.meta.dirname,
    config: path.join(import.meta.dirname, 'vitest.config.mts'),
    watch: false,
    reporters: ['verbose', ['json', { outputFile: report }]],
  },
);
await vitest.close();
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
// A file that fails before its tests counts once.
const broken = testResults.filter(file => file.status === 'failed' && file.assertionResults.length === 0).length;
console.log(`${numPassedTests} passed, ${numFailedTests + broken} failed`);
process.exit(numFailedTests + broken > 0 ? 1 : 0);
