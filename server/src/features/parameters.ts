/**
 * The parameter tree of a module as MLX sees it: arrays in attributes, lists and dicts, none in tuples or private
 * attributes; with the memory that it takes.
 */
import { type Dim, isKnown, mul, product, showDim, sum, symbolsOf } from '../../../engine/src/dims/dim';
import type { Facts } from '../../../engine/src/dims/facts';
import { DTYPES, type DType, sizeOf } from '../../../engine/src/dtype';
import type { ArrayType } from '../../../engine/src/graph/op';
import { lookupClass } from '../interpreter/attributes';
import { type InstanceValue, keyOf, str, type Value } from '../interpreter/values';
import { isModule, moduleEntries } from '../mlx/nn/membership';
import type { SummaryResult } from '../protocol';

export interface ParameterEntry {
  /** `layers.0.mlp.up_proj.weight`; `*` stands for every index of a list whose length is a symbol. */
  readonly path: string;
  readonly type: ArrayType;
  readonly trainable: boolean;
  /** How many arrays of this type the entry stands for. */
  readonly times: Dim;
  /** Whether `nn.quantize` would quantize it: the weight of a layer that has `to_quantized`. */
  readonly quantizable: boolean;
}

export interface ParameterTree {
  readonly entries: readonly ParameterEntry[];
  /** Whether nothing of the tree is unknown. */
  readonly complete: boolean;
}

/** The parameters of a module, in MLX's order. */
export function parameterTree(module: InstanceValue, facts: Facts): ParameterTree {
  const entries: ParameterEntry[] = [];
  let complete = true;
  const active = new Set<Value>();

  const visit = (value: Value, path: string, owner: InstanceValue, times: Dim): void => {
    const v = value.kind === 'parameter' && value.settled ? value.settled : value;
    if (v.kind === 'array') {
      const type = { shape: facts.shape(v.node.shape), dtype: v.node.dtype };
      const name = path.slice(path.lastIndexOf('.') + 1);
      const frozen = owner.attributes.get('_no_grad');
      const trainable = !(frozen?.kind === 'set' && frozen.entries.has(keyOf(str(name))!));
      const quantizable = name === 'weight' && lookupClass(owner.cls, 'to_quantized') !== null;
      entries.push({ path, type, trainable, times, quantizable });
    } else if (v.kind === 'list') {
      if (v.items) for (const [i, item] of v.items.entries()) visit(item, `${path}.${i}`, owner, times);
      else if (v.element) visit(v.element, `${path}.*`, owner, mul(times, facts.resolve(v.length)));
    } else if (v.kind === 'dict') {
      for (const { key, value: item } of v.entries.values())
        visit(item, `${path}.${key.kind === 'str' ? key.value : '?'}`, owner, times);
      if (v.rest) complete = false;
    } else if (isModule(v)) members(v, path, times);
    else if (v.kind === 'unknown' || v.kind === 'union' || v.kind === 'parameter') complete = false;
  };

  const members = (owner: InstanceValue, path: string, times: Dim): void => {
    if (active.has(owner)) return; // a module that holds itself
    active.add(owner);
    const { entries: own, open } = moduleEntries(owner);
    if (open) complete = false;
    for (const [name, value] of own)
      if (!name.startsWith('_')) visit(value, path ? `${path}.${name}` : name, owner, times);
    active.delete(owner);
  };

  members(module, '', 1);
  return { entries, complete };
}

const elements = ({ type, times }: ParameterEntry): Dim | null =>
  Array.isArray(type.shape) ? mul(product(type.shape as readonly Dim[]), times) : null;

/** Elements in all; null when some of it is unknown. */
export function parameterCount({ entries, complete }: ParameterTree): Dim | null {
  const counts = entries.map(elements);
  return complete && counts.every(c => c !== null) ? sum(counts as Dim[]) : null;
}

/** A count for JSON: a number, an expression, or null when unknown. */
export const countJson = (count: Dim | null): number | string | null => (count === null ? null : axisJson(count));

/** An axis for JSON: a number, an expression over symbols, or null when nothing is known of it. */
export const axisJson = (d: Dim): number | string | null =>
  isKnown(d) ? d : [...symbolsOf(d)].some(s => s.anonymous) ? null : showDim(d);

export const shapeJson = ({ shape }: ArrayType): (number | string | null)[] | null =>
  Array.isArray(shape) ? (shape as readonly Dim[]).map(axisJson) : null;

/**
 * `16.8M parameters`, or to the last digit with `write: wholeNumber`; the expression where it is one and short; null
 * when it is not known.
 */
export function countText(count: Dim | null, write: (n: number) => string = shortNumber): string | null {
  if (count === null) return null;
  if (isKnown(count)) return `${write(count)} parameter${count === 1 ? '' : 's'}`;
  const text = axisJson(count);
  return typeof text === 'string' && text.length <= 60 ? `${text} parameters` : null;
}

/** `203,530`. */
export const wholeNumber = (n: number): string => n.toLocaleString('en-US');

/** `784`, `203.5K`, `16.8M`. */
export function shortNumber(n: number): string {
  const unit = n < 10_000 ? 0 : Math.min(Math.floor(Math.log10(n) / 3), 4);
  if (unit === 0) return wholeNumber(n);
  const value = n / 1000 ** unit;
  return `${value.toFixed(value < 100 ? 1 : 0).replace(/\.0$/, '')}${['', 'K', 'M', 'B', 'T'][unit]}`;
}

/** `16.8 MB`, in powers of ten. */
export function byteText(bytes: number): string {
  const unit = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), 4);
  const value = bytes / 1000 ** unit;
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${['B', 'kB', 'MB', 'GB', 'TB'][unit]}`;
}

/** A group of 64 weights of 4 bits with a 16-bit scale and bias: 4.5 bits each. */
const AFFINE_4 = { group: 64, bytes: 4.5 / 8 };

/** What the tree takes as float32, bfloat16, and with its quantizable weights as 4-bit affine in groups of 64. */
export function memory(tree: ParameterTree): NonNullable<SummaryResult['bytes']> | null {
  let [float32, bfloat16, affine4] = [0, 0, 0];
  if (!tree.complete) return null;
  for (const entry of tree.entries) {
    const count = elements(entry);
    if (count === null || !isKnown(count)) return null;
    const { dtype, shape } = entry.type;
    const isFloat = dtype === null || !DTYPES.includes(dtype as DType) || /float/.test(dtype);
    const fixed = isFloat ? 0 : count * sizeOf(dtype as DType);
    const last = (shape as readonly Dim[]).at(-1);
    const packs = isFloat && entry.quantizable && typeof last === 'number' && last % AFFINE_4.group === 0;
    float32 += fixed || count * 4;
    bfloat16 += fixed || count * 2;
    affine4 += fixed || count * (packs ? AFFINE_4.bytes : 2);
  }
  return { float32, bfloat16, affine4 };
}

/** The tree as `mlx-scope summary` and the client show it. */
export function summarize(name: string, module: InstanceValue, facts: Facts): SummaryResult {
  const tree = parameterTree(module, facts);
  return {
    name,
    parameters: tree.entries.map(entry => ({
      path: entry.path,
      shape: shapeJson(entry.type),
      dtype: entry.type.dtype,
      count: countJson(elements(entry)),
      trainable: entry.trainable,
    })),
    total: countJson(parameterCount(tree)),
    bytes: memory(tree),
  };
}
