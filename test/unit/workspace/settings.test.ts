import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { ignoredIn, isExcluded, readSettings, settingsFor } from '../../../server/src/workspace/settings';

const full = `
[tool.mlx-scope]
select = ["MLX1"]
ignore = ["MLX404"]
exclude = ["vendor", "*_old.py"]
search-paths = ["lib"]
environment = ".venv"

[tool.mlx-scope.per-file-ignores]
"tests/**" = ["MLX101", "MLX2"]

[[tool.mlx-scope.entries]]
file = "llama.py"
entry = "Model"
config = "configs/7b.json"
inputs = ["inputs=int32[2,7]"]

[[tool.mlx-scope.entries]]
file = "mlp.py"
config = { width = 8 }
`;

describe('settings', () => {
  it('are read from pyproject.toml', () => {
    const settings = readSettings(full, '/w')!;
    expect(settings.problems).toEqual([]);
    expect(settings.select).toEqual(['MLX1']);
    expect(settings.searchPaths).toEqual(['/w/lib']);
    expect(settings.environment).toBe('/w/.venv');
    expect(settings.entries).toEqual([
      { file: '/w/llama.py', entry: 'Model', config: '/w/configs/7b.json', inputs: ['inputs=int32[2,7]'] },
      { file: '/w/mlp.py', entry: null, config: { width: 8 }, inputs: [] },
    ]);
    expect(isExcluded(settings, '/w/vendor/x.py')).toBe(true);
    expect(isExcluded(settings, '/w/net.py')).toBe(false);
    expect(ignoredIn(settings, '/w/tests/a/b.py')).toEqual(['MLX101', 'MLX2']);
  });

  it('tell what is wrong with them', () => {
    const bad = readSettings('[tool.mlx-scope]\nselect = "MLX1"\nignored = []\n[[tool.mlx-scope.entries]]\n', '/w')!;
    expect(bad.problems).toEqual([
      'tool.mlx-scope: `select` must be a list of strings',
      'tool.mlx-scope.entries: each entry needs a `file`',
      'tool.mlx-scope: there is no setting `ignored`',
    ]);
    expect(readSettings('x = \n', '/w')!.problems[0]).toMatch(/^pyproject.toml, line 1: /);
    expect(readSettings('[tool.ruff]\n', '/w')).toBeNull();
  });

  it('hold below their folder', () => {
    const files = new MemoryFileSystem([
      ['/w/pyproject.toml', full],
      ['/w/sub/pyproject.toml', '[project]\nname = "mlx-scope-user"\n'],
    ]);
    expect(settingsFor(files, '/w/sub/deep').folder).toBe('/w');
    expect(settingsFor(files, '/elsewhere').folder).toBeNull();
  });
});
