/**
 * Changing an array's dtype by value, eight-bit floats included. Reading its bytes anew is ./view.
 */
import { type DType, isFloating } from '../dtype';
import { type ArrayType, defineOp } from '../graph/op';
import { Refusal } from '../graph/refusal';
import { showType } from '../graph/show';
import { cast, toNumbers } from '../numeric/cast';
import { FP8_VALUES, fp8Code } from '../numeric/minifloat';

/** `dtype` null is one that is not known. */
type To = { readonly dtype: DType | null };

defineOp<To>({
  name: 'astype',
  infer: (_, [x], { dtype }) => ({ shape: x.shape, dtype }),
  inferOpen: (_, [x], { dtype }) => ({ shape: x.shape, dtype }),
  kernel: ([x], { dtype }) => cast(x, dtype!),
});

/** The codes of the nearest E4M3 floats, as uint8. */
defineOp({
  name: 'to_fp8',
  infer: (_, [x]) => fp8Codes(x),
  inferOpen: (_, [x]) => fp8Codes(x),
  kernel: ([x]) => ({ shape: x.shape, dtype: 'uint8', data: Uint8Array.from(toNumbers(x.data), fp8Code) }),
});

function fp8Codes(x: ArrayType): ArrayType {
  if (x.dtype !== null && !isFloating(x.dtype))
    throw new Refusal('dtype', `to_fp8 takes real floating arrays, not ${showType(x)}`);
  return { shape: x.shape, dtype: 'uint8' };
}

/** The values of E4M3 codes. */
defineOp<To>({
  name: 'from_fp8',
  infer: (_, [x], { dtype }) => fp8Values(x, dtype),
  inferOpen: (_, [x], { dtype }) => fp8Values(x, dtype),
  kernel([x], { dtype }) {
    const data = Float32Array.from(x.data as Uint8Array, code => FP8_VALUES[code]);
    return cast({ shape: x.shape, dtype: 'float32', data }, dtype!);
  },
});

function fp8Values(x: ArrayType, dtype: DType | null): ArrayType {
  if (x.dtype !== null && x.dtype !== 'uint8')
    throw new Refusal('dtype', `from_fp8 reads codes of dtype uint8, not ${showType(x)}`);
  if (dtype !== null && !isFloating(dtype))
    throw new Refusal('dtype', `from_fp8 answers a real floating dtype, not ${dtype}`);
  return { shape: x.shape, dtype };
}
