/**
 * Random words, uniform and normal numbers where their bounds are single numbers, as those of initial weights are.
 */
import type { ConcreteType } from '../../src/graph/op';
import { cast } from '../../src/numeric/cast';
import { rounder } from '../../src/numeric/round';
import { erfinvConstants } from '../../src/numeric/transcendental';
import { optionalInput } from '../../src/ops/optional';
import { keyFor } from '../../src/ops/random';
import { ABOVE_MINUS_ONE, BELOW_ONE } from '../../src/random/distributions';
import type { Key } from '../../src/random/threefry';
import { elementCount, type Tensor } from '../../src/tensor';
import { isHeldAsFloat32 } from '../held';
import { ROUNDING } from './kernels';
import type { Engine, WasmOp } from './op';

type KeyAttrs = Parameters<typeof keyFor>[1];

const isNumber = (type: ConcreteType | undefined): boolean =>
  type === undefined || (type.dtype !== 'complex64' && type.shape.length === 0);

/** The one number of `x` in this dtype. */
const numberIn = (x: Tensor, dtype: Tensor['dtype']): number => Number(cast(x, dtype).data[0]);

/** Numbers that are worth a thread. */
const LEAST = 1 << 16;

/** Random words at an address of the arena. */
function words({ arena }: Engine, key: Key, count: number, at: number): void {
  arena.inParts(Math.ceil(count / 2), 4, LEAST, (from, to) => [['randomWords', key[0], key[1], count, at, from, to]]);
}

/** Uniform numbers in [low, high) at an address of the arena. */
function draw(engine: Engine, key: Key, count: number, [low, high]: [number, number], dtype: Tensor['dtype']): number {
  const { arena } = engine;
  const at = arena.allocate(count * 4);
  words(engine, key, count, at);
  const range = rounder(dtype)(high - low);
  arena.inParts(count, 4, LEAST, (from, to) => [
    ['uniforms', at + from * 4, to - from, low, range, BELOW_ONE[dtype]!, ROUNDING[dtype]!],
  ]);
  return at;
}

const copied = ({ arena }: Engine, at: number, out: ConcreteType): Tensor => ({
  shape: out.shape,
  dtype: out.dtype as 'float32',
  data: arena.floats(at, elementCount(out.shape)).slice() as Float32Array<ArrayBuffer>,
});

export const bits: WasmOp = {
  supports: attrs => attrs.width === 4,
  run(engine, inputs, attrs, [out]) {
    const { arena } = engine;
    const key = keyFor(inputs, attrs as KeyAttrs, 0);
    const count = elementCount(out.shape);
    return arena.use(() => {
      const at = arena.allocate(count * 4);
      words(engine, key, count, at);
      const data = arena.words(at, count).slice() as Uint32Array<ArrayBuffer>;
      return [{ shape: out.shape, dtype: 'uint32', data }];
    });
  },
};

export const uniform: WasmOp = {
  supports: ({ dtype }, [low, high]) =>
    isHeldAsFloat32((dtype ?? 'float32') as Tensor['dtype']) && isNumber(low) && isNumber(high),
  run(engine, inputs, attrs, [out]) {
    const key = keyFor(inputs, attrs as KeyAttrs, 2);
    const bounds: [number, number] = [numberIn(inputs[0], out.dtype), numberIn(inputs[1], out.dtype)];
    return engine.arena.use(() => {
      const at = draw(engine, key, elementCount(out.shape), bounds, out.dtype);
      return [copied(engine, at, out)];
    });
  },
};

/** Input positions of `normal` that are options. */
const given = (inputs: readonly ConcreteType[], attrs: KeyAttrs, name: 'loc' | 'scale') =>
  optionalInput(inputs, attrs as Parameters<typeof optionalInput>[1], 0, name as never);

export const normal: WasmOp = {
  supports(attrs, inputs) {
    const { dtype } = attrs;
    if (!isHeldAsFloat32((dtype ?? 'float32') as Tensor['dtype'])) return false;
    return (['loc', 'scale'] as const).every(name => isNumber(given(inputs, attrs as KeyAttrs, name)));
  },
  run(engine, inputs, attrs, [out]) {
    const key = keyFor(inputs, attrs as KeyAttrs, 0);
    const count = elementCount(out.shape);
    const round = rounder(out.dtype);
    const [loc, scale] = (['loc', 'scale'] as const).map(
      name => given(inputs, attrs as KeyAttrs, name) as Tensor | undefined,
    );
    const root = round(Math.SQRT2);
    const factor = scale ? round(root * numberIn(scale, out.dtype)) : root;
    const mean = loc ? numberIn(loc, out.dtype) : 0;
    return engine.arena.use(arena => {
      const at = draw(engine, key, count, [ABOVE_MINUS_ONE.data[0] as number, 1], 'float32');
      const constants = arena.put(erfinvConstants());
      const moved = Number(loc !== undefined);
      arena.inParts(count, 4, LEAST, (from, to) => [
        ['normals', at + from * 4, to - from, factor, mean, moved, ROUNDING[out.dtype]!, constants],
      ]);
      return [copied(engine, at, out)];
    });
  },
};
