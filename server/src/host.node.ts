/** What this machine gives the language server: its files and the virtual environment that is active. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { openFile } from '../../engine/src/formats/file.node';
import { EngineClient } from '../../engine/worker/client';
import { nodePort } from '../../engine/worker/port.node';
import { hereEngine, makeExecutor } from './execution/executor';
import type { Engine } from './execution/run';
import type { Host } from './server';
import { NodeFileSystem } from './workspace/file-system.node';
import { slashed } from './workspace/paths';

/**
 * The engine in a worker thread, from the bundle that lies beside this one; on this thread where there is none.
 * It ends with the process, and idle it keeps nothing alive.
 */
function nodeEngine(): Engine {
  const bundle = path.join(__dirname, 'engine.js');
  if (!existsSync(bundle)) return hereEngine;
  const client = new EngineClient(() => nodePort(bundle));
  return {
    evaluate: (outputs, { backend, ...options }) =>
      client.evaluate(outputs, { ...options, backend: { name: backend } }),
  };
}

export function nodeHost(): Host {
  const { VIRTUAL_ENV } = process.env;
  return {
    files: new NodeFileSystem(),
    environment: VIRTUAL_ENV ? slashed(VIRTUAL_ENV) : null,
    makeExecutor: workspace => makeExecutor(workspace, nodeEngine(), openFile),
  };
}
