import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { ImportResolver, sitePackagesOf } from '../../../server/src/workspace/imports';

const SITE = '/w/.venv/lib/python3.12/site-packages';
const files = new MemoryFileSystem(
  [
    '/w/train.py',
    '/w/helpers.py',
    '/w/src/pkg/__init__.py',
    '/w/src/pkg/layers.py',
    '/w/src/pkg/models/__init__.py',
    '/w/src/pkg/models/llama.py',
    '/w/plain/net.py',
    '/w/plain/parts/block.py',
    '/w/mlx/__init__.py',
    '/lib/extra.py',
    '/alone/script.py',
    '/alone/sibling.py',
    `${SITE}/mlx_lm/__init__.py`,
    `${SITE}/mlx_lm/models/base.py`,
    `${SITE}/numpy/__init__.py`,
    `${SITE}/audio_tools/__init__.py`,
    `${SITE}/mlxish/__init__.py`,
  ].map(path => [path, ''] as const),
);
files.write(`${SITE}/audio_tools-1.0.dist-info/METADATA`, 'Name: audio-tools\nRequires-Dist: mlx>=0.20\n');
files.write(`${SITE}/mlxish-1.0.dist-info/METADATA`, 'Name: mlxish\nRequires-Dist: mlxish-core\n');
const resolver = new ImportResolver(files, { folders: ['/w'], searchPaths: ['/lib'], sitePackages: [SITE] });

describe('an import', () => {
  it.each([
    ['helpers', 0, '/w/train.py', '/w/helpers.py'],
    ['pkg.layers', 0, '/w/train.py', '/w/src/pkg/layers.py'],
    ['pkg', 0, '/w/src/pkg/models/llama.py', '/w/src/pkg/__init__.py'],
    ['layers', 1, '/w/src/pkg/models/llama.py', null],
    ['layers', 2, '/w/src/pkg/models/llama.py', '/w/src/pkg/layers.py'],
    ['', 1, '/w/src/pkg/models/llama.py', '/w/src/pkg/models/__init__.py'],
    ['parts.block', 0, '/w/plain/net.py', '/w/plain/parts/block.py'],
    ['plain.net', 0, '/w/plain/parts/block.py', '/w/plain/net.py'],
    ['extra', 0, '/w/train.py', '/lib/extra.py'],
    ['sibling', 0, '/alone/script.py', '/alone/sibling.py'],
    ['missing', 0, '/w/train.py', null],
  ])('of %s (level %i) in %s is %s', (name, level, from, expected) => {
    expect(resolver.resolve(name, level, from)).toBe(expected);
  });

  it('of a folder without __init__.py is the one it lacks', () => {
    expect(resolver.resolve('parts', 0, '/w/plain/net.py')).toBe('/w/plain/parts/__init__.py');
  });

  it('of MLX itself is never a file, even where there is one', () => {
    expect(resolver.resolve('mlx', 0, '/w/train.py')).toBeNull();
    expect(resolver.resolve('mlx.nn', 0, '/w/train.py')).toBeNull();
  });

  it('of an installed package needs it to be built on MLX', () => {
    expect(resolver.resolve('mlx_lm.models.base', 0, '/w/train.py')).toBe(`${SITE}/mlx_lm/models/base.py`);
    expect(resolver.resolve('audio_tools', 0, '/w/train.py')).toBe(`${SITE}/audio_tools/__init__.py`);
    expect(resolver.resolve('numpy', 0, '/w/train.py')).toBeNull();
    expect(resolver.resolve('mlxish', 0, '/w/train.py')).toBeNull();
  });
});

describe('a virtual environment', () => {
  it('is found in a workspace folder, or where it is said to be', () => {
    expect(sitePackagesOf(files, ['/w'], null)).toEqual([SITE]);
    expect(sitePackagesOf(files, ['/other'], '/w/.venv')).toEqual([SITE]);
    const windows = new MemoryFileSystem([['/v/Lib/site-packages/x.py', '']]);
    expect(sitePackagesOf(windows, [], '/v')).toEqual(['/v/Lib/site-packages']);
  });
});
