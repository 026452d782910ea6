/** Every rule has a page, and its examples do what it says. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { Analyser } from '../../../server/src/analysis/analyser';
import { RULES } from '../../../server/src/rules';
import { findingsToDiagnostics } from '../../../server/src/rules/report';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';

const FOLDER = path.resolve(import.meta.dirname, '../../../docs/rules');
const pages = readdirSync(FOLDER).filter(name => name.startsWith('MLX'));

/** Files that examples load. */
const FILES: readonly (readonly [string, string])[] = [
  ['/w/damaged.safetensors', 'version https://git-lfs.github.com/spec/v1'],
  ['/w/whole.safetensors', `\x02${'\0'.repeat(7)}{}`],
];

function codesIn(python: string): string[] {
  const files = new MemoryFileSystem([['/w/example.py', python], ...FILES]);
  const workspace = new Workspace(files, { folders: ['/w'] });
  const diagnostics = findingsToDiagnostics(new Analyser(workspace).analyse('/w/example.py'), {
    selection: () => ({ select: [], ignore: [] }),
    isOwn: () => true,
    source: file => workspace.source(file),
  });
  return diagnostics.map(d => d.rule.code);
}

const example = (page: string, section: string): string => {
  const found = new RegExp(`## ${section}\n\n\`\`\`python\n([\\s\\S]*?)\`\`\``).exec(page);
  if (!found) throw new Error(`the page has no section "${section}" that is Python`);
  return found[1];
};

it('every rule has a page, and every page a rule', () => {
  expect(pages.sort()).toEqual(RULES.map(r => `${r.code}.md`));
});

describe.each(RULES)('$code $name', ({ code, name }) => {
  const page = readFileSync(path.join(FOLDER, `${code}.md`), 'utf8');

  it('has a page of that name that says why', () => {
    expect(page.startsWith(`# ${code} ${name}\n`)).toBe(true);
    expect(page).toMatch(/## Why\n\n\S/);
  });

  it('finds the refused example', () => expect(codesIn(example(page, 'Refused'))).toEqual([code]));
  it('has nothing to say of the fixed one', () => expect(codesIn(example(page, 'Fixed'))).toEqual([]));
});
