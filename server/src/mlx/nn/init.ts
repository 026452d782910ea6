/**
 * `mlx.nn.init`: functions that make an initializer, which fills an array's shape.
 */
import { type Dim, isKnown, product } from '../../../../engine/src/dims/dim';
import { showShape } from '../../../../engine/src/dims/shape';
import { Refusal } from '../../../../engine/src/graph/refusal';
import { Unknowable } from '../../interpreter/interpreter';
import { type BuiltinValue, float, int, NONE, type SliceValue, tuple, type Value } from '../../interpreter/values';
import { type Call, define } from '../define';
import { Mx } from './mx';

/** What an initializer does with the axes of the array it is given. */
type Fill = (mx: Mx, shape: readonly Dim[], inner: Call) => Value;

/**
 * `nn.init.<name>(parameters)`, which answers a function of an array.
 * @param inner parameters of that function after the array
 */
const initializer = (name: string, parameters: string, make: (outer: Call) => Fill, inner = ''): BuiltinValue =>
  define(`nn.init.${name}(${parameters})`, outer => {
    const fill = make(outer);
    return define(`${name}(a${inner})`, c => {
      const v = c.interpreter.settleAs(c.value('a'), 'array');
      if (v.kind !== 'array') {
        if (v.kind === 'unknown' || v.kind === 'union') throw new Unknowable('the array is not known');
        throw c.wrong('a', 'an array');
      }
      const shape = c.interpreter.facts.shape(v.node.shape);
      if (!Array.isArray(shape)) throw new Unknowable('the rank of the array is not known');
      return fill(new Mx(c.interpreter), shape, c);
    });
  });

/** A dtype argument whose default is float32. */
const dtypeOf = (c: Call): Value => (c.given.has('dtype') ? c.value('dtype') : new Mx(c.interpreter).dtype('float32'));

interface Fans {
  readonly fanIn: Dim;
  readonly fanOut: Dim;
}

/** What flows into and out of a weight [out, ...kernel, in]. @throws Refusal for fewer than two axes */
function fansOf(shape: readonly Dim[]): Fans {
  if (shape.length < 2)
    throw new Refusal('value', `Glorot and He initialization need at least 2 axes, the array is ${showShape(shape)}`);
  const field = product(shape.slice(1, -1));
  return { fanIn: product([shape[shape.length - 1], field]), fanOut: product([shape[0], field]) };
}

/** A number computed from the fans and the gain, or null where they are not known. */
const scaleOf = (fan: number, numerator: number, gain: number | null): number | null =>
  gain === null || Number.isNaN(fan) ? null : gain * Math.sqrt(numerator / fan);
const known = (d: Dim): number => (isKnown(d) ? d : Number.NaN);

const scaledNormal = (mx: Mx, shape: readonly Dim[], scale: number | null, dtype: Value): Value =>
  mx.call('random.normal', [], { shape, scale: float(scale), dtype });
const scaledUniform = (mx: Mx, shape: readonly Dim[], limit: number | null, dtype: Value): Value =>
  mx.call('random.uniform', [float(limit === null ? null : -limit), float(limit), shape], { dtype });

const glorot =
  (numerator: number, draw: typeof scaledNormal) =>
  (outer: Call): Fill => {
    const dtype = dtypeOf(outer);
    return (mx, shape, inner) => {
      const { fanIn, fanOut } = fansOf(shape);
      return draw(mx, shape, scaleOf(known(fanIn) + known(fanOut), numerator, inner.float('gain')), dtype);
    };
  };

const he =
  (numerator: number, draw: typeof scaledNormal) =>
  (outer: Call): Fill => {
    const dtype = dtypeOf(outer);
    return (mx, shape, inner) => {
      const fans = fansOf(shape);
      const mode = inner.text('mode');
      if (mode !== 'fan_in' && mode !== 'fan_out')
        throw new Refusal('value', `He initialization has no mode '${mode}': there are fan_in and fan_out`);
      const fan = known(mode === 'fan_in' ? fans.fanIn : fans.fanOut);
      return draw(mx, shape, scaleOf(fan, numerator, inner.float('gain')), dtype);
    };
  };

