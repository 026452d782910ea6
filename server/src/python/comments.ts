/**
 * Shapes that people write down: in comments (`# x: [B, L, 512]`, `# (B, T, C)`, `# B x L x D`) and in jaxtyping strings
 * (`Float[mx.array, "b l d"]`).
 *
 * A comment is prose until it is proven otherwise: the whole comment has to read as a shape, and an unnamed one has to
 * hold something that only sizes look like. `# (q, k, v)`, `# [0, 255]` and `# [1]` answer null.
 */

/**
 * The size of one axis: a number; a name or arithmetic over names without blanks (`D`, `2*n`, `L//2+1`); `...` for any
 * number of axes; `_` for one axis of any size.
 */
export type Axis = number | string;

export interface ShapeNote {
  /** What the shape is said to belong to (`x`, `self.weight`), or null. */
  name: string | null;
  axes: Axis[];
}

const NAME = /[A-Za-z_]\w*/;
const DTYPES = /^(?:u?int(?:8|16|32|64)|b?float(?:16|32|64)?|bool_?|complex64)$/;

/** `x:`, `x shape:`, `x.shape =`, `shape:`, `output shape is`. */
const LABEL = new RegExp(
  `^(?:(${NAME.source}(?:\\.${NAME.source})*?)(?:\\.shape\\s*(?:==?|:)|\\s+shape\\s*[:=]?|\\s*:)|shape\\s*[:=]?)\\s*`,
  'i',
);

/** Words before a colon that describe the value of the line rather than name it. */
const DESCRIPTIONS = new Set([
  'shape',
  'output',
  'out',
  'outputs',
  'result',
  'returns',
  'return',
  'now',
  'final',
  'new',
]);

/**
 * Reads a comment (its text without `#`) as a shape. Of `A -> B` the answer is B, what the line makes.
 *
 * @returns null unless the whole comment is clearly a shape.
 */
export function parseShapeComment(comment: string): ShapeNote | null {
  const text = comment.trim().replace(/\.$/, '');
  const label = LABEL.exec(text);
  const written = label?.[1] && label[1].toLowerCase() !== 'shape' ? label[1] : null;
  const shapes = text.slice(label?.[0].length ?? 0).split(/\s*(?:-+>|→|=>)\s*/);
  if (shapes[0] === '') shapes.shift();
  const read = shapes.map(parseShape);
  const axes = read.at(-1);
  if (!axes || read.includes(null)) return null;
  if (axes.includes(0)) return null;
  if (!label && !isClear(axes)) return null;
  return { name: written && !DESCRIPTIONS.has(written.toLowerCase()) ? written : null, axes };
}

/** One shape: `[…]`, `(…)` or sizes joined by `x`, with a dtype after it or not. */
function parseShape(text: string): Axis[] | null {
  const words = text.trim().split(/\s+/);
  if (DTYPES.test(words[words.length - 1].replace(/^mx\./, ''))) words.pop();
  const shape = words.join(' ').replace(/[,:]$/, '');
  const inner = /^(?:\[(.*)\]|\((.*)\))$/.exec(shape);
  const list = inner?.[1] ?? inner?.[2];
  if (list === undefined) return parseCross(shape);
  if (list === '') return null;
  const items = splitList(list);
  const isTuple = items.length > 1 && items.at(-1)?.trim() === '';
  if (isTuple) items.pop();
  if (items.length === 1 && !isTuple) {
    // `(N x D)`; a lone `(x)` is a remark, `[N]` a vector.
    const cross = parseCross(list);
    if (cross || inner?.[1] === undefined) return cross;
  }
  return allAxes(items);
}

/** `B x L x D`, `B × L`, `BxTxC`. */
function parseCross(text: string): Axis[] | null {
  if (/^[A-Z\d]+(?:x[A-Z\d]+)+$/.test(text)) return allAxes(text.split('x'));
  const items = text.split(/\s*×\s*|\s+x\s+/);
  return items.length > 1 && items.every(item => /^[\w*/+-]+$/.test(item)) ? allAxes(items) : null;
}

/** Splits at the commas outside parentheses. */
function splitList(text: string): string[] {
  const items = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '(') depth++;
    else if (character === ')') depth--;
    if (character === ',' && depth === 0) items.push('');
    else items[items.length - 1] += character;
  }
  return items;
}

function allAxes(items: readonly string[]): Axis[] | null {
  const axes = items.map(item => parseAxis(item.trim()));
  if (axes.filter(axis => axis === '...').length > 1) return null;
  return axes.every(axis => axis !== null) ? axes : null;
}

