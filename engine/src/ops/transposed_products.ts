/**
 * Products with a matrix that is stored transposed, as layers store their weights: `x @ w.T` without making w.T.
 *
 * No program records these: an evaluation's plan puts them in place of a transposition and a product (../evaluate/fuse).
 */
import { type Attrs, type ConcreteType, defineOp, opNamed, type RankedType } from '../graph/op';
import type { Tensor } from '../tensor';
import { readBox, stridesOf } from './positions';
import './matmul';

/** Products, and which input may be stored transposed. */
const PRODUCTS: Readonly<Record<string, number>> = { matmul: 1, addmm: 2, gather_mm: 1 };

export const TRANSPOSED = '_transposed';

/** The input of a product that may be stored transposed; null for other operations. */
export const transposable = (op: string): number | null => (Object.hasOwn(PRODUCTS, op) ? PRODUCTS[op] : null);

/** A type with its last two axes exchanged. */
export const exchanged = <T extends RankedType | ConcreteType>(type: T): T => ({
  ...type,
  shape: [...type.shape.slice(0, -2), type.shape.at(-1)!, type.shape.at(-2)!],
});

function transposed(x: Tensor): Tensor {
  const strides = stridesOf(x.shape);
  const [rows, columns] = strides.slice(-2);
  return readBox(x, exchanged(x).shape, [...strides.slice(0, -2), columns, rows]);
}

for (const [name, right] of Object.entries(PRODUCTS)) {
  const base = opNamed(name);
  defineOp<Attrs>({
    name: `${name}${TRANSPOSED}`,
    infer: (facts, inputs, attrs) => base.infer(facts, inputs.with(right, exchanged(inputs[right])), attrs),
    kernel: (inputs, attrs, out) => base.kernel!(inputs.with(right, transposed(inputs[right])), attrs, out),
  });
}
