/** Every parameter against the best settings: where a model bears few bits and where it does not. */
import type { QuantizeResult } from '../../../server/src/protocol';
import { h } from '../shared/dom';
import { percent } from '../shared/format';
import { type Measure, type Setting, settingKey, settingName } from './settings';

/** A table with a shade a cell, for models of two parameters or more. */
export function sensitivity(
  result: QuantizeResult,
  settings: readonly Setting[],
  measure: Measure,
  choose: (parameter: string) => void,
): HTMLElement {
  const columns = settings.filter(setting => setting.best).sort((a, b) => a.bytes - b.bytes);
  const errors = new Map(
    result.rows.map(row => [`${row.parameter}/${settingKey(row)}`, (row[measure] ?? row.weight).relativeError]),
  );
  const most = Math.max(...errors.values(), Number.MIN_VALUE);
  const row = (parameter: string) => {
    const name = h('button', { type: 'button', class: 'link', onclick: () => choose(parameter) }, parameter);
    const cells = columns.map(setting => {
      const error = errors.get(`${parameter}/${settingKey(setting)}`);
      if (error === undefined) return h('td', { class: 'number', title: 'not quantized by this setting' }, '–');
      return h('td', { class: 'number shade', style: `--part:${Math.sqrt(error / most)}` }, percent(error));
    });
    return h('tr', {}, h('th', { scope: 'row' }, name), ...cells);
  };
  const quantized = result.parameters.filter(one => one.skipped === null);
  const head = columns.map(setting => h('th', { scope: 'col', class: 'number' }, short(setting)));
  const names = h('tr', {}, h('th', { scope: 'col' }, 'Parameter'), ...head);
  const body = h('tbody', {}, ...quantized.map(one => row(one.parameter)));
  const table = h('table', { class: 'sensitivity' }, h('thead', {}, names), body);
  return h('section', {}, h('h2', {}, 'Sensitivity of each parameter'), h('div', { class: 'scroll' }, table));
}

const short = (setting: Setting): HTMLElement =>
  h(
    'span',
    { title: settingName(setting) },
    setting.mode === 'affine' ? `${setting.bits}b g${setting.groupSize}` : setting.mode,
  );
