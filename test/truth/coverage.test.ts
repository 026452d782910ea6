/** docs/coverage.md says what is so. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { coveragePage } from './coverage';

test('docs/coverage.md is up to date (npm run truth -- coverage writes it)', () => {
  const page = readFileSync(path.join(import.meta.dirname, '../../docs/coverage.md'), 'utf8');
  expect(page).toBe(coveragePage(path.join(import.meta.dirname, 'records')));
}, 60_000);
