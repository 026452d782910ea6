/**
 * A refusal: what MLX raises while it records the graph, in our own words.
 *
 * Shape rules throw it only when every array that the known facts admit would be refused; the server turns it into a
 * diagnostic. `kind` names the cause; the server's rules give each kind its code.
 */
import type { Dim } from '../dims/dim';

export type RefusalKind =
  | 'linear-input'
  | 'matmul'
  | 'broadcast'
  | 'reshape'
  | 'concatenate'
  | 'split'
  | 'conv-channels'
  | 'conv-rank'
  | 'norm-dims'
  | 'index-dtype'
  | 'attention'
  | 'index-rank'
  | 'unpack'
  | 'einsum'
  | 'axis'
  | 'transpose'
  | 'squeeze'
  | 'pool'
  | 'loss'
  | 'gather'
  | 'gradient'
  | 'dtype'
  | 'rope'
  | 'quantize-group'
  | 'quantize-mode'
  | 'quantize-packed'
  | 'quantize-module'
  | 'weights-missing'
  | 'weights-unexpected'
  | 'weights-shape'
  | 'weights-layout'
  | 'weights-quantized'
  | 'weights-file'
  | 'value'
  | 'signature'
  | 'attribute';

export type PythonError = 'ValueError' | 'TypeError' | 'IndexError' | 'RuntimeError' | 'AttributeError' | 'KeyError';

export interface RefusalDetail {
  /** The argument at fault, by position among the operation's array inputs. */
  input?: number;
  axis?: number;
  expected?: Dim;
  actual?: Dim;
  /** The unknown name or keyword, for 'attribute' and 'signature'. */
  name?: string;
  /** The layer that refused; opaque to the engine. */
  layer?: unknown;
}

export class Refusal extends Error {
  /** `pythonType` is the exception MLX raises: it decides which `except` clause catches it. */
  constructor(
    readonly kind: RefusalKind,
    message: string,
    readonly detail: RefusalDetail = {},
    readonly pythonType: PythonError = 'ValueError',
  ) {
    super(message);
    this.name = 'Refusal';
  }
}
