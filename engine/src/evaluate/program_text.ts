/**
 * A program as text, for places that only text reaches: a page, through the language server and the editor.
 *
 * It is JSON, with the arrays' bytes in base64 (little-endian, as all machines that run this store them) and the values
 * that JSON lacks by name.
 */
import type { DType } from '../dtype';
import { fromBase64, toBase64 } from '../formats/base64';
import type { Attr, Attrs } from '../graph/op';
import { allocate, elementCount, type Tensor } from '../tensor';
import type { Program, ProgramCall } from './program';

interface ArrayText {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly base64: string;
}

interface ProgramJson {
  readonly sources: readonly ArrayText[];
  readonly calls: readonly ProgramCall[];
  readonly outputs: readonly number[];
}

export function programText({ sources, calls, outputs }: Program): string {
  const json: ProgramJson = {
    sources: sources.map(({ shape, dtype, data: { buffer, byteOffset, byteLength } }) => ({
      shape,
      dtype,
      base64: toBase64(new Uint8Array(buffer, byteOffset, byteLength)),
    })),
    calls: calls.map(call => ({ ...call, attrs: mapAttrs(call.attrs, named) })),
    outputs,
  };
  return JSON.stringify(json);
}

/** @throws Error for text that `programText` did not write */
export function readProgramText(text: string): Program {
  const { sources, calls, outputs } = JSON.parse(text) as ProgramJson;
  return {
    sources: sources.map(readArray),
    calls: calls.map(call => ({ ...call, attrs: mapAttrs(call.attrs, unnamed) })),
    outputs,
  };
}

function readArray({ shape, dtype, base64 }: ArrayText): Tensor {
  const data = allocate(dtype, elementCount(shape));
  const bytes = fromBase64(base64);
  if (bytes.length !== data.byteLength)
    throw new Error(`the program has ${bytes.length} bytes for ${dtype}[${shape}], which takes ${data.byteLength}`);
  new Uint8Array(data.buffer).set(bytes);
  return { shape, dtype, data } as Tensor;
}

// ---- attributes -------------------------------------------------------------------------------------------------------

/** Values that JSON lacks. */
const UNSPEAKABLE: Readonly<Record<string, Attr>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
  undefined,
};
/** The only key of an object that stands for one of them. */
const NAME = '$value';

function named(attr: Attr): Attr {
  const name = Object.keys(UNSPEAKABLE).find(key => Object.is(UNSPEAKABLE[key], attr));
  return name === undefined ? attr : { [NAME]: name };
}

function unnamed(attr: Attr): Attr {
  if (typeof attr !== 'object' || attr === null || !(NAME in attr)) return attr;
  return UNSPEAKABLE[String((attr as Attrs)[NAME])];
}

/** The attributes with `change` made to every value in them, containers before what they hold. */
const mapAttrs = (attrs: Attrs, change: (attr: Attr) => Attr): Attrs =>
  Object.fromEntries(Object.entries(attrs).map(([name, attr]) => [name, mapAttr(attr, change)]));

function mapAttr(attr: Attr, change: (attr: Attr) => Attr): Attr {
  const changed = change(attr);
  if (changed !== attr || typeof attr !== 'object' || attr === null) return changed;
  if (Array.isArray(attr)) return attr.map(item => mapAttr(item, change));
  return mapAttrs(attr as Attrs, change);
}
