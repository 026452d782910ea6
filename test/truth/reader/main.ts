/**
 * Prints what the reader's view knows of mlx-lm's models.
 *
 *     node scripts/truth.mjs reader [SOURCES] [--traces FILE]… [--show unknown|incomplete|contradictions] [--only MODULE]
 *
 * SOURCES is a folder that holds the package `mlx_lm` of the version that the traces were recorded with; without, it is
 * downloaded once.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Analyser } from '../../../server/src/analysis/analyser';
import { NodeFileSystem } from '../../../server/src/workspace/file-system.node';
import { Workspace } from '../../../server/src/workspace/workspace';
import { readTraces } from '../traces/records';
import { modelSources } from '../traces/sources';
import { type LocalScore, scoreReader } from './score';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    traces: { type: 'string', multiple: true },
    show: { type: 'string', default: '' },
    only: { type: 'string', default: '' },
  },
});
const found = positionals[0] ? { root: positionals[0] } : modelSources();
if ('missing' in found) {
  console.log(`skipped: ${found.missing}`);
  process.exit(0);
}
const { root } = found;
const traces = (values.traces ?? ['test/truth/records/own_truth.jsonl.gz']).map(file => readTraces(file));
const workspace = new Workspace(new NodeFileSystem(), { folders: [path.resolve(root)] });

const files = [...new Set(traces.flatMap(t => Object.keys(t.meta.files)))]
  .filter(file => /^models\/\w+\.py$/.test(file) && (!values.only || file === `models/${values.only}.py`))
  .sort();
const scores: LocalScore[] = [];
const started = performance.now();
for (const file of files) {
  // No analyser is kept: each file is read as an editor would on opening it.
  const full = `${path.resolve(root)}/mlx_lm/${file}`;
  scores.push(...scoreReader(file, new Analyser(workspace).analyse(full), traces));
}
const share = (part: readonly LocalScore[]): string =>
  `${part.length} of ${scores.length} (${((100 * part.length) / scores.length).toFixed(2)} %)`;
const contradicted = scores.filter(s => s.contradictions.length > 0);
console.log(
  `${files.length} files in ${((performance.now() - started) / 1000).toFixed(1)} s; locals of __call__ that hold arrays:`,
);
console.log(`  known rank       ${share(scores.filter(s => s.hasRank))}`);
console.log(`  complete shape   ${share(scores.filter(s => s.isComplete))}`);
console.log(`  contradicted     ${share(contradicted)}`);
const lists: Readonly<Record<string, readonly LocalScore[]>> = {
  unknown: scores.filter(s => !s.hasRank),
  incomplete: scores.filter(s => s.hasRank && !s.isComplete),
  contradictions: contradicted,
};
for (const s of lists[values.show] ?? []) {
  const [first] = s.contradictions;
  const against = first ? `   traced: ${first.traced} in ${first.program}, ${first.scenario}` : '';
  console.log(`${s.file}:${s.line} ${s.function} ${s.name}: ${s.seen.join(' | ') || 'not reached'}${against}`);
}
