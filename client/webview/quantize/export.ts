/** A comparison as a file: the rows as they came, one a line, or the whole answer. */
import type { QuantizeResult } from '../../../server/src/protocol';

const MEASURES = ['relativeError', 'sqnrDb', 'cosine', 'p50', 'p95', 'max'] as const;

/** CSV with a header line; an empty cell is a figure that does not exist. */
export function toCsv({ rows }: QuantizeResult): string {
  const head = ['parameter', 'mode', 'bits', 'groupSize', 'bitsPerWeight', 'bytes', 'seconds'];
  for (const of of ['weight', 'output']) head.push(...MEASURES.map(name => `${of}.${name}`));
  const lines = rows.map(({ parameter, mode, bits, groupSize, bitsPerWeight, bytes, seconds, weight, output }) => {
    const measures = [weight, output].flatMap(of => MEASURES.map(name => of?.[name] ?? ''));
    return [parameter, mode, bits, groupSize, bitsPerWeight, bytes, seconds, ...measures].map(quoted).join(',');
  });
  return `${[head.join(','), ...lines].join('\n')}\n`;
}

export const toJson = (result: QuantizeResult): string => `${JSON.stringify(result, null, 2)}\n`;

const quoted = (cell: string | number): string =>
  /[",\n]/.test(String(cell)) ? `"${String(cell).replace(/"/g, '""')}"` : String(cell);
