/** One array of a run: its picture, its histogram, its statistics and its first elements. */
import type { ArrayResult, Scalar } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { arrayType, count, number } from '../shared/format';
import { heatmap } from '../shared/heatmap';
import { histogramOf } from '../shared/histogram';

export function viewer(array: ArrayResult, heading: string): HTMLElement {
  const { stats } = array;
  const title = h('h2', {}, heading, ' ', h('code', {}, arrayType(array)));
  const figures: [string, string, boolean?][] = [
    ['min', number(stats.min)],
    ['max', number(stats.max)],
    ['mean', number(stats.mean)],
    ['std', number(stats.std)],
    ['NaN', count(stats.nan), stats.nan > 0],
    ['Inf', count(stats.inf), stats.inf > 0],
  ];
  const table = h(
    'dl',
    { class: 'stats' },
    ...figures.map(([name, value, bad]) =>
      h('div', { class: bad ? 'bad' : '' }, h('dt', {}, name), h('dd', {}, value)),
    ),
  );
  const numbers = h('div', {}, table, stats.histogram && histogramOf(stats.histogram));
  const picture = array.values.length > 1 ? heatmap(array) : null;
  return h('section', { class: 'viewer' }, title, h('div', { class: 'columns' }, picture, numbers), elements(array));
}

/** The first rows as a table, as a reader would print them. */
function elements({ values, shape, dtype, complete }: ArrayResult): HTMLElement {
  const MOST_ROWS = 8;
  const MOST_COLUMNS = 12;
  const stride = dtype === 'complex64' ? 2 : 1;
  const columns = shape.at(-1) ?? 1;
  const known = Math.ceil(values.length / stride / Math.max(1, columns));
  const shown = Math.min(columns, MOST_COLUMNS);
  const body: HTMLElement[] = [];
  for (let row = 0; row < Math.min(known, MOST_ROWS); row++) {
    const cells = Array.from({ length: shown }, (_, column) => (row * columns + column) * stride)
      .filter(at => at < values.length)
      .map(at => h('td', {}, element(values, at, stride)));
    if (columns > shown) cells.push(h('td', { class: 'more' }, '…'));
    body.push(h('tr', {}, h('th', { scope: 'row' }, String(row)), ...cells));
  }
  const all = shape.reduce((a, b) => a * b, 1);
  const rows = columns === 0 ? 0 : all / columns;
  const note =
    known > MOST_ROWS || !complete || columns > shown ? `, the first ${body.length} of ${count(rows)} rows` : '';
  const head = h('tr', {}, h('td'), ...Array.from({ length: shown }, (_, i) => h('th', { scope: 'col' }, String(i))));
  return h(
    'details',
    { open: all <= 256 },
    h('summary', {}, `Values${note}`),
    h('div', { class: 'scroll' }, h('table', { class: 'values' }, h('thead', {}, head), h('tbody', {}, ...body))),
  );
}

function element(values: readonly Scalar[], at: number, stride: number): string {
  if (stride === 1) return number(values[at]);
  const imaginary = number(values[at + 1]);
  return `${number(values[at])}${imaginary.startsWith('−') ? '' : '+'}${imaginary}j`;
}
