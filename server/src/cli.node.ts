/**
 * The command line: one table of commands.
 *
 * Exit status: 0 clean, 1 findings, 2 could not run.
 */
import { version } from '../../package.json';
import { check } from './cli/check';
import { checkpoint } from './cli/checkpoint';
import type { Command } from './cli/command';
import { UsageError } from './cli/command';
import { lsp } from './cli/lsp';
import { quantize } from './cli/quantize';
import { run } from './cli/run';
import { shapes } from './cli/shapes';
import { summary } from './cli/summary';
import { InputError } from './session/inputs';

const COMMANDS: Readonly<Record<string, Command>> = { check, shapes, summary, run, quantize, checkpoint, lsp };

const help = (): string => `mlx-scope ${version}: the shape of every array in MLX code, without running it

${Object.values(COMMANDS)
  .map(c => `  mlx-scope ${c.usage}\n      ${c.summary}`)
  .join('\n')}

  mlx-scope COMMAND --help    says more of a command
  mlx-scope --version

Exit status: 0 clean, 1 findings, 2 could not run.`;

async function main([name, ...rest]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(help());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    console.log(version);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : null;
  if (!command) throw new UsageError(`there is no command ${name}; there are ${Object.keys(COMMANDS).join(', ')}`);
  if (rest.includes('--help') || rest.includes('-h')) {
    console.log(`mlx-scope ${command.usage}\n\n${command.summary}\n\n${command.details}`);
    return 0;
  }
  return command.run(rest);
}

main(process.argv.slice(2)).then(
  status => {
    process.exitCode = status;
  },
  (error: unknown) => {
    const { message, stack } = error as Error;
    const isMisspelt = (error as NodeJS.ErrnoException)?.code?.startsWith('ERR_PARSE_ARGS');
    if (isMisspelt) console.error(`mlx-scope: ${message}\nTry mlx-scope --help`);
    else if (error instanceof UsageError || error instanceof InputError) console.error(`mlx-scope: ${message}`);
    else console.error(`mlx-scope: ${stack ?? message}`);
    process.exitCode = 2;
  },
);
