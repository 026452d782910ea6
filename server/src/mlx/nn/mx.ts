/**
 * The functions of `mlx.core`, called as the Python inside MLX's layers calls them.
 *
 * A layer is written as the composition MLX computes, so that shapes, dtypes and refusals are those of the functions it is
 * made of. The functions are bound once (`useCore`), where the surface is put together.
 */
import type { Dim } from '../../../../engine/src/dims/dim';
import type { DType } from '../../../../engine/src/dtype';
import type { Interpreter } from '../../interpreter/interpreter';
import { args, Unknowable } from '../../interpreter/interpreter';
import { float, int, type ModuleValue, NONE, tuple, type Value } from '../../interpreter/values';

let core: ModuleValue | null = null;
const found = new Map<string, Value>();

/** Says where the functions of `mlx.core` are. */
export function useCore(module: ModuleValue): void {
  core = module;
  found.clear();
}

/** The function or constant called `mx.<path>`. */
function coreValue(path: string): Value {
  let value = found.get(path);
  if (value) return value;
  value = core ?? undefined;
  for (const name of path.split('.')) value = value?.kind === 'module' ? value.attributes.get(name) : undefined;
  if (!value) throw new Error(`mlx.core has no ${path}`);
  found.set(path, value);
  return value;
}

/** What a Python number or tuple would be: JavaScript numbers that are whole stand for ints, so floats are given as Values. */
export type Argument = Value | Dim | null | readonly Dim[];

const toValue = (a: Argument): Value => {
  if (a === null) return NONE;
  if (typeof a === 'number') return int(a);
  if (Array.isArray(a)) return tuple(a.map(d => int(d as Dim)));
  return 'kind' in a ? (a as Value) : int(a as Dim);
};

/** Arithmetic and functions of arrays, as statements of a layer. */
export class Mx {
  constructor(readonly interpreter: Interpreter) {}

  /** `mx.<path>(*positional, **keywords)` */
  call(path: string, positional: readonly Argument[], keywords: { readonly [name: string]: Argument } = {}): Value {
    return this.interpreter.call(
      coreValue(path),
      args(
        positional.map(toValue),
        Object.entries(keywords).map(([name, value]) => [name, toValue(value)]),
      ),
    );
  }

  dtype(name: DType): Value {
    return coreValue(name === 'bool' ? 'bool_' : name);
  }

  private binary(op: string, a: Argument, b: Argument): Value {
    return this.interpreter.binary(op, toValue(a), toValue(b));
  }
  add = (a: Argument, b: Argument): Value => this.binary('+', a, b);
  subtract = (a: Argument, b: Argument): Value => this.binary('-', a, b);
  multiply = (a: Argument, b: Argument): Value => this.binary('*', a, b);
  divide = (a: Argument, b: Argument): Value => this.binary('/', a, b);
  floorDivide = (a: Argument, b: Argument): Value => this.binary('//', a, b);
  power = (a: Argument, b: Argument): Value => this.binary('**', a, b);
  and = (a: Argument, b: Argument): Value => this.binary('&', a, b);
  matmul = (a: Argument, b: Argument): Value => this.binary('@', a, b);
  negative = (a: Argument): Value => this.call('negative', [a]);
  compare = (op: string, a: Argument, b: Argument): Value => this.interpreter.compare(op, toValue(a), toValue(b));

  /** `a.T` */
  transposed = (a: Value): Value => this.call('transpose', [a]);
  reshape = (a: Value, shape: readonly Dim[]): Value => this.call('reshape', [a, shape]);
  transpose = (a: Value, axes: readonly number[]): Value => this.call('transpose', [a, axes]);
  cast = (a: Value, dtype: Value): Value => this.interpreter.callWith(this.method(a, 'astype'), dtype);

  /** The items of a tuple or list that a function answers. @throws Unknowable when they are not known */
  items(v: Value): readonly Value[] {
    const { items } = this.interpreter.iterate(v);
    if (!items) throw new Unknowable('the parts are not known');
    return items;
  }

  /** `a` after `a[index] = value`. */
  assigned(a: Value, index: Value, value: Value): Value {
    const assign = this.interpreter.arrayType.setItem;
    if (!assign) throw new Unknowable('the array cannot be assigned to');
    return assign(this.interpreter, a, index, value);
  }

  /** A bound method or attribute of an array. */
  method(a: Value, name: string): Value {
    const method = this.interpreter.getAttribute(a, name);
    if (!method) throw new Error(`arrays have no ${name}`);
    return method;
  }

  /** `mx.random.uniform(low=-scale, high=scale, shape=shape)`: how most weights begin. */
  uniform(scale: number | null, shape: readonly Dim[]): Value {
    const low = float(scale === null ? null : -scale);
    return this.call('random.uniform', [], { low, high: float(scale), shape });
  }
  /** `mx.random.normal(shape=shape, scale=scale)` */
  normal(scale: number | null, shape: readonly Dim[]): Value {
    return this.call('random.normal', [], { shape, scale: float(scale) });
  }
  zeros = (shape: readonly Dim[]): Value => this.call('zeros', [shape]);
  ones = (shape: readonly Dim[]): Value => this.call('ones', [shape]);
}
