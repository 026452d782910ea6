/** After any edit, an analysis that keeps what the edit does not touch says what one from scratch says. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { showType } from '../../../engine/src/graph/show';
import { Analyser } from '../../../server/src/analysis/analyser';
import type { FileAnalysis } from '../../../server/src/analysis/types';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';

const TEXT = readFileSync(path.join(import.meta.dirname, '../../fixtures/python/decoder.py'), 'utf8');
const PATH = '/w/decoder.py';

const open = (): Workspace => new Workspace(new MemoryFileSystem([]), { folders: ['/w'] });

function said({ observations, findings, layers, limits }: FileAnalysis) {
  return {
    observations: observations.map(
      o => `${o.start}-${o.end} ${o.kind} ${o.name} ${o.type ? showType(o.type) : o.value.kind}`,
    ),
    findings: findings.map(f => `${f.start}-${f.end} ${f.kind} ${f.message}`),
    layers: layers.map(l => `${l.start} ${l.name} ${l.inputs.map(showType)} ${l.outputs.map(showType)}`).sort(),
    limits,
  };
}

test('edits inside functions, one after another', () => {
  const edited = open();
  const analyser = new Analyser(edited, { keeps: true });
  let text = TEXT;
  const edits: [string, string][] = [
    ['output = ', 'output = 1 * '],
    ['output = 1 * ', '# a remark\n        output = '],
    ['self.o_proj(output)', 'self.o_proj(output[..., :3])'],
    ['self.o_proj(output[..., :3])', 'self.o_proj(output'],
    ['self.o_proj(output', 'self.o_proj(output)'],
    ['bias=False)', 'bias=True)'],
    ['import mlx.core as mx', 'import mlx.core as mx\n'],
    ['return ', 'return  '],
  ];
  for (const [from, to] of edits) {
    expect(text).toContain(from);
    text = text.replace(from, to);
    edited.openDocument(PATH, text);
    const fresh = open();
    fresh.openDocument(PATH, text);
    expect(said(analyser.analyse(PATH)), `${from} → ${to}`).toEqual(said(new Analyser(fresh).analyse(PATH)));
  }
});
