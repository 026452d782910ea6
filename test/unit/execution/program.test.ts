/**
 * A run as a program for others to compute: it gives what the run gave.
 */
import { describe, expect, test } from 'vitest';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { readProgram } from '../../../engine/src/evaluate/program';
import { readProgramText } from '../../../engine/src/evaluate/program_text';
import { makeExecutor } from '../../../server/src/execution/executor';
import type { ExecuteRequest } from '../../../server/src/features/executor';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';

const NET = `import mlx.core as mx
import mlx.nn as nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 32)
        self.fc2 = nn.Linear(32, 10)

    def __call__(self, x):
        hidden = nn.relu(self.fc1(x))
        return self.fc2(hidden), hidden
`;

const executor = makeExecutor(new Workspace(new MemoryFileSystem([['/w/net.py', NET]]), { folders: ['/w'] }));
const request = (shape: (number | string)[]): ExecuteRequest => ({
  file: '/w/net.py',
  target: { kind: 'class', name: 'Net', place: null },
  inputs: [{ name: 'x', dtype: 'float32', shape }],
  symbols: {},
  seed: 3,
  config: null,
  weights: null,
  backend: 'reference',
});
const options = {
  signal: new AbortController().signal,
  onProgress: () => {},
  locate: () => ({
    uri: 'file:///w/net.py',
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
  }),
};

describe('the program of a run', () => {
  test('computes the outputs of the run, by their names', async () => {
    const run = await executor.run(request([4, 64]), options);
    const { outputs: names, program } = await executor.program(request([4, 64]));
    expect(names).toEqual(run.outputs.map(output => output.name));
    const { outputs } = await evaluate(readProgram(readProgramText(program)).outputs);
    expect(outputs.map(x => [...x.data])).toEqual(run.outputs.map(output => output.values));
  });

  test('leaves weights to be drawn again from the seed', async () => {
    const { program } = await executor.program(request([4, 64]));
    const bytes = readProgramText(program).sources.reduce((sum, { data }) => sum + data.byteLength, 0);
    expect(bytes).toBeGreaterThanOrEqual(4 * 64 * 4);
    expect(bytes).toBeLessThan(4 * 64 * 4 + 256);
  });

  test('is refused where it holds too much, with both figures', async () => {
    await expect(executor.program(request([200_000, 64]))).rejects.toThrow(
      /^its arrays are 51.2 MB; at most 33.6 MB are handed over$/,
    );
  });

  test('is refused for what MLX refuses', async () => {
    await expect(executor.program(request([4, 63]))).rejects.toThrow(/63/);
  });
});
