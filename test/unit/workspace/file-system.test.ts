import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FileSystem, MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { slashed } from '../../../server/src/workspace/paths';

const contents = [
  ['net.py', 'import mlx\n'],
  ['pkg/__init__.py', ''],
  ['pkg/deep/a.py', 'é = 1\n'],
] as const;

const folder = slashed(fs.mkdtempSync(path.join(os.tmpdir(), 'mlx-scope-files-')));
afterAll(() => fs.rmSync(folder, { recursive: true }));
for (const [name, text] of contents) {
  fs.mkdirSync(path.dirname(`${folder}/${name}`), { recursive: true });
  fs.writeFileSync(`${folder}/${name}`, text);
}

const systems: [string, FileSystem, string][] = [
  ['on disk', new NodeFileSystem(), folder],
  ['in memory', new MemoryFileSystem(contents.map(([name, text]) => [`/w/${name}`, text] as const)), '/w'],
];

describe.each(systems)('files %s', (_, files, root) => {
  it('are read as text', () => {
    expect(files.read(`${root}/pkg/deep/a.py`)).toBe('é = 1\n');
    expect(files.read(`${root}/none.py`)).toBeNull();
    expect(files.read(`${root}/pkg`)).toBeNull();
  });

  it('are told from folders', () => {
    expect(files.kind(`${root}/net.py`)).toBe('file');
    expect(files.kind(`${root}/pkg/deep`)).toBe('folder');
    expect(files.kind(`${root}/none`)).toBeNull();
  });

  it('are listed', () => {
    const names = (at: string) => files.list(at).map(e => `${e.name}${e.isFolder ? '/' : ''}`);
    expect(names(root).sort()).toEqual(['net.py', 'pkg/']);
    expect(names(`${root}/pkg`).sort()).toEqual(['__init__.py', 'deep/']);
    expect(names(`${root}/none`)).toEqual([]);
  });

  it('are read in part as bytes', async () => {
    const { bytes, size } = await files.readBytes(`${root}/pkg/deep/a.py`, 0, 2);
    expect([...bytes]).toEqual([0xc3, 0xa9]);
    expect(size).toBe(7);
    expect((await files.readBytes(`${root}/net.py`, 7, 1000)).bytes).toHaveLength(4);
    await expect(files.readBytes(`${root}/none`, 0, 1)).rejects.toThrow();
  });
});

describe('files in memory', () => {
  it('leave no folder behind when they go', () => {
    const files = new MemoryFileSystem([['/w/a/b/c.py', '']]);
    files.write('/w/a/d.py', '');
    files.remove('/w/a/b');
    expect(files.kind('/w/a/b')).toBeNull();
    expect(files.list('/w/a')).toEqual([{ name: 'd.py', isFolder: false }]);
  });

  it('change their stamp when written', () => {
    const files = new MemoryFileSystem([['/a.py', '1']]);
    const before = files.stamp('/a.py');
    files.write('/a.py', '2');
    expect(files.stamp('/a.py')).not.toBe(before);
  });
});
