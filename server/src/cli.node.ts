/**
 * The command line: `mlx-scope check`, `mlx-scope shapes`.
 *
 * Exit status: 0 clean, 1 findings, 2 could not run.
 */
import { version } from '../../package.json';
import { check } from './cli/check';
import { UsageError } from './cli/project';
import { shapes } from './cli/shapes';

const COMMANDS: Readonly<Record<string, (argv: readonly string[]) => number>> = { check, shapes };

const HELP = `mlx-scope ${version}: the shape of every array in MLX code, without running it

  mlx-scope check PATH…   [--format text|json|github] [--select CODES] [--ignore CODES] [--statistics] [--exit-zero]
  mlx-scope shapes FILE   [--entry CLASS --config FILE|JSON --input NAME=dtype[dims] …] [--format text|json] [--all]
  mlx-scope --version`;

function main(argv: readonly string[]): number {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    console.log(HELP);
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    console.log(version);
    return 0;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : null;
  if (!command) throw new UsageError(`there is no command ${name}`);
  return command(rest);
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (e) {
  const usage = e instanceof UsageError || (e as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS');
  console.error(
    usage
      ? `mlx-scope: ${(e as Error).message}\n\n${HELP}`
      : `mlx-scope: ${e instanceof Error ? (e.stack ?? e.message) : e}`,
  );
  process.exitCode = 2;
}
