/**
 * `npm run package`: a production build and mlx-scope-VERSION.vsix from it.
 * @throws when the package is larger than it may be, or lacks an entry point.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createVSIX, listFiles } from '@vscode/vsce';
import { build, root } from './build.mjs';

/** The promise to the user: small enough to install over a slow line. */
const MOST_BYTES = 4_000_000;

/** Builds and packs. @returns the path of the .vsix. */
export async function makePackage() {
  await build();
  const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  const packagePath = path.join(root, `${manifest.name}-${manifest.version}.vsix`);
  const files = await listFiles({ cwd: root, dependencies: false });
  for (const entry of [manifest.main, manifest.browser, manifest.icon, manifest.bin['mlx-scope']])
    if (!files.some(file => path.resolve(root, file) === path.resolve(root, entry)))
      throw new Error(`the package would lack ${entry}`);
  await createVSIX({
    cwd: root,
    packagePath,
    dependencies: false,
    rewriteRelativeLinks: false,
    allowMissingRepository: true,
  });
  const { size } = statSync(packagePath);
  console.log(`${path.basename(packagePath)}: ${files.length} files, ${(size / 1e6).toFixed(2)} MB`);
  if (size > MOST_BYTES) throw new Error(`the package is larger than ${MOST_BYTES / 1e6} MB`);
  return packagePath;
}

if (process.argv[1] === import.meta.filename) await makePackage();
