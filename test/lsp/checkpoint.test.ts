/** Checkpoints through the language server: compared as the source changes, attached for what is run. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Hover } from 'vscode-languageserver-protocol';
import { bundle } from '../support/bundle';
import { inside, TestClient, textIn } from './client';

const small = path.resolve(import.meta.dirname, '../checkpoints/small');
const MODEL = readFileSync(path.join(small, 'model.py'), 'utf8');
const weights = pathToFileURL(path.join(small, 'float')).toString();

let client: TestClient;
beforeAll(async () => {
  client = new TestClient([await bundle('server/src/main.node.ts', 'lsp-checkpoint'), '--stdio']);
  await client.start({ commands: true });
});
afterAll(() => client.stop());

it('compares a model with a checkpoint, and again when the source has changed', async () => {
  const document = await client.open('model.py', MODEL);
  await client.diagnosticsOf(document.uri);
  const params = { uri: document.uri, entry: null, config: null, weights };
  const fitting = await client.request('mlx-scope/checkpoint', params);
  expect(fitting).toMatchObject({ entry: 'Model', arrays: 15, problems: [], complete: true });
  expect(fitting.rows.filter(row => row.code !== null)).toEqual([]);

  await client.replace(
    document,
    'nn.Linear(args.intermediate_size, args.hidden_size',
    'nn.Linear(args.hidden_size, args.hidden_size',
  );
  let found = await client.diagnosticsOf(document.uri);
  for (let i = 0; i < 100 && !found.some(d => d.code === 'MLX303'); i++) {
    await new Promise(resolve => setTimeout(resolve, 50));
    found = await client.diagnosticsOf(document.uri);
  }
  const [fault] = found.filter(d => d.code === 'MLX303');
  expect(textIn(document, fault.range)).toBe('nn.Linear(args.hidden_size, args.hidden_size, bias=False)');
  expect(fault.message).toContain(
    'layers.0.mlp.down_proj.weight is float32[64, 64] in the model and float32[64, 128] in the checkpoint',
  );
});

it('runs what is attached: layers in hovers too', async () => {
  const document = await client.open('attached.py', MODEL);
  await client.diagnosticsOf(document.uri);
  const { check } = await client.request('mlx-scope/attach', { uri: document.uri, entry: null, config: null, weights });
  expect(check?.complete).toBe(true);
  const ids = { name: 'inputs', dtype: 'int32', shape: [1, 8], file: path.join(small, 'ids.npy') };
  const target = { kind: 'class' as const, name: 'Model', range: null };
  const result = await client.request('mlx-scope/run', {
    uri: document.uri,
    target,
    inputs: [ids],
    seed: 0,
    config: null,
    backend: 'reference',
  });
  const values: { float: number[] } = JSON.parse(readFileSync(path.join(small, 'values.json'), 'utf8'));
  expect(result.outputs[0].values[0]).toBeCloseTo(values.float[0], 5);
  expect(result.notes[0]).toContain('Weights: ');

  const hover = await client.connection.sendRequest<Hover>('textDocument/hover', {
    textDocument: { uri: document.uri },
    position: inside(document, 'up_proj = nn'),
  });
  expect(JSON.stringify(hover.contents)).toContain('[2, 128]');

  await client.request('mlx-scope/attach', { uri: document.uri, entry: null, config: null, weights: null });
  const fresh = await client.request('mlx-scope/run', {
    uri: document.uri,
    target,
    inputs: [ids],
    seed: 0,
    config: JSON.parse(readFileSync(path.join(small, 'float/config.json'), 'utf8')),
    backend: 'reference',
  });
  expect(fresh.notes[0]).toContain('initial');
});
