import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';

const make = (files: Record<string, string>) => {
  const system = new MemoryFileSystem(Object.entries(files));
  return { system, workspace: new Workspace(system, { folders: ['/w'] }) };
};

describe('a workspace', () => {
  it('parses a file once, until it changes', () => {
    const { system, workspace } = make({ '/w/a.py': 'x = 1\n' });
    const first = workspace.source('/w/a.py');
    expect(workspace.source('/w/a.py')).toBe(first);
    system.write('/w/a.py', 'x = 2\n');
    expect(workspace.refresh()).toEqual(['/w/a.py']);
    expect(workspace.source('/w/a.py')!.text).toBe('x = 2\n');
    expect(workspace.refresh()).toEqual([]);
  });

  it('shows an open document over its file', () => {
    const { workspace } = make({ '/w/a.py': 'saved = 1\n' });
    workspace.openDocument('/w/a.py', 'edited = 1\n');
    expect(workspace.source('/w/a.py')!.text).toBe('edited = 1\n');
    workspace.closeDocument('/w/a.py');
    expect(workspace.source('/w/a.py')!.text).toBe('saved = 1\n');
  });

  it('finds a module that was made later', () => {
    const { system, workspace } = make({ '/w/a.py': 'import b\n' });
    expect(workspace.resolve('b', 0, '/w/a.py')).toBeNull();
    system.write('/w/b.py', '');
    workspace.changed('/w/b.py');
    expect(workspace.resolve('b', 0, '/w/a.py')).toBe('/w/b.py');
  });

  it('reads notebooks, and a package without __init__.py as an empty module', () => {
    const { workspace } = make({
      '/w/n.ipynb': '{"cells":[{"cell_type":"code","source":"x = 1"}]}',
      '/w/broken.ipynb': '{',
      '/w/space/mod.py': '',
    });
    expect(workspace.source('/w/n.ipynb')!.text).toBe('x = 1');
    expect(workspace.notebook('/w/n.ipynb')!.cells).toHaveLength(1);
    expect(workspace.source('/w/broken.ipynb')).toBeNull();
    expect(workspace.source('/w/space/__init__.py')!.text).toBe('');
    expect(workspace.source('/w/none/__init__.py')).toBeNull();
  });

  it('lists the Python of a folder without environments, hidden and excluded files', () => {
    const { workspace } = make({
      '/w/pyproject.toml': '[tool.mlx-scope]\nexclude = ["old"]\n',
      '/w/b.py': '',
      '/w/a/n.ipynb': '',
      '/w/old/x.py': '',
      '/w/.git/x.py': '',
      '/w/env2/pyvenv.cfg': '',
      '/w/env2/lib/x.py': '',
      '/w/notes.txt': '',
    });
    expect(workspace.pythonFiles('/w')).toEqual(['/w/a/n.ipynb', '/w/b.py']);
  });

  it('offers configs, nearest first', () => {
    const { workspace } = make({
      '/w/m/net.py': '',
      '/w/config.json': '{}',
      '/w/m/config.json': '{}',
      '/w/m/weights/config_small.json': '{}',
      '/w/m/tokens.json': '{}',
    });
    expect(workspace.configsNear('/w/m/net.py')).toEqual([
      '/w/m/config.json',
      '/w/config.json',
      '/w/m/weights/config_small.json',
    ]);
  });
});
