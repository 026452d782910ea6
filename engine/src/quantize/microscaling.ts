/**
 * The microscaling modes as MLX's CPU build does them: w ≈ scale · value, with fp4 or fp8 values.
 *
 * mxfp4 and mxfp8 scale groups of 32 by a power of two; nvfp4 groups of 16 by an fp8 number and, where one is given,
 * all of them by a global float32.
 */
import { type DType, promote } from '../dtype';
import { rint, toInt32 } from '../numeric/float';
import { FP4_MAX, FP4_VALUES, FP8_MAX, FP8_VALUES, fp8Code } from '../numeric/minifloat';
import { rounder } from '../numeric/round';
import { QUANTIZATION_MODES, type QuantizationMode } from './modes';

export type MicroscalingMode = Exclude<QuantizationMode, 'affine'>;

export interface MicroscalingCodes {
  /** One code an element, of 4 or 8 bits. */
  readonly codes: Uint8Array<ArrayBuffer>;
  /** One byte a group. */
  readonly scales: Uint8Array<ArrayBuffer>;
}

const EXPONENT_BIAS = 127;

type Floats = Float32Array | Float64Array;

/**
 * Quantizes consecutive groups of values of dtype `dtype`; their number must be whole.
 * `globalScale`: the largest magnitude of the whole tensor, nvfp4 only.
 */
export function microscalingQuantize(
  w: Floats,
  mode: MicroscalingMode,
  dtype: DType,
  globalScale?: number,
): MicroscalingCodes {
  const { groupSizes, bits } = QUANTIZATION_MODES[mode];
  const [groupSize] = groupSizes;
  const round = rounder(dtype);
  const encode = bits[0] === 8 ? fp8Code : nearestFp4(mode === 'nvfp4' ? promote(dtype, 'float32')! : dtype);
  const codes = new Uint8Array(w.length);
  const scales = new Uint8Array(w.length / groupSize);
  const scaler = mode === 'nvfp4' ? fp8Scaler(dtype, globalScale) : powerScaler(dtype);
  for (let group = 0; group < scales.length; group++) {
    const start = group * groupSize;
    let largest = 0;
    for (let i = start; i < start + groupSize; i++) {
      const size = Math.abs(w[i]);
      if (!(size <= largest)) largest = Number.isNaN(largest) ? NaN : size;
    }
    const { code, normalise } = scaler(round(largest / (bits[0] === 8 ? FP8_MAX : FP4_MAX)));
    scales[group] = code;
    for (let i = start; i < start + groupSize; i++) codes[i] = encode(normalise(w[i]));
  }
  return { codes, scales };
}

/** From the scale a group should have: the code it gets, and the function that divides by what the code stands for. */
type Scaler = (scale: number) => { code: number; normalise: (x: number) => number };

/** Powers of two, the exponent rounded up. */
function powerScaler(dtype: DType): Scaler {
  const round = rounder(dtype);
  const scaleOf = powerScale(dtype);
  return scale => {
    const { code, divisor } = scaleOf(scale);
    return { code, normalise: x => round(x / divisor) };
  };
}

/** From the scale a group should have: the code of the power of two it gets, and that power. */
export function powerScale(dtype: DType): (scale: number) => { code: number; divisor: number } {
  const round = rounder(dtype);
  return scale => {
    let exponent = toInt32(rint(round(Math.log2(scale))));
    if (round(2 ** exponent) < scale) exponent = (exponent + 1) | 0;
    if (scale === 0) exponent = 0;
    const divisor = round(2 ** round(exponent));
    // an exponent that does not fit a byte wraps around
    const code = toInt32(round(round(exponent) + EXPONENT_BIAS)) & 255;
    return { code, divisor };
  };
}

function fp8Scaler(dtype: DType, globalScale: number | undefined): Scaler {
  const round = rounder(dtype);
  const wide = rounder(promote(dtype, 'float32')!);
  const gain = globalScale === undefined ? 1 : wide((FP8_MAX * FP4_MAX) / globalScale);
  return scale => {
    const code = fp8Code(wide(scale * gain));
    const divisor = round(FP8_VALUES[code]);
    return { code, normalise: x => wide(round(x / divisor) * gain) };
  };
}

/** The fp4 code whose value is nearest, the differences being rounded to `dtype`; of equally near ones the first. */
function nearestFp4(dtype: DType): (x: number) => number {
  const round = rounder(dtype);
  return x => {
    let nearest = Infinity;
    let best = 0;
    for (let code = 0; code < 16; code++) {
      const distance = Math.abs(round(x - FP4_VALUES[code]));
      if (distance < nearest) {
        nearest = distance;
        best = code;
      }
    }
    return best;
  };
}

/** The dtype that dequantizing to `dtype` gives: a global scale is float32 and widens it. */
export const dequantizedDtype = (dtype: DType, hasGlobalScale: boolean): DType =>
  hasGlobalScale ? promote(dtype, 'float32')! : dtype;

/** The scale that a code stands for, in `dtype`. */
export const scaleValue = (code: number, mode: MicroscalingMode, dtype: DType): number =>
  rounder(dtype)(mode === 'nvfp4' ? FP8_VALUES[code] : 2 ** (code - EXPONENT_BIAS));

/** The values of codes in `dequantizedDtype(dtype, globalScale !== undefined)`. */
export function microscalingDequantize(
  { codes, scales }: MicroscalingCodes,
  mode: MicroscalingMode,
  dtype: DType,
  globalScale?: number,
): Float64Array<ArrayBuffer> {
  const { groupSizes, bits } = QUANTIZATION_MODES[mode];
  const [groupSize] = groupSizes;
  const values = bits[0] === 8 ? FP8_VALUES : FP4_VALUES;
  const round = rounder(dequantizedDtype(dtype, globalScale !== undefined));
  const factor = globalScale === undefined ? 1 : round(globalScale / (FP8_MAX * FP4_MAX));
  const out = new Float64Array(codes.length);
  for (let group = 0; group < scales.length; group++) {
    const scale = round(scaleValue(scales[group], mode, dtype) * factor);
    const end = (group + 1) * groupSize;
    for (let i = group * groupSize; i < end; i++) out[i] = round(values[codes[i]] * scale);
  }
  return out;
}
