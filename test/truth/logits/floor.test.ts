/** Runs models end to end and holds their logits to real MLX's. `npm run truth -- logits` prints all of them. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { modelSources } from '../traces/sources';
import { readModels, scoreModel, TOLERANCE } from './score';

const found = modelSources();
if ('missing' in found) console.warn(`logits of models are not compared: ${found.missing}`);

/** Dense, mixture of experts by gather and by reading routes, hyper-connections, state space, sliding windows. */
const MODELS = [
  'llama+',
  'qwen3_moe+',
  'dbrx+own',
  'deepseek_v41+',
  'mamba+',
  'gemma2+',
  'olmo_hybrid+',
  'phi3+linear',
];

const all = readModels(path.join(import.meta.dirname, 'logits.jsonl.gz'));

test.skipIf('missing' in found).each(MODELS)(
  '%s',
  async id => {
    const { root } = found as { root: string };
    const { difference, reason } = await scoreModel(all.find(model => model.id === id)!, root, 'wasm');
    expect(reason).toBeNull();
    expect(difference).toBeLessThanOrEqual(TOLERANCE);
  },
  60_000,
);
