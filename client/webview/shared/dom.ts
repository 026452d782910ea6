/** Elements in one expression; pages are small enough to need no framework. */

export type Child = Node | string | null | undefined | false;
type Attributes = Record<string, string | number | boolean | null | undefined | ((event: Event) => void)>;

/**
 * An element with attributes and children. Functions become listeners (`onclick`), `true` an empty attribute; null,
 * undefined and false are left out. `style` goes by the element's own interface: the page's policy lets no attribute
 * through.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: readonly Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name.slice(2), value);
    else if (name === 'style') (element as ElementCSSInlineStyle & E).style.cssText = String(value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  for (const child of children) if (child) element.append(child);
  return element;
}

let nextId = 1;
/** An id for a label and its field. */
export const uniqueId = (): string => `i${nextId++}`;

/** A labelled form field; the label stands before it. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLElement {
  control.id ||= uniqueId();
  return h('div', { class: 'field' }, h('label', { for: control.id, title: hint }, label), control);
}

/** A menu of strings. */
export function select(options: readonly string[], value: string): HTMLSelectElement {
  const element = h('select', {}, ...options.map(option => h('option', { value: option }, option)));
  element.value = value;
  return element;
}
