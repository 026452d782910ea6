/** Results that came from inside an editor, as tests of this runner. */
import { describe, test } from 'vitest';
import type { Result } from '../suite/report';

export function repeat(where: string, results: readonly Result[]): void {
  describe(where, () => {
    for (const { title, error } of results)
      test(title, () => {
        if (error !== null) throw new Error(error);
      });
  });
}
