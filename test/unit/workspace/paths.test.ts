import { describe, expect, it } from 'vitest';
import { pathPattern } from '../../../server/src/workspace/globs';
import {
  dirname,
  extension,
  isInside,
  join,
  pathOfUri,
  relative,
  slashed,
  uriOfPath,
} from '../../../server/src/workspace/paths';

describe('paths', () => {
  it('go by slashes on every system', () => {
    expect(slashed('C:\\me\\net.py')).toBe('c:/me/net.py');
    expect(slashed('/home/a\\b.py')).toBe('/home/a\\b.py');
  });

  it('are URIs for what is on no disk', () => {
    expect(pathOfUri('file:///home/me/a%20b.py')).toBe('/home/me/a b.py');
    expect(uriOfPath('/home/me/a b.py')).toBe('file:///home/me/a%20b.py');
    expect(pathOfUri('untitled:Untitled-1')).toBe('untitled:Untitled-1');
    // A folder at the root of its scheme has a slash that files in it, cut at theirs, do not leave.
    expect(pathOfUri('vscode-vfs://mount/')).toBe(dirname(pathOfUri('vscode-vfs://mount/net.py')));
    expect(pathOfUri('file:///home/me/')).toBe('/home/me');
    expect(pathOfUri('file:///')).toBe('/');
    expect(uriOfPath('vscode-vfs://github/o/r/net.py')).toBe('vscode-vfs://github/o/r/net.py');
  });

  it('are joined and worked out', () => {
    expect(join('/a/b', '../c', './d.py')).toBe('/a/c/d.py');
    expect(join('/a', '/x/y')).toBe('/x/y');
    expect(join('/a', '../../..')).toBe('/');
    expect(join('', 'x.py')).toBe('x.py');
    expect(join('vscode-vfs://github/o/r', '../s')).toBe('vscode-vfs://github/o/s');
    expect(dirname('/a')).toBe('/');
    expect(extension('/a.b/c')).toBe('');
    expect(extension('/a.b/c.py')).toBe('.py');
  });

  it('are told relative to a folder', () => {
    expect(relative('/a/b', '/a/b/c/d.py')).toBe('c/d.py');
    expect(relative('/a/b', '/a/x.py')).toBe('../x.py');
    expect(relative('/', '/a')).toBe('a');
    expect(isInside('/ab/c', '/a')).toBe(false);
  });
});

describe('path patterns', () => {
  it.each([
    ['*.ipynb', 'deep/down/x.ipynb', true],
    ['tests', 'a/tests/x.py', true],
    ['src/*.py', 'src/a.py', true],
    ['src/*.py', 'src/b/a.py', false],
    ['src/**/*.py', 'src/b/a.py', true],
    ['src/**', 'src/b/c/a.py', true],
    ['./vendor/', 'vendor/x.py', true],
    ['a.py', 'aXpy', false],
    ['t?st.py', 'test.py', true],
  ])('%s against %s: %s', (pattern, path, expected) => {
    expect(pathPattern(pattern)(path)).toBe(expected);
  });
});
