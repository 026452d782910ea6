/**
 * Functions of `mlx.core` that transform functions: gradients, vectorization, compilation.
 *
 * What they compute besides the function's own results is known by type alone: a gradient has the shape of what it is a
 * gradient of, and a mapped axis comes back where `out_axes` says.
 */
import { type Dim, isKnown } from '../../../engine/src/dims/dim';
import { isInexact, sizeOf } from '../../../engine/src/dtype';
import { Refusal } from '../../../engine/src/graph/refusal';
import { showType } from '../../../engine/src/graph/show';
import { normalizeAxis } from '../../../engine/src/ops/axes';
import { args, type Interpreter, Unknowable } from '../interpreter/interpreter';
import {
  type Arguments,
  type ArrayValue,
  type BuiltinValue,
  builtin,
  type ClassValue,
  dict,
  list,
  type NativeType,
  type NativeValue,
  NONE,
  nativeClass,
  tuple,
  unknown,
  type Value,
} from '../interpreter/values';
import { type Call, define, isOpaque, typeName } from './define';
import { requireScalarLoss } from './nn/gradients';
import { branchOf, leavesOf, treeMap } from './nn/tree';

/** The argument `fun`. @throws Refusal for what cannot be called */
function callable(c: Call): Value {
  const v = c.value('fun');
  const kinds: readonly Value['kind'][] = ['none', 'array', 'int', 'float', 'bool', 'str', 'tuple', 'list', 'dict'];
  if (kinds.includes(v.kind)) throw c.wrong('fun', 'a function');
  return v;
}

/** An array of the same type, from outside the graph; what else a tree holds is refused as MLX does. */
function arrayLike(interpreter: Interpreter, leaf: Value, name: string): Value {
  const v = interpreter.settled(leaf);
  if (v.kind === 'array') {
    const { shape, dtype } = v.node;
    // sums of small ints are wider than these, and their gradient is as wide as the sum
    const isNarrow = dtype !== null && !isInexact(dtype) && sizeOf(dtype) < 4;
    return interpreter.source({ shape, dtype: isNarrow ? null : dtype });
  }
  if (isOpaque(v) || v.kind === 'instance') return unknown('is the gradient of something unknown');
  throw new Refusal('gradient', `${name} works on arrays and trees of arrays, not on ${typeName(v)}`);
}

// ---- gradients --------------------------------------------------------------------------------------------------------

/** What a gradient is taken of: positions and names of arguments. */
interface Wanted {
  readonly positions: readonly number[];
  readonly names: readonly string[];
}

function wanted(c: Call): Wanted {
  const given = c.value('argnames');
  const names =
    given.kind === 'str'
      ? [c.text('argnames')]
      : c.items('argnames').map(item => {
          const v = c.interpreter.settled(item);
          if (v.kind === 'str' && v.value !== null) return v.value;
          if (isOpaque(v) || v.kind === 'str') throw new Unknowable('the names of the arguments are not known');
          throw c.wrong('argnames', 'a string or strings');
        });
  const positions = c.has('argnums') ? c.ints('argnums') : names.length > 0 ? [] : [0];
  const refuse = (problem: string) => new Refusal('gradient', `${c.signature.name}: ${problem}`);
  for (const [i, position] of positions.entries()) {
    if (position < 0) throw refuse(`argnums cannot be negative, and ${position} is`);
    if (positions.indexOf(position) !== i) throw refuse(`argument ${position} is named twice`);
  }
  return { positions, names };
}

function gradientsOf(interpreter: Interpreter, name: string, { positions, names }: Wanted, passed: Arguments): Value {
  const gradient = (argument: Value | undefined, which: string): Value => {
    if (argument !== undefined) return treeMap(interpreter, leaf => arrayLike(interpreter, leaf, name), argument);
    if (passed.open) return unknown('the arguments are not known');
    throw new Refusal(
      'gradient',
      `${name} is asked for the gradient of argument ${which}, which the call does not pass`,
    );
  };
  const found = positions.map(position => gradient(passed.positional[position], `${position}`));
  const positional = found.length === 0 ? NONE : found.length === 1 ? found[0] : tuple(found);
  if (names.length === 0) return positional;
  return tuple([positional, dict(names.map(n => [n, gradient(passed.keywords.get(n), n)] as const))]);
}

function gradient(name: 'grad' | 'value_and_grad'): BuiltinValue {
  return define(
    `mx.${name}(fun, /, argnums=None, argnames=())`,
    c => {
      const func = callable(c);
      let what: Wanted | null = null;
      try {
        what = wanted(c);
      } catch (e) {
        if (!(e instanceof Unknowable)) throw e;
      }
      return builtin(name, (interpreter, passed) => {
        const value = interpreter.call(func, passed);
        requireScalarLoss(interpreter, value, name === 'value_and_grad');
        const gradients = what ? gradientsOf(interpreter, `mx.${name}`, what, passed) : unknown('is a gradient');
        return name === 'grad' ? gradients : tuple([value, gradients]);
      });
    },
    { spread: false },
  );
}

