/**
 * The gated delta rule of linear attention (`mx.fast.gated_delta_update`), one step of time after the other.
 *
 * Each head keeps a matrix S that maps keys to values: it decays by gamma, then moves toward mapping k to v by beta.
 */
import { type Dim, floorDiv, showDim } from '../dims/dim';
import { promote } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { rounder } from '../numeric/round';
import { type Tensor, tensor } from '../tensor';
import { broadcastDim } from './broadcast';
import { type Given, optionalInput } from './optional';

/**
 * Inputs: q and k [B, T, n_k, D_k], v [B, T, n_v, D_v], gamma and beta [B, T, n_v]; the state [B, n_v, D_v, D_k] and a
 * mask [B, T] may follow.
 */
type DeltaAttrs = Given<'initial_state' | 'mask'>;

const dtypeOf = (types: readonly ArrayType[]): ArrayType['dtype'] =>
  types.reduce<ArrayType['dtype']>((all, t) => promote(all, t.dtype), types[0].dtype);

defineOp<DeltaAttrs>({
  name: 'gated_delta_update',
  infer(facts, inputs) {
    const [q, k, v] = inputs;
    const types = [q, k, v];
    for (const [input, type] of types.entries())
      if (type.shape.length !== 4)
        throw new Refusal('attention', `gated_delta_update takes q, k and v of four axes, not ${showType(type)}`, {
          input,
        });
    const [, , heads, columns] = v.shape;
    const length = q.shape[1];
    const size = k.shape[3];
    const differ = (what: string) => () =>
      new Refusal('attention', `gated_delta_update: ${what}: ${types.map(showType).join(', ')}`);
    facts.require(q.shape[3], size, differ('the head dimensions of q and k differ'));
    facts.requireDivides(k.shape[2], heads, () =>
      differ(`the ${showDim(heads)} heads of v are no multiple of the ${showDim(k.shape[2])} of k`)(),
    );
    for (const type of [k, v])
      if (facts.less(type.shape[1], length) === 'yes') throw differ('q has more steps of time than k or v')();
    const batch = types
      .map(t => t.shape[0])
      .reduce((a, b) => broadcastDim(facts, a, b, differ('the batch sizes differ')));
    const dtype = dtypeOf(types);
    const out: readonly Dim[] = [batch, length, heads, columns];
    return [
      { shape: out, dtype },
      { shape: [batch, heads, columns, size], dtype: 'float32' },
    ];
  },
  inferOpen: (_, types) => [
    { shape: null, dtype: dtypeOf(types.slice(0, 3)) },
    { shape: null, dtype: 'float32' },
  ],
  kernel(inputs, attrs, [out, state]) {
    const [q, k, v, gamma, beta] = inputs;
    const result = tensor(out.dtype, out.shape);
    const matrices = tensor('float32', state.shape);
    const before = optionalInput(inputs, attrs, 5, 'initial_state');
    if (before) (matrices.data as Float32Array).set(before.data as Float32Array);
    const mask = optionalInput(inputs, attrs, 5, 'mask');
    const [batch, length, heads] = v.shape;
    for (let b = 0; b < batch; b++)
      for (let t = 0; t < length; t++)
        for (let h = 0; h < heads; h++) {
          const keep = !mask || Number(mask.data[b * length + t]) !== 0;
          step(
            q,
            k,
            v,
            Number(gamma.data[(b * length + t) * heads + h]),
            Number(beta.data[(b * length + t) * heads + h]),
            {
              matrices,
              result,
              b,
              t,
              h,
              keep,
            },
          );
        }
    return [result, matrices];
  },
});

interface Place {
  readonly matrices: Tensor<'float32'>;
  readonly result: Tensor;
  readonly b: number;
  readonly t: number;
  readonly h: number;
  readonly keep: boolean;
}

type Reals = { [i: number]: number };

/** One head at one time; where the mask says no, the state stays as it was and the result is 0. */
function step(q: Tensor, k: Tensor, v: Tensor, gamma: number, beta: number, place: Place): void {
  const { matrices, result, b, t, h, keep } = place;
  const [, length, heads, columns] = v.shape;
  const size = k.shape[3];
  const row = (x: Tensor) => {
    const own = Number(floorDiv(h, heads / x.shape[2]));
    return ((b * length + t) * x.shape[2] + own) * x.shape[3];
  };
  const [queries, keys, values] = [q.data as Reals, k.data as Reals, v.data as Reals];
  const [qAt, kAt, vAt] = [row(q), row(k), row(v)];
  const round = rounder(result.dtype);
  for (let c = 0; c < columns; c++) {
    const at = ((b * heads + h) * columns + c) * size;
    const old = matrices.data.slice(at, at + size);
    let known = 0;
    for (let d = 0; d < size; d++) known += (old[d] *= gamma) * keys[kAt + d];
    const delta = (values[vAt + c] - known) * beta;
    let sum = 0;
    for (let d = 0; d < size; d++) sum += (old[d] += delta * keys[kAt + d]) * queries[qAt + d];
    if (!keep) continue;
    matrices.data.set(old, at);
    (result.data as Reals)[vAt + c] = round(sum);
  }
}
