/** The check of a checkpoint of 8 GB: time and memory of the whole command. */
import path from 'node:path';
import { checkLarge } from '../checkpoints/large';

const runs = Array.from({ length: 3 }, () => checkLarge(path.resolve('dist/cli.js')));
const best = runs.reduce((a, b) => (a.seconds < b.seconds ? a : b));
console.log(
  `${best.gigabytes.toFixed(1)} GB: ${best.seconds.toFixed(2)} s, ${best.megabytes.toFixed(0)} MB (best of 3)`,
);
console.log(best.output.trim());
