/**
 * `mx.random`: the state of the implicit generator, and the distributions.
 *
 * A draw without a key is recorded as the n-th since the seed, so that evaluation gives MLX's very numbers.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import { type Interpreter, Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, float, NONE, unknown, type Value } from '../interpreter/values';
import { scalarArray, scalarKind } from './convert';
import { type Call, define } from './define';
import { givenDtype } from './sequences';

interface Generator {
  seed: number;
  draws: number;
}

function generator(interpreter: Interpreter): Generator {
  let state = interpreter.session.get('mx.random') as Generator | undefined;
  if (!state) interpreter.session.set('mx.random', (state = { seed: 0, draws: 0 }));
  return state;
}

/** Inputs and attributes that say what key to draw with. */
function keyed(c: Call, given: readonly string[] = []): { inputs: ArrayNode[]; attrs: Record<string, unknown> } {
  if (c.has('key')) return { inputs: [c.array('key')], attrs: { given: [...given, 'key'] } };
  const state = generator(c.interpreter);
  return { inputs: [], attrs: { given, key: { seed: state.seed, draw: state.draws++ } } };
}

function draw(
  c: Call,
  op: string,
  inputs: readonly ArrayNode[],
  attrs: Record<string, unknown>,
  given: readonly string[] = [],
): Value {
  const key = keyed(c, given);
  return c.interpreter.record(op, [...inputs, ...key.inputs], { ...attrs, ...key.attrs } as never);
}

/** A drawn array; where the shape is not known, one of unknown shape. */
function shaped(c: Call, dtype: DType | null, run: (shape: readonly Dim[]) => Value): Value {
  let shape: readonly Dim[];
  try {
    shape = c.dims('shape');
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    return c.interpreter.source({ shape: null, dtype });
  }
  return run(shape);
}

const floatDType = (c: Call): DType => givenDtype(c, 'dtype') ?? 'float32';

/** A bound as an array: Python numbers take the dtype that is drawn. */
function limit(c: Call, name: string, dtype: DType): ArrayNode {
  const v = c.value(name);
  return scalarKind(v)
    ? scalarArray(c.interpreter, v.kind === 'int' && dtype.includes('float') ? asFloat(v) : v, dtype)
    : c.array(name);
}
const asFloat = (v: Value): Value => (v.kind === 'int' && typeof v.value === 'number' ? float(v.value) : v);

export const randomFunctions: readonly BuiltinValue[] = [
  define('mx.random.seed(seed)', c => {
    const state = generator(c.interpreter);
    const seed = c.value('seed');
    state.seed = seed.kind === 'int' && typeof seed.value === 'number' ? seed.value : 0;
    state.draws = 0;
    return NONE;
  }),
  define('mx.random.key(seed)', c => c.interpreter.record('random.key', [], { seed: c.int('seed') })),
  define('mx.random.split(key, num=2, stream=None)', c =>
    c.interpreter.record('random.split', [c.array('key')], { num: c.dim('num'), given: ['key'] } as never),
  ),
  define('mx.random.uniform(low=0, high=1, shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = floatDType(c);
    return shaped(c, dtype, shape =>
      draw(c, 'random.uniform', [limit(c, 'low', dtype), limit(c, 'high', dtype)], { shape, dtype }),
    );
  }),
  define('mx.random.normal(shape=(), dtype=None, loc=None, scale=None, key=None, stream=None)', c => {
    const dtype = floatDType(c);
    return shaped(c, dtype, shape => {
      const names = (['loc', 'scale'] as const).filter(n => c.has(n));
      return draw(
        c,
        'random.normal',
        names.map(n => limit(c, n, dtype)),
        { shape, dtype },
        names,
      );
    });
  }),
  define('mx.random.randint(low, high, shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = givenDtype(c, 'dtype') ?? 'int32';
    return shaped(c, dtype, shape =>
      draw(c, 'random.randint', [limit(c, 'low', dtype), limit(c, 'high', dtype)], { shape, dtype }),
    );
  }),
  define('mx.random.bernoulli(p=0.5, shape=None, key=None, stream=None)', c => {
    const p = limit(c, 'p', 'float32');
    return draw(c, 'random.bernoulli', [p], c.has('shape') ? { shape: c.dims('shape') } : {});
  }),
  define('mx.random.truncated_normal(lower, upper, shape=None, dtype=None, key=None, stream=None)', c => {
    const dtype = floatDType(c);
    const inputs = [limit(c, 'lower', dtype), limit(c, 'upper', dtype)];
    return draw(c, 'random.truncated_normal', inputs, c.has('shape') ? { shape: c.dims('shape'), dtype } : { dtype });
  }),
  define('mx.random.gumbel(shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = floatDType(c);
    return shaped(c, dtype, shape => draw(c, 'random.gumbel', [], { shape, dtype }));
  }),
  define('mx.random.categorical(logits, axis=-1, shape=None, num_samples=None, key=None, stream=None)', c =>
    draw(c, 'random.categorical', [c.array('logits')], {
      axis: c.int('axis'),
      ...(c.has('shape') ? { shape: c.dims('shape') } : {}),
      ...(c.has('num_samples') ? { num_samples: c.dim('num_samples') } : {}),
    }),
  ),
  define('mx.random.permutation(x, axis=0, key=None, stream=None)', c => {
    const v = c.value('x');
    if (v.kind !== 'array') return c.interpreter.source({ shape: [c.dim('x')], dtype: 'int32' });
    return c.interpreter.source({ shape: v.node.shape, dtype: v.node.dtype });
  }),
  define('mx.random.laplace(shape=(), dtype=None, loc=0.0, scale=1.0, key=None, stream=None)', c => {
    const dtype = floatDType(c);
    return shaped(c, dtype, shape =>
      draw(c, 'random.laplace', [], { shape, dtype, loc: c.float('loc') ?? 0, scale: c.float('scale') ?? 1 }),
    );
  }),
];

/** `mx.random.state` and the like, whose contents are not followed. */
export const randomValues: readonly (readonly [string, Value])[] = [
  ['state', unknown('is the state of the random generator')],
];
