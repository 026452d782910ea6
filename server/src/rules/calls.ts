/**
 * MLX13x: calls that do not fit the signature, and names that do not exist. Where the name is another library's, the
 * rules of `porting.ts` say what to write instead.
 */
import type { Rule } from './diagnostic';

export const CALL_RULES = {
  signature: {
    code: 'MLX131',
    name: 'signature',
    severity: 'error',
    summary: 'A function or layer is called with arguments that it does not take.',
  },
  attribute: {
    code: 'MLX132',
    name: 'attribute',
    severity: 'error',
    summary: 'A name is used that MLX, or the object, does not have.',
  },
} as const satisfies Record<string, Rule>;
