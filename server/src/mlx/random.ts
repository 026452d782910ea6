/**
 * `mx.random`: the state of the implicit generator, and the distributions.
 *
 * A draw without a key is recorded as the n-th since the seed, so that evaluation gives MLX's very numbers.
 */
import type { Dim } from '../../../engine/src/dims/dim';
import type { DType } from '../../../engine/src/dtype';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Attrs } from '../../../engine/src/graph/op';
import { type Interpreter, Unknowable } from '../interpreter/interpreter';
import { type BuiltinValue, NONE, unknown, type Value } from '../interpreter/values';
import { scalarArray, scalarKind } from './convert';
import { type Call, define } from './define';
import { element } from './elementwise';
import { givenDtype, sequence } from './sequences';

/** The implicit generator: how many keys were taken since the seed. */
interface Generator {
  seed: number;
  draws: number;
}

function generator(interpreter: Interpreter): Generator {
  let state = interpreter.session.get('mx.random') as Generator | undefined;
  if (!state) interpreter.session.set('mx.random', (state = { seed: 0, draws: 0 }));
  return state;
}

/** Records a draw with the key that was given, or with the generator's next. `names` are the optional inputs before it. */
function draw(c: Call, op: string, inputs: readonly ArrayNode[], attrs: Attrs, names: readonly string[] = []): Value {
  if (c.has('key')) {
    const key = c.arrayOnly('key');
    return c.interpreter.record(op, [...inputs, key], { ...attrs, given: [...names, 'key'] });
  }
  const state = generator(c.interpreter);
  const key = { seed: state.seed, draw: state.draws++ };
  return c.interpreter.record(op, inputs, { ...attrs, given: names, key });
}

/** A drawn array of the shape that was asked for; where it is not known, one of unknown shape. */
function shaped(c: Call, dtype: DType | null, run: (shape: readonly Dim[]) => Value): Value {
  let shape: readonly Dim[];
  try {
    shape = sequence(c, 'shape');
  } catch (e) {
    if (!(e instanceof Unknowable)) throw e;
    return c.interpreter.source({ shape: null, dtype });
  }
  return run(shape);
}

/** The attribute `shape`, where it was given. */
const shapeIfGiven = (c: Call): Attrs => (c.has('shape') ? { shape: sequence(c, 'shape') } : {});

const dtypeOr = (c: Call, fallback: DType): DType => givenDtype(c, 'dtype') ?? fallback;

/** A parameter of a distribution: a Python number takes the dtype that is drawn. */
function parameter(c: Call, name: string, dtype: DType): ArrayNode {
  const v = c.value(name);
  return scalarKind(v) && v.kind !== 'complex' ? scalarArray(c.interpreter, v, dtype) : element(c, name);
}

export const randomFunctions: readonly BuiltinValue[] = [
  define('mx.random.seed(seed)', c => {
    const state = generator(c.interpreter);
    state.draws = 0;
    try {
      state.seed = c.int('seed');
    } catch (e) {
      if (!(e instanceof Unknowable)) throw e;
      state.seed = 0; // any seed gives the same shapes
    }
    return NONE;
  }),
  define('mx.random.key(seed)', c => c.interpreter.record('random.key', [], { seed: c.int('seed') })),
  define('mx.random.split(key, num=2, stream=None)', c =>
    c.interpreter.record('random.split', [c.arrayOnly('key')], { num: c.dim('num') }),
  ),
  define('mx.random.uniform(low=0, high=1, shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    const bounds = [parameter(c, 'low', dtype), parameter(c, 'high', dtype)];
    return shaped(c, dtype, shape => draw(c, 'random.uniform', bounds, { shape, dtype }));
  }),
  define('mx.random.normal(shape=(), dtype=None, loc=None, scale=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    const names = (['loc', 'scale'] as const).filter(name => c.has(name));
    const inputs = names.map(name => parameter(c, name, dtype));
    return shaped(c, dtype, shape => draw(c, 'random.normal', inputs, { shape, dtype }, names));
  }),
  define('mx.random.truncated_normal(lower, upper, shape=None, dtype=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    const bounds = [parameter(c, 'lower', dtype), parameter(c, 'upper', dtype)];
    return draw(c, 'random.truncated_normal', bounds, { ...shapeIfGiven(c), dtype });
  }),
  define('mx.random.gumbel(shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    return shaped(c, dtype, shape => draw(c, 'random.gumbel', [], { shape, dtype }));
  }),
  define('mx.random.laplace(shape=(), dtype=None, loc=0.0, scale=1.0, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    const [loc, scale] = [c.float('loc') ?? 0, c.float('scale') ?? 1];
    return shaped(c, dtype, shape => draw(c, 'random.laplace', [], { shape, dtype, loc, scale }));
  }),
  define('mx.random.multivariate_normal(mean, cov, shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'float32');
    const inputs = [c.arrayOnly('mean'), c.arrayOnly('cov')];
    return shaped(c, dtype, shape => draw(c, 'random.multivariate_normal', inputs, { shape, dtype }));
  }),
  define('mx.random.randint(low, high, shape=(), dtype=None, key=None, stream=None)', c => {
    const dtype = dtypeOr(c, 'int32');
    const bounds = [parameter(c, 'low', dtype), parameter(c, 'high', dtype)];
    return shaped(c, dtype, shape => draw(c, 'random.randint', bounds, { shape, dtype }));
  }),
  define('mx.random.bernoulli(p=0.5, shape=None, key=None, stream=None)', c =>
    draw(c, 'random.bernoulli', [element(c, 'p')], shapeIfGiven(c)),
  ),
  define('mx.random.categorical(logits, axis=-1, shape=None, num_samples=None, key=None, stream=None)', c =>
    draw(c, 'random.categorical', [c.arrayOnly('logits')], {
      axis: c.int('axis'),
      ...shapeIfGiven(c),
      ...(c.has('num_samples') ? { num_samples: c.dim('num_samples') } : {}),
    }),
  ),
  define('mx.random.permutation(x, axis=0, key=None, stream=None)', c => {
    const x = c.value('x');
    if (x.kind === 'array') return draw(c, 'random.permutation', [x.node], { axis: c.int('axis') }, ['x']);
    return draw(c, 'random.permutation', [], { n: c.dim('x') });
  }),
];

/** Names of `mx.random` that are no functions. */
export const randomValues: readonly (readonly [string, Value])[] = [
  ['state', unknown('is the state of the random generator')],
];
