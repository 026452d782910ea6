/**
 * Values as hints and hovers write them.
 */
import { type Dim, dimKey, isKnown, showDim } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import { OpenShape, showShape } from '../../../engine/src/dims/shape';
import type { ArrayType } from '../../../engine/src/graph/op';
import type { Value } from '../interpreter/values';

/** Alternatives of an axis that are written out, `[1|32, 784]`; more become `?`. */
const MOST_ALTERNATIVES = 3;

const isRanked = (t: ArrayType): t is ArrayType & { shape: readonly Dim[] } => Array.isArray(t.shape);

/** Whether anything worth showing is known of the shape. */
export const hasShape = ({ shape }: ArrayType): boolean =>
  shape instanceof OpenShape ? shape.tail.length > 0 : shape !== null;

/**
 * One shape for several contexts: axes that differ show their alternatives. Null where the contexts have different
 * ranks, or none has a shape.
 */
export function mergedShape(types: readonly ArrayType[]): string | null {
  const shaped = types.filter(hasShape);
  if (shaped.length === 0) return null;
  if (shaped.length === 1) return showShape(shaped[0].shape);
  const ranked = shaped.filter(isRanked);
  if (ranked.length === 0 || ranked.some(t => t.shape.length !== ranked[0].shape.length)) {
    const texts = new Set(shaped.map(t => showShape(t.shape)));
    return texts.size === 1 ? [...texts][0] : null;
  }
  const axes = ranked[0].shape.map((_, axis) => {
    const kinds = new Map(ranked.map(t => [dimKey(t.shape[axis]), showDim(t.shape[axis])]));
    const all = new Set(kinds.values());
    if (all.size > 1) all.delete('?'); // a context that does not know the axis says nothing against one that does
    const texts = [...all];
    return texts.length <= MOST_ALTERNATIVES ? texts.join('|') : '?';
  });
  return `[${axes.join(', ')}]`;
}

/** The dtype that all contexts agree on, or null. */
export function mergedDType(types: readonly ArrayType[]): string | null {
  const dtypes = new Set(types.map(t => t.dtype));
  return dtypes.size === 1 ? [...dtypes][0] : null;
}

const MOST_ITEMS = 8;

/** A value as Python would write it, as far as it is known; arrays by their types. Of a sequence, `most` items. */
export function showValue(value: Value, facts: Facts, depth = 0, most = MOST_ITEMS): string {
  switch (value.kind) {
    case 'none':
      return 'None';
    case 'bool':
      return value.value === null ? 'bool' : value.value ? 'True' : 'False';
    case 'int': {
      const d = facts.resolve(value.value);
      return isKnown(d) ? `${d}` : showDim(d);
    }
    case 'float':
      return value.value === null ? 'float' : Number.isInteger(value.value) ? `${value.value}.0` : `${value.value}`;
    case 'complex':
      return `(${value.real}+${value.imaginary}j)`;
    case 'str':
      return value.value === null ? 'str' : JSON.stringify(value.value.slice(0, 60));
    case 'tuple':
      return sequence(value.items, '()', facts, depth, most);
    case 'list':
      return sequence(value.items, '[]', facts, depth, most);
    case 'dict':
      return `dict of ${value.entries.size}${value.rest ? ' or more' : ''}`;
    case 'set':
      return `set of ${value.entries.size}${value.open ? ' or more' : ''}`;
    case 'array': {
      const shape = facts.shape(value.node.shape);
      return `${value.node.dtype ?? 'array'}${showShape(shape)}`;
    }
    case 'instance':
      return value.cls.name;
    case 'class':
      return `type[${value.name}]`;
    case 'module':
      return `module ${value.name}`;
    case 'range':
      return `range(${[value.start, value.stop, value.step].map(d => showDim(facts.resolve(d))).join(', ')})`;
    case 'union':
      return [...new Set(value.options.map(o => showValue(o, facts, depth + 1, most)))].join(' | ');
    case 'parameter':
      return value.settled ? showValue(value.settled, facts, depth, most) : '?';
    case 'unknown':
      return `? (${value.reason})`;
    case 'function':
    case 'builtin':
      return `function ${value.name}`;
    case 'method':
      return `method ${value.func.name}`;
    case 'ellipsis':
      return '...';
    default:
      return value.kind;
  }
}

function sequence(
  items: readonly Value[] | null,
  [open, close]: string,
  facts: Facts,
  depth: number,
  most: number,
): string {
  if (!items) return `${open}…${close}`;
  if (depth > 2) return `${open}…${close}`;
  const shown = items.slice(0, most).map(i => showValue(i, facts, depth + 1, most));
  if (items.length > most) shown.push('…');
  return `${open}${shown.join(', ')}${items.length === 1 && open === '(' ? ',' : ''}${close}`;
}
