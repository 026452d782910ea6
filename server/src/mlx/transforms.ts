/**
 * Functions of `mlx.core` that take functions, evaluate, or move data in and out.
 */
import { type BuiltinValue, builtin, NONE, tuple, unknown, type Value } from '../interpreter/values';
import { type Call, define } from './define';
import { requireScalarLoss } from './nn/gradients';

/** Answers the function itself, or a decorator that does: tracing changes no shape. */
const transparent = (text: string): BuiltinValue =>
  define(
    text,
    c => (c.given.has('fun') ? c.value('fun') : builtin('decorator', (_, passed) => passed.positional[0] ?? NONE)),
    { spread: false },
  );

/** Gradients have the types of the arguments they are of. */
function gradientOf(c: Call, withValue: boolean): Value {
  const f = c.value('fun');
  const argnums = c.value('argnums');
  return builtin('gradient', (interpreter, passed) => {
    const value = interpreter.call(f, passed);
    requireScalarLoss(interpreter, value);
    const positions =
      argnums.kind === 'int' && typeof argnums.value === 'number' ? argnums.value : argnums.kind === 'none' ? 0 : null;
    const wanted =
      argnums.kind === 'tuple' || argnums.kind === 'list'
        ? argnums.items?.map(i =>
            i.kind === 'int' && typeof i.value === 'number' ? passed.positional[i.value] : undefined,
          )
        : null;
    const fresh = (v: Value | undefined): Value => {
      const s = v && interpreter.settled(v);
      return s?.kind === 'array'
        ? interpreter.source({ shape: s.node.shape, dtype: s.node.dtype })
        : unknown('is a gradient of an argument that is no array');
    };
    const gradients =
      positions !== null
        ? fresh(passed.positional[positions])
        : wanted
          ? tuple(wanted.map(fresh))
          : unknown('is a gradient');
    return withValue ? tuple([value, gradients]) : gradients;
  });
}

export const transformFunctions: readonly BuiltinValue[] = [
  transparent('mx.compile(fun=None, inputs=None, outputs=None, shapeless=False)'),
  transparent('mx.checkpoint(fun=None)'),
  transparent('mx.custom_function(fun=None)'),
  define('mx.grad(fun, argnums=None, argnames=())', c => gradientOf(c, false), { spread: false }),
  define('mx.value_and_grad(fun, argnums=None, argnames=())', c => gradientOf(c, true), { spread: false }),
  define('mx.vmap(fun, in_axes=0, out_axes=0)', () => builtin('vmap', () => unknown('is mapped over an axis')), {
    spread: false,
  }),
  define('mx.eval(*args)', () => NONE, { spread: false }),
  define('mx.async_eval(*args)', () => NONE, { spread: false }),
  define('mx.synchronize(stream=None)', () => NONE),
  define('mx.clear_cache()', () => NONE),
  define('mx.load(file, /, format=None, return_metadata=False, *, stream=None)', () =>
    unknown('loads weights at run time'),
  ),
  define('mx.save(file, /, arr)', () => NONE),
  define('mx.savez(file, *args, **kwargs)', () => NONE),
  define('mx.save_safetensors(file, /, arrays, metadata=None)', () => NONE),
];
