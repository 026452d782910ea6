/** Where errors come from: their histogram, columns that stand out, rows and features that suffer most, layers as bars. */
import type { QuantizeResult, WorstRow } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { number, percent } from '../shared/format';
import { histogramOf } from '../shared/histogram';
import { errorOf, type Measure, type Setting, settingKey, settingName } from './settings';

/** Signed errors of one parameter under a setting; null where none were sent. */
export function errorHistogram(result: QuantizeResult, parameter: string, setting: Setting): HTMLElement | null {
  const key = settingKey(setting);
  const found = result.histograms.find(one => one.parameter === parameter && settingKey(one) === key);
  if (!found) return null;
  return h('section', {}, h('h2', {}, `Errors of the weights, ${settingName(setting)}`), histogramOf(found.histogram));
}

/** Columns whose weights are large beside the others: they widen the groups that they lie in. */
export function outlierColumns(result: QuantizeResult, parameter: string): HTMLElement | null {
  const found = result.outliers.find(one => one.parameter === parameter);
  if (!found || found.columns.length === 0) return null;
  const most = Math.max(...found.columns.map(c => c.ratio));
  const bars = found.columns.map(({ column, ratio }) => bar(`column ${column}`, ratio / most, `${number(ratio)} ×`));
  const hint = h('p', { class: 'hint' }, 'Root mean square of a column, as a multiple of the median column’s.');
  return h('section', {}, h('h2', {}, 'Outlying columns'), hint, h('div', { class: 'bars' }, ...bars));
}

/** Parameters by the error that a setting causes in them, the most sensitive first. */
export function layerBars(
  result: QuantizeResult,
  setting: Setting,
  measure: Measure,
  choose: (parameter: string) => void,
): HTMLElement {
  const key = settingKey(setting);
  const rows = result.rows
    .filter(row => settingKey(row) === key)
    .map(row => ({ parameter: row.parameter, error: (row[measure] ?? row.weight).relativeError }))
    .sort((a, b) => b.error - a.error);
  const most = Math.max(...rows.map(row => row.error), Number.MIN_VALUE);
  const bars = rows.map(({ parameter, error }) =>
    bar(parameter, error / most, percent(error), () => choose(parameter)),
  );
  const title = `Layers by ${measure} error, ${settingName(setting)}`;
  return h('section', {}, h('h2', {}, title), h('div', { class: 'bars' }, ...bars));
}

/** Rows of weights, or features of outputs, with the greatest error over all settings. */
export function worstOf(result: QuantizeResult, of: WorstRow['of'], parameter: string | null): HTMLElement | null {
  const shown = result.worst
    .filter(row => row.of === of && (parameter === null || row.parameter === parameter))
    .sort((a, b) => b.relativeError - a.relativeError)
    .slice(0, 10);
  if (shown.length === 0) return null;
  const rows = shown.map(({ parameter: name, mode, bits, groupSize, index, relativeError }) =>
    h(
      'tr',
      {},
      h('th', { scope: 'row' }, h('code', {}, `${name}[${index.join(', ')}]`)),
      h('td', {}, settingName({ mode, bits, groupSize })),
      h('td', { class: 'number' }, percent(relativeError)),
    ),
  );
  const head = [of === 'weight' ? 'Row' : 'Feature', 'Setting', 'Relative error'].map((title, i) =>
    h('th', { scope: 'col', class: i === 2 ? 'number' : '' }, title),
  );
  const table = h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
  const title = of === 'weight' ? 'Worst rows' : 'Worst output features';
  return h('section', {}, h('h2', {}, title), h('div', { class: 'scroll' }, table));
}

/** The setting that pictures are of: the chosen key, else the most exact below 5 bits a weight, else the smallest. */
export function picturedSetting(settings: readonly Setting[], measure: Measure, chosen: string | null): Setting | null {
  const found = settings.find(one => settingKey(one) === chosen);
  if (found) return found;
  const usual = settings.filter(one => one.bitsPerWeight <= 5.01);
  const by = (a: Setting, b: Setting) => (errorOf(a, measure) ?? 1) - (errorOf(b, measure) ?? 1);
  return [...(usual.length > 0 ? usual : settings)].sort(by)[0] ?? null;
}

function bar(label: string, part: number, value: string, act?: () => void): HTMLElement {
  const name = act
    ? h('button', { type: 'button', class: 'link', onclick: act }, label)
    : h('span', { class: 'name' }, label);
  const track = h('span', { class: 'track' }, h('span', { class: 'fill', style: `width:${(100 * part).toFixed(1)}%` }));
  return h('div', { class: 'bar' }, name, track, h('span', { class: 'number' }, value));
}
