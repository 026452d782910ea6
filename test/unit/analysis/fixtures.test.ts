/**
 * Every fixture under test/fixtures/analysis says in marks what the analyser knows of it, and nothing more is found.
 *
 * A fixture is a file, or a folder with a `main.py` whose run is seen in every file of the folder.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { MemoryFileSystem } from '../../../server/src/workspace/file-system';
import { Workspace } from '../../../server/src/workspace/workspace';
import { differences, marksOf, read } from '../../support/marks';

const ROOT = path.resolve(import.meta.dirname, '../../fixtures/analysis');
const files = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .map(name => name.replaceAll(path.sep, '/'))
  .filter(name => name.endsWith('.py'))
  .sort();
const texts = new Map(files.map(name => [`/w/${name}`, readFileSync(path.join(ROOT, name), 'utf8')]));
const packages = files.filter(name => name.endsWith('/main.py')).map(name => path.posix.dirname(name));
const packageOf = (file: string): string | undefined => packages.find(folder => file.startsWith(`${folder}/`));
const fixtures = files.filter(name => !packageOf(name) || name === `${packageOf(name)}/main.py`);

describe.each([...new Set(fixtures.map(name => name.split('/')[0]))])('%s', theme => {
  test.each(fixtures.filter(name => name.startsWith(`${theme}/`)).map(name => name.slice(theme.length + 1)))(
    '%s',
    name => {
      const main = `${theme}/${name}`;
      const folder = packageOf(main);
      const own = folder ? files.filter(file => file.startsWith(`${folder}/`)) : [main];
      expect(own.flatMap(file => marksOf(texts.get(`/w/${file}`)!)).length, 'the number of marks').toBeGreaterThan(0);
      const workspace = new Workspace(new MemoryFileSystem(texts), { folders: [`/w/${folder ?? theme}`] });
      const reading = read(workspace, `/w/${main}`);
      const wrong = own.flatMap(file =>
        differences(reading, `/w/${file}`, texts.get(`/w/${file}`)!).map(text => `${file} ${text}`),
      );
      expect(wrong).toEqual([]);
    },
  );
});