function parseAxis(text: string): Axis | null {
  if (text === '...' || text === '…' || text === '*') return '...';
  return parseArithmetic(text);
}

/** Python's keywords that are not also names people give to axes (`in` is: `(out, in, kH, kW)`). */
const KEYWORDS = new Set(['from', 'if', 'else', 'for', 'and', 'or', 'not', 'is', 'None', 'True', 'False', 'lambda']);

/**
 * Sizes as arithmetic over integers and names; blanks are dropped, `/` becomes `//` (a size is whole), and arithmetic
 * over numbers alone becomes a number. Null for anything else, and for a negative number.
 */
function parseArithmetic(text: string): Axis | null {
  const tokens = text.match(/\d+|[A-Za-z_]\w*|\*\*|\/\/|\S/g) ?? [];
  let at = 0;
  const operand = (): boolean => {
    if (tokens[at] === '(') {
      at++;
      return sum() && tokens[at++] === ')';
    }
    const token = tokens[at++];
    return token !== undefined && /^\w+$/.test(token) && !KEYWORDS.has(token);
  };
  const sum = (): boolean => {
    if (!operand()) return false;
    while (/^(?:[+*/-]|\*\*|\/\/)$/.test(tokens[at] ?? '')) {
      if (tokens[at] === '/') tokens[at] = '//';
      at++;
      if (!operand()) return false;
    }
    return true;
  };
  if (!sum() || at !== tokens.length) return null;
  const written = tokens.join('');
  if (/^\d+$/.test(written)) return Number(written);
  return /[A-Za-z_]/.test(written) ? written : evaluate(tokens);
}

/** Products and sums of numbers without parentheses, such as `3*224`; the rest is not worth guessing. */
function evaluate(tokens: readonly string[]): number | null {
  if (tokens.some(token => !/^(?:\d+|[+*-])$/.test(token))) return null;
  let total = 0;
  for (const term of tokens.join('').matchAll(/([+-]?)([\d*]+)/g)) {
    const product = term[2].split('*').reduce((value, factor) => value * Number(factor), 1);
    total += term[1] === '-' ? -product : product;
  }
  return total >= 0 ? total : null;
}

/** Names that only sizes have: `B`, `T_q`, `HW`, `C_in`; a few small letters; and words such as `seq_len`. */
const CLEAR = [
  /^[A-Z]{1,2}\d?(?:_\w+)?$/,
  /^[bchltdnmwsf]$/,
  /^(?:n|num)_\w+$/,
  /(?:^|_)(?:batch|bsz|seq|seqlen|len|length|dims?|channels?|heads?|hidden|width|height|time|frames?|features?|tokens?|vocab|size|patches)(?:_|$)/i,
];

function isClear(axes: readonly Axis[]): boolean {
  const numbers = axes.filter(axis => typeof axis === 'number');
  if (numbers.length === axes.length) return axes.length > 2;
  if (axes[0] === '...') return axes.length > 1;
  return axes.some(axis => typeof axis === 'string' && CLEAR.some(pattern => pattern.test(axis.split(/\W/)[0])));
}

/**
 * Reads the dimension string of a jaxtyping annotation: `"b l d"`, `"batch 3 n+1"`, `"... d"`, `"*batch d"`, `"#b d"`,
 * `"rows=4 _"`. The empty string is a scalar.
 *
 * A named group `*batch` counts as `...`; an axis that may broadcast (`#b`), is anonymous (`_d`), differs per leaf (`?d`)
 * or is computed (`{self.dim}`) as `_`.
 *
 * @returns null when the string is not such a shape.
 */
export function parseJaxtypingShape(text: string): Axis[] | null {
  const axes: Axis[] = [];
  for (const word of text.trim().split(/\s+/)) {
    if (word === '') continue;
    const axis = parseJaxtypingAxis(word);
    if (axis === null) return null;
    axes.push(axis);
  }
  return axes.filter(axis => axis === '...').length > 1 ? null : axes;
}

function parseJaxtypingAxis(word: string): Axis | null {
  if (word === '...') return '...';
  const [, modifiers, rest] = /^([*#_?]*)(.*)$/.exec(word)!;
  // `name=4` documents the number.
  const size = rest.replace(/^[A-Za-z]\w*=/, '');
  if (modifiers.includes('*')) return size === '' || NAME.test(size) ? '...' : null;
  if (size === '') return modifiers === '_' ? '_' : null;
  if (/^\{[^{}]+\}$/.test(size)) return '_';
  const axis = parseArithmetic(size);
  return axis !== null && modifiers !== '' ? '_' : axis;
}
