/** Gigabytes are checked by their headers alone. */
import { expect, it } from 'vitest';
import { bundle } from '../support/bundle';
import { checkLarge } from './large';

it('checks 8 GB in seconds, without holding them', async () => {
  const { gigabytes, seconds, megabytes, output, status } = checkLarge(
    await bundle('server/src/cli.node.ts', 'checkpoint-cli'),
  );
  expect(gigabytes).toBeGreaterThan(8);
  expect(output).toContain('291 of 291 parameters fit; 323 arrays in 4 files.');
  expect(status).toBe(0);
  expect(seconds).toBeLessThan(2);
  expect(megabytes).toBeLessThan(300);
});
