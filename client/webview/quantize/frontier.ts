/**
 * Error against size: each setting a point, those that no other beats joined by a line.
 *
 * The error axis is logarithmic, since a bit more or less is a factor. Modes differ in shape as well as in colour.
 */
import type { QuantizationMode } from '../../../server/src/protocol';
import { h, svg } from '../shared/dom';
import { bytes, percent } from '../shared/format';
import { errorOf, type Measure, modesOf, type Setting, settingKey, settingName } from './settings';

const WIDTH = 560;
const HEIGHT = 320;
const MARGIN = { top: 14, right: 18, bottom: 42, left: 70 };

/** Path of a mode's mark around the origin. */
const MARKS: Record<QuantizationMode, string> = {
  affine: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0z',
  mxfp4: 'M0 -5.5L5.2 4H-5.2z',
  mxfp8: 'M-4.2 -4.2h8.4v8.4h-8.4z',
  nvfp4: 'M0 -6L6 0L0 6L-6 0z',
};

/** @param point told of the setting under the pointer or focus, null when it leaves. */
export function frontier(
  settings: readonly Setting[],
  measure: Measure,
  point: (key: string | null) => void,
): { element: HTMLElement; highlight(key: string | null): void } {
  const shown = settings.filter(setting => (errorOf(setting, measure) ?? 0) > 0);
  if (shown.length === 0) return { element: h('p', {}, 'Nothing to plot.'), highlight: () => {} };
  const sizes = shown.map(setting => setting.bytes);
  const errors = shown.map(setting => errorOf(setting, measure)!);
  const x = linear(Math.min(...sizes), Math.max(...sizes), MARGIN.left, WIDTH - MARGIN.right);
  const y = logarithmic(Math.min(...errors), Math.max(...errors), HEIGHT - MARGIN.bottom, MARGIN.top);
  const at = (setting: Setting): [number, number] => [x.place(setting.bytes), y.place(errorOf(setting, measure)!)];

  const best = shown.filter(setting => setting.best).sort((a, b) => a.bytes - b.bytes);
  const line = best.map((setting, i) => `${i === 0 ? 'M' : 'L'}${at(setting).join(' ')}`).join('');
  const label = svg('text', { class: 'callout', 'aria-hidden': 'true' });
  const marks = new Map<string, SVGElement>();
  const highlight = (key: string | null) => {
    for (const [other, mark] of marks) mark.classList.toggle('active', other === key);
    const setting = shown.find(one => settingKey(one) === key);
    label.replaceChildren();
    if (!setting) return;
    const [left, top] = at(setting);
    const right = left > WIDTH * 0.6;
    const start = { x: left + (right ? -10 : 10), 'text-anchor': right ? 'end' : 'start' };
    label.append(
      svg('tspan', { ...start, y: Math.max(MARGIN.top + 8, top - 12), class: 'name' }, settingName(setting)),
      svg('tspan', { ...start, dy: '1.25em' }, `${percent(errorOf(setting, measure)!)} at ${bytes(setting.bytes)}`),
    );
  };
  for (const setting of shown) {
    const [left, top] = at(setting);
    const key = settingKey(setting);
    const name = `${settingName(setting)}: relative error ${percent(errorOf(setting, measure)!)}, ${bytes(setting.bytes)}`;
    const mark = svg('path', {
      d: MARKS[setting.mode],
      transform: `translate(${left} ${top})`,
      class: `mark ${setting.mode}${setting.best ? ' best' : ''}`,
      tabindex: 0,
      role: 'img',
      'aria-label': `${name}${setting.best ? ', on the frontier' : ''}`,
      onmouseenter: () => point(key),
      onmouseleave: () => point(null),
      onfocus: () => point(key),
      onblur: () => point(null),
    });
    marks.set(key, mark);
  }
  const picture = svg(
    'svg',
    {
      class: 'frontier',
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      role: 'group',
      'aria-label': `Error against size of ${shown.length} settings; ${best.length} of them are on the frontier`,
    },
    ...y.ticks.map(tick => gridline(MARGIN.left, WIDTH - MARGIN.right, y.place(tick), roundPercent(tick))),
    ...x.ticks.map(tick => tickmark(x.place(tick), roundBytes(tick))),
    svg('text', { class: 'title', x: (MARGIN.left + WIDTH - MARGIN.right) / 2, y: HEIGHT - 6 }, 'size'),
    svg(
      'text',
      { class: 'title', transform: `translate(14 ${(MARGIN.top + HEIGHT - MARGIN.bottom) / 2}) rotate(-90)` },
      `relative error of the ${measure === 'weight' ? 'weights' : 'output'}`,
    ),
    svg('path', { class: 'line', d: line }),
    ...[...marks.values()],
    label,
  );
  return { element: h('figure', {}, picture, legend(shown)), highlight };
}

/** A mode's mark as it stands in the plot, filled on the frontier. */
export const markOf = (mode: QuantizationMode, best: boolean): SVGElement =>
  svg(
    'svg',
    { class: 'key', viewBox: '-7 -7 14 14', 'aria-hidden': 'true' },
    svg('path', { d: MARKS[mode], class: `mark ${mode}${best ? ' best' : ''}` }),
  );

function legend(settings: readonly Setting[]): HTMLElement {
  const items = modesOf(settings).map(mode => h('span', {}, markOf(mode, true), mode));
  return h(
    'figcaption',
    {},
    ...items,
    h('span', { class: 'hint' }, 'Filled: no other setting is both smaller and more exact.'),
  );
}

const gridline = (from: number, to: number, y: number, label: string): SVGElement =>
  svg(
    'g',
    { class: 'tick' },
    svg('line', { x1: from, x2: to, y1: y, y2: y }),
    svg('text', { x: from - 8, y, 'text-anchor': 'end', 'dominant-baseline': 'middle' }, label),
  );

const tickmark = (x: number, label: string): SVGElement =>
  svg(
    'g',
    { class: 'tick' },
    svg('line', { x1: x, x2: x, y1: HEIGHT - MARGIN.bottom, y2: HEIGHT - MARGIN.bottom + 5 }),
    svg('text', { x, y: HEIGHT - MARGIN.bottom + 18, 'text-anchor': 'middle' }, label),
  );

/** Labels of ticks, which are round figures. */
const roundPercent = (fraction: number): string => `${Number((100 * fraction).toPrecision(2))} %`;
const roundBytes = (value: number): string => bytes(value).replace(/\.0+ /, ' ');

interface Axis {
  place(value: number): number;
  ticks: number[];
}

/** An axis with round ticks that reaches a little beyond the data. */
function linear(low: number, high: number, from: number, to: number): Axis {
  const margin = (high - low || high || 1) * 0.06;
  const [a, b] = [low - margin, high + margin];
  const rough = (b - a) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find(factor => factor * power >= rough)! * power;
  const ticks: number[] = [];
  for (let tick = Math.ceil(a / step) * step; tick <= b; tick += step) ticks.push(tick);
  return { place: value => from + ((value - a) / (b - a)) * (to - from), ticks };
}

function logarithmic(low: number, high: number, from: number, to: number): Axis {
  const [a, b] = [Math.log10(low) - 0.08, Math.log10(high) + 0.08];
  const factors = b - a > 2.5 ? [1] : b - a > 1 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(a); power <= b; power++)
    for (const factor of factors) {
      const tick = factor * 10 ** power;
      if (Math.log10(tick) >= a && Math.log10(tick) <= b) ticks.push(tick);
    }
  return { place: value => from + ((Math.log10(value) - a) / (b - a)) * (to - from), ticks };
}
