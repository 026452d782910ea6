/** A table whose columns sort: headers are buttons, and the order is told to screen readers. */
import { type Child, h } from './dom';

export interface Column<Row> {
  title: string;
  /** Said on hover: what the figures mean. */
  hint?: string;
  numeric?: boolean;
  /** Orders the rows; null comes last either way. */
  value(row: Row): number | string | null;
  cell(row: Row): Child;
  /** Between 0 and 1: the length of a bar behind the figure. */
  part?(row: Row): number;
}

export interface TableOptions<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  key(row: Row): string;
  className?(row: Row): string;
  /** Told of the row under the pointer or focus, null when it leaves. */
  point?(key: string | null): void;
  /** Kept by the caller, so that the order outlives the table. */
  order: Order;
}

export interface Order {
  column: number;
  descending: boolean;
}

export class SortedTable<Row> {
  readonly element: HTMLElement;
  private readonly body = h('tbody');
  private readonly heads: HTMLElement[];
  private readonly elements = new Map<string, HTMLElement>();

  constructor(private readonly options: TableOptions<Row>) {
    const { caption, columns, rows, key } = options;
    this.heads = columns.map((column, i) => this.head(column, i));
    for (const row of rows) this.elements.set(key(row), this.row(row));
    const head = h('thead', {}, h('tr', {}, ...this.heads));
    const table = h('table', { class: 'sorted' }, h('caption', { class: 'spoken' }, caption), head, this.body);
    this.element = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, table);
    this.sort();
  }

  highlight(key: string | null): void {
    for (const [other, row] of this.elements) row.classList.toggle('active', other === key);
  }

  private head({ title, hint, numeric }: Column<Row>, index: number): HTMLElement {
    const press = () => {
      const { order } = this.options;
      order.descending = order.column === index && !order.descending;
      order.column = index;
      this.sort();
    };
    const button = h('button', { type: 'button', title: hint, onclick: press }, title);
    return h('th', { scope: 'col', class: numeric ? 'number' : '' }, button);
  }

  private row(row: Row): HTMLElement {
    const { columns, key, className, point } = this.options;
    const cells = columns.map(({ numeric, cell, part }) => {
      const share = part?.(row);
      const style = share === undefined ? null : `--part:${share}`;
      return h('td', { class: numeric ? 'number' : '', style }, cell(row));
    });
    const element = h('tr', { class: className?.(row) }, ...cells);
    if (point) {
      element.addEventListener('mouseenter', () => point(key(row)));
      element.addEventListener('mouseleave', () => point(null));
    }
    return element;
  }

  private sort(): void {
    const { columns, rows, key, order } = this.options;
    const { value } = columns[order.column];
    const sign = order.descending ? -1 : 1;
    const sorted = [...rows].sort((a, b) => compare(value(a), value(b), sign));
    this.body.replaceChildren(...sorted.map(row => this.elements.get(key(row))!));
    for (const [i, head] of this.heads.entries()) {
      if (i === order.column) head.setAttribute('aria-sort', order.descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  }
}

function compare(a: number | string | null, b: number | string | null, sign: number): number {
  if (a === null || b === null) return Number(a === null) - Number(b === null);
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  return sign * String(a).localeCompare(String(b), 'en', { numeric: true });
}
