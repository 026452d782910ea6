/**
 * The commands of lenses, for clients that do not have them: run with the usual settings, and say how it went.
 */
import {
  type CancellationToken,
  type Connection,
  type ExecuteCommandParams,
  LSPErrorCodes,
  ResponseError,
} from 'vscode-languageserver';
import {
  COMMANDS,
  type CommandArgument,
  type QuantizeResult,
  type RunResult,
  type Settings,
  type SummaryParams,
  type SummaryResult,
} from '../protocol';
import type { LongRequests } from './long-requests';
import { byteText, shortNumber } from './parameters';
import { shortValue } from './picture';

export interface CommandHandlers {
  readonly long: LongRequests;
  readonly settings: Settings;
  summary(params: SummaryParams): SummaryResult | Promise<SummaryResult>;
}

/** Answers the JSON of the request that the command stands for. */
export async function executeCommand(
  connection: Connection,
  { command, arguments: given, workDoneToken }: ExecuteCommandParams,
  { long, settings, summary }: CommandHandlers,
  token: CancellationToken,
): Promise<RunResult | QuantizeResult | SummaryResult> {
  const argument = given?.[0] as CommandArgument | undefined;
  if (!argument?.uri || !argument.target)
    throw new ResponseError(LSPErrorCodes.RequestFailed, `${command} needs an argument with uri and target`);
  const { uri, target } = argument;
  const { seed, backend } = settings.run;
  const common = { uri, target, inputs: [], seed, config: null, weights: null, backend, workDoneToken };
  const say = (message: string): void => void connection.sendNotification('window/showMessage', { type: 3, message });
  switch (command) {
    case COMMANDS.run: {
      const result = await long.run(common, token);
      for (const { name, shape, dtype, stats } of result.outputs)
        say(
          `${target.name}: ${name} is ${dtype}[${shape.join(', ')}], mean ${shortValue(stats.mean)}, std ${shortValue(stats.std)}`,
        );
      return result;
    }
    case COMMANDS.quantize: {
      const result = await long.quantize({ ...common, bits: [4, 8], groupSizes: [64], modes: ['affine'] }, token);
      for (const row of result.rows)
        say(
          `${row.parameter}: ${row.bits} bits, relative error ${shortValue(row.weight.relativeError)}, ${byteText(row.bytes)}`,
        );
      return result;
    }
    case COMMANDS.summary: {
      const result = await summary({ uri, target, config: null });
      const total =
        typeof result.total === 'number' ? shortNumber(result.total) : (result.total ?? 'an unknown number of');
      say(`${result.name}: ${total} parameters`);
      return result;
    }
    default:
      throw new ResponseError(LSPErrorCodes.RequestFailed, `there is no command ${command}`);
  }
}
