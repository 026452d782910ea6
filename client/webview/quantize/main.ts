/** The Quantize & compare panel: every setting in a grid and in a plot of error against size. */
import type { ActivationSource, QuantizationMode, QuantizeParams, QuantizeResult } from '../../../server/src/protocol';
import { field, h, select } from '../shared/dom';
import { bytes, counted, number, percent, seconds } from '../shared/format';
import { Frame, notes } from '../shared/frame';
import { connect } from '../shared/host';
import { type Column, type Order, SortedTable } from '../shared/table';
import { toCsv, toJson } from './export';
import { frontier, markOf } from './frontier';
import { errorHistogram, layerBars, outlierColumns, picturedSetting, worstOf } from './pictures';
import { sensitivity } from './sensitivity';
import { errorOf, type Measure, modesOf, type Setting, settingKey, settingName, settingsOf } from './settings';

const ALL = 'all parameters';

/** What the reader has chosen to look at; outlives results. */
const view = {
  parameter: null as string | null,
  /** The setting that pictures are of; null: a usual one. */
  setting: null as string | null,
  measure: 'weight' as Measure,
  hidden: new Set<QuantizationMode>(),
  order: { column: 4, descending: false } as Order,
};
let params: QuantizeParams | null = null;
let result: QuantizeResult | null = null;

const host = connect<'quantize'>(message => {
  frame.receive(message);
  if (message.type === 'started') ({ params } = message);
  if (message.type !== 'result') return;
  ({ result } = message);
  const known = result.parameters.some(one => one.parameter === view.parameter);
  if (!known) view.parameter = null;
  if (result.rows.every(row => row.output === null)) view.measure = 'weight';
  show();
  frame.say(`Done. ${counted(result.rows.length, 'combination')} compared.`);
});
const frame = new Frame<'quantize'>(host, {
  startLabel: 'Compare again',
  switchLabel: 'Run',
  onStart: () => params && host.send({ type: 'start', params }),
});

function show(): void {
  if (!result) return;
  const all = settingsOf(result, view.parameter, view.measure);
  const shown = all.filter(setting => !view.hidden.has(setting.mode));
  showControls(result, all);
  const point = (key: string | null) => {
    plot.highlight(key);
    table.highlight(key);
  };
  const plot = frontier(shown, view.measure, point);
  const table = grid(result, shown, point);
  const original = result.parameters.filter(one => one.skipped === null);
  const several = original.length > 1;
  const skipped = result.parameters.filter(one => one.skipped !== null);
  frame.result.replaceChildren(
    facts(result),
    notes(result.notes) ?? '',
    h('section', {}, h('h2', {}, 'Error against size'), plot.element),
    h('section', {}, h('h2', {}, 'Every setting'), table.element),
    ...pictures(result, shown, several),
    several ? sensitivity(result, settingsOf(result, null, view.measure), view.measure, choose) : '',
    worstOf(result, 'weight', view.parameter) ?? '',
    worstOf(result, 'output', view.parameter) ?? '',
    skipped.length === 0
      ? ''
      : h(
          'section',
          {},
          h('h2', {}, 'Not quantized'),
          h('ul', {}, ...skipped.map(one => h('li', {}, h('code', {}, one.parameter), `: ${one.skipped}`))),
        ),
  );
}

/** Of one parameter: its errors and columns; of several: each as a bar. */
function pictures(of: QuantizeResult, settings: readonly Setting[], several: boolean): (Node | string)[] {
  const setting = picturedSetting(settings, view.measure, view.setting);
  if (!setting) return [];
  const one = view.parameter ?? (several ? null : (of.parameters.find(p => p.skipped === null)?.parameter ?? null));
  if (one === null) return [layerBars(of, setting, view.measure, choose)];
  return [errorHistogram(of, one, setting) ?? '', outlierColumns(of, one) ?? ''];
}

function choose(parameter: string | null): void {
  view.parameter = parameter;
  show();
}

