/**
 * The Python sources that traces were recorded from. They are not in the project: mlx-lm comes from the package index by
 * its pinned version, checked by its digest, into a folder that git ignores; anything else is given as a folder.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

const PINNED = {
  requirement: 'mlx-lm==0.32.2',
  package: 'mlx_lm',
  sha256: '5c0991248cfff5872503d74f466d2532dd8cb7fb3670cb9be7a06d7305dadc04',
} as const;

const CACHE = path.resolve('test/.tmp/sources', PINNED.requirement);

/** A folder that holds the package `mlx_lm`, or why there is none. */
export function modelSources(): { root: string } | { missing: string } {
  if (existsSync(path.join(CACHE, PINNED.package))) return { root: CACHE };
  const loading = `${CACHE}.${process.pid}`;
  try {
    mkdirSync(loading, { recursive: true });
    const fetched = python(
      'pip',
      'download',
      '-q',
      '--no-deps',
      '--only-binary',
      ':all:',
      ...PATIENCE,
      '-d',
      loading,
      PINNED.requirement,
    );
    if (fetched) return { missing: `${PINNED.requirement} cannot be downloaded: ${fetched}` };
    const [wheel] = readdirSync(loading);
    const digest = createHash('sha256')
      .update(readFileSync(path.join(loading, wheel)))
      .digest('hex');
    if (digest !== PINNED.sha256)
      return { missing: `${wheel} is not the file that was traced: its digest is ${digest}` };
    const unpacked = python('zipfile', '-e', path.join(loading, wheel), loading);
    if (unpacked) return { missing: unpacked };
    // Another run may have been faster; either is whole.
    if (!existsSync(CACHE)) renameSync(loading, CACHE);
    return { root: CACHE };
  } finally {
    rmSync(loading, { recursive: true, force: true });
  }
}

/** Offline it is to be known soon. */
const PATIENCE = ['--retries', '1', '--timeout', '10', '--disable-pip-version-check'];

/** Runs a module of Python's; what it said when it failed, or null. */
function python(...args: string[]): string | null {
  const { error, status, stderr } = spawnSync('python3', ['-m', ...args], { encoding: 'utf8' });
  if (error) return error.message;
  return status === 0 ? null : (stderr.trim().split('\n').at(-1) ?? 'it failed');
}
