import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openFile } from '../../../engine/src/formats/file.node';
import { readNpy, readNpz, writeNpy, writeNpz } from '../../../engine/src/formats/npy';
import { FormatError, inMemory } from '../../../engine/src/formats/random_access';
import {
  parseShardIndex,
  readHeader,
  readRows,
  readTensor,
  writeSafetensors,
} from '../../../engine/src/formats/safetensors';
import type { Tensor } from '../../../engine/src/tensor';
import { bytesOf, cases, expectSame, type Recorded } from './golden';

interface Case {
  readonly form: 'npy' | 'npz' | 'safetensors';
  readonly name: string;
  readonly file: string;
  readonly arrays: Readonly<Record<string, Recorded>>;
}

const all = cases<Case>('files');

async function load({ form, name, file }: Case): Promise<ReadonlyMap<string, Tensor>> {
  const bytes = bytesOf(file);
  if (form === 'npy') return new Map([[name, readNpy(bytes)]]);
  if (form === 'npz') return readNpz(bytes);
  const access = inMemory(bytes);
  const { tensors } = await readHeader(access);
  return new Map(
    await Promise.all([...tensors].map(async ([key, entry]) => [key, await readTensor(access, entry)] as const)),
  );
}

describe('files that MLX wrote', () => {
  it.each(all.map(c => [`${c.form}: ${c.name}`, c] as const))('are read: %s', async (_, c) => {
    const arrays = await load(c);
    expect([...arrays.keys()].sort()).toEqual(Object.keys(c.arrays).sort());
    for (const [name, recorded] of Object.entries(c.arrays)) expectSame(arrays.get(name)!, recorded, name);
  });

  it('say their metadata', async () => {
    const { file } = all.find(c => c.form === 'safetensors')!;
    expect((await readHeader(inMemory(bytesOf(file)))).metadata).toEqual({ format: 'mlx' });
  });
});

describe('files written here', () => {
  const archive = all.find(c => c.name === 'npz')!;

  it('give back every array', async () => {
    const arrays = await load(archive);
    for (const [name, x] of arrays) expect(readNpy(writeNpy(x)), name).toEqual(x);
    expect(readNpz(writeNpz(arrays))).toEqual(arrays);
    const file = inMemory(writeSafetensors(arrays));
    const { tensors } = await readHeader(file);
    for (const [name, x] of arrays) expect(await readTensor(file, tensors.get(name)!), name).toEqual(x);
  });

  it('keep arrays of a safetensors file aligned', async () => {
    const x: Tensor = { shape: [1], dtype: 'float32', data: Float32Array.of(1) };
    for (const name of ['a', 'ab', 'abc', 'ü'])
      expect((await readHeader(inMemory(writeSafetensors(new Map([[name, x]]))))).tensors.get(name)!.offset % 8).toBe(
        0,
      );
  });

  it('have no float64 in safetensors', () => {
    const x: Tensor = { shape: [1], dtype: 'float64', data: Float64Array.of(1) };
    expect(() => writeSafetensors(new Map([['x', x]]))).toThrow('x is float64');
  });
});

