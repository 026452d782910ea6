/** Shapes as people type them. */

/** `B, 28, 28` → axes; an empty text is a scalar; null when it is not a shape. */
export function parseShape(text: string): (number | string)[] | null {
  const inner = text.trim().replace(/^[[(]|[\])]$/g, '');
  if (inner.trim() === '') return [];
  const axes = inner
    .replace(/,\s*$/, '')
    .split(',')
    .map(axis => axis.trim());
  if (!axes.every(axis => /^(\d+|[A-Za-z_]\w*)$/.test(axis))) return null;
  return axes.map(axis => (/^\d/.test(axis) ? Number(axis) : axis));
}
