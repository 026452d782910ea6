/**
 * The arithmetic of the comparison: one figure a setting (bits, group, mode) for the chosen parameters, and which
 * settings no other one beats.
 */
import type { ErrorMeasures, QuantizationMode, QuantizeResult, QuantizeRow } from '../../../server/src/protocol';

/** One setting, over one parameter or all of them. */
export interface Setting {
  mode: QuantizationMode;
  bits: number;
  groupSize: number;
  /** Like size and errors, with what the setting cannot quantize left as it is. */
  bitsPerWeight: number;
  bytes: number;
  /** Parameters that it quantizes. */
  covered: number;
  weight: ErrorMeasures;
  /** null where the layers were not run. */
  output: ErrorMeasures | null;
  /** No other setting is both smaller and more exact, by the chosen measure. */
  best: boolean;
}

const MODES: readonly QuantizationMode[] = ['affine', 'mxfp4', 'mxfp8', 'nvfp4'];

/** The modes among some settings, always in the same order. */
export const modesOf = (settings: readonly Setting[]): QuantizationMode[] =>
  MODES.filter(mode => settings.some(setting => setting.mode === mode));

/** Which error decides: of the weights or of the layer's output. */
export type Measure = 'weight' | 'output';

export const settingKey = (row: Pick<Setting, 'mode' | 'bits' | 'groupSize'>): string =>
  `${row.mode}/${row.bits}/${row.groupSize}`;

export const settingName = ({ mode, bits, groupSize }: Pick<Setting, 'mode' | 'bits' | 'groupSize'>): string =>
  mode === 'affine' ? `affine ${bits}-bit, groups of ${groupSize}` : mode;

/**
 * The settings of one parameter, or (with null) of all of them together: sizes are added; relative errors are the root
 * of the mean square, and cosines the mean, weighted by the number of elements; quantiles are the largest. What a
 * setting cannot quantize has no error: settings that cover different parameters compare fairly.
 */
export function settingsOf(result: QuantizeResult, parameter: string | null, measure: Measure): Setting[] {
  const rows = parameter === null ? result.rows : result.rows.filter(row => row.parameter === parameter);
  const groups = new Map<string, QuantizeRow[]>();
  for (const row of rows) {
    const key = settingKey(row);
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const settings = [...groups.values()].map(group => combine(result, group, parameter));
  markBest(settings, measure);
  return settings;
}

function combine({ parameters }: QuantizeResult, rows: QuantizeRow[], parameter: string | null): Setting {
  const sizes = new Map(parameters.map(one => [one.parameter, one.shape.reduce((a, b) => a * b, 1)]));
  const elements = rows.map(row => sizes.get(row.parameter) ?? 1);
  const outputs = rows.map(row => row.output);
  const quantized = new Set(rows.map(row => row.parameter));
  const left = parameters.filter(one => !quantized.has(one.parameter) && parameter === null && one.skipped === null);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const exact = sum(left.map(one => sizes.get(one.parameter)!));
  const bitsLeft = 8 * sum(left.map(one => one.bytes));
  const [{ mode, bits, groupSize }] = rows;
  return {
    mode,
    bits,
    groupSize,
    bitsPerWeight: (sum(rows.map((row, i) => row.bitsPerWeight * elements[i])) + bitsLeft) / (sum(elements) + exact),
    bytes: sum(rows.map(row => row.bytes)) + sum(left.map(one => one.bytes)),
    covered: rows.length,
    weight: together(
      rows.map(row => row.weight),
      elements,
      exact,
    ),
    output: outputs.every(output => output !== null) ? together(outputs, elements, exact) : null,
    best: false,
  };
}

/** Several errors as one, each weighted, with so much weight of no error besides. */
function together(all: ErrorMeasures[], weights: number[], exact: number): ErrorMeasures {
  if (all.length === 1 && exact === 0) return all[0];
  const total = weights.reduce((a, b) => a + b, exact);
  const mean = (pick: (one: ErrorMeasures) => number) =>
    all.reduce((s, one, i) => s + pick(one) * weights[i], 0) / total;
  const most = (pick: (one: ErrorMeasures) => number) => Math.max(...all.map(pick));
  const relativeError = Math.sqrt(mean(one => one.relativeError ** 2));
  return {
    relativeError,
    sqnrDb: relativeError === 0 ? null : -20 * Math.log10(relativeError),
    cosine: all.some(one => one.cosine === null) ? null : mean(one => one.cosine ?? 0) + exact / total,
    p50: most(one => one.p50),
    p95: most(one => one.p95),
    max: most(one => one.max),
  };
}

export const errorOf = (setting: Setting, measure: Measure): number | null =>
  (measure === 'weight' ? setting.weight : setting.output)?.relativeError ?? null;

/** Marks the settings on the frontier of size and error. */
function markBest(settings: Setting[], measure: Measure): void {
  let least = Infinity;
  const order = settings
    .filter(setting => errorOf(setting, measure) !== null)
    .sort((a, b) => a.bytes - b.bytes || errorOf(a, measure)! - errorOf(b, measure)!);
  for (const setting of order) {
    const error = errorOf(setting, measure)!;
    setting.best = error < least;
    least = Math.min(least, error);
  }
}
