/** What the host calls; see ../kernels.ts for the same list as TypeScript sees it. */
export { chain, chainWorkspaceBytes } from './chain';
export { encodeFp8, groupMaxima } from './microscale';
export { multiply, workspaceBytes } from './product';
export { quantizeAffine } from './quantize';
export { normals, randomWords, uniforms } from './random';
export { roundAll } from './round';
export { attentionWeights, normRows, rotateRows, softmaxRows } from './rows';
export { setAffine, setDense, setMicroscaled } from './weights';
