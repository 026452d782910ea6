/**
 * `view`: the bytes of an array read as another dtype.
 */
import { type Dim, divideExactly, floorDiv, mul } from '../dims/dim';
import { OpenShape } from '../dims/shape';
import { type DType, sizeOf } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { bfloat16Bits, decodeBfloat16, decodeFloat16, float16Bits } from '../numeric/half';
import { allocate, elementCount, type Tensor } from '../tensor';

type ViewAttrs = { readonly dtype: DType | null };

defineOp<ViewAttrs>({
  name: 'view',
  infer(facts, [type], { dtype }) {
    if (type.dtype === null || dtype === null) return { shape: null, dtype };
    const [from, to] = [sizeOf(type.dtype), sizeOf(dtype)];
    if (from === to) return { shape: type.shape, dtype };
    const refuse = (why: string) =>
      new Refusal('dtype', `view cannot read ${showType(type)} as ${dtype}: ${why}`, { input: 0 });
    const last = type.shape.at(-1);
    if (last === undefined) throw refuse('a 0-d array keeps the size of its dtype');
    const bytes = mul(last, from);
    facts.requireDivides(to, bytes, () => refuse(`its last axis takes ${bytes} bytes, which ${to} does not divide`));
    return { shape: [...type.shape.slice(0, -1), count(bytes, to)], dtype };
  },
  inferOpen: (_, [type], { dtype }) => ({ shape: openView(type, dtype), dtype }),
  kernel([x], _, [out]) {
    return decode(out.dtype, encode(x), out.shape);
  },
});

const count = (bytes: Dim, size: number): Dim => divideExactly(bytes, size) ?? floorDiv(bytes, size);

const openView = (type: ArrayType, dtype: DType | null): OpenShape | null =>
  type.shape instanceof OpenShape && type.dtype !== null && dtype !== null && sizeOf(type.dtype) === sizeOf(dtype)
    ? type.shape
    : null;

/** The bytes that MLX holds for `x`. */
function encode(x: Tensor): ArrayBuffer {
  if (x.dtype === 'float16' || x.dtype === 'bfloat16') {
    const bits = x.dtype === 'float16' ? float16Bits : bfloat16Bits;
    return Uint16Array.from(x.data as Float32Array, bits).buffer;
  }
  return x.data.slice().buffer as ArrayBuffer;
}

function decode(dtype: DType, bytes: ArrayBuffer, shape: readonly number[]): Tensor {
  if (dtype === 'float16') return { shape, dtype, data: decodeFloat16(new Uint16Array(bytes)) };
  if (dtype === 'bfloat16') return { shape, dtype, data: decodeBfloat16(new Uint16Array(bytes)) };
  const data = allocate(dtype, elementCount(shape));
  new Uint8Array(data.buffer).set(new Uint8Array(bytes));
  return { shape, dtype, data };
}
