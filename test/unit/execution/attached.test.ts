/** Models with the weights of a checkpoint compute what MLX computes with them. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../engine/src/formats/file.node';
import { hereEngine, makeExecutor } from '../../../server/src/execution/executor';
import type { ExecuteOptions, ExecuteRequest } from '../../../server/src/features/executor';
import type { ErrorMeasures, QuantizeRow } from '../../../server/src/protocol';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { Workspace } from '../../../server/src/workspace/workspace';

const folder = path.resolve(import.meta.dirname, '../../checkpoints/small');
const file = path.join(folder, 'model.py');
interface Recorded extends Pick<QuantizeRow, 'mode' | 'bits' | 'groupSize' | 'bytes'> {
  weight: ErrorMeasures;
  output: ErrorMeasures;
}
const values: Record<'float' | 'quantized' | 'layer' | 'part', number[]> & { quantization: Recorded[] } = JSON.parse(
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

  it('shows the errors that MLX has, of every setting', async () => {
    const start = source.indexOf('nn.Linear(args.hidden_size, args.intermediate_size', source.indexOf('up_proj'));
    const place = { start, end: source.indexOf('\n', start) };
    const target = { kind: 'layer' as const, name: 'self.up_proj', place };
    const activations = { kind: 'file' as const, file: x.file };
    const all = { bits: [], groupSizes: [], modes: [] };
    const { rows, notes } = await executor.quantize({ ...request('float', { target }), ...all, activations }, options);
    expect(rows.length).toBe(values.quantization.length);
    for (const { weight, output, mode, bits, groupSize, bytes } of values.quantization) {
      const row = rows.find(r => r.mode === mode && r.bits === bits && r.groupSize === groupSize)!;
      expect(row.bytes).toBe(bytes);
      for (const name of ['relativeError', 'sqnrDb', 'cosine', 'p50', 'p95', 'max'] as const) {
        const close = (found: number, wanted: number, within: number) =>
          expect(Math.abs(found - wanted), `${mode} ${bits} ${groupSize} ${name}`).toBeLessThanOrEqual(
            within * Math.max(1e-3, Math.abs(wanted)),
          );
        close(row.weight[name]!, weight[name]!, 1e-6);
        close(row.output![name]!, output[name]!, 1e-4);
      }
    }
    expect(notes).toEqual(['weight: its last axis, 64, is not a multiple of 128.']);
  });
});
