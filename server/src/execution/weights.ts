/**
 * Parameters of a module by path, and values for them from files.
 */
import { type Dim, isKnown, product } from '../../../engine/src/dims/dim';
import { readNpy, readNpz } from '../../../engine/src/formats/npy';
import { type RandomAccess, readExactly } from '../../../engine/src/formats/random_access';
import { readHeader, readTensor } from '../../../engine/src/formats/safetensors';
import type { ArrayNode } from '../../../engine/src/graph/graph';
import type { Tensor } from '../../../engine/src/tensor';
import type { ExecuteRequest } from '../features/executor';
import { lookupClass } from '../interpreter/attributes';
import type { InstanceValue, Value } from '../interpreter/values';
import { isModule, moduleEntries } from '../mlx/nn/membership';

/** Opens a file for reading by pieces; absent where there are no files (a browser). */
export type OpenBinary = (path: string) => Promise<RandomAccess>;

export interface Parameter {
  readonly path: string;
  readonly node: ArrayNode;
  /** Whether `nn.quantize` would quantize it. */
  readonly quantizable: boolean;
  readonly owner: InstanceValue;
}

/** The arrays of a module's tree that are known one by one, in MLX's order. */
export function parametersOf(module: InstanceValue): Parameter[] {
  const found: Parameter[] = [];
  const active = new Set<Value>();
  const visit = (value: Value, path: string, owner: InstanceValue): void => {
    const v = value.kind === 'parameter' && value.settled ? value.settled : value;
    if (v.kind === 'array') {
      const name = path.slice(path.lastIndexOf('.') + 1);
      const quantizable = name === 'weight' && lookupClass(owner.cls, 'to_quantized') !== null;
      found.push({ path, node: v.node, quantizable, owner });
    } else if (v.kind === 'list')
      for (const [i, item] of (v.items ?? [v.element!]).entries()) visit(item, `${path}.${i}`, owner);
    else if (v.kind === 'dict')
      for (const e of v.entries.values()) visit(e.value, `${path}.${e.key.kind === 'str' ? e.key.value : '?'}`, owner);
    else if (isModule(v) && !active.has(v)) {
      active.add(v);
      members(v, path);
      active.delete(v);
    }
  };
  const members = (owner: InstanceValue, path: string): void => {
    for (const [name, value] of moduleEntries(owner).entries)
      if (!name.startsWith('_')) visit(value, path ? `${path}.${name}` : name, owner);
  };
  members(module, '');
  return found;
}

/** The modules of a tree by path; the root's is empty. */
export function modulePaths(root: InstanceValue): Map<InstanceValue, string> {
  const paths = new Map<InstanceValue, string>([[root, '']]);
  const visit = (value: Value, path: string): void => {
    const v = value.kind === 'parameter' && value.settled ? value.settled : value;
    if (v.kind === 'list' || v.kind === 'tuple')
      for (const [i, item] of (v.items ?? []).entries()) visit(item, `${path}.${i}`);
    else if (v.kind === 'dict')
      for (const e of v.entries.values()) visit(e.value, `${path}.${e.key.kind === 'str' ? e.key.value : '?'}`);
    else if (isModule(v) && !paths.has(v)) {
      paths.set(v, path);
      for (const [name, inner] of v.attributes) visit(inner, path ? `${path}.${name}` : name);
    }
  };
  for (const [name, inner] of root.attributes) visit(inner, name);
  return paths;
}

/** Elements of a module's parameters that are known. */
export function countOf(module: InstanceValue): number {
  return parametersOf(module).reduce((n, { node }) => {
    const size = Array.isArray(node.shape) ? product(node.shape as readonly Dim[]) : 0;
    return n + (isKnown(size) ? size : 0);
  }, 0);
}

const whole = (file: RandomAccess): Promise<Uint8Array> => readExactly(file, 0, file.size, 'the file');

/** An input's values: `x.npy`, `archive.npz:key` or `file.safetensors:key`. */
export async function readValues(spec: string, open: OpenBinary | null): Promise<Tensor> {
  if (!open) throw new Error('files cannot be read here');
  const match = /^(.+\.(?:npz|safetensors)):(.+)$/.exec(spec);
  if (!match) return readNpy(await whole(await open(spec)));
  const [, path, key] = match;
  const file = await open(path);
  if (path.endsWith('.npz')) {
    const found = readNpz(await whole(file)).get(key);
    if (!found) throw new Error(`${path} has no array ${key}`);
    return found;
  }
  const entry = (await readHeader(file)).tensors.get(key);
  if (!entry) throw new Error(`${path} has no array ${key}`);
  return readTensor(file, entry);
}

/** The request with shapes and dtypes from the files that its inputs name: the graph is recorded for these. */
export async function withTypesOfFiles<R extends ExecuteRequest>(request: R, open: OpenBinary | null): Promise<R> {
  if (!request.inputs.some(input => input.file)) return request;
  const inputs = request.inputs.map(async input => {
    if (!input.file) return input;
    const { shape, dtype } = await readValues(input.file, open);
    return { ...input, shape: [...shape], dtype };
  });
  return { ...request, inputs: await Promise.all(inputs) };
}
