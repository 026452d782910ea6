/** Models with the weights of a checkpoint compute what MLX computes with them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../engine/src/formats/file.node';
import { hereEngine, makeExecutor } from '../../../server/src/execution/executor';
import type { ExecuteOptions, ExecuteRequest } from '../../../server/src/features/executor';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { Workspace } from '../../../server/src/workspace/workspace';

const folder = path.resolve(import.meta.dirname, '../../checkpoints/small');
const file = path.join(folder, 'model.py');
const values: Record<'float' | 'quantized' | 'layer' | 'part', number[]> = JSON.parse(
  readFileSync(path.join(folder, 'values.json'), 'utf8'),
);
const source = readFileSync(file, 'utf8');

const executor = makeExecutor(new Workspace(new NodeFileSystem(), { folders: [folder] }), hereEngine, openFile);
const options: ExecuteOptions = {
  signal: new AbortController().signal,
  onProgress: () => {},
  locate: origin => ({
    uri: origin.file,
    range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
  }),
};

const configOf = (name: string) => JSON.parse(readFileSync(path.join(folder, name, 'config.json'), 'utf8'));
const request = (weights: 'float' | 'quantized', more: Partial<ExecuteRequest>): ExecuteRequest => ({
  file,
  target: { kind: 'entry', name: 'Model', place: null },
  inputs: [],
  symbols: {},
  seed: 0,
  config: configOf(weights),
  weights: path.join(folder, weights),
  backend: 'reference',
  ...more,
});

function expectClose(found: readonly unknown[], wanted: readonly number[]): void {
  const largest = Math.max(...wanted.map(Math.abs));
  for (const [i, value] of found.entries()) expect(Math.abs(Number(value) - wanted[i])).toBeLessThan(1e-5 * largest);
  expect(found.length).toBe(wanted.length);
}

describe('with a checkpoint', () => {
  const x = { name: 'x', dtype: 'float32', shape: [2, 64], file: path.join(folder, 'x.npy') };

  it.each(['float', 'quantized'] as const)('runs a model on its %s weights, after its sanitize', async kind => {
    const inputs = [{ name: 'inputs', dtype: 'int32', shape: [1, 8], file: path.join(folder, 'ids.npy') }];
    const result = await executor.run(request(kind, { inputs }), options);
    expectClose(result.outputs[0].values, values[kind]);
    expect(result.notes).toEqual([]);
  });

  it('runs a layer where it stands', async () => {
    const start = source.indexOf('nn.Linear(args.hidden_size, args.intermediate_size', source.indexOf('up_proj'));
    const place = { start, end: source.indexOf('\n', start) };
    const target = { kind: 'layer' as const, name: 'self.up_proj', place };
    const { outputs } = await executor.run(request('float', { target, inputs: [x] }), options);
    expectClose(outputs[0].values, values.layer);
  });

  it('runs a module of a class', async () => {
    const target = { kind: 'class' as const, name: 'MLP', place: null };
    const { outputs } = await executor.run(request('float', { target, inputs: [x] }), options);
    expectClose(outputs[0].values, values.part);
  });
});
