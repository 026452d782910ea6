/** `mlx-scope lsp`: the language server over standard streams, for any editor. */
import { parseArgs } from 'node:util';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { nodeHost } from '../host.node';
import { startServer } from '../server';
import type { Command } from './command';

export const lsp: Command = {
  usage: 'lsp --stdio',
  summary: 'Runs the language server, for any LSP client.',
  details: '  --stdio    over standard input and output (the only way, so it may be left out)',
  async run(argv) {
    parseArgs({ args: [...argv], options: { stdio: { type: 'boolean' } } });
    // The protocol has the output: nothing else may write there.
    console.log = console.error;
    startServer(createConnection(ProposedFeatures.all, process.stdin, process.stdout), nodeHost());
    // The connection ends the process, at `exit` or when its streams close.
    return new Promise(() => {});
  },
};