/** The arrays in a sequence of them. */
function arrays(c: Call, name: string): readonly ArrayValue[] {
  return c.items(name).map(item => {
    const v = c.interpreter.settleAs(item, 'array');
    if (v.kind === 'array') return v;
    if (isOpaque(v)) throw new Unknowable(`${name} of ${c.signature.name} is not known`);
    throw c.wrong(name, 'a sequence of arrays');
  });
}

/** The results of a function that answers one array or several. */
function outputs(c: Call, value: Value): readonly ArrayValue[] {
  const v = c.interpreter.settled(value);
  const items = (v.kind === 'tuple' || v.kind === 'list') && v.items ? v.items : [v];
  return items.map(item => {
    const settled = c.interpreter.settled(item);
    if (settled.kind !== 'array') throw new Unknowable('what the function answers is not known');
    return settled;
  });
}

/** @throws Refusal where the arrays certainly do not pair up in number and shape */
function checkPairs(c: Call, what: readonly ArrayValue[], by: readonly ArrayValue[], names: [string, string]): void {
  const refuse = (problem: string) => new Refusal('gradient', `${c.signature.name}: ${problem}`);
  if (what.length !== by.length) throw refuse(`${what.length} ${names[0]} but ${by.length} ${names[1]}`);
  const { facts } = c.interpreter;
  for (const [i, { node }] of what.entries()) {
    const [a, b] = [facts.shape(node.shape), facts.shape(by[i].node.shape)];
    if (!Array.isArray(a) || !Array.isArray(b)) continue;
    if (a.length !== b.length || a.some((d: Dim, axis: number) => facts.equal(d, b[axis]) === 'no'))
      throw refuse(`${names[0]} ${showType(node)} and ${names[1]} ${showType(by[i].node)} differ in shape`);
  }
}

const like = (c: Call, value: ArrayValue): Value => arrayLike(c.interpreter, value, c.signature.name);

const vjp = define(
  'mx.vjp(fun, primals, cotangents)',
  c => {
    const primals = arrays(c, 'primals');
    const results = outputs(c, c.interpreter.call(callable(c), args(primals)));
    checkPairs(c, results, arrays(c, 'cotangents'), ['outputs', 'cotangents']);
    return tuple([list(results), list(primals.map(p => like(c, p)))]);
  },
  { spread: false },
);

const jvp = define(
  'mx.jvp(fun, primals, tangents)',
  c => {
    const primals = arrays(c, 'primals');
    checkPairs(c, primals, arrays(c, 'tangents'), ['primals', 'tangents']);
    const results = outputs(c, c.interpreter.call(callable(c), args(primals)));
    return tuple([list(results), list(results.map(r => like(c, r)))]);
  },
  { spread: false },
);

// ---- vectorization ----------------------------------------------------------------------------------------------------

/** One run of a mapped function: the axis length that all mapped arguments share. */
class Mapping {
  length: Dim | null = null;
  constructor(readonly interpreter: Interpreter) {}

  /** The tree without the mapped axes; `axes` is a prefix of it: an axis, None, or a sequence of such for its items. */
  enter(tree: Value, axes: Value): Value {
    const axis = this.interpreter.settled(axes);
    if (axis.kind === 'int' || axis.kind === 'none')
      return treeMap(this.interpreter, leaf => this.remove(leaf, axis.kind === 'int' ? axis.value : null), tree);
    const branch = branchOf(this.interpreter, tree);
    if (axis.kind !== 'tuple' || !axis.items || branch?.kind === 'dict') throw new Unknowable('in_axes is not known');
    if (!branch?.items || branch.items.length !== axis.items.length)
      throw new Refusal('value', 'mx.vmap: in_axes does not have the form of the arguments');
    const items = branch.items.map((item, i) => this.enter(item, axis.items![i]));
    return branch.kind === 'list' ? list(items) : tuple(items);
  }

  private remove(leaf: Value, axis: Dim | null): Value {
    const v = this.array(leaf);
    if (axis === null) return v;
    const { facts } = this.interpreter;
    const shape = facts.shape(v.node.shape);
    if (!Array.isArray(shape) || !isKnown(axis)) throw new Unknowable('the mapped axis is not known');
    const at = normalizeAxis('vmap', { shape, dtype: v.node.dtype }, axis);
    const own: Dim = shape[at];
    if (this.length === null) this.length = own;
    const length = this.length;
    facts.require(own, length, () => {
      const problem = `the mapped axes have ${length} and ${own} elements`;
      return new Refusal('value', `mx.vmap: ${problem}`, { expected: length, actual: own });
    });
    return this.interpreter.source({ shape: shape.toSpliced(at, 1), dtype: v.node.dtype });
  }

