/** How the suite tells its results to the harness: a line each on the console, which every host passes on. */

export interface Result {
  title: string;
  /** The stack of what was thrown, or null. */
  error: string | null;
  milliseconds: number;
}

export const TIMEOUT = 60_000;

export const report = (result: Result): void => console.log(`MLX-SCOPE-TEST ${JSON.stringify(result)}`);

/** Mocha's own reporters write to a terminal that hosts do not have. */
export function Silent(): void {}
