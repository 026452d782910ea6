/**
 * The check of checkpoints against what MLX made of them: models of mlx-lm, each with a checkpoint that loads and with the
 * same one broken in ten ways and more. Three of these break files and no model; the test makes them.
 */
import { mkdtempSync, readFileSync, rmSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Analyser } from '../../server/src/analysis/analyser';
import { type CheckpointCheck, checkCheckpoint } from '../../server/src/analysis/checkpoint';
import { type Checkpoint, readCheckpoint } from '../../server/src/workspace/checkpoint';
import { NodeFileSystem } from '../../server/src/workspace/file-system.node';
import { Workspace } from '../../server/src/workspace/workspace';
import { modelSources } from '../truth/traces/sources';
import { type Arrays, writeShards, writeSparse } from './files';

interface Verdict {
  missing: string[];
  unexpected: string[];
  shape: string[];
}
interface Case {
  how: string;
  config: Record<string, unknown>;
  removed: string[];
  added: Arrays;
  verdict: Verdict;
}
interface Row {
  id: string;
  arrays: Arrays;
  cases: Case[];
}

const here = import.meta.dirname;
const configs: { id: string; module: string; config: Record<string, unknown> }[] = JSON.parse(
  readFileSync(path.join(here, 'configs.json'), 'utf8'),
);
const rows: Row[] = JSON.parse(gunzipSync(readFileSync(path.join(here, 'cases.json.gz'))).toString());

const sources = modelSources();
const folder = mkdtempSync(path.join(tmpdir(), 'mlx-scope-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const files = new NodeFileSystem();
const root = 'root' in sources ? sources.root : '';
const analyser = new Analyser(new Workspace(files, { folders: [root], searchPaths: [root] }));

async function check(
  module: string,
  config: Record<string, unknown>,
  weights: string,
): Promise<{ check: CheckpointCheck; checkpoint: Checkpoint }> {
  const checkpoint = await readCheckpoint(weights, files);
  const file = path.join(root, 'mlx_lm/models', `${module}.py`);
  const request = { file, name: 'Model', config, inputs: [], seed: null };
  return { check: checkCheckpoint(analyser, request, checkpoint), checkpoint };
}

/** Names by what is wrong with them, as MLX would find them; what is uncertain is left out, since mlx-lm loads it. */
function verdictOf({ parameters }: CheckpointCheck): Verdict {
  const wrong = parameters.filter(p => p.kind !== null && p.certain);
  const names = (some: typeof wrong) => some.map(p => p.name).sort();
  return {
    missing: names(wrong.filter(p => p.given === null)),
    unexpected: names(wrong.filter(p => p.model === null)),
    shape: names(wrong.filter(p => p.given !== null && p.model !== null)),
  };
}

/** What explains a break, where one thing alone does. */
const KINDS: Readonly<Record<string, RegExp>> = {
  renamed: /^weights-(missing|unexpected) .*(of the same shape|null)/,
  transposed: /^weights-shape it is the transpose/,
  'conv layout': /^weights-layout it is in PyTorch's order/,
  'quantized into floats': /^weights-quantized .*(the layer is not|4 bits in groups of 64)/,
  'other bits': /^weights-quantized it is packed with 8 bits in groups of 32, .* 4 bits in groups of 64/,
};

if ('missing' in sources) console.warn(`Checkpoints are not checked: ${sources.missing}`);

describe.runIf('root' in sources).each(rows)('$id', ({ id, arrays, cases }) => {
  const { module, config } = configs.find(c => c.id === id)!;
  const at = (name: string) => path.join(folder, id, name);

  it('has nothing wrong with it when nothing is', async () => {
    writeSparse(at('intact.safetensors'), arrays);
    const { check: found, checkpoint } = await check(module, config, at('intact.safetensors'));
    expect(checkpoint.problems).toEqual([]);
    expect(found.notes).toEqual([]);
    expect(found.open).toBe(false);
    expect(found.parameters.filter(p => p.kind !== null)).toEqual([]);
  });

  it.each(cases)('is told when it is broken: $how', async ({ how, config: changed, removed, added, verdict }) => {
    const kept = Object.entries(arrays).filter(([name]) => !removed.includes(name));
    const file = at(`${how.replaceAll(' ', '-')}.safetensors`);
    writeSparse(file, { ...Object.fromEntries(kept), ...added });
    const { check: found } = await check(module, { ...config, ...changed }, file);
    expect(verdictOf(found)).toEqual(verdict);
    for (const p of found.parameters) {
      if (p.kind === null || !p.certain) continue;
      expect(p.place, p.name).not.toBeNull();
      if (how in KINDS) expect(`${p.kind} ${p.explanation}`).toMatch(KINDS[how]);
    }
  });

  it('is told when a shard is missing', async () => {
    const { shards, names } = writeShards(at('shards'), arrays);
    expect((await check(module, config, at('shards'))).check.parameters.filter(p => p.kind !== null)).toEqual([]);
    unlinkSync(at(`shards/${names[1]}`));
    const { check: found, checkpoint } = await check(module, config, at('shards'));
    expect(checkpoint.problems.map(p => [p.kind, p.arrays.length])).toEqual([
      ['missing-shard', Object.keys(shards[1]).length],
    ]);
    expect(found.parameters.every(p => p.kind === null || p.kind === 'weights-file')).toBe(true);
  });

  it('is told when a file is cut off', async () => {
    const size = writeSparse(at('cut.safetensors'), arrays);
    truncateSync(at('cut.safetensors'), size - 1);
    const { check: found, checkpoint } = await check(module, config, at('cut.safetensors'));
    const last = Object.keys(arrays).at(-1)!;
    expect(checkpoint.problems.map(p => [p.kind, p.arrays])).toEqual([['cut-off', [last]]]);
    const wrong = found.parameters.filter(p => p.kind !== null);
    expect(wrong.every(p => p.kind === 'weights-file')).toBe(true);
  });

  it('is told when a header is bad', async () => {
    writeFileSync(at('bad.safetensors'), 'version https://git-lfs.github.com/spec/v1');
    const { check: found, checkpoint } = await check(module, config, at('bad.safetensors'));
    expect(checkpoint.problems.map(p => p.kind)).toEqual(['unreadable']);
    expect(found.parameters.filter(p => p.kind !== null)).toEqual([]);
    expect(found.open).toBe(true);
  });
});
