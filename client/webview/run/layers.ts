/** The layers of a run in the order in which they ran; choosing one shows its output. */
import type { LayerResult } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { arrayType, count, number, seconds } from '../shared/format';
import { sparkline } from '../shared/histogram';

export interface LayerActions {
  /** Shows the layer's output. */
  choose(layer: LayerResult): void;
  /** Goes to where the layer is made. */
  reveal(layer: LayerResult): void;
}

export function layersTable(layers: readonly LayerResult[], actions: LayerActions): HTMLElement {
  const slowest = Math.max(...layers.map(layer => layer.seconds), Number.MIN_VALUE);
  const rows = layers.map(layer => layerRow(layer, slowest, actions));
  const mark = (chosen: HTMLElement) => {
    for (const row of rows) row.setAttribute('aria-selected', String(row === chosen));
  };
  for (const row of rows) row.addEventListener('choose', () => mark(row));
  const columns = ['Layer', 'Type', 'Output', 'Mean', 'Std', 'Distribution', 'Parameters', 'Time'];
  return h(
    'section',
    {},
    h('h2', {}, 'Layer by layer'),
    h(
      'div',
      { class: 'scroll' },
      h(
        'table',
        { class: 'layers' },
        h('thead', {}, h('tr', {}, ...columns.map(column => h('th', { scope: 'col' }, column)))),
        h('tbody', {}, ...rows),
      ),
    ),
  );
}

function layerRow(layer: LayerResult, slowest: number, { choose, reveal }: LayerActions): HTMLElement {
  const [output] = layer.outputs;
  const stats = output?.stats;
  const bad = stats && stats.nan + stats.inf > 0;
  const name = h('button', { type: 'button', class: 'link', title: 'Show its output' }, layer.path || '(itself)');
  const type = layer.uri
    ? h('button', { type: 'button', class: 'link quiet', title: 'Go to where it is made' }, layer.type)
    : h('span', {}, layer.type);
  const row = h(
    'tr',
    { 'aria-selected': 'false', class: bad ? 'bad' : '' },
    h('th', { scope: 'row', style: `--depth:${layer.path.split('.').length - 1}` }, name),
    h('td', {}, type),
    h('td', {}, h('code', {}, output ? arrayType(output) : '–')),
    h('td', { class: 'number' }, number(stats?.mean)),
    h('td', { class: 'number' }, number(stats?.std)),
    h('td', {}, stats?.histogram ? sparkline(stats.histogram) : null),
    h('td', { class: 'number' }, count(layer.parameters)),
    h('td', { class: 'number time', style: `--part:${layer.seconds / slowest}` }, seconds(layer.seconds)),
  );
  name.addEventListener('click', () => {
    row.dispatchEvent(new Event('choose'));
    choose(layer);
  });
  if (layer.uri) type.addEventListener('click', () => reveal(layer));
  return row;
}
