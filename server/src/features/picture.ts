/**
 * A histogram as a picture that markdown can hold: an SVG in a data URI.
 */
import type { Histogram } from '../protocol';

const WIDTH = 240;
const HEIGHT = 56;
const GAP = 1;

/** The SVG's text. Bars are mid grey, which reads on light and dark backgrounds alike. */
export function histogramSvg({ counts, from, to }: Histogram): string {
  const most = Math.max(...counts, 1);
  const step = WIDTH / Math.max(counts.length, 1);
  const bars = counts.map((count, i) => {
    const height = count === 0 ? 0 : Math.max((count / most) * HEIGHT, 1);
    return `<rect x="${round(i * step)}" y="${round(HEIGHT - height)}" width="${round(Math.max(step - GAP, 0.5))}" height="${round(height)}"/>`;
  });
  const label = (x: number, anchor: string, value: number) =>
    `<text x="${x}" y="${HEIGHT + 12}" text-anchor="${anchor}">${shortValue(value)}</text>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT + 16}" fill="#8a8f98" ` +
    `font-family="monospace" font-size="10">${bars.join('')}${label(0, 'start', from)}${label(WIDTH, 'end', to)}</svg>`
  );
}

export const histogramUri = (histogram: Histogram): string =>
  `data:image/svg+xml;utf8,${encodeURIComponent(histogramSvg(histogram)).replace(/[()]/g, c => (c === '(' ? '%28' : '%29'))}`;

const round = (x: number): string => `${Math.round(x * 100) / 100}`;

/** Four significant digits. */
export function shortValue(value: number | null): string {
  if (value === null) return '–';
  return Number.isFinite(value) ? `${Number(value.toPrecision(4))}` : `${value}`;
}