const requireMatrix = (name: string, shape: readonly Dim[]): void => {
  if (shape.length !== 2)
    throw new Refusal('value', `${name} initialization needs 2 axes, the array is ${showShape(shape)}`);
};

const identity = (outer: Call): Fill => {
  const dtype = dtypeOf(outer);
  return (mx, shape, inner) => {
    requireMatrix('Identity', shape);
    inner.interpreter.facts.require(
      shape[0],
      shape[1],
      () => new Refusal('value', `Identity initialization needs a square matrix, the array is ${showShape(shape)}`),
    );
    return mx.call('eye', [], { n: shape[0], dtype });
  };
};

const upTo = (n: Dim): SliceValue => ({ kind: 'slice', lower: NONE, upper: int(n), step: NONE });
const EVERYTHING: SliceValue = { kind: 'slice', lower: NONE, upper: NONE, step: NONE };

/** Normal values with a share of each row, chosen at random, set to zero. */
const sparse = (outer: Call): Fill => {
  const dtype = dtypeOf(outer);
  return (mx, shape, inner) => {
    requireMatrix('Sparse', shape);
    const [rows, columns] = shape;
    const share = outer.float('sparsity');
    if (share === null || !isKnown(columns)) throw new Unknowable('how many values are zeroed is not known');
    const order = mx.call('argsort', [mx.call('random.uniform', [], { shape })], { axis: 1 });
    const values = mx.call('random.normal', [], { shape, scale: outer.value('std'), loc: outer.value('mean'), dtype });
    const row = mx.reshape(mx.call('arange', [rows]), [rows, 1]);
    const { interpreter } = inner;
    const zeroed = interpreter.getItem(order, tuple([EVERYTHING, upTo(Math.ceil(share * columns))]));
    return mx.assigned(values, tuple([row, zeroed]), int(0));
  };
};

const orthogonal = (outer: Call): Fill => {
  const dtype = dtypeOf(outer);
  return (mx, shape, inner) => {
    requireMatrix('Orthogonal', shape);
    const [rows, columns] = shape;
    if (!isKnown(rows) || !isKnown(columns)) throw new Unknowable('which side is longer is not known');
    const n = Math.max(rows, columns);
    const random = mx.call('random.normal', [], { shape: [n, n] });
    const [q, r] = mx.items(mx.call('linalg.qr', [random]));
    const signs = mx.call('sign', [mx.call('diag', [r])]);
    const cut = inner.interpreter.getItem(mx.multiply(q, signs), tuple([upTo(rows), upTo(columns)]));
    return mx.cast(mx.multiply(cut, outer.value('gain')), dtype);
  };
};

export const initializers: readonly BuiltinValue[] = [
  initializer(
    'constant',
    'value, dtype=float32',
    outer => (mx, shape) => mx.call('full', [shape, outer.value('value')], { dtype: dtypeOf(outer) }),
  ),
  initializer(
    'normal',
    'mean=0.0, std=1.0, dtype=float32',
    outer => (mx, shape) =>
      mx.call('random.normal', [], {
        shape,
        scale: outer.value('std'),
        loc: outer.value('mean'),
        dtype: dtypeOf(outer),
      }),
  ),
  initializer(
    'uniform',
    'low=0.0, high=1.0, dtype=float32',
    outer => (mx, shape) =>
      mx.call('random.uniform', [outer.value('low'), outer.value('high'), shape], { dtype: dtypeOf(outer) }),
  ),
  initializer('identity', 'dtype=float32', identity),
  initializer('glorot_normal', 'dtype=float32', glorot(2, scaledNormal), ', gain=1.0'),
  initializer('glorot_uniform', 'dtype=float32', glorot(6, scaledUniform), ', gain=1.0'),
  initializer('he_normal', 'dtype=float32', he(1, scaledNormal), ", mode='fan_in', gain=1.0"),
  initializer('he_uniform', 'dtype=float32', he(3, scaledUniform), ", mode='fan_in', gain=1.0"),
  initializer('sparse', 'sparsity, mean=0.0, std=1.0, dtype=float32', sparse),
  initializer('orthogonal', 'gain=1.0, dtype=float32', orthogonal),
];