function showControls({ parameters, rows }: QuantizeResult, settings: readonly Setting[]): void {
  const focused = document.activeElement?.getAttribute('name');
  const quantized = parameters.filter(one => one.skipped === null).map(one => one.parameter);
  const parameter = select(quantized.length > 1 ? [ALL, ...quantized] : quantized, view.parameter ?? ALL);
  if (quantized.length === 1) parameter.value = quantized[0];
  parameter.name = 'parameter';
  parameter.addEventListener('change', () => choose(parameter.value === ALL ? null : parameter.value));
  const measure = select(['weight', 'output'], view.measure);
  measure.name = 'measure';
  measure.disabled = rows.every(row => row.output === null);
  measure.title = measure.disabled ? 'The layer was not run' : '';
  measure.addEventListener('change', () => {
    view.measure = measure.value as Measure;
    show();
  });
  const names = settings.map(settingName);
  const current = picturedSetting(settings, view.measure, view.setting);
  const setting = select(names, current ? settingName(current) : '');
  setting.name = 'setting';
  setting.addEventListener('change', () => {
    view.setting = settingKey(settings[names.indexOf(setting.value)]);
    show();
  });
  const activations = select([...INPUTS.keys()], inputName());
  activations.name = 'activations';
  activations.title = 'What the layers get, for errors of their outputs. Compare again to use another.';
  activations.addEventListener('change', () => {
    if (params) params = { ...params, activations: INPUTS.get(activations.value) };
  });
  const modes = modesOf(settings).map(mode => {
    const box = h('input', { type: 'checkbox', name: mode, checked: !view.hidden.has(mode) });
    box.addEventListener('change', () => {
      if (box.checked) view.hidden.delete(mode);
      else view.hidden.add(mode);
      show();
    });
    return h('label', { class: 'check' }, box, mode);
  });
  const save = (format: string, text: (result: QuantizeResult) => string) =>
    h(
      'button',
      {
        type: 'button',
        onclick: () => result && host.send({ type: 'save', name: `quantization.${format}`, text: text(result) }),
      },
      `Export ${format.toUpperCase()}`,
    );
  frame.controls.replaceChildren(
    h(
      'div',
      { class: 'fields' },
      field('of', parameter),
      field('error of the', measure),
      field('pictures of', setting),
      field('inputs', activations),
      h('div', { class: 'field', role: 'group', 'aria-label': 'Modes' }, ...modes),
      h('div', { class: 'field end' }, save('csv', toCsv), save('json', toJson)),
    ),
  );
  if (focused) frame.controls.querySelector<HTMLElement>(`[name="${focused}"]`)?.focus();
}

/** What layers may get, by its name in the menu. */
const INPUTS = new Map<string, ActivationSource>([
  ['none', { kind: 'none' }],
  ['random normal', { kind: 'normal' }],
  ['recorded from the model', { kind: 'model' }],
]);

function inputName(): string {
  const kind = params?.activations?.kind ?? (params?.target.kind === 'layer' ? 'normal' : 'none');
  return [...INPUTS].find(([, source]) => source.kind === kind)?.[0] ?? 'none';
}

function grid(
  { parameters }: QuantizeResult,
  settings: readonly Setting[],
  point: (key: string | null) => void,
): SortedTable<Setting> {
  const { measure } = view;
  const measures = (setting: Setting) => (measure === 'weight' ? setting.weight : (setting.output ?? setting.weight));
  const largest = Math.max(...settings.map(setting => errorOf(setting, measure) ?? 0), Number.MIN_VALUE);
  const figure = (
    title: string,
    hint: string,
    value: (setting: Setting) => number | null,
    show: (value: number) => string = number,
  ): Column<Setting> => ({
    title,
    hint,
    numeric: true,
    value,
    cell: setting => {
      const shown = value(setting);
      return shown === null ? '–' : show(shown);
    },
  });
  const columns: Column<Setting>[] = [
    {
      title: 'Mode',
      value: setting => setting.mode,
      cell: setting =>
        h(
          'span',
          { class: 'mode' },
          markOf(setting.mode, setting.best),
          setting.mode,
          setting.best ? h('span', { class: 'spoken' }, ', on the frontier') : null,
        ),
    },
    figure('Bits', 'Bits of a code', setting => setting.bits),
    figure('Group', 'Weights that share a scale', setting => setting.groupSize),
    figure(
      'Bits/weight',
      'With scales and biases',
      setting => setting.bitsPerWeight,
      bits => bits.toFixed(2),
    ),
    figure('Size', 'With scales and biases', setting => setting.bytes, bytes),
    {
      ...figure('Relative error', '‖a − b‖ / ‖b‖', setting => errorOf(setting, measure), percent),
      part: setting => (errorOf(setting, measure) ?? 0) / largest,
    },
    figure(
      'SQNR',
      'Signal to quantization noise, in decibels',
      s => measures(s).sqnrDb,
      db => `${db.toFixed(1)} dB`,
    ),
    figure(
      'Cosine',
      'Cosine of the angle to the original',
      s => measures(s).cosine,
      cosine => cosine.toFixed(5),
    ),
    figure('p50', 'Median absolute error', s => measures(s).p50),
    figure('p95', '95 % of absolute errors are smaller', s => measures(s).p95),
    figure('Max', 'Greatest absolute error', s => measures(s).max),
  ];
  const quantized = parameters.filter(one => one.skipped === null).length;
  if (view.parameter === null && settings.some(setting => setting.covered < quantized))
    columns.push(
      figure(
        'Covers',
        'Parameters quantized; the others stay',
        s => s.covered,
        n => `${n} of ${quantized}`,
      ),
    );
  return new SortedTable<Setting>({
    caption: 'Every setting with its size and error',
    columns,
    rows: settings,
    key: settingKey,
    className: setting => (setting.best ? 'best' : ''),
    point,
    order: view.order,
  });
}

function facts({ parameters, rows, source, sampled, backend, seconds: time }: QuantizeResult): HTMLElement {
  const original = parameters.filter(one => one.skipped === null);
  const size = original.reduce((sum, one) => sum + one.bytes, 0);
  const chips = [
    `${bytes(size)} unquantized`,
    `${counted(rows.length, 'combination')} in ${seconds(time)}`,
    `computed by ${backend}`,
    source === 'random' ? 'random weights' : `weights of ${source}`,
  ];
  if (sampled) chips.push('errors of a sample of rows');
  return h('p', { class: 'facts' }, ...chips.map(chip => h('span', {}, chip)));
}