describe('reading parts', () => {
  it('touches only the header, and the rows that are wanted', async () => {
    const x: Tensor = { shape: [100, 4], dtype: 'float32', data: Float32Array.from({ length: 400 }, (_, i) => i) };
    const bytes = writeSafetensors(new Map([['w', x]]));
    let touched = 0;
    const file = {
      size: bytes.length,
      read: async (offset: number, length: number) => {
        touched += length;
        return bytes.subarray(offset, offset + length);
      },
    };
    const { tensors } = await readHeader(file);
    expect(touched).toBeLessThan(200);
    touched = 0;
    const rows = await readRows(file, tensors.get('w')!, 98, 200);
    expect(rows).toEqual({ shape: [2, 4], dtype: 'float32', data: x.data.slice(392) });
    expect(touched).toBe(32);
  });

  it('works on disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'formats-'));
    try {
      const c = all.find(c => c.form === 'safetensors')!;
      await writeFile(join(folder, 'x'), bytesOf(c.file));
      const file = await openFile(join(folder, 'x'));
      const { tensors } = await readHeader(file);
      expectSame(await readTensor(file, tensors.get('bf16')!), c.arrays.bf16, 'bf16');
      await file.close();
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** A safetensors file with this header and so many bytes behind it. */
function safetensors(header: unknown, data: number): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const a = (dtype: string, shape: number[], from: number, to: number) => ({
  a: { dtype, shape, data_offsets: [from, to] },
});

describe('damaged files are refused in words', () => {
  it.each([
    ['nothing', new Uint8Array(3), 'the file has 3 bytes: it is cut off'],
    ['a cut header', safetensors(a('F32', [1], 0, 4), 4).subarray(0, 20), 'the header ends at byte'],
    ['text', new TextEncoder().encode('<!DOCTYPE html><html>'), 'no safetensors file: its header would be'],
    ['no JSON', safetensors('hello', 0), 'its header is not JSON'],
    ['a list', safetensors([1], 0), 'no JSON object'],
    ['data cut off', safetensors(a('F32', [4], 0, 16), 8), 'a lies at bytes'],
    ['a wrong length', safetensors(a('F32', [4], 0, 8), 8), 'a is F32[4], 16 bytes, but the header gives it 8'],
    ['no offsets', safetensors({ a: { dtype: 'F32', shape: [1] } }, 4), 'without dtype, shape and data_offsets'],
    ['a negative shape', safetensors(a('F32', [-1], 0, 4), 4), 'without dtype, shape and data_offsets'],
    ['no description', safetensors({ a: 3 }, 4), 'a has no description'],
  ])('%s', async (_, bytes, message) => {
    await expect(readHeader(inMemory(bytes))).rejects.toThrow(message);
    await expect(readHeader(inMemory(bytes))).rejects.toThrow(FormatError);
  });

  it('a dtype that MLX cannot load, only when it is read', async () => {
    const file = inMemory(safetensors(a('F8_E5M2', [4], 0, 4), 4));
    const entry = (await readHeader(file)).tensors.get('a')!;
    expect(entry).toMatchObject({ dtype: null, storedDtype: 'F8_E5M2', shape: [4] });
    await expect(readTensor(file, entry)).rejects.toThrow('a has dtype F8_E5M2, which MLX cannot load');
  });

  it('rows of a scalar', async () => {
    const file = inMemory(safetensors(a('F32', [], 0, 4), 4));
    await expect(readRows(file, (await readHeader(file)).tensors.get('a')!, 0, 1)).rejects.toThrow('scalar');
  });

  const npy = writeNpy({ shape: [2], dtype: 'float32', data: Float32Array.of(1, 2) });
  const withText = (from: string, to: string): Uint8Array => {
    const text = Buffer.from(npy).toString('latin1').replace(from, to.padEnd(from.length));
    return Uint8Array.from(Buffer.from(text, 'latin1'));
  };
  it.each([
    ['no magic', new Uint8Array(20), 'no .npy file'],
    ['a new version', Uint8Array.from(npy, (b, i) => (i === 6 ? 9 : b)), 'version 9'],
    ['a cut header', npy.subarray(0, 30), 'cut off in its header'],
    ['hardly a header', npy.subarray(0, 8), 'cut off in its header'],
    ['cut data', npy.subarray(0, npy.length - 1), 'takes 8 bytes, there are 7'],
    ['strings', withText("'<f4'", "'<U2'"), 'type <U2 cannot be loaded'],
    ['no shape', withText("'shape'", "'shop'"), 'no readable shape'],
  ])('npy: %s', (_, bytes, message) => {
    expect(() => readNpy(bytes)).toThrow(message);
    expect(() => readNpy(bytes)).toThrow(FormatError);
  });

  it('npz: no archive, and an entry that is no array', () => {
    expect(() => readNpz(new Uint8Array(10))).toThrow('no .npz archive');
    const archive = writeNpz(new Map([['x', readNpy(npy)]]));
    const at = Buffer.from(archive).indexOf('NUMPY');
    archive[at] = 0;
    expect(() => readNpz(archive)).toThrow('x.npy: this is no .npy file');
  });
});

it('reads which shard holds a parameter', () => {
  const index = parseShardIndex('{"metadata":{},"weight_map":{"a.weight":"model-00001-of-00002.safetensors"}}');
  expect(index.get('a.weight')).toBe('model-00001-of-00002.safetensors');
  expect(() => parseShardIndex('{}')).toThrow('no weight_map');
  expect(() => parseShardIndex('{')).toThrow('not JSON');
});
