/** The language server as a process: over IPC, standard streams or a socket, as its arguments say. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { nodeHost } from './host.node';
import { startServer } from './server';

startServer(createConnection(ProposedFeatures.all), nodeHost());
