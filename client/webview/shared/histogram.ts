/** A histogram as a picture with its range below it. */
import type { Histogram } from '../../../server/src/protocol';
import { h, svg } from './dom';
import { count, number } from './format';

const HEIGHT = 72;

export function histogramOf({ from, to, counts }: Histogram): HTMLElement {
  const most = Math.max(1, ...counts);
  const width = (to - from) / counts.length;
  const bars = counts.map((n, i) => {
    const height = n === 0 ? 0 : Math.max(1, (n / most) * HEIGHT);
    const range = `${number(from + i * width)} to ${number(from + (i + 1) * width)}`;
    const bar = svg('rect', { x: i + 0.06, y: HEIGHT - height, width: 0.88, height });
    bar.append(svg('title', {}, `${range}: ${count(n)}`));
    return bar;
  });
  const mode = counts.indexOf(most);
  const label =
    `Histogram of ${count(counts.reduce((a, b) => a + b, 0))} elements from ${number(from)} to ${number(to)}; ` +
    `most lie between ${number(from + mode * width)} and ${number(from + (mode + 1) * width)}`;
  const zero =
    from < 0 && to > 0 && svg('line', { class: 'zero', x1: -from / width, x2: -from / width, y1: 0, y2: HEIGHT });
  const picture = svg(
    'svg',
    { viewBox: `0 0 ${counts.length} ${HEIGHT}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
    ...bars,
    zero || null,
  );
  const axis = h(
    'div',
    { class: 'axis', 'aria-hidden': 'true' },
    h('span', {}, number(from)),
    h('span', {}, number(to)),
  );
  return h('div', { class: 'histogram' }, picture, axis);
}

/** The same in one line of text height, for tables. */
export function sparkline({ counts }: Histogram): SVGElement {
  const most = Math.max(1, ...counts);
  return svg(
    'svg',
    { class: 'sparkline', viewBox: `0 0 ${counts.length} 16`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
    ...counts.map((n, i) => svg('rect', { x: i, y: 16 - (n / most) * 16, width: 1, height: (n / most) * 16 })),
  );
}
