/** Checkpoints on disk that take no room: a true header, and as many bytes as it says, none of them written. */
import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';

/** dtype and shape by name. */
export type Arrays = Readonly<Record<string, readonly [dtype: string, shape: readonly number[]]>>;

const STORED: Readonly<Record<string, readonly [name: string, bytes: number]>> = {
  float32: ['F32', 4],
  float16: ['F16', 2],
  bfloat16: ['BF16', 2],
  uint32: ['U32', 4],
  uint8: ['U8', 1],
  int32: ['I32', 4],
};

/** Writes the header and extends the file to its size. @returns the size */
export function writeSparse(file: string, arrays: Arrays): number {
  let at = 0;
  const header: Record<string, unknown> = { __metadata__: { format: 'mlx' } };
  for (const [name, [dtype, shape]] of Object.entries(arrays)) {
    const [stored, bytes] = STORED[dtype];
    const size = shape.reduce((a, b) => a * b, bytes);
    header[name] = { dtype: stored, shape, data_offsets: [at, at + size] };
    at += size;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  mkdirSync(path.dirname(file), { recursive: true });
  const handle = openSync(file, 'w');
  writeSync(handle, length);
  writeSync(handle, text);
  ftruncateSync(handle, 8 + text.length + at);
  closeSync(handle);
  return 8 + text.length + at;
}

/** Two shards and their index in a folder. */
export function writeShards(
  folder: string,
  arrays: Arrays,
): { shards: readonly [Arrays, Arrays]; names: readonly string[] } {
  const entries = Object.entries(arrays);
  const half = entries.length >> 1;
  const shards = [Object.fromEntries(entries.slice(0, half)), Object.fromEntries(entries.slice(half))] as const;
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const map: Record<string, string> = {};
  for (const [i, shard] of shards.entries()) {
    writeSparse(path.join(folder, names[i]), shard);
    for (const name of Object.keys(shard)) map[name] = names[i];
  }
  writeFileSync(path.join(folder, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  return { shards, names };
}
