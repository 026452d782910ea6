/** What this machine gives the language server: its files and the virtual environment that is active. */
import { openFile } from '../../engine/src/formats/file.node';
import { makeExecutor } from './execution/executor';
import type { Host } from './server';
import { NodeFileSystem } from './workspace/file-system.node';
import { slashed } from './workspace/paths';

export function nodeHost(): Host {
  const { VIRTUAL_ENV } = process.env;
  return {
    files: new NodeFileSystem(),
    environment: VIRTUAL_ENV ? slashed(VIRTUAL_ENV) : null,
    makeExecutor: workspace => makeExecutor(workspace, undefined, openFile),
  };
}
