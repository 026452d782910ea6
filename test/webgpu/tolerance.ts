/** How far WebGPU's results may be from the reference's. */
import { TOLERANCE } from '../../engine/backends/webgpu';
import type { Tolerance } from '../unit/engine-backends/conformance';

/** Half precision in quantized products: the reference rounds at every step as MLX's CPU build does, the GPU once. */
const STEPWISE = { float32: TOLERANCE.float32, float16: 1e-2, bfloat16: 1e-1 } as typeof TOLERANCE;

export const tolerance: Tolerance = (op, dtype) => (op === 'quantized_matmul' ? STEPWISE : TOLERANCE)[dtype] ?? 0;
