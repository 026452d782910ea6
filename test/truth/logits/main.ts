/**
 * Prints how far the logits of mlx-lm's models are from real MLX's.
 *
 *     npm run truth -- logits [--sources DIR] [--record FILE]… [--model ID]… [--backend NAME] [--all]
 *
 * DIR holds mlx_lm/; without it mlx-lm is downloaded by its pinned version. `--all` prints models that agree, too.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { enableRelaxedSimd } from '../../../engine/backends/wasm/relaxed.node';
import type { BackendName } from '../../../server/src/protocol';
import { modelSources } from '../traces/sources';
import { type LogitScore, readModels, scoreModel, TOLERANCE } from './score';

const { values } = parseArgs({
  options: {
    sources: { type: 'string' },
    record: { type: 'string', multiple: true, default: [path.join('test/truth/logits/logits.jsonl.gz')] },
    model: { type: 'string', multiple: true },
    backend: { type: 'string', default: 'wasm' },
    all: { type: 'boolean', default: false },
  },
});

const verdict = ({ difference, reason }: LogitScore): string =>
  difference === null ? reason! : `${difference.toExponential(1)}${difference > TOLERANCE ? ' too far' : ''}`;

async function main(): Promise<void> {
  const found = values.sources ? { root: values.sources } : modelSources();
  if ('missing' in found) throw new Error(found.missing);
  enableRelaxedSimd();
  for (const record of values.record) {
    const models = readModels(record).filter(m => !values.model || values.model.includes(m.id));
    const computed = models.filter(m => m.error === undefined);
    let right = 0;
    for (const model of computed) {
      const score = await scoreModel(model, found.root, values.backend as BackendName);
      const agrees = score.difference !== null && score.difference <= TOLERANCE;
      if (agrees) right++;
      if (!agrees || values.all)
        console.log(`${model.id.padEnd(26)} ${score.seconds.toFixed(1).padStart(6)} s  ${verdict(score)}`);
    }
    const share = ((100 * right) / computed.length).toFixed(1);
    console.log(`${record}: ${right} of ${computed.length} models within ${TOLERANCE} (${share} %)`);
    for (const { id, error } of models) if (error !== undefined) console.log(`not in MLX: ${id}: ${error}`);
  }
}

main().catch(error => {
  console.error(`${(error as Error).message}`);
  process.exitCode = 1;
});
