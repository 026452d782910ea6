/** The parser as it is shipped: small, without Node, and with the same answers as the unbundled one. */

import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { pyrightParser } from '../../../scripts/pyright-parser.mjs';
import type { Module } from '../../../server/src/python/ast';
import { parse } from '../../../server/src/python/parse';

const BROKEN = [
  'x = (',
  'def f(:\n  pass\n',
  'match x:\n  case a | b: pass\n  case {**r, **s}: pass\n',
  'f"{x',
  'a b c\nfor in x:\n  y = [1, 2\nclass C(: pass',
  'from x import\nx = 1 if 2\ndef f(a, a): return\nlambda x y: 1',
];

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures/python');
const WHOLE = readdirSync(FIXTURES).map(name => readFileSync(path.join(FIXTURES, name), 'utf8'));

describe('the bundled parser', async () => {
  const { outputFiles, metafile } = await build({
    stdin: { contents: "export { parse } from './server/src/python/parse';", resolveDir: '.', loader: 'ts' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'iife',
    globalName: 'python',
    platform: 'browser',
    plugins: [pyrightParser()],
  });
  const code = outputFiles[0].text;

  test('is small and uses nothing of Node', () => {
    expect(code.length).toBeLessThan(260_000);
    expect(Object.keys(metafile.inputs).filter(path => /uri-|fs-extra|vscode/.test(path))).toEqual([]);
  });

  test('runs in a bare context, with the unbundled answers', () => {
    const context = createContext({});
    runInContext(code, context);
    for (const source of [...BROKEN, ...WHOLE]) {
      const module: Module = JSON.parse(
        runInContext(`JSON.stringify(python.parse(${JSON.stringify(source)}))`, context),
      );
      const expected = parse(source);
      expect(module).toEqual(expected);
      expect(expected.problems.length > 0).toBe(BROKEN.includes(source));
    }
  });
});
