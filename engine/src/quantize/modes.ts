/**
 * The quantization modes of MLX and what each allows.
 */

export type QuantizationMode = 'affine' | 'mxfp4' | 'mxfp8' | 'nvfp4';

interface ModeFacts {
  readonly groupSizes: readonly number[];
  readonly bits: readonly number[];
  /** What a missing argument means. */
  readonly defaultGroupSize: number;
  readonly defaultBits: number;
}

export const QUANTIZATION_MODES: Readonly<Record<QuantizationMode, ModeFacts>> = {
  affine: {
    groupSizes: [32, 64, 128],
    bits: [1, 2, 3, 4, 5, 6, 8],
    defaultGroupSize: 64,
    defaultBits: 4,
  },
  mxfp4: { groupSizes: [32], bits: [4], defaultGroupSize: 32, defaultBits: 4 },
  mxfp8: { groupSizes: [32], bits: [8], defaultGroupSize: 32, defaultBits: 8 },
  nvfp4: { groupSizes: [16], bits: [4], defaultGroupSize: 16, defaultBits: 4 },
};

export const isQuantizationMode = (name: string): name is QuantizationMode => Object.hasOwn(QUANTIZATION_MODES, name);

/** How a matrix is quantized: groups of `groupSize` along the last axis share a scale. */
export interface Quantization {
  readonly mode: QuantizationMode;
  readonly bits: number;
  readonly groupSize: number;
}
