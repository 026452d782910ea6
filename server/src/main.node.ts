/** The language server as a process: over IPC, standard streams or a socket, as the command line says. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { startServer } from './server';
import { NodeFileSystem } from './workspace/file-system.node';
import { slashed } from './workspace/paths';

const { VIRTUAL_ENV } = process.env;

startServer(createConnection(ProposedFeatures.all), {
  files: new NodeFileSystem(),
  environment: VIRTUAL_ENV ? slashed(VIRTUAL_ENV) : null,
  makeExecutor: null,
});
