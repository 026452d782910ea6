/** Arrays of a checkpoint as values: whole, or some of their rows without the rest. */
import { sizeOf } from '../../../engine/src/dtype';
import { fromBytes } from '../../../engine/src/formats/elements';
import { readNpz } from '../../../engine/src/formats/npy';
import { elementCount, type Tensor } from '../../../engine/src/tensor';
import type { CheckpointArray } from '../workspace/checkpoint';
import type { FileSystem } from '../workspace/file-system';

/** @throws Error for a dtype that MLX cannot load, or a file cut off meanwhile */
export async function arrayValues(files: FileSystem, array: CheckpointArray): Promise<Tensor> {
  const { dtype, shape, offset, file, name } = array;
  if (dtype === null) throw new Error(`${name} is ${array.storedDtype}, which MLX cannot load`);
  if (offset === null) return fromArchive(files, array);
  const length = elementCount(shape) * sizeOf(dtype);
  return fromBytes(dtype, shape, await bytes(files, file, offset, length, name));
}

/**
 * The rows `picked` (ascending) of an array as a matrix: all axes but the last are rows. Neighbours are read together.
 */
export async function arrayRows(files: FileSystem, array: CheckpointArray, picked: readonly number[]): Promise<Tensor> {
  const { dtype, shape, offset, file, name } = array;
  const columns = shape[shape.length - 1];
  if (dtype === null || offset === null) return pick(await arrayValues(files, array), picked);
  const rowBytes = columns * sizeOf(dtype);
  const all = new Uint8Array(picked.length * rowBytes);
  for (let i = 0; i < picked.length; ) {
    let j = i + 1;
    while (j < picked.length && picked[j] === picked[j - 1] + 1) j++;
    const part = await bytes(files, file, offset + picked[i] * rowBytes, (j - i) * rowBytes, name);
    all.set(part, i * rowBytes);
    i = j;
  }
  return fromBytes(dtype, [picked.length, columns], all);
}

/** Rows of a matrix in memory. */
export function pick(x: Tensor, picked: readonly number[]): Tensor {
  const columns = x.shape[x.shape.length - 1];
  const data = new Float32Array(picked.length * columns);
  for (const [i, row] of picked.entries())
    data.set((x.data as Float32Array).subarray(row * columns, (row + 1) * columns), i * columns);
  return { shape: [picked.length, columns], dtype: x.dtype as 'float32', data };
}

async function bytes(files: FileSystem, path: string, start: number, length: number, name: string) {
  const found = await files.readBytes(path, start, start + length);
  if (found.bytes.length !== length) throw new Error(`${path} ends within ${name}: it is cut off`);
  return found.bytes;
}

/** Compressed archives are read as a whole. */
async function fromArchive(files: FileSystem, { file, name }: CheckpointArray): Promise<Tensor> {
  const { bytes: all } = await files.readBytes(file, 0, Number.MAX_SAFE_INTEGER);
  const found = readNpz(all).get(name);
  if (!found) throw new Error(`${file} has no array ${name}`);
  return found;
}
