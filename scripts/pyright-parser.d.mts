import type { Plugin } from 'esbuild';

/** Replaces what pyright's parser does not need; for every bundle that holds `server/src/python`. */
export function pyrightParser(): Plugin;
