/**
 * Numbers for the symbols of a graph, and values for its inputs: chosen by the user, or small ones that usually fit.
 */
import { type Dim, type DimSymbol, isKnown, Poly, showDim, symbolsOf } from '../../../engine/src/dims/dim';
import { Facts } from '../../../engine/src/dims/facts';
import { type DType, isInexact } from '../../../engine/src/dtype';
import { evaluate } from '../../../engine/src/evaluate/evaluate';
import { type ArrayNode, record, source } from '../../../engine/src/graph/graph';
import type { Attrs } from '../../../engine/src/graph/op';
import { allocate, type Tensor, tensor } from '../../../engine/src/tensor';

/** Small numbers that go together (heads · head_dim = hidden), by what a symbol is called. */
const USUAL: readonly (readonly [RegExp, number])[] = [
  [/^(B|b|N|batch|batch_size|bsz|bs)$/, 2],
  [/kv_heads/, 4],
  [/heads|^H$/, 8],
  [/head_dim|^(D_h|hd)$/, 32],
  [/experts_per|top_?k/, 2],
  [/experts/, 4],
  [/layers|depth|blocks/, 2],
  [/vocab/, 512],
  [/intermediate|ffn|mlp/, 512],
  [/kernel/, 3],
  [/group/, 64],
];
const WIDTH = 256;
const LENGTH = 8;

/** The number for a symbol or parameter of this name. Single letters and lengths are short, what configures is wide. */
export const numberNamed = (name: string, usual: number | null, chosen: Readonly<Record<string, number>>): number =>
  chosen[name] ??
  usual ??
  USUAL.find(([pattern]) => pattern.test(name))?.[1] ??
  (/^(\w{1,2}|.*(len|length|seq|tokens|frames|steps)\w*|.*[.[].*|\w+\d)$/i.test(name) ? LENGTH : WIDTH);

const numberFor = (s: DimSymbol, chosen: Readonly<Record<string, number>>): number =>
  numberNamed(s.name, s.usual, chosen);

/** An axis for a user to edit: a number, the name of a symbol, or the number that an expression comes to. */
export function editableAxis(d: Dim, chosen: Readonly<Record<string, number>>): number | string {
  if (isKnown(d)) return d;
  const symbols = [...symbolsOf(d)];
  if (symbols.length === 1 && !symbols[0].anonymous && showDim(d) === symbols[0].name) return symbols[0].name;
  const facts = new Facts();
  for (const s of symbols) facts.define(s, s.anonymous ? LENGTH : numberFor(s, chosen));
  const value = facts.resolve(d);
  return isKnown(value) ? value : LENGTH;
}

/** Every symbol that the outputs rest on, each with a number. */
export function numberSymbols(
  outputs: readonly ArrayNode[],
  facts: Facts,
  chosen: Readonly<Record<string, number>>,
): Map<DimSymbol, number> {
  const numbers = new Map<DimSymbol, number>();
  const take = (d: Dim): void => {
    for (const s of symbolsOf(facts.resolve(d))) {
      if (s.anonymous || numbers.has(s)) continue;
      numbers.set(s, numberFor(s, chosen));
    }
  };
  const visit = (value: unknown): void => {
    if (value instanceof Poly) take(value);
    else if (Array.isArray(value)) for (const v of value) visit(v);
    else if (typeof value === 'object' && value !== null) for (const v of Object.values(value)) visit(v);
  };
  for (const node of nodesOf(outputs)) {
    const shape = facts.shape(node.shape);
    if (Array.isArray(shape)) for (const d of shape) take(d);
    if (node.call) visit(node.call.attrs);
  }
  return numbers;
}

/** All arrays that the outputs rest on. */
export function nodesOf(outputs: readonly ArrayNode[]): Set<ArrayNode> {
  const seen = new Set<ArrayNode>();
  const stack = [...outputs];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    if (node.call) stack.push(...node.call.inputs);
  }
  return seen;
}

/** The shape in numbers; null where some axis is not one yet. */
export function numericShape(node: ArrayNode, facts: Facts): number[] | null {
  const shape = facts.shape(node.shape);
  return Array.isArray(shape) && shape.every(isKnown) ? [...(shape as number[])] : null;
}

/** Whole numbers of an input are below this: good for indices into any table. */
const LARGEST_INDEX = 8;

/** Values for an input, the same for a seed: normal floats, small whole numbers. */
export async function seededValues(
  shape: readonly number[],
  dtype: DType,
  seed: number,
  facts: Facts,
): Promise<Tensor> {
  const attrs = { shape: [...shape], dtype, key: { seed, draw: 0 } } as unknown as Attrs;
  let node: ArrayNode;
  if (isInexact(dtype) && dtype !== 'float64') [node] = record(facts, 'random.normal', [], attrs);
  else {
    const bound = (value: number) => {
      const data = allocate('int32', 1);
      data[0] = value;
      return source({ shape: [], dtype: 'int32' }, { value: tensor('int32', [], data) });
    };
    const type = dtype === 'float64' || dtype === 'bool' ? 'int32' : dtype;
    const drawn = record(facts, 'random.randint', [bound(0), bound(dtype === 'bool' ? 2 : LARGEST_INDEX)], {
      ...attrs,
      dtype: type,
    });
    [node] = type === dtype ? drawn : record(facts, 'astype', drawn, { dtype });
  }
  return (await evaluate([node], { facts })).outputs[0];
}
