/**
 * A heat map of an array's last two axes, with a cursor that tells an element's index and value.
 *
 * The scale is symmetric around zero where values have both signs, so that colour means sign; otherwise it runs from
 * the least to the greatest value. Colours are the theme's.
 */
import type { ArrayResult } from '../../../server/src/protocol';
import { h } from './dom';
import { number } from './format';
import { type Grid, gridOf, planesOf } from './grid';

const STEPS = 255;

export function heatmap(array: ArrayResult): HTMLElement {
  const planes = planesOf(array);
  const holder = h('div', { class: 'heatmap' });
  const show = (plane: number) => holder.replaceChildren(...drawn(array, gridOf(array, plane)));
  show(0);
  if (planes.length <= 1) return holder;
  const choice = h('select', {}, ...planes.map((label, i) => h('option', { value: i }, label)));
  choice.addEventListener('change', () => show(Number(choice.value)));
  const label = h('label', { class: 'plane' }, 'Slice ', choice);
  return h('div', {}, label, holder);
}

function drawn(array: ArrayResult, grid: Grid): HTMLElement[] {
  const { rows, columns, values } = grid;
  const [low, high] = scaleOf(values);
  const canvas = h('canvas', {
    width: columns,
    height: rows,
    tabindex: 0,
    role: 'img',
    'aria-label': `Heat map of ${rows} rows by ${columns} columns. Arrow keys move the cursor.`,
  });
  const colours = ramp(low < 0);
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  for (const [i, value] of values.entries()) {
    const at = Number.isFinite(value) ? Math.round(((value - low) / (high - low || 1)) * STEPS) : null;
    // What is not finite stays transparent: the pattern behind the canvas shows.
    if (at !== null) image.data.set(colours.subarray(4 * at, 4 * at + 4), 4 * i);
  }
  context.putImageData(image, 0, 0);
  const readout = h('output', { class: 'readout', 'aria-live': 'polite' }, grid.caption);
  const cursor = h('div', { class: 'cursor', hidden: true });
  const frame = h('div', { class: 'frame', style: frameSize(rows, columns) }, canvas, cursor);
  let at = 0;
  const point = (index: number) => {
    at = Math.max(0, Math.min(values.length - 1, index));
    const row = Math.floor(at / columns);
    const column = at % columns;
    cursor.hidden = false;
    cursor.style.cssText =
      `left:${(column / columns) * 100}%;top:${(row / rows) * 100}%;` + `width:${100 / columns}%;height:${100 / rows}%`;
    readout.textContent = `${grid.indexAt(at)} = ${number(array.values[grid.offset + at])}`;
  };
  const leave = () => {
    cursor.hidden = true;
    readout.textContent = grid.caption;
  };
  canvas.addEventListener('mousemove', ({ offsetX, offsetY }) => {
    const column = Math.min(columns - 1, Math.floor((offsetX / canvas.clientWidth) * columns));
    const row = Math.min(rows - 1, Math.floor((offsetY / canvas.clientHeight) * rows));
    point(row * columns + column);
  });
  canvas.addEventListener('mouseleave', leave);
  canvas.addEventListener('blur', leave);
  canvas.addEventListener('focus', () => point(at));
  canvas.addEventListener('keydown', event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    if (at + step >= 0 && at + step < values.length) point(at + step);
  });
  const scale = h('div', { class: 'scale', 'aria-hidden': 'true' }, number(low), bar(colours), number(high));
  return [frame, h('div', { class: 'caption' }, readout, scale)];
}

/** Keeps cells square where there is room, and never lets a picture grow beyond what is useful. */
function frameSize(rows: number, columns: number): string {
  const cell = Math.max(1, Math.min(24, Math.floor(Math.min(560 / columns, 320 / rows))));
  const [width, height] = [columns * cell, Math.min(320, Math.max(24, rows * cell))];
  return `width:${width}px;aspect-ratio:${width}/${height}`;
}

function scaleOf(values: Float64Array): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return [0, 1];
  if (low >= 0 || high <= 0) return [low, high];
  const most = Math.max(-low, high);
  return [-most, most];
}

/** STEPS + 1 colours as RGBA, from the theme: negative – background – positive, or background – positive. */
function ramp(signed: boolean): Uint8ClampedArray {
  const style = getComputedStyle(document.body);
  const colour = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  const [negative, middle, positive] = [
    colour('--heat-negative', '#3b82c4'),
    colour('--heat-zero', '#808080'),
    colour('--heat-positive', '#d9822b'),
  ];
  const stops = signed ? [negative, middle, positive] : [middle, positive];
  const canvas = h('canvas', { width: STEPS + 1, height: 1 });
  const context = canvas.getContext('2d')!;
  const gradient = context.createLinearGradient(0, 0, STEPS + 1, 0);
  for (const [i, stop] of stops.entries()) gradient.addColorStop(i / (stops.length - 1), stop);
  context.fillStyle = gradient;
  context.fillRect(0, 0, STEPS + 1, 1);
  return context.getImageData(0, 0, STEPS + 1, 1).data;
}

function bar(colours: Uint8ClampedArray): HTMLElement {
  const canvas = h('canvas', { width: STEPS + 1, height: 1 });
  canvas.getContext('2d')!.putImageData(new ImageData(new Uint8ClampedArray(colours), STEPS + 1, 1), 0, 0);
  return canvas;
}
