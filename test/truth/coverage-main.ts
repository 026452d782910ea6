/** Writes docs/coverage.md: `npm run truth -- coverage`. */
import { writeFileSync } from 'node:fs';
import { coveragePage } from './coverage';

writeFileSync('docs/coverage.md', coveragePage('test/truth/records'));
console.log('docs/coverage.md is written');
