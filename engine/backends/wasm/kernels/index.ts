/** What the host calls; see ../kernels.ts for the same list as TypeScript sees it. */
export { multiply, workspaceBytes } from './product';
export { quantizeAffine } from './quantize';
export { normals, randomWords, uniforms } from './random';
export { roundAll } from './round';
export { setAffine, setDense, setMicroscaled } from './weights';