  /** The tree with the mapped axis put back into every array. */
  leave(tree: Value, axes: Value): Value {
    const axis = this.interpreter.settled(axes);
    const branch = branchOf(this.interpreter, tree);
    if (axis.kind === 'tuple' && axis.items && branch && branch.kind !== 'dict') {
      if (!branch.items || branch.items.length !== axis.items.length)
        throw new Refusal('value', 'mx.vmap: out_axes does not have the form of the results');
      const items = branch.items.map((item, i) => this.leave(item, axis.items![i]));
      return branch.kind === 'list' ? list(items) : tuple(items);
    }
    if (axis.kind !== 'int' || !isKnown(axis.value)) throw new Unknowable('out_axes is not known');
    // MLX 0.32 gives a single out_axes to the first array of several and 0 to the others
    let at = axis.value;
    return treeMap(
      this.interpreter,
      leaf => {
        const result = this.insert(leaf, at);
        at = 0;
        return result;
      },
      tree,
    );
  }

  private insert(leaf: Value, axis: number): Value {
    const { node } = this.array(leaf);
    const shape = this.interpreter.facts.shape(node.shape);
    if (!Array.isArray(shape) || this.length === null) throw new Unknowable('the rank of the result is not known');
    const at = normalizeAxis('vmap', { shape: [...shape, this.length], dtype: node.dtype }, axis);
    return this.interpreter.source({ shape: shape.toSpliced(at, 0, this.length), dtype: node.dtype });
  }

  private array(leaf: Value): ArrayValue {
    const v = this.interpreter.settleAs(leaf, 'array');
    if (v.kind === 'array') return v;
    if (isOpaque(v) || v.kind === 'instance') throw new Unknowable('what is mapped is not known');
    throw new Refusal('value', `mx.vmap maps over arrays and trees of arrays, not over ${typeName(v)}`);
  }
}

const vmap = define(
  'mx.vmap(fun, /, in_axes=0, out_axes=0)',
  c => {
    const func = callable(c);
    const [inAxes, outAxes] = [c.value('in_axes'), c.value('out_axes')];
    if (inAxes.kind === 'none') throw c.wrong('in_axes', 'an int or a tuple');
    if (outAxes.kind === 'none') throw c.wrong('out_axes', 'an int or a tuple');
    return builtin('vmap', (interpreter, passed) => {
      if (passed.keywords.size > 0)
        throw new Refusal('signature', 'A function made by mx.vmap takes no keyword arguments', {}, 'TypeError');
      const mapping = new Mapping(interpreter);
      try {
        if (passed.open) throw new Unknowable('the arguments are not known');
        const entered = mapping.enter(tuple(passed.positional), inAxes);
        if (mapping.length === null && leavesOf(interpreter, entered).pairs.length > 0)
          throw new Refusal('value', 'mx.vmap: at least one of in_axes must not be None');
        const { items } = entered as { items: readonly Value[] };
        return mapping.leave(interpreter.call(func, args(items)), outAxes);
      } catch (e) {
        if (e instanceof Unknowable) return unknown(e.reason);
        throw e;
      }
    });
  },
  { spread: false },
);

// ---- functions that stay what they are --------------------------------------------------------------------------------

/** Answers the function itself: compiling or recomputing changes no shape. */
const transparent = (text: string): BuiltinValue => define(text, callable, { spread: false });

const DECORATORS = new Map(
  ['vjp', 'jvp', 'vmap'].map(name => [
    name,
    define(`mx.custom_function.${name}(self, f, /)`, c => c.value('f'), { spread: false }),
  ]),
);

/** A function with gradients of its own: called it is the function. */
const customFunctionType: NativeType = {
  name: 'custom_function',
  cls: null,
  call: (interpreter, value, passed) => interpreter.call((value as NativeValue).data as Value, passed),
  getAttribute(_, value, name) {
    const func = DECORATORS.get(name);
    return func ? { kind: 'method', self: value, func } : null;
  },
};

const customFunction: ClassValue = nativeClass('custom_function', [], [], (interpreter, _, passed) => {
  const make = define(
    'mx.custom_function(fun, /)',
    c => ({ kind: 'native', type: customFunctionType, data: callable(c) }),
    { spread: false },
  );
  return make.call(interpreter, passed);
});

/** Answers its first argument, after the arrays it depends on. */
const depends = define('mx.depends(inputs, dependencies)', c => {
  const v = c.value('inputs');
  if (v.kind === 'array') return v;
  return list(arrays(c, 'inputs'));
});

export const transformFunctions: readonly BuiltinValue[] = [
  gradient('grad'),
  gradient('value_and_grad'),
  vjp,
  jvp,
  vmap,
  transparent('mx.compile(fun, /, inputs=None, outputs=None, shapeless=False)'),
  transparent('mx.checkpoint(fun, /)'),
  depends,
];

export const transformClasses: readonly (readonly [string, Value])[] = [['custom_function', customFunction]];
